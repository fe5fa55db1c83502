// SPDX-License-Identifier: MIT
// Stage 13: how the body is packed and what type it has (identity spec 4.7). Its size was judged
// while it was read.
#include <algorithm>

#include "daemon/http/gzip.h"
#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr std::size_t kMaxUnpacked = std::size_t{16} << 20U;
constexpr std::size_t kUnpackedFactor = 10;

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool ends_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         http::equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// `application/json` or `application/*+json`, with no charset but UTF-8.
bool is_json(std::string_view type) {
  constexpr std::string_view kPrefix = "application/";
  const std::size_t semicolon = std::min(type.find(';'), type.size());
  const std::string_view name = trim(type.substr(0, semicolon));
  const bool fits = http::equals_ignoring_case(name, "application/json") ||
                    (name.size() > kPrefix.size() + 5 &&
                     http::equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix) &&
                     ends_ignoring_case(name, "+json") && name.find(',') == std::string_view::npos);
  std::string_view parameters = type.substr(std::min(semicolon + 1, type.size()));
  while (fits && !parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (http::equals_ignoring_case(parameter.substr(0, equals), "charset") &&
        !http::equals_ignoring_case(value, "utf-8")) {
      return false;
    }
  }
  return fits;
}

http::Problem unsupported(std::string detail) {
  return {.status = 415, .code = "unsupported_media_type", .detail = std::move(detail)};
}

/// What is wrong with the body, after unpacking it.
std::optional<http::Problem> judge(http::Request& request, const http::RouteOptions& options) {
  http::RequestParts& parts = request.parts();
  if (options.accepts == http::Accepts::Packed) {
    return std::nullopt;
  }
  const auto encoding = request.header("Content-Encoding");
  if (encoding && http::equals_ignoring_case(*encoding, "gzip")) {
    auto unpacked =
        http::gunzip(parts.body, std::min(options.max_body * kUnpackedFactor, kMaxUnpacked));
    if (!unpacked) {
      return http::problem_of(unpacked.error());
    }
    parts.body = *std::move(unpacked);
  } else if (encoding && !http::equals_ignoring_case(*encoding, "identity")) {
    return unsupported("the only content codings are identity and gzip");
  }
  const bool carries = parts.method != http::Method::Get && parts.method != http::Method::Head;
  if (options.accepts == http::Accepts::Json && carries && !parts.body.empty() &&
      !is_json(request.header("Content-Type").value_or(""))) {
    return unsupported("the body must be application/json in UTF-8");
  }
  return std::nullopt;
}

}  // namespace

void body(Chain& chain) {
  chain.add(Stage::Body, [](http::Exchange exchange, const Next& next) {
    auto problem = judge(exchange.request(), exchange.state()->route->options);
    if (problem) {
      exchange.fail(*std::move(problem));
      return;
    }
    next(std::move(exchange));
  });
}

}  // namespace edge::middleware
