// SPDX-License-Identifier: MIT
// Queues and their consumers in Cloudflare's REST API, version 4 (platform spec 3.2).
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/encoding/rfc3339.h"
#include "core/queues/queues.h"
#include "daemon/protocols/v4/queue_request.h"

namespace edge::protocols {
namespace {

using queues::Consumer;
using queues::Queue;
using queues::QueuePointer;
using v4::kQueues;
using v4::queue_told;

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), "bad_shape"};
}

Error no_consumer(const Queue& queue, std::string_view id) {
  return {ErrorCode::NotFound,
          fmt::format("the queue \"{}\" has no consumer \"{}\"", queue.name, id),
          {},
          "consumer_not_found"};
}

void write_time(json::Writer& out, const char* name, std::int64_t ms) {
  out.member(name, encoding::rfc3339(from_ms(ms)));
}

void write_whole_consumer(json::Writer& out, const Queue& queue) {
  const Consumer& consumer = *queue.consumer;
  out.begin_object().member("consumer_id", consumer.id).member("queue_name", queue.name);
  if (queue.is_pushed()) {
    out.member("script_name", consumer.url);
  }
  queues::write_consumer(out, consumer);
  write_time(out, "created_on", consumer.created);
  out.end_object();
}

void write_consumers(json::Writer& out, const Queue& queue) {
  out.begin_array();
  if (queue.consumer) {
    write_whole_consumer(out, queue);
  }
  out.end_array();
}

void write_queue(json::Writer& out, const Queue& queue) {
  out.begin_object().member("queue_id", queue.id).member("queue_name", queue.name);
  write_time(out, "created_on", queue.created);
  write_time(out, "modified_on", queue.modified);
  out.key("settings");
  queues::write_settings(out, queue.settings);
  out.key("producers").begin_array().end_array().member("producers_total_count", 0);
  out.key("consumers");
  write_consumers(out, queue);
  out.member("consumers_total_count", queue.consumer ? 1 : 0).end_object();
}

Result<http::Response> shown(const Result<QueuePointer>& queue) {
  return queue.map([](const QueuePointer& found) {
    json::Writer out;
    write_queue(out, *found);
    return v4::success(out.text());
  });
}

Result<http::Response> shown_consumer(const Result<QueuePointer>& queue) {
  return queue.map([](const QueuePointer& found) {
    json::Writer out;
    write_whole_consumer(out, *found);
    return v4::success(out.text());
  });
}

Result<http::Response> list(Edge& edge, const http::Request& request) {
  if (const auto account = v4::check_account(request); !account) {
    return Failure(account.error());
  }
  const auto all = edge.queues.table.list();
  if (!all) {
    return Failure(all.error());
  }
  json::Writer out;
  out.begin_array();
  for (const QueuePointer& queue : *all) {
    write_queue(out, *queue);
  }
  out.end_array();
  const std::uint64_t count = all->size();
  json::Writer info;
  info.begin_object()
      .member("page", 1)
      .member("per_page", std::max<std::uint64_t>(count, 1))
      .member("count", count)
      .member("total_count", count)
      .member("total_pages", 1)
      .end_object();
  return v4::success(out.text(), info.text());
}

/// The settings that a body holds, over those of before.
Result<queues::Settings> settings_of(json::Value body, queues::Settings base) {
  const auto settings = body.find("settings");
  return settings && !settings->is_null() ? queues::read_settings(*settings, base)
                                          : Result<queues::Settings>(base);
}

Result<std::string> name_of(json::Value body) {
  const auto name = body.find("queue_name");
  const auto text = name ? name->as_string() : std::nullopt;
  if (!text) {
    return Failure(
        wrong("the body is {\"queue_name\":TEXT,\"settings\":{…}}, settings may be left out",
              "/queue_name"));
  }
  return std::string(*text);
}

Result<http::Response> create(Edge& edge, const http::Request& request) {
  if (const auto account = v4::check_account(request); !account) {
    return Failure(account.error());
  }
  const auto body = v4::object_of(request);
  const auto name = body ? name_of(body->root()) : Result<std::string>(Failure(body.error()));
  const auto settings =
      name ? settings_of(body->root(), {}) : Result<queues::Settings>(Failure(name.error()));
  return settings ? shown(edge.queues.table.create(*name, *settings)) : Failure(settings.error());
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  return shown(v4::queue_of(edge, request));
}

/// PUT replaces the settings, PATCH changes those that are given.
Result<http::Response> change(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  if (const auto given = body->root().find("queue_name"); given && !given->is_null()) {
    const auto name = name_of(body->root());
    if (!name || *name != (*queue)->name) {
      return Failure(
          name ? wrong(fmt::format("a queue keeps its name, this one is \"{}\"", (*queue)->name),
                       "/queue_name")
               : name.error());
    }
  }
  const bool replaces = request.method() == http::Method::Put;
  return shown(edge.queues.table.change((*queue)->id, [&](Queue& changed) -> Result<void> {
    const auto settings =
        settings_of(body->root(), replaces ? queues::Settings{} : changed.settings);
    if (!settings) {
      return Failure(settings.error());
    }
    changed.settings = *settings;
    return {};
  }));
}

