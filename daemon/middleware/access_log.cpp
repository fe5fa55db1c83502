// SPDX-License-Identifier: MIT
// Stage 3: one line per request, after the answer (identity spec 4.6). It names the pattern of the
// route, never the raw path or query, so that no token in them is written down.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>

#include "core/events/network.h"
#include "daemon/middleware.h"
#include "daemon/server_config.h"

namespace edge::middleware {
namespace {

/// The client's address in what settings and the request itself leave of it; `-` for nothing.
std::string shown_client(const http::Request& request, events::IpMode mode) {
  const bool is_anonymous = request.header("SP-Anonymous") == "*";
  const std::string_view policy = request.header("X-IP-Policy").value_or("");
  return events::anonymise(request.client(),
                           is_anonymous ? events::IpMode::None : events::tightened(mode, policy))
      .value_or("-");
}

/// Appends members of one line: `"name":"value"` or `name=value`.
class Line {
 public:
  Line(std::string& out, bool json) : out_(out), json_(json) {}
  void text(std::string_view name, std::string_view value) {
    begin(name);
    out_.append(json_ ? "\"" : "");
    append_escaped(out_, value);
    out_.append(json_ ? "\"" : "");
  }
  void number(std::string_view name, std::uint64_t value) {
    begin(name);
    const fmt::format_int digits(value);
    out_.append(digits.data(), digits.size());
  }
  void milliseconds(std::string_view name, std::chrono::microseconds value) {
    begin(name);
    const auto micros = std::max<std::int64_t>(value.count(), 0);
    fmt::format_to(std::back_inserter(out_), "{}.{:03}", micros / 1000, micros % 1000);
  }

 private:
  void begin(std::string_view name) {
    out_.append(json_ ? ",\"" : " ").append(name).append(json_ ? "\":" : "=");
  }
  std::string& out_;
  const bool json_;
};

}  // namespace

void access_log(Chain& chain) {
  if (!chain.log.shows(Log::Level::Info)) {
    return;
  }
  chain.on_answer(
      Stage::AccessLog,
      [&chain](http::Request& request, const http::Route* route, http::Response& response) {
        std::string line;
        line.reserve(384);
        const bool json = chain.log.is_json();
        line.append(json ? R"({"time":")" : "");
        append_time(line, request.received());
        line.append(json ? R"(","level":"info","message":"request")" : " info request");
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
            chain.clock.steady() - request.started());
        const http::Principal* principal = request.principal();
        Line members(line, json);
        members.text("requestId", request.request_id());
        members.text("traceId", request.trace_id());
        members.text("client", shown_client(request, chain.config.addresses));
        members.text("method", http::name_of(request.method()));
        members.text("route", route != nullptr ? std::string_view(route->pattern) : "-");
        members.number("status", static_cast<std::uint64_t>(response.status()));
        members.number("in", request.body().size());
        members.number("out", response.body().size());
        members.milliseconds("ms", micros);
        if (principal != nullptr) {
          members.text("identity", principal->id);
        }
        if (response.problem() != nullptr) {
          const http::Problem& problem = *response.problem();
          members.text("code", problem.log_code.empty() ? problem.code : problem.log_code);
        }
        chain.log.append(line.append(json ? "}\n" : "\n"));
      });
}

}  // namespace edge::middleware
