// SPDX-License-Identifier: MIT
// Optimizely's data platform as its SDKs use it (events spec 2.8): they ask which segments a user
// is in, and send who somebody is and what they did. An answer shows the effect of every event that
// was answered before.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/events/event.h"
#include "core/events/ingest.h"
#include "core/events/shapes.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/segment_query.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::protocols {
namespace {

using events::Outcome;
using Outcomes = std::vector<Outcome>;
using profiles::SegmentQuery;

constexpr std::string_view kGraphql = "/v3/graphql";

/// A failed question in the form of GraphQL.
std::string graphql_error(std::string_view message, std::string_view classification) {
  json::Writer out;
  out.begin_object().key("errors").begin_array().begin_object().member("message", message);
  out.key("extensions").begin_object().member("classification", classification).end_object();
  return out.end_object().end_array().key("data").null().end_object().take();
}

/// `{"title","status","timestamp"}`, left open.
json::Writer& begin_status(json::Writer& out, int status, std::string_view title, Time now) {
  return out.begin_object()
      .member("title", title)
      .member("status", status)
      .member("timestamp", events::format_time(now));
}

void print_problem(const http::Request& request,
                   const http::Problem& problem,
                   http::Response& out) {
  const std::string& message = problem.detail.empty() ? problem.code : problem.detail;
  out.type("application/json");
  if (request.path() == kGraphql) {
    out.body(graphql_error(message, problem.code));
    return;
  }
  json::Writer body;
  begin_status(body, problem.status, message, request.received()).member("code", problem.code);
  out.body(body.end_object().take());
}

/// The source that the key in x-api-key names; the other places of a write key count as well.
Result<const events::Source*> source_of(const Edge& edge, const http::Request& request) {
  return routes::source_of(edge, request, request.header("x-api-key").value_or(""));
}

Result<std::shared_ptr<const SegmentQuery>> query_of(const http::Request& request) {
  const auto body = json::Document::parse(request.body(), json::kEvent);
  if (!body) {
    return Failure(body.error());
  }
  const auto text = body->root().find("query");
  auto query = profiles::read_segment_query(
      text ? text->as_string().value_or("") : std::string_view{}, body->root().find("variables"));
  if (!query) {
    return Failure(query.error());
  }
  return std::make_shared<const SegmentQuery>(std::move(*query));
}

std::string unknown_user(const SegmentQuery& query) {
  const bool is_user = query.name == profiles::Name::UserId;
  json::Writer out;
  out.begin_object().key("errors").begin_array().begin_object();
  out.member("message", is_user ? "could not resolve fs_user_id" : "could not resolve vuid");
  out.key("path").begin_array().string("customer").end_array().key("extensions").begin_object();
  out.member("classification", "DataFetchingException")
      .member("code", "INVALID_IDENTIFIER_EXCEPTION")
      .end_object();
  out.end_object().end_array().key("data").begin_object().key("customer").null();
  return out.end_object().end_object().take();
}

/// The segments that are asked for and that the user is in.
std::string qualified(const SegmentQuery& query, const std::vector<std::string>& segments) {
  json::Writer out;
  out.begin_object().key("data").begin_object().key("customer").begin_object();
  out.key("audiences").begin_object().key("edges").begin_array();
  for (const std::string& segment : segments) {
    if (query.subset && std::ranges::count(*query.subset, segment) == 0) {
      continue;
    }
    out.begin_object().key("node").begin_object().member("name", segment);
    out.member("state", "qualified").end_object().end_object();
  }
  out.end_array().end_object().end_object().end_object();
  return out.end_object().take();
}

void find_segments(Edge& edge, const http::Exchange& exchange) {
  if (const auto source = source_of(edge, exchange.request()); !source) {
    return exchange.fail(source.error());
  }
  const auto query = query_of(exchange.request());
  if (!query) {
    return exchange.complete(
        http::json(graphql_error(query.error().message, "InvalidSyntax"), 400));
  }
  edge.projector.when_current([&edge, exchange, query = *query](const Result<void>& reached) {
    const auto profile =
        reached ? edge.profiles.find(query->name, query->id)
                : Result<std::optional<profiles::Profile>>(tl::unexpected(reached.error()));
    if (!profile) {
      return exchange.fail(profile.error());
    }
    exchange.complete(
        http::json(*profile ? qualified(*query, edge.profiles.segments(**profile, edge.clock.now()))
                            : unknown_user(*query)));
  });
}

struct Refused {
  std::size_t index = 0;
  Error error;
};

http::Response answer(const std::vector<Refused>& refused, bool is_taken, Time now) {
  const int status = is_taken ? 202 : 400;
  json::Writer out;
  begin_status(out, status, is_taken ? "Accepted" : "Bad Request", now);
  if (!refused.empty()) {
    out.key("events").begin_array();
    for (const Refused& event : refused) {
      out.begin_object()
          .member("event", std::uint64_t{event.index})
          .member("code", event.error.reason)
          .member("message", event.error.message)
          .end_object();
    }
    out.end_array();
  }
  return http::json(out.end_object(), status);
}

void accept(Edge& edge,
            const http::Exchange& exchange,
            const events::Source& source,
            const std::string& raws) {
  const Time now = exchange.request().received();
  const auto list = json::Document::parse(raws, json::kEvent);
  std::vector<json::Value> events;
  for (const json::Value event : list->root().elements()) {
    events.push_back(event);
  }
  edge.ingest.accept(events,
                     {.channel = source.kind},
                     routes::origin_of(exchange.request(), source),
                     [exchange, now](Result<Outcomes> outcomes) {
                       if (!outcomes) {
                         return exchange.fail(outcomes.error());
                       }
                       std::vector<Refused> refused;
                       for (std::size_t i = 0; i < outcomes->size(); ++i) {
                         if ((*outcomes)[i].status == Outcome::Status::Refused) {
                           refused.push_back({.index = i, .error = (*outcomes)[i].error});
                         }
                       }
                       const bool is_taken = refused.empty() || refused.size() < outcomes->size();
                       exchange.complete(answer(refused, is_taken, now));
                     });
}

/// Takes all events of a list, or none when one of them is no event.
void take_events(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto source = routes::sender_of(edge, request, request.header("x-api-key").value_or(""));
  if (!source) {
    return exchange.fail(source.error());
  }
  const auto body = json::Document::parse(request.body(), json::kEvent);
  if (!body || !body->root().is_array()) {
    const Error error{.code = ErrorCode::InvalidArgument,
                      .message = body ? "the body must be a list of events" : body.error().message,
                      .reason = body ? "events_required" : "bad_json"};
    return exchange.complete(answer({{.index = 0, .error = error}}, false, request.received()));
  }
  if (auto fits = routes::check_count(edge, body->root().size()); !fits) {
    return exchange.fail(std::move(fits.error()));
  }
  std::vector<Refused> refused;
  json::Writer raws;
  raws.begin_array();
  std::size_t index = 0;
  for (const json::Value event : body->root().elements()) {
    if (const auto raw = events::from_odp(event)) {
      raws.raw(*raw);
    } else {
      refused.push_back({.index = index, .error = raw.error()});
    }
    ++index;
  }
  if (!refused.empty()) {
    return exchange.complete(answer(refused, false, request.received()));
  }
  accept(edge, exchange, **source, raws.end_array().take());
}

}  // namespace

void odp(Mount& mount) {
  Edge& edge = mount.edge;
  RouteOptions options{.needs = Public,
                       .surface = Surface::Odp,
                       .max_body = routes::max_body(mount.edge),
                       .accepts = Accepts::Any,
                       .any_host = true,
                       .authenticates = false};
  mount.claim(Surface::Odp, {"/v3"}, print_problem);
  mount.post("/v3/events", options, [&edge](const http::Exchange& exchange) {
    take_events(edge, exchange);
  });
  options.runs = Runs::OnPool;
  options.max_body = std::size_t{1} << 20U;
  mount.post(kGraphql, options, [&edge](const http::Exchange& exchange) {
    find_segments(edge, exchange);
  });
}

}  // namespace edge::protocols
