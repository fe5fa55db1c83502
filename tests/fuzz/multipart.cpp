// SPDX-License-Identifier: MIT
// The reader of multipart bodies: what it finds lies in the body, in order; and whatever content a
// part is given is what is read back.
#include "core/encoding/multipart.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t kMost = 16;
constexpr const char* kType = "multipart/form-data; boundary=b";

void check_any(std::string_view body) {
  const auto parts = edge::encoding::read_form_data(kType, body, kMost);
  const char* last = body.data();
  for (const auto& part : parts ? *parts : std::vector<edge::encoding::Part>{}) {
    const char* const begin = part.content.data();
    if (begin < last || begin + part.content.size() > body.data() + body.size()) {
      std::abort();
    }
    last = begin + part.content.size();
  }
  if (parts && parts->size() > kMost) {
    std::abort();
  }
}

void check_content(std::string_view content) {
  const std::string body = "--b\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n" +
                           std::string(content) + "\r\n--b--";
  const auto parts = edge::encoding::read_form_data(kType, body, kMost);
  if (!parts || parts->size() != 1 || parts->front().content != content) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  check_any(octets);
  if (std::string(octets).append("\r\n").find("\r\n--b") == std::string::npos) {
    check_content(octets);
  }
  // A type from outside.
  (void)edge::encoding::read_form_data(octets, octets, kMost);
  return 0;
}
