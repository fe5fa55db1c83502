// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "daemon/http/address.h"
#include "daemon/http/principal.h"

namespace edge::http {

class Carried;
struct Route;

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Trace, Connect };
inline constexpr std::size_t kMethods = 9;

/// `GET`, `HEAD` …
std::string_view name_of(Method method);
/// Nothing for a method we do not know.
std::optional<Method> method_of(std::string_view name);

struct Field {
  std::string_view name;
  std::string_view value;  ///< octets as received, outer blanks removed
};

struct Param {
  std::string_view name;
  std::string_view value;  ///< percent-decoded once
};

/// What rate limits have said of a request so far.
struct QuotaState {
  bool is_limited = false;
  bool is_over = false;         ///< a limit refused it, but its route answers all the same
  std::string lines = {};       ///< `RateLimit` and `RateLimit-Policy` fields of each limit
  std::uint64_t limit = 0;      ///< of the limit that leaves least
  std::uint64_t remaining = 0;  ///< of that limit
  std::int64_t reset_at = 0;    ///< of that limit, Unix seconds
};

/// What the server knows of a request; filled by the reader and the middleware, read through
/// `Request`.
struct RequestParts {
  Method method = Method::Get;
  bool http10 = false;
  bool https = false;
  bool local = false;
  std::string head = {};  ///< the octets of request line and fields; the views below point into it
  std::string decoded = {};  ///< parameters that held percent sequences
  std::string body = {};
  std::string_view target = {};
  std::string_view path = {};
  std::string_view query = {};
  std::string_view host = {};  ///< authority without port, empty when there is none
  std::string_view route = {};
  const Route* path_route = nullptr;  ///< some route of the path, whatever its method
  unsigned allowed = 0;               ///< bit per `Method` that the path knows; 0 = no such path
  bool bad_path = false;              ///< a parameter was not decodable, empty or a `..`
  std::vector<Field> fields = {};
  std::vector<Param> params = {};
  Address peer = {};                 ///< of the other end of the connection
  const Carried* carried = nullptr;  ///< what its listener carries; null: everything
  QuotaState quota = {};
  std::string client = {};
  std::string request_id = {};
  std::string trace_id = {};
  std::string trace_parent = {};  ///< `traceparent` for requests made on behalf of this one
  std::string trace_state = {};
  Time received = {};
  SteadyTime started = {};
  std::optional<Principal> principal = {};
};

/// One request. All views stay valid as long as the request lives, which is as long as an
/// `Exchange` for it exists. Owned by one thread at a time: the loop fills it, then whoever handles
/// it reads it.
class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;  // its views point into itself
  Request& operator=(const Request&) = delete;
  Request(Request&&) = delete;
  Request& operator=(Request&&) = delete;
  ~Request() = default;

  [[nodiscard]] Method method() const { return parts_.method; }
  /// The path as received, not decoded, without the query: `/cdp/profile`.
  [[nodiscard]] std::string_view path() const { return parts_.path; }
  /// What stands behind the `?`, not decoded; see `encoding::parse_form`.
  [[nodiscard]] std::string_view query() const { return parts_.query; }
  /// The first query value of that name, decoded.
  [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;

  /// The fields in order as received.
  [[nodiscard]] std::span<const Field> headers() const { return parts_.fields; }
  /// The first field of that name (any case).
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  /// How many fields have that name.
  [[nodiscard]] std::size_t count_header(std::string_view name) const;

  /// The decoded value of `:name` or `*name` in the route's path; empty when the route has no such
  /// parameter.
  [[nodiscard]] std::string_view param(std::string_view name) const;
  /// The pattern of the matched route, `/coupon/:code`; empty when none matched.
  [[nodiscard]] std::string_view route() const { return parts_.route; }

  /// The whole body, decoded from `Content-Encoding: gzip` and from chunks.
  [[nodiscard]] std::string_view body() const { return parts_.body; }

  /// The address of the client in text form; behind trusted proxies what they say (identity
  /// spec 6.4).
  [[nodiscard]] std::string_view client() const { return parts_.client; }
  /// True when it came over TLS or a trusted proxy says so.
  [[nodiscard]] bool is_https() const { return parts_.https; }
  /// True when the connection is from this machine and no proxy stands between.
  [[nodiscard]] bool is_local() const { return parts_.local; }

  [[nodiscard]] std::string_view request_id() const { return parts_.request_id; }
  /// 32 hexadecimal digits (W3C trace context), made here when the client sent none.
  [[nodiscard]] std::string_view trace_id() const { return parts_.trace_id; }
  /// When the head was complete.
  [[nodiscard]] Time received() const { return parts_.received; }
  /// The same moment on the monotonic clock.
  [[nodiscard]] SteadyTime started() const { return parts_.started; }

  /// Who sends it; null on public routes without credentials.
  [[nodiscard]] const Principal* principal() const {
    return parts_.principal ? &*parts_.principal : nullptr;
  }

  /// True when a rate limit refused it and the route answers over limits too.
  [[nodiscard]] bool is_over_limit() const { return parts_.quota.is_over; }

  /// For the server and the middleware that fill it.
  [[nodiscard]] RequestParts& parts() { return parts_; }
  [[nodiscard]] const RequestParts& parts() const { return parts_; }

 private:
  RequestParts parts_;
};

/// Compares field names and the like: ASCII letters without regard to case.
bool equals_ignoring_case(std::string_view left, std::string_view right);

}  // namespace edge::http
