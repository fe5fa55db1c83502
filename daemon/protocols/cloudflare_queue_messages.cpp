// SPDX-License-Identifier: MIT
// The messages of queues in Cloudflare's REST API, version 4 (platform spec 3.2): sending, pulling,
// acknowledging, looking and purging. `wait_ms` of a pull, and `cursor` and `ready` of a peek, are
// extensions.
#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/encoding/rfc3339.h"
#include "core/queues/waiting_pulls.h"
#include "daemon/protocols/v4/queue_request.h"

namespace edge::protocols {
namespace {

using queues::QueuePointer;
using v4::queue_told;

/// Escapes make a text of JSON six times as long.
constexpr std::size_t kMaxBatchBody = std::size_t{2} << 20U;
constexpr std::size_t kMaxNamed = 1'000;  // leases and refs in one request

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), "bad_shape"};
}

/// A whole number of the body between bounds; `fallback` when it is not given.
Result<std::int64_t> number_of(json::Value body,
                               const char* name,
                               std::int64_t fallback,
                               std::int64_t most) {
  const auto given = body.find(name);
  if (!given || given->is_null()) {
    return fallback;
  }
  const std::int64_t least = name == std::string_view("batch_size") ? 1 : 0;
  const auto number = given->as_int64();
  if (!number || *number < least || *number > most) {
    return Failure(wrong(
        fmt::format("{} is a whole number from {} to {}, not {}", name, least, most, given->raw()),
        fmt::format("/{}", name)));
  }
  return *number;
}

http::Response sent(const queues::Backlog& backlog) {
  json::Writer out;
  out.begin_object().key("metadata");
  v4::write_metrics(out, backlog);
  out.end_object();
  return v4::success(out.text());
}

void send(Edge& edge, const http::Exchange& exchange, bool is_batch) {
  const auto fail = [&](const Error& error) { exchange.fail(v4::queue_problem(error)); };
  const auto queue = v4::queue_of(edge, exchange.request());
  const auto body = queue ? v4::object_of(exchange.request()) : Failure(queue.error());
  if (!body) {
    return fail(body.error());
  }
  auto request = is_batch
                     ? queues::read_batch(body->root())
                     : queues::read_message(body->root()).map([](queues::NewMessage&& message) {
                         queues::SendRequest one;
                         one.messages.push_back(std::move(message));
                         return one;
                       });
  if (!request) {
    return fail(request.error());
  }
  edge.queues.send(*queue, std::move(*request), [exchange](const Result<queues::Backlog>& done) {
    if (!done) {
      return exchange.fail(v4::queue_problem(done.error()));
    }
    exchange.complete(sent(*done));
  });
}

void write_message(json::Writer& out, const queues::Message& message) {
  out.member("id", message.id);
  queues::write_content(out, message);
  out.member("timestamp_ms", message.timestamp);
  out.member("attempts", std::uint64_t{message.attempts});
}

Result<http::Response> pulled(Edge& edge,
                              const QueuePointer& queue,
                              const Result<std::vector<queues::Delivery>>& deliveries) {
  const auto backlog = deliveries ? edge.queues.backlog(queue)
                                  : Result<queues::Backlog>(Failure(deliveries.error()));
  if (!backlog) {
    return Failure(backlog.error());
  }
  json::Writer out;
  out.begin_object().member("message_backlog_count", backlog->count).key("metadata");
  v4::write_metrics(out, *backlog);
  out.key("messages").begin_array();
  for (const queues::Delivery& delivery : *deliveries) {
    out.begin_object();
    write_message(out, delivery.message);
    out.member("lease_id", delivery.lease).end_object();
  }
  out.end_array().end_object();
  return v4::success(out.text());
}

struct Pull {
  QueuePointer queue = {};
  queues::PullRequest request = {};
  std::chrono::milliseconds wait{0};
};

Result<Pull> pull_of(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  const json::Value root = body->root();
  const queues::Consumer rules = (*queue)->rules();
  const char* const visibility =
      root.find("visibility_timeout_ms") ? "visibility_timeout_ms" : "visibility_timeout";
  const auto batch = number_of(root, "batch_size", rules.batch_size, queues::kMaxPullMessages);
  const auto lease =
      batch ? number_of(root, visibility, rules.visibility_timeout, queues::kMaxVisibility) : batch;
  const auto wait =
      lease ? number_of(root, "wait_ms", 0, queues::WaitingPulls::kLongest.count()) : lease;
  if (!wait) {
    return Failure(wait.error());
  }
  return Pull{*queue,
              {static_cast<std::size_t>(*batch), std::chrono::milliseconds(*lease)},
              std::chrono::milliseconds(*wait)};
}