Result<http::Response> remove(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto done = queue ? edge.queues.table.remove((*queue)->id) : Failure(queue.error());
  return done ? Result<http::Response>(v4::success("null")) : Failure(done.error());
}

Result<http::Response> list_consumers(Edge& edge, const http::Request& request) {
  return v4::queue_of(edge, request).map([](const QueuePointer& queue) {
    json::Writer out;
    write_consumers(out, *queue);
    return v4::success(out.text());
  });
}

/// The consumer that the body describes, over `base`.
Result<Consumer> consumer_of(json::Value body, const Queue& queue, Consumer base) {
  auto consumer = queues::read_consumer(body, std::move(base));
  if (consumer && consumer->dead_letter_queue == queue.name) {
    return Failure(wrong("a queue is not its own dead-letter queue", "/dead_letter_queue"));
  }
  return consumer;
}

Result<http::Response> add_consumer(Edge& edge, const http::Request& request) {
  const auto queue = v4::queue_of(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  if (!body->root().find("type")) {
    return Failure(wrong("a consumer has a type: worker or http_pull", "/type"));
  }
  const std::string id = edge.queues.table.fresh_id();
  return shown_consumer(edge.queues.table.change((*queue)->id, [&](Queue& changed) -> Result<void> {
    if (changed.consumer) {
      return Failure({ErrorCode::Conflict,
                      fmt::format("the queue \"{}\" has a consumer already", changed.name),
                      {},
                      "consumer_exists"});
    }
    auto consumer =
        consumer_of(body->root(), changed, {.id = id, .created = to_ms(edge.clock.now())});
    if (!consumer) {
      return Failure(std::move(consumer.error()));
    }
    changed.consumer = std::move(*consumer);
    return {};
  }));
}

Result<QueuePointer> with_consumer(Edge& edge, const http::Request& request) {
  auto queue = v4::queue_of(edge, request);
  const std::string_view id = request.param("consumer");
  if (queue && (!(*queue)->consumer || (*queue)->consumer->id != id)) {
    return Failure(no_consumer(**queue, id));
  }
  return queue;
}

Result<http::Response> show_consumer(Edge& edge, const http::Request& request) {
  return shown_consumer(with_consumer(edge, request));
}

Result<http::Response> change_consumer(Edge& edge, const http::Request& request) {
  const auto queue = with_consumer(edge, request);
  const auto body = queue ? v4::object_of(request) : Failure(queue.error());
  if (!body) {
    return Failure(body.error());
  }
  const std::string id(request.param("consumer"));
  return shown_consumer(edge.queues.table.change((*queue)->id, [&](Queue& changed) -> Result<void> {
    if (!changed.consumer || changed.consumer->id != id) {
      return Failure(no_consumer(changed, id));
    }
    Consumer base{.id = id, .type = changed.consumer->type};
    base.url = changed.consumer->url;
    base.batch_size = changed.is_pushed() ? queues::kPushBatch : queues::kPullBatch;
    base.created = changed.consumer->created;
    auto consumer = consumer_of(body->root(), changed, std::move(base));
    if (!consumer) {
      return Failure(std::move(consumer.error()));
    }
    changed.consumer = std::move(*consumer);
    return {};
  }));
}

Result<http::Response> remove_consumer(Edge& edge, const http::Request& request) {
  const auto queue = with_consumer(edge, request);
  const std::string id(request.param("consumer"));
  const auto done =
      queue ? edge.queues.table.change((*queue)->id,
                                       [&](Queue& changed) -> Result<void> {
                                         if (!changed.consumer || changed.consumer->id != id) {
                                           return Failure(no_consumer(changed, id));
                                         }
                                         changed.consumer.reset();
                                         return {};
                                       })
            : queue;
  return done ? Result<http::Response>(v4::success("null")) : Failure(done.error());
}

}  // namespace

void cloudflare_queues(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads = v4::pool_route("queue:read");
  const RouteOptions manages = v4::pool_route("queue:manage");
  const std::string one = kQueues + "/:queue";
  const std::string consumers = one + "/consumers";
  mount.get(kQueues, reads, queue_told(edge, list));
  mount.post(kQueues, manages, queue_told(edge, create));
  mount.get(one, reads, queue_told(edge, show));
  mount.put(one, manages, queue_told(edge, change));
  mount.patch(one, manages, queue_told(edge, change));
  mount.del(one, manages, queue_told(edge, remove));
  mount.get(consumers, reads, queue_told(edge, list_consumers));
  mount.post(consumers, manages, queue_told(edge, add_consumer));
  mount.get(consumers + "/:consumer", reads, queue_told(edge, show_consumer));
  mount.put(consumers + "/:consumer", manages, queue_told(edge, change_consumer));
  mount.del(consumers + "/:consumer", manages, queue_told(edge, remove_consumer));
}

}  // namespace edge::protocols
