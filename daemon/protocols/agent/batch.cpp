// SPDX-License-Identifier: MIT
// Requests inside a request. Everything happens on the loop of the outer one, so nothing is locked.
#include "daemon/protocols/agent/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/events/event.h"
#include "core/json/writer.h"
#include "daemon/http/inner_request.h"
#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {
namespace {

constexpr std::size_t kAtOnce = 10;
constexpr std::string_view kBadOperations = "cannot decode the operation body";

/// One operation and what became of it.
struct Operation {
  std::string id = {};
  std::string method = {};
  std::string url = {};
  http::InnerRequest request = {};
  Time started = {};
  Time ended = {};
  int status = 0;
  std::string request_id = {};
  std::string body = "null";
};

bool ends_in_batch(std::string_view url) {
  constexpr std::string_view kEnd = "/batch";
  const std::string_view path = url.substr(0, url.find('?'));
  return path.size() >= kEnd.size() &&
         http::equals_ignoring_case(path.substr(path.size() - kEnd.size()), kEnd);
}

std::string text_of(json::Value value) {
  return std::string(value.as_string().value_or(value.raw()));
}

/// Adds the values of `params` to the query of a target.
void add_query(std::string& target, json::Value params) {
  for (const auto& [name, value] : params.members()) {
    std::vector<std::string> values;
    for (const json::Value one : value.elements()) {
      values.push_back(text_of(one));
    }
    if (!value.is_array()) {
      values.push_back(text_of(value));
    }
    for (const std::string& one : values) {
      target += target.find('?') == std::string::npos ? '?' : '&';
      target += encoding::percent_encode(name) + '=' + encoding::percent_encode(one);
    }
  }
}

std::optional<Operation> operation_of(json::Value entry) {
  if (!entry.is_object()) {
    return std::nullopt;
  }
  const auto text = [&](std::string_view name) {
    const auto member = find_any_case(entry, name);
    return std::string(member ? member->as_string().value_or("") : "");
  };
  Operation out{.id = text("operationID"), .method = text("method"), .url = text("url")};
  out.request.method = out.method;
  std::ranges::transform(out.request.method, out.request.method.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  out.request.target = out.url;
  for (const std::string_view name : {"params", "parameters"}) {
    if (const auto params = find_any_case(entry, name)) {
      add_query(out.request.target, *params);
    }
  }
  bool has_type = false;
  if (const auto headers = find_any_case(entry, "headers")) {
    for (const auto& [name, value] : headers->members()) {
      has_type = has_type || http::equals_ignoring_case(name, "Content-Type");
      out.request.fields.emplace_back(name, text_of(value));
    }
  }
  if (const auto body = find_any_case(entry, "body"); body && !body->is_null()) {
    out.request.body = body->raw();
  }
  if (!has_type && !out.request.body.empty()) {
    out.request.fields.emplace_back("Content-Type", "application/json");
  }
  return out;
}

/// The operations of one batch on their way. Lives as long as one of them runs.
class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(Edge& edge, http::Exchange exchange, std::vector<Operation> operations)
      : edge_(edge),
        exchange_(std::move(exchange)),
        operations_(std::move(operations)),
        started_(edge.clock.now()) {}

  void go_on() {
    while (next_ < operations_.size() && running_ < kAtOnce) {
      start(next_++);
    }
    if (done_ == operations_.size()) {
      exchange_.complete(answer());
    }
  }

 private:
  void start(std::size_t index) {
    Operation& operation = operations_[index];
    operation.started = edge_.clock.now();
    if (ends_in_batch(operation.url)) {
      return refuse(operation, "a batch cannot stand in a batch");
    }
    const auto sent =
        http::send_inner(exchange_,
                         std::exchange(operation.request, {}),
                         edge_.random,
                         [self = shared_from_this(), index](const http::InnerAnswer& got) {
                           self->take(self->operations_[index], got);
                           --self->running_;
                           self->go_on();
                         });
    if (!sent) {
      return refuse(operation, sent.error().message);
    }
    ++running_;
  }

  void refuse(Operation& operation, std::string_view why) {
    json::Writer body;
    body.begin_object().member("error", why).end_object();
    take(operation,
         {.status = 400, .request_id = exchange_.request().request_id(), .body = body.text()});
  }

  void take(Operation& operation, const http::InnerAnswer& got) {
    operation.status = got.status;
    operation.request_id = got.request_id;
    operation.ended = edge_.clock.now();
    if (json::Document::parse(got.body, json::kDecision)) {
      operation.body = got.body;
      while (operation.body.ends_with('\n')) {
        operation.body.pop_back();
      }
    }
    errors_ += got.status == 200 ? 0 : 1;
    ++done_;
  }

  [[nodiscard]] http::Response answer() const {
    json::Writer out;
    out.begin_object()
        .member("startedAt", events::format_time(started_))
        .member("endedAt", events::format_time(edge_.clock.now()))
        .member("errorCount", errors_)
        .key("response")
        .begin_array();
    for (const Operation& operation : operations_) {
      out.begin_object()
          .member("status", operation.status)
          .member("requestID", operation.request_id)
          .member("operationID", operation.id)
          .member("method", operation.method)
          .member("url", operation.url)
          .key("body")
          .raw(operation.body)
          .member("startedAt", events::format_time(operation.started))
          .member("endedAt", events::format_time(operation.ended))
          .end_object();
    }
    out.end_array().end_object();
    return http::json(out);
  }

  Edge& edge_;
  const http::Exchange exchange_;
  std::vector<Operation> operations_;
  const Time started_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  std::size_t done_ = 0;
  int errors_ = 0;
};

}  // namespace

void batch(Edge& edge, const http::Exchange& exchange) {
  const auto body = json::Document::parse(exchange.request().body(), json::kDecision);
  const auto list = body ? find_any_case(body->root(), "operations") : std::nullopt;
  if (!body || !body->root().is_object() || (list && !list->is_array() && !list->is_null())) {
    return exchange.fail(problem(400, std::string(kBadOperations)));
  }
  const auto most =
      static_cast<std::size_t>(std::max<std::int64_t>(edge.config.agent.max_batch, 1));
  if (list && list->size() > most) {
    return exchange.fail(
        problem(422, fmt::format("too many operations, exceeding {} operations", most)));
  }
  std::vector<Operation> operations;
  for (const json::Value entry : list ? list->elements() : json::Elements{}) {
    auto operation = operation_of(entry);
    if (!operation) {
      return exchange.fail(problem(400, std::string(kBadOperations)));
    }
    operations.push_back(*std::move(operation));
  }
  std::make_shared<Run>(edge, exchange, std::move(operations))->go_on();
}

}  // namespace edge::protocols::agent
