// SPDX-License-Identifier: MIT
#include "daemon/http/inner_request.h"

#include <algorithm>
#include <array>
#include <memory>

#include "daemon/http/request_ids.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/service.h"

namespace edge::http {
namespace {

/// Fields that only the outer request may have: those of the connection, and those by which proxies
/// tell who the client is.
constexpr std::array<std::string_view, 11> kOuterFields = {"Content-Length",
                                                           "Transfer-Encoding",
                                                           "Connection",
                                                           "Expect",
                                                           "Keep-Alive",
                                                           "Upgrade",
                                                           "Forwarded",
                                                           "X-Forwarded-For",
                                                           "X-Forwarded-Proto",
                                                           "X-Real-IP",
                                                           "CF-Connecting-IP"};

Error unreadable(std::string_view why) {
  return {.code = ErrorCode::InvalidArgument, .message = std::string(why), .reason = "bad_request"};
}

/// The head that a client would have sent.
std::string head_of(const InnerRequest& request, std::string_view host) {
  std::string head = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : request.fields) {
    const bool is_outer =
        std::ranges::any_of(kOuterFields, [&field_name = name](std::string_view outer) {
          return equals_ignoring_case(outer, field_name);
        });
    if (!is_outer) {
      has_host = has_host || equals_ignoring_case(name, "Host");
      head.append(name).append(": ").append(value).append("\r\n");
    }
  }
  if (!has_host) {
    head.append("Host: ").append(host).append("\r\n");
  }
  return head.append("\r\n");
}

InnerAnswer answer_of(Exchange& exchange) {
  ExchangeState& state = *exchange.state();
  if (state.response.stream() != nullptr) {
    state.response = Response(
        Problem{.status = 400, .code = "streams", .detail = "a stream cannot stand in a batch"});
  }
  state.service->decorate(state.request, state.route, state.response);
  return {.status = state.response.status(),
          .request_id = state.request.request_id(),
          .type = state.response.type(),
          .body = state.response.body()};
}

}  // namespace

Result<void> send_inner(const Exchange& outer,
                        InnerRequest request,
                        Random& random,
                        std::function<void(const InnerAnswer&)> done) {
  const RequestParts& around = outer.request().parts();
  const bool is_broken = std::ranges::any_of(request.fields, [](const auto& field) {
    return (field.first + field.second).find_first_of("\r\n") != std::string::npos;
  });
  const std::string head = head_of(request, outer.request().header("Host").value_or("localhost"));
  HeadParser parser;
  if (is_broken || parser.parse(head) != HeadParser::State::Complete ||
      parser.size() != head.size()) {
    return Failure(unreadable(is_broken || parser.refusal().detail.empty()
                                  ? "method, url or a header cannot be sent"
                                  : parser.refusal().detail));
  }
  auto made = std::make_unique<ExchangeState>();
  Exchange exchange(made.release());  // owned by its copies
  ExchangeState& state = *exchange.state();
  state.completions = outer.state()->completions;
  state.service = outer.state()->service;
  state.inner = [done = std::move(done)](Exchange answered) { done(answer_of(answered)); };
  RequestParts& parts = state.request.parts();
  parser.fill(head, parts);
  parts.body = std::move(request.body);
  parts.received = around.received;
  parts.started = around.started;
  parts.peer = Address::parse(around.client).value_or(around.peer);
  parts.https = around.https;
  parts.carried = around.carried;
  identify(state.request, random);
  state.service->begin(std::move(exchange));
  return {};
}

}  // namespace edge::http
