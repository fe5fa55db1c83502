// SPDX-License-Identifier: MIT
// What a receiver answers: the response reader must end in a response or an error, the same for
// every cut into pieces.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/transport/response_reader.h"

using edge::transport::ResponseReader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = data[0] == 0 ? 1 : data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ResponseReader::Limits limits{.max_body_bytes = 4096, .cut_body = (data[0] & 1U) != 0};
  ResponseReader whole(false, limits);
  ResponseReader pieces(false, limits);
  const auto first = whole.feed(text);
  auto second = pieces.feed({});
  for (std::size_t at = 0; at < text.size() && second && !*second; at += piece) {
    second = pieces.feed(text.substr(at, piece));
  }
  if (first.has_value() && *first &&
      (!second || !*second || whole.take().body != pieces.take().body)) {
    std::abort();
  }
  return 0;
}
