// SPDX-License-Identifier: MIT
// People and what they did, for services with a token: POST /cdp/identify, /cdp/track, GET
// /cdp/events, /cdp/events/:id, /cdp/health (events spec 2.6).
#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/utf8.h"
#include "core/event_report.h"
#include "core/events/event.h"
#include "core/events/ingest.h"
#include "core/events/raw_event.h"
#include "core/events/stored.h"
#include "core/json/document.h"
#include "daemon/routes.h"
#include "daemon/routes/query.h"

namespace edge::routes {
namespace {

using events::Outcome;
using json::Value;
using Outcomes = std::vector<Outcome>;

constexpr std::string_view kSource = "cdp";
/// Behind the messageId of a track: the identify that its traits make.
constexpr std::string_view kIdentifySuffix = "-i";
constexpr std::size_t kDefaultItems = 50;
constexpr std::chrono::seconds kPatience{5};

bool is_given(Value body, std::string_view name) {
  const auto value = body.find(name);
  return value && !value->is_null() && value->as_string() != "";
}

void copy(json::Writer& out, Value body, std::string_view name) {
  if (const auto value = body.find(name); value && !value->is_null()) {
    out.key(name).value(*value);
  }
}

/// One raw event of `type` with the members that it may have. `id` replaces the body's messageId.
void write_event(json::Writer& out, Value body, events::Type type, const std::string& id) {
  out.begin_object().member("type", events::name_of(type));
  if (!id.empty()) {
    out.member("messageId", id);
  }
  for (const std::string_view name :
       {"userId", "anonymousId", "timestamp", "context", "integrations"}) {
    copy(out, body, name);
  }
  if (type == events::Type::Identify) {
    copy(out, body, "traits");
  } else {
    copy(out, body, "event");
    copy(out, body, "properties");
  }
  out.end_object();
}

/// The body's messageId, a made one when it has none. `identifies`: a second event has it with a
/// suffix.
Result<std::string> message_id_of(Value body, bool identifies, Ids& ids) {
  const auto given = body.find("messageId");
  if (!is_given(body, "messageId")) {
    return ids.event_id().text;
  }
  const auto text = given->as_string();
  const auto id = text ? std::optional(std::string(*text)) : events::safe_integer(*given);
  if (!id) {
    return Failure({ErrorCode::InvalidArgument,
                    "messageId must be a string",
                    "/messageId",
                    "message_id_not_string"});
  }
  const std::size_t limit =
      events::Limits{}.max_message_id - (identifies ? kIdentifySuffix.size() : 0);
  if (encoding::count_code_points(*id) > limit) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("messageId must be at most {} characters{}",
                                limit,
                                identifies ? " when traits are given" : ""),
                    "/messageId",
                    "message_id_too_long"});
  }
  return *id;
}

/// The raw events that a body stands for: of a track with `traits` there are two.
Result<std::string> raw_events(Value body, events::Type type, Ids& ids) {
  if (!body.is_object()) {
    return Failure(
        {ErrorCode::InvalidArgument, "body must be a JSON object", {}, "body_not_object"});
  }
  if (!is_given(body, "userId") && !is_given(body, "anonymousId")) {
    return Failure({ErrorCode::InvalidArgument,
                    "userId or anonymousId is required",
                    "/userId",
                    "id_required"});
  }
  const bool identifies = type == events::Type::Track && is_given(body, "traits");
  const auto id = message_id_of(body, identifies, ids);
  if (!id) {
    return Failure(id.error());
  }
  json::Writer out;
  out.begin_array();
  write_event(out, body, type, *id);
  if (identifies) {
    write_event(out, body, events::Type::Identify, *id + std::string(kIdentifySuffix));
  }
  return out.end_array().take();
}

http::Problem refusal(const Error& error) {
  return {.status = 400,
          .code = reason_of(error),
          .error = error.reason == "id_required" ? "userId or anonymousId required"
                                                 : "Invalid event data",
          .detail = error.message,
          .pointer = error.field};
}

void take(Edge& edge, const http::Exchange& exchange, events::Type type) {
  const http::Request& request = exchange.request();
  const auto body = json::Document::parse(request.body(), json::kEvent);
  const auto raws = body ? raw_events(body->root(), type, edge.ids) : Failure(body.error());
  const auto list = raws ? json::Document::parse(*raws, json::kEvent) : Failure(raws.error());
  if (!list) {
    return exchange.fail(refusal(list.error()));
  }
  std::vector<Value> events;
  for (const Value event : list->root().elements()) {
    events.push_back(event);
  }
  edge.ingest.accept(
      events,
      {.has_duplicates = body->has_duplicates(), .all_or_none = true},
      {.source = kSource, .received_at = request.received(), .ip = edge.sources.fallback().ip},
      [exchange, received = request.received()](Result<Outcomes> outcomes) {
        if (!outcomes) {
          return exchange.fail(outcomes.error());
        }
        for (const Outcome& outcome : *outcomes) {
          if (outcome.status == Outcome::Status::Refused) {
            return exchange.fail(refusal(outcome.error));
          }
        }
        json::Writer out;
        out.begin_object()
            .member("success", true)
            .member("timestamp", to_ms(received))
            .end_object();
        exchange.complete(http::json(out));
      });
}

