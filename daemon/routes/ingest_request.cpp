// SPDX-License-Identifier: MIT
#include "daemon/routes/ingest_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "core/encoding/base64.h"
#include "daemon/http/inflate.h"

namespace edge::routes {
namespace {

using Unpacked = tl::expected<std::string, http::Problem>;

constexpr std::uint32_t kMaxHops = 1'000;
/// Octets of `{"type":"page"}`: a list with more elements than such ones fill a body is no batch.
constexpr std::size_t kSmallestEvent = 15;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

Unpacked undo(std::string_view coding, std::string_view packed, std::size_t limit) {
  if (http::equals_ignoring_case(coding, "gzip") || http::equals_ignoring_case(coding, "x-gzip")) {
    return http::inflate_all(packed, http::Window::Gzip, limit);
  }
  if (http::equals_ignoring_case(coding, "deflate")) {
    // RFC 9110 means the zlib format; some clients send raw deflate data.
    const bool has_head =
        packed.size() >= 2 && (packed[0] & 0x0F) == 8 &&
        (static_cast<unsigned char>(packed[0]) * 256U + static_cast<unsigned char>(packed[1])) %
                31 ==
            0;
    return http::inflate_all(packed, has_head ? http::Window::Zlib : http::Window::Raw, limit);
  }
  return tl::unexpected(http::Problem{.status = 415,
                                      .code = "unsupported_encoding",
                                      .detail = "content codings are gzip, deflate and identity"});
}

/// The codings in the order in which they are undone, `identity` left out.
std::vector<std::string_view> codings_of(const http::Request& request) {
  std::vector<std::string_view> codings;
  std::string_view list = request.header("Content-Encoding").value_or("");
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view coding = trimmed(list.substr(0, comma));
    if (!coding.empty() && !http::equals_ignoring_case(coding, "identity")) {
      codings.insert(codings.begin(), coding);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return codings;
}

std::string basic_user(std::string_view credentials) {
  const auto decoded = encoding::base64_decode_any(trimmed(credentials));
  return decoded ? decoded->substr(0, decoded->find(':')) : std::string{};
}

std::vector<std::string> keys_of(const http::Request& request, std::string_view body_key) {
  std::vector<std::string> keys;
  const std::string_view authorization = request.header("Authorization").value_or("");
  const std::size_t blank = std::min(authorization.find(' '), authorization.size());
  const std::string_view scheme = authorization.substr(0, blank);
  if (http::equals_ignoring_case(scheme, "basic")) {
    keys.push_back(basic_user(authorization.substr(blank)));
  } else if (http::equals_ignoring_case(scheme, "bearer")) {
    keys.emplace_back(trimmed(authorization.substr(blank)));
  }
  keys.emplace_back(request.header("X-Write-Key").value_or(""));
  if (request.query().find("writeKey") != std::string_view::npos) {
    keys.push_back(request.query_value("writeKey").value_or(""));
  }
  keys.emplace_back(body_key);
  return keys;
}

}  // namespace

tl::expected<std::optional<std::string>, http::Problem> unpack(const http::Request& request,
                                                               std::size_t limit) {
  const std::vector<std::string_view> codings = codings_of(request);
  std::optional<std::string> owned;
  std::string_view body = request.body();
  for (const std::string_view coding : codings) {
    auto unpacked = undo(coding, body, limit);
    if (!unpacked) {
      return tl::unexpected(std::move(unpacked.error()));
    }
    owned = std::move(*unpacked);
    body = *owned;
  }
  if (codings.empty() && body.starts_with("\x1F\x8B")) {
    auto unpacked = undo("gzip", body, limit);
    if (!unpacked) {
      return tl::unexpected(std::move(unpacked.error()));
    }
    owned = std::move(*unpacked);
    body = *owned;
  }
  if (body.size() > limit) {
    return tl::unexpected(http::too_large(limit));
  }
  return owned;
}

std::string offered_key(const http::Request& request) {
  for (std::string& key : keys_of(request, {})) {
    if (!key.empty()) {
      return std::move(key);
    }
  }
  return {};
}

std::size_t max_body(const Edge& edge) {
  return static_cast<std::size_t>(edge.config.ingest.max_body);
}

tl::expected<void, http::Problem> check_count(const Edge& edge, std::size_t events) {
  const auto set = static_cast<std::size_t>(edge.config.ingest.max_events);
  const std::size_t most = set == 0 ? max_body(edge) / kSmallestEvent : set;
  if (events <= most) {
    return {};
  }
  return tl::unexpected(http::Problem{
      .status = 413,
      .code = "too_many_events",
      .detail = fmt::format("a batch has at most {} events; this one has {}", most, events)});
}

Result<const events::Source*> source_of(const Edge& edge,
                                        const http::Request& request,
                                        std::string_view body_key) {
  return edge.sources.find(keys_of(request, body_key), request.header("Origin").value_or(""));
}

Result<const events::Source*> sender_of(Edge& edge,
                                        const http::Request& request,
                                        std::string_view body_key) {
  auto source = source_of(edge, request, body_key);
  if (!source || (*source)->rate.requests == 0) {
    return source;
  }
  const ratelimit::Limit limit{
      .name = "source",
      .quota = {.limit = (*source)->rate.requests, .period = (*source)->rate.period}};
  const ratelimit::Verdict verdict = edge.limits.check(limit, (*source)->name);
  if (!verdict.allowed) {
    const std::int64_t wait = verdict.retry_after_s.value_or(verdict.reset_s);
    return Failure({ErrorCode::RateLimited,
                    fmt::format("the source sends more than {} requests in {} s",
                                limit.quota.limit,
                                limit.quota.period.count()),
                    {},
                    "rate_limited",
                    std::chrono::seconds{std::max<std::int64_t>(wait, 1)}});
  }
  return source;
}

Result<const events::Source*> public_source_of(Edge& edge,
                                               const http::Request& request,
                                               std::string_view body_key) {
  auto source = sender_of(edge, request, body_key);
  const bool is_open = edge.is_demo() || edge.config.track.open.value_or(edge.is_loopback());
  if (!source && is_open && source.error().code == ErrorCode::Unauthenticated) {
    return &edge.sources.fallback();
  }
  return source;
}

events::Origin origin_of(const http::Request& request, const events::Source& source) {
  const std::string_view hops = request.header("X-Edge-Hops").value_or("");
  std::uint32_t count = 0;
  std::from_chars(hops.data(), hops.data() + hops.size(), count);
  return {.source = source.name,
          .received_at = request.received(),
          .hops = std::min(count, kMaxHops),
          .client_ip = request.client(),
          .user_agent = request.header("User-Agent").value_or(""),
          .accept_language = request.header("Accept-Language").value_or(""),
          .gpc = request.header("Sec-GPC") == "1",
          .dnt = request.header("DNT") == "1",
          .anonymous = request.header("SP-Anonymous") == "*",
          .ip = events::tightened(source.ip, request.header("X-IP-Policy").value_or(""))};
}

}  // namespace edge::routes
