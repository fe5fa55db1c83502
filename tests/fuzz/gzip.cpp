// SPDX-License-Identifier: MIT
// Packed bodies: any octets either unfold within the bounds or are refused, alike by both readers.
#include "daemon/http/gzip.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/http/inflate.h"

namespace {

constexpr std::size_t kLimit = std::size_t{1} << 20U;
constexpr std::size_t kFree = std::size_t{64} << 10U;
constexpr std::size_t kMaxRatio = 100;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto strict = edge::http::gunzip(octets, kLimit);
  require(!strict || (strict->size() <= kLimit &&
                      (strict->size() <= kFree || strict->size() <= size * kMaxRatio)));
  using edge::http::Window;
  for (const Window window : {Window::Gzip, Window::Zlib, Window::Raw}) {
    const auto unpacked = edge::http::inflate_all(octets, window, kLimit);
    require(!unpacked || unpacked->size() <= kLimit);
    require(window != Window::Gzip || !strict || (unpacked && *unpacked == *strict));
  }
  return 0;
}