Result<std::uint64_t> whole_number(const std::string& text,
                                   std::string_view name,
                                   std::uint64_t least = 1) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || value < least) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("{} must be a number from {} on", name, least),
                    std::string(name),
                    "bad_" + std::string(name)});
  }
  return value;
}

/// The query of GET /cdp/events as one of the store.
Result<storage::Find> query_of(const http::Request& request) {
  storage::Find find{.stream = events::kStream, .limit = kDefaultItems};
  find.user = request.query_value("userId").value_or("");
  find.name = request.query_value("event").value_or("");
  if (const auto name = request.query_value("type")) {
    const auto type = events::type_of(*name);
    if (!type) {
      return Failure(
          {ErrorCode::InvalidArgument, "type must be a type of events", "type", "unknown_type"});
    }
    find.kind = static_cast<std::uint32_t>(*type);
  }
  const auto since = since_in(request);
  if (!since) {
    return Failure(since.error());
  }
  find.since = *since ? to_ms(**since) : find.since;
  if (const auto limit = request.query_value("limit")) {
    const auto count = whole_number(*limit, "limit");
    if (!count) {
      return Failure(count.error());
    }
    find.limit = std::min<std::uint64_t>(*count, storage::kMaxPageItems);
  }
  if (const auto cursor = request.query_value("cursor")) {
    const auto before = whole_number(*cursor, "cursor");
    if (!before) {
      return Failure(before.error());
    }
    find.before = *before;
  }
  return find;
}

/// Newest first, `cursor` goes on; with `after` oldest first behind that position, and `next` is
/// the position reached, also at the end.
Result<http::Response> list_events(Edge& edge, const http::Request& request) {
  const auto query = query_of(request);
  if (!query) {
    return Failure(query.error());
  }
  const auto behind = request.query_value("after");
  if (behind && request.query_value("cursor")) {
    return Failure({ErrorCode::InvalidArgument,
                    "after lists oldest first, cursor newest first: one of them",
                    "after",
                    "bad_after"});
  }
  const auto after = behind ? whole_number(*behind, "after", 0) : Result<std::uint64_t>(0);
  if (!after) {
    return Failure(after.error());
  }
  const auto deadline = storage::Deadline::in(kPatience);
  const auto page = behind ? events::stored_after(edge.store, *query, *after, deadline)
                           : events::stored_before(edge.store, *query, deadline);
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("items").begin_array();
  for (const std::string& event : page->events) {
    out.raw(event);
  }
  out.end_array().key("positions").begin_array();
  for (const std::uint64_t position : page->positions) {
    out.string(std::to_string(position));
  }
  out.end_array().key("next");
  page->next ? out.string(std::to_string(*page->next)) : out.null();
  out.end_object();
  return http::json(out);
}

}  // namespace

void cdp(Mount& mount) {
  Edge& edge = mount.edge;
  mount.post("/cdp/identify", {.needs = "cdp:write"}, [&edge](const http::Exchange& exchange) {
    take(edge, exchange, events::Type::Identify);
  });
  mount.post("/cdp/track", {.needs = "cdp:write"}, [&edge](const http::Exchange& exchange) {
    take(edge, exchange, events::Type::Track);
  });
  const RouteOptions reads{.needs = "cdp:read", .runs = Runs::OnPool};
  mount.get("/cdp/events", reads, [&edge](const http::Request& request) {
    return list_events(edge, request);
  });
  mount.get("/cdp/events/:id", reads, [&edge](const http::Exchange& exchange) {
    edge.projector.when_current([&edge, exchange, id = std::string(exchange.request().param("id"))](
                                    const Result<void>& reached) {
      if (!reached) {
        return exchange.fail(reached.error());
      }
      exchange.complete(
          event_report(edge, id).map([](std::string text) { return http::json(std::move(text)); }));
    });
  });
  mount.get("/cdp/health", {.needs = Public}, [](const http::Request&) {
    http::Response response;
    response.type("application/json").fixed_body(R"({"status":"ok","service":"cdp"})");
    return response;
  });
}

}  // namespace edge::routes