void pull(Edge& edge, const http::Exchange& exchange) {
  const auto answer = [&edge, exchange](const QueuePointer& queue,
                                        const Result<std::vector<queues::Delivery>>& deliveries) {
    auto response = pulled(edge, queue, deliveries);
    if (!response) {
      return exchange.fail(v4::queue_problem(response.error()));
    }
    exchange.complete(std::move(*response));
  };
  const auto asked = pull_of(edge, exchange.request());
  if (!asked) {
    return exchange.fail(v4::queue_problem(asked.error()));
  }
  const auto at_once = edge.queues.pull(asked->queue, asked->request);
  if (!at_once || !at_once->empty() || asked->wait.count() == 0) {
    return answer(asked->queue, at_once);
  }
  const bool waits = edge.waiting_pulls.add(
      asked->queue,
      asked->request,
      asked->wait,
      [answer, queue = asked->queue](const Result<std::vector<queues::Delivery>>& deliveries) {
        answer(queue, deliveries);
      });
  if (!waits) {
    exchange.fail(v4::queue_problem(
        {ErrorCode::RateLimited,
         fmt::format("{} pulls wait already, that is the most", queues::WaitingPulls::kMost),
         {},
         "overloaded",
         std::chrono::seconds(1)}));
  }
}

/// Calls `take` with each element of a list of the body, which may be left out.
template <typename Take>
Result<void> each_of(json::Value body, const char* list, const char* member, const Take& take) {
  const auto given = body.find(list);
  if (!given || given->is_null()) {
    return {};
  }
  const auto problem = [&] {
    return Failure(
        wrong(fmt::format("{} is a list of at most {} objects with a {}", list, kMaxNamed, member),
              fmt::format("/{}", list)));
  };
  if (!given->is_array() || given->size() > kMaxNamed) {
    return problem();
  }
  for (const json::Value element : given->elements()) {
    const auto name = element.find(member);
    const auto text = name ? name->as_string() : std::nullopt;
    if (!text) {
      return problem();
    }
    if (Result<void> taken = take(std::string(*text), element); !taken) {
      return taken;
    }
  }
  return {};
}

void write_warnings(json::Writer& out, const std::map<std::string, std::string>& warnings) {
  out.key("warnings").begin_object();
  for (const auto& [name, warning] : warnings) {
    out.member(name, warning);
  }
  out.end_object();
}

Result<http::Response> settle(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  queues::Outcomes outcomes;
  auto read = each_of(body->root(), "acks", "lease_id", [&](std::string lease, json::Value) {
    outcomes.acks.push_back(std::move(lease));
    return Result<void>{};
  });
  read = read ? each_of(body->root(),
                        "retries",
                        "lease_id",
                        [&](std::string lease, json::Value retry) -> Result<void> {
                          const auto delay = queues::read_delay(retry);
                          if (!delay) {
                            return Failure(delay.error());
                          }
                          outcomes.retries.push_back({std::move(lease), *delay});
                          return {};
                        })
              : read;
  const auto settled =
      read ? edge.queues.settle(*queue, outcomes) : Result<queues::Settled>(Failure(read.error()));
  if (!settled) {
    return Failure(settled.error());
  }
  json::Writer out;
  out.begin_object().member("ackCount", std::uint64_t{settled->acked});
  out.member("retryCount", std::uint64_t{settled->retried});
  write_warnings(out, settled->warnings);
  return v4::success(out.end_object().text());
}

Result<http::Response> peek(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  const auto batch = body ? number_of(body->root(), "batch_size", 5, queues::kMaxPullMessages)
                          : Result<std::int64_t>(Failure(body.error()));
  if (!batch) {
    return Failure(batch.error());
  }
  const auto cursor = body->root().find("cursor");
  const auto ready = body->root().find("ready");
  const auto page =
      edge.queues.peek(*queue,
                       {.batch_size = static_cast<std::size_t>(*batch),
                        .cursor = std::string(cursor ? cursor->as_string().value_or("") : ""),
                        .ready = ready && ready->as_bool().value_or(false)});
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("messages").begin_array();
  for (const queues::Peeked& peeked : page->messages) {
    out.begin_object();
    write_message(out, peeked.message);
    out.member("ref", peeked.ref).end_object();
  }
  out.end_array().member("cursor", page->next).end_object();
  return v4::success(out.text());
}

