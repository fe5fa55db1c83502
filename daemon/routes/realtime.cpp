// SPDX-License-Identifier: MIT
// Real-time actions, and segments that are given by hand: POST /realtime/action,
// /realtime/segments/:user, DELETE /realtime/segments/:user/:segment (events spec 2.6).
#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/events/ingest.h"
#include "core/events/raw_event.h"
#include "core/events/shapes.h"
#include "core/profiles/unmerge.h"
#include "daemon/routes.h"
#include "daemon/routes/current.h"
#include "daemon/routes/ingest_request.h"

namespace edge::routes {
namespace {

using events::Outcome;
using Outcomes = std::vector<Outcome>;
using profiles::Name;

/// As the original printed it: a short text and a list of what is wrong.
http::Problem refusal(const Error& why) {
  json::Writer details;
  details.begin_array().string(why.message).end_array();
  return {.status = 400,
          .code = reason_of(why),
          .error = "Invalid action event format",
          .detail = why.message,
          .pointer = why.field,
          .members = "\"details\":" + details.take()};
}

using Segments = std::vector<std::string>;  // sorted

/// Who acted.
struct Actor {
  std::string user = {};
  std::string anonymous = {};
};

/// The segments somebody is in, those of the original's rules too; nothing: nobody knows them.
Result<std::optional<Segments>> segments_of(const Edge& edge, const Actor& who) {
  const auto profile = who.user.empty() ? edge.profiles.find(Name::AnonymousId, who.anonymous)
                                        : edge.profiles.find(Name::UserId, who.user);
  if (!profile || !*profile) {
    return profile ? Result<std::optional<Segments>>(std::nullopt) : Failure(profile.error());
  }
  return std::optional(edge.profiles.segments(**profile, edge.clock.now()));
}

void write_list(json::Writer& out, std::string_view name, const Segments& segments) {
  out.key(name).begin_array();
  for (const std::string& segment : segments) {
    out.string(segment);
  }
  out.end_array();
}

Segments without(const Segments& all, const Segments& others) {
  Segments rest;
  std::ranges::set_difference(all, others, std::back_inserter(rest));
  return rest;
}

/// The answer once the action's own event is folded. `before`: the segments until then.
Result<http::Response> acted(const Edge& edge,
                             const Actor& who,
                             const Segments& before,
                             Time session) {
  const auto after = segments_of(edge, who);
  if (!after) {
    return Failure(after.error());
  }
  json::Writer out;
  out.begin_object().member("success", true).member("message", "Action processed");
  if (*after) {
    out.key("update").begin_object();
    out.member("userId", who.user.empty() ? who.anonymous : who.user);
    write_list(out, "segments", **after);
    write_list(out, "entered", without(**after, before));
    write_list(out, "exited", without(before, **after));
    out.end_object();
  }
  out.member("sessionId", std::to_string(to_ms(session)));
  return http::json(out.end_object());
}

std::string text_in(json::Value object, std::string_view member) {
  const auto value = object.find(member);
  return std::string(value ? value->as_string().value_or("") : "");
}

void take_action(Edge& edge,
                 const http::Exchange& exchange,
                 const json::Document& event,
                 const events::Envelope& envelope,
                 const events::Source& source,
                 const Actor& who,
                 Segments before) {
  const json::Value root = event.root();
  edge.ingest.accept(
      {&root, 1},
      envelope,
      origin_of(exchange.request(), source),
      [&edge, exchange, who, before = std::move(before)](const Result<Outcomes>& outcomes) {
        if (!outcomes) {
          return exchange.fail(outcomes.error());
        }
        const Outcome& outcome = outcomes->front();
        if (outcome.status == Outcome::Status::Refused) {
          return exchange.fail(refusal(outcome.error));
        }
        // Somebody without a usable name has a session as short as this action.
        const Time session =
            outcome.session == Time{} ? exchange.request().received() : outcome.session;
        answer_current(edge, exchange, [&edge, who, before, session] {
          return acted(edge, who, before, session);
        });
      });
}

void action(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request, max_body(edge));
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const auto body = json::Document::parse(*unpacked ? std::string_view(**unpacked) : request.body(),
                                          json::kEvent);
  const auto raw = body ? events::from_action(body->root()) : Failure(body.error());
  if (!raw) {
    return exchange.fail(refusal(raw.error()));
  }
  const auto source = public_source_of(edge, request, text_in(body->root(), "writeKey"));
  if (!source) {
    return exchange.fail(source.error());
  }
  auto event = json::Document::parse(*raw, json::kEvent);
  if (!event) {
    return exchange.fail(refusal(event.error()));
  }
  const events::Envelope envelope{
      .channel = (*source)->kind,
      .has_duplicates = body->has_duplicates() || event->has_duplicates()};
  const Actor who{.user = events::id_text(body->root().find("userId")),
                  .anonymous = events::id_text(body->root().find("anonymousId"))};
  const auto held = std::make_shared<const json::Document>(std::move(*event));
  // What they are in before counts with all that was answered before.
  edge.projector.when_current(
      [&edge, exchange, envelope, who, held, from = *source](const Result<void>& reached) {
        auto before = reached ? segments_of(edge, who) : Failure(reached.error());
        if (!before) {
          return exchange.fail(before.error());
        }
        take_action(edge, exchange, *held, envelope, *from, who, before->value_or(Segments{}));
      });
}

/// Puts the user into the segment or takes them out.
void set_manual(Edge& edge,
                const http::Exchange& exchange,
                const std::string& segment,
                const std::string& source,
                bool is_member) {
  const std::string user(exchange.request().param("user"));
  answer_after(edge,
               exchange,
               profiles::manual_task(user, segment, source, is_member),
               [user, segment, source, &edge]() -> Result<http::Response> {
                 json::Writer out;
                 out.begin_object()
                     .member("success", true)
                     .member("userId", user)
                     .member("segment", segment)
                     .member("source", source)
                     .member("timestamp", to_ms(edge.clock.now()))
                     .end_object();
                 return http::json(out);
               });
}

/// A user that nobody has seen yet becomes known first.
void introduce(Edge& edge, const http::Exchange& exchange, std::function<void()> then) {
  const std::string user(exchange.request().param("user"));
  const auto known = edge.profiles.find(Name::UserId, user);
  if (!known) {
    return exchange.fail(known.error());
  }
  if (*known) {
    return then();
  }
  json::Writer raw;
  raw.begin_object().member("type", "identify").member("userId", user).end_object();
  edge.ingest.accept(raw.text(),
                     {.source = "cdp", .received_at = exchange.request().received()},
                     [exchange, then = std::move(then)](const Result<Outcomes>& outcomes) {
                       if (!outcomes) {
                         return exchange.fail(outcomes.error());
                       }
                       if (outcomes->front().status == Outcome::Status::Refused) {
                         return exchange.fail(outcomes->front().error);
                       }
                       then();
                     });
}

void add(Edge& edge, const http::Exchange& exchange) {
  const auto body = object_of(exchange.request());
  if (!body) {
    return exchange.fail(body.error());
  }
  const std::string segment = text_in((*body)->root(), "segment");
  const std::string given = text_in((*body)->root(), "source");
  const auto sent = (*body)->root().find("source");
  const bool has_bad_source = sent && !sent->is_null() && !sent->is_string();
  if (!profiles::is_segment_name(segment) || given.size() > 100 || has_bad_source) {
    return exchange.fail(http::Problem{
        .status = 400,
        .code = "bad_segment",
        .error = "segment is required",
        .detail = "segment must be 1 to 100 of A-Z a-z 0-9 _ . : -, source a text up to 100 octets",
        .pointer = profiles::is_segment_name(segment) ? "/source" : "/segment"});
  }
  introduce(edge, exchange, [&edge, exchange, segment, source = given.empty() ? "manual" : given] {
    set_manual(edge, exchange, segment, source, true);
  });
}

/// The answer names who had put them in.
void remove(Edge& edge, const http::Exchange& exchange) {
  const std::string segment(exchange.request().param("segment"));
  const auto profile =
      edge.profiles.find(Name::UserId, std::string(exchange.request().param("user")));
  if (!profile) {
    return exchange.fail(profile.error());
  }
  std::string source = "manual";
  if (*profile) {
    const auto& manual = (*profile)->standing.manual;
    const auto found = manual.find(segment);
    source = found == manual.end() ? source : found->second.source;
  }
  set_manual(edge, exchange, segment, source, false);
}

}  // namespace

void realtime(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions takes{.needs = Public,
                           .max_body = max_body(mount.edge),
                           .accepts = Accepts::Packed,
                           .cors = Cors::Anyone,
                           .any_host = true,
                           .authenticates = false};
  mount.post("/realtime/action", takes, [&edge](const http::Exchange& exchange) {
    action(edge, exchange);
  });
  const RouteOptions writes{.needs = "cdp:write", .runs = Runs::OnPool};
  mount.post("/realtime/segments/:user", writes, [&edge](const http::Exchange& exchange) {
    add(edge, exchange);
  });
  mount.del("/realtime/segments/:user/:segment", writes, [&edge](const http::Exchange& exchange) {
    remove(edge, exchange);
  });
}

}  // namespace edge::routes
