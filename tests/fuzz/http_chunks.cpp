// SPDX-License-Identifier: MIT
// The body reader: any octets, in pieces of any size, give the same body and verdict as at once,
// never above the limit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/http/body_reader.h"

namespace {

constexpr std::uint64_t kLimit = 4096;

struct Outcome {
  edge::http::BodyReader::State state = edge::http::BodyReader::State::NeedsMore;
  std::string body;
  std::size_t used = 0;
};

Outcome read(std::string_view octets, std::size_t step) {
  edge::http::BodyReader reader;
  reader.start({.chunked = true}, kLimit, false);
  Outcome outcome;
  while (outcome.used < octets.size() &&
         outcome.state == edge::http::BodyReader::State::NeedsMore) {
    std::string_view piece = octets.substr(outcome.used, step);
    const std::size_t given = piece.size();
    outcome.state = reader.feed(piece, outcome.body);
    outcome.used += given - piece.size();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(octets, std::max<std::size_t>(octets.size(), 1));
  const Outcome parts = read(octets, data[0] % 16U + 1);
  if (whole.state != parts.state || whole.body != parts.body || whole.used != parts.used ||
      whole.body.size() > kLimit) {
    std::abort();
  }
  return 0;
}
