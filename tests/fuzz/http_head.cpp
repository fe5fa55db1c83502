// SPDX-License-Identifier: MIT
// The head reader: any octets, in pieces of any size, give the same verdict as at once, and views
// inside the head.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/http/request_parser.h"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using edge::http::HeadParser;
  if (size == 0) {
    return 0;
  }
  const std::string octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadParser whole;
  const HeadParser::State at_once = whole.parse(octets);
  HeadParser parts;
  HeadParser::State piecewise = HeadParser::State::NeedsMore;
  const std::size_t step = data[0] % 64U + 1;
  for (std::size_t end = 0; end < octets.size() && piecewise == HeadParser::State::NeedsMore;) {
    end = std::min(end + step, octets.size());
    piecewise = parts.parse(std::string_view(octets).substr(0, end));
  }
  // A prefix may be refused for its length alone; otherwise the verdicts agree.
  require(at_once == piecewise || piecewise == HeadParser::State::Refused || octets.empty());
  if (at_once != HeadParser::State::Complete) {
    require(at_once != HeadParser::State::Refused || whole.refusal().status >= 400);
    return 0;
  }
  require(whole.size() <= octets.size() && whole.size() <= edge::http::kMaxHeadOctets + 2);
  edge::http::Request request;
  whole.fill(octets, request.parts());
  require(request.headers().size() <= edge::http::kMaxFields);
  for (const edge::http::Field& field : request.headers()) {
    require(!field.name.empty() && field.value.find_first_of("\r\n") == std::string_view::npos);
  }
  require(request.path().find_first_of("\r\n ") == std::string_view::npos);
  return 0;
}