Result<http::Response> purge_some(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  if (!body->root().find("refs")) {
    return Failure(wrong("the body is {\"refs\":[{\"ref\":TEXT},…]}", "/refs"));
  }
  std::vector<std::string> refs;
  const auto read = each_of(body->root(), "refs", "ref", [&](std::string ref, json::Value) {
    refs.push_back(std::move(ref));
    return Result<void>{};
  });
  const auto warnings = read ? edge.queues.purge(*queue, refs)
                             : Result<std::map<std::string, std::string>>(Failure(read.error()));
  if (!warnings) {
    return Failure(warnings.error());
  }
  json::Writer out;
  out.begin_object().key("errors").begin_array().end_array();
  write_warnings(out, *warnings);
  return v4::success(out.end_object().text());
}

Result<http::Response> purge_all(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  const auto sure = body->root().find("delete_messages_permanently");
  if (!sure || sure->as_bool() != true) {
    return Failure(
        wrong("say {\"delete_messages_permanently\":true}", "/delete_messages_permanently"));
  }
  const auto purged = edge.queues.table.purge((*queue)->id);
  if (!purged) {
    return Failure(purged.error());
  }
  json::Writer out;
  out.begin_object().member("queue_id", (*purged)->id).member("queue_name", (*purged)->name);
  out.key("settings");
  queues::write_settings(out, (*purged)->settings);
  return v4::success(out.end_object().text());
}

Result<http::Response> show_purge(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto done = queue ? edge.queues.is_purged(*queue) : Result<bool>(Failure(queue.error()));
  if (!done) {
    return Failure(done.error());
  }
  json::Writer out;
  out.begin_object().member("completed", *done).key("started_at");
  if ((*queue)->purged == 0) {
    out.null();
  } else {
    out.string(encoding::rfc3339(from_ms((*queue)->purged)));
  }
  return v4::success(out.end_object().text());
}

Result<http::Response> show_metrics(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto backlog =
      queue ? edge.queues.backlog(*queue) : Result<queues::Backlog>(Failure(queue.error()));
  if (!backlog) {
    return Failure(backlog.error());
  }
  json::Writer out;
  out.begin_object().member("backlog_count", backlog->count);
  out.member("backlog_bytes", backlog->bytes);
  out.member("oldest_message_timestamp_ms", backlog->oldest);
  return v4::success(out.end_object().text());
}

}  // namespace

void cloudflare_queue_messages(Mount& mount) {
  Edge& edge = mount.edge;
  edge.waiting_pulls.is_ending = [&life = mount.lifecycle] {
    return life.phase() == Lifecycle::Phase::Draining;
  };
  const std::string one = v4::kQueues + "/:queue";
  const std::string messages = one + "/messages";
  mount.get(one + "/metrics", v4::pool_route("queue:read"), queue_told(edge, show_metrics));
  mount.post(messages, v4::pool_route("queue:send"), [&edge](const http::Exchange& exchange) {
    send(edge, exchange, false);
  });
  mount.post(messages + "/batch",
             v4::pool_route("queue:send", kMaxBatchBody),
             [&edge](const http::Exchange& exchange) { send(edge, exchange, true); });
  mount.post(messages + "/pull",
             v4::pool_route("queue:consume"),
             [&edge](const http::Exchange& exchange) { pull(edge, exchange); });
  mount.post(messages + "/ack", v4::pool_route("queue:consume"), queue_told(edge, settle));
  mount.post(messages + "/peek", v4::pool_route("queue:read"), queue_told(edge, peek));
  mount.post(messages + "/purge", v4::pool_route("queue:manage"), queue_told(edge, purge_some));
  mount.post(one + "/purge", v4::pool_route("queue:manage"), queue_told(edge, purge_all));
  mount.get(one + "/purge", v4::pool_route("queue:read"), queue_told(edge, show_purge));
}

}  // namespace edge::protocols
