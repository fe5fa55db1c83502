// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/json/writer.h"

namespace edge::http {

class Stream;
class WebSocket;

/// What the client is told when something is wrong; each surface prints it in its own form. The
/// seed API prints the problem document of identity spec 4.5.
struct Problem {
  int status = 500;
  std::string code = {};       ///< stable snake_case name
  std::string_view type = {};  ///< a URI that lives forever; empty: `urn:edge:problem:CODE`
  std::string error =
      {};  ///< the short text (`{"error":T}` of the route tables); default: the status phrase
  std::string detail = {};    ///< one sentence for people; never printed with a 5xx
  std::string pointer = {};   ///< JSON pointer of the wrong member; printed as `errors`
  std::string members = {};   ///< further members as JSON text, `"retry":3,"x":[]`, else empty
  std::string log_code = {};  ///< the exact code, for the log only, where the client is told less
  std::int64_t retry_after = 0;  ///< seconds; 0 = no Retry-After
};

/// The problem that an error is by the table of identity spec 4.5.
Problem problem_of(const Error& error);

/// One answer. A value; moved to the loop that writes it.
///
/// The server adds Date, Content-Length, Connection, X-Request-Id, the secure headers and CORS by
/// itself.
class Response {
 public:
  Response() = default;
  explicit Response(int status) : status_(status) {}
  /// A failure; printed by the surface of the route.
  explicit Response(Problem problem)
      : status_(problem.status), problem_(std::make_unique<Problem>(std::move(problem))) {}

  /// Adds a field. `name` and `value` must not hold CR, LF or NUL: that throws
  /// `std::invalid_argument`.
  Response& set(std::string_view name, std::string_view value);
  /// `type` must live forever (a literal); empty = no Content-Type.
  Response& type(std::string_view type) {
    type_ = type;
    return *this;
  }
  Response& body(std::string body) {
    body_ = std::move(body);
    fixed_ = {};
    return *this;
  }
  /// A body that lives forever; not copied.
  Response& fixed_body(std::string_view body) {
    fixed_ = body;
    return *this;
  }
  /// Adds field lines that live forever, each ended by CR LF, already checked; not copied until
  /// written. At most twice (the middleware adds its own).
  Response& fixed_fields(std::string_view lines) {
    assert(blocks_ < fixed_fields_.size());
    fixed_fields_[blocks_++] = lines;
    return *this;
  }
  /// The body comes from `stream` from now on, instead of `body`.
  Response& stream(std::shared_ptr<Stream> stream) {
    stream_ = std::move(stream);
    return *this;
  }
  /// The connection becomes that WebSocket behind this answer, whose status is 101.
  Response& socket(std::shared_ptr<WebSocket> socket) {
    socket_ = std::move(socket);
    return *this;
  }
  /// Adds whole field lines, each ended by CR LF, that hold nothing of the client's.
  Response& append_checked(std::string_view lines) {
    fields_.append(lines);
    return *this;
  }
  /// Ends the connection after this answer.
  Response& close() {
    close_ = true;
    return *this;
  }
  /// May be used by pages of other origins: Cross-Origin-Resource-Policy is `cross-origin`.
  Response& for_other_origins() {
    cross_origin_ = true;
    return *this;
  }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::string_view type() const { return type_; }
  [[nodiscard]] std::string_view fields() const { return fields_; }
  [[nodiscard]] std::span<const std::string_view> fixed_fields() const {
    return std::span(fixed_fields_).first(blocks_);
  }
  [[nodiscard]] std::string_view body() const {
    return fixed_.empty() ? std::string_view(body_) : fixed_;
  }
  /// Where the body comes from; null when it is `body()`.
  [[nodiscard]] const std::shared_ptr<Stream>& stream() const { return stream_; }
  [[nodiscard]] const std::shared_ptr<WebSocket>& socket() const { return socket_; }
  [[nodiscard]] bool closes() const { return close_; }
  [[nodiscard]] bool is_for_other_origins() const { return cross_origin_; }
  [[nodiscard]] bool has_own_policy() const { return own_policy_; }
  /// The failure that is still to be printed, or null.
  [[nodiscard]] const Problem* problem() const { return problem_.get(); }

 private:
  int status_ = 200;
  bool close_ = false;
  bool cross_origin_ = false;
  bool own_policy_ = false;  // a Content-Security-Policy was set
  std::string_view type_;
  std::uint8_t blocks_ = 0;
  std::array<std::string_view, 8> fixed_fields_{};
  std::string_view fixed_;
  std::string fields_;  // "Name: value\r\n"…
  std::string body_;
  std::unique_ptr<Problem> problem_;
  std::shared_ptr<Stream> stream_;
  std::shared_ptr<WebSocket> socket_;
};

/// An `application/json` answer of a text that is JSON.
Response json(std::string text, int status = 200);
/// The same from a writer.
Response json(json::Writer& writer, int status = 200);
/// A `text/plain; charset=utf-8` answer.
Response text(std::string text, int status = 200);
/// 204.
Response no_content();

}  // namespace edge::http
