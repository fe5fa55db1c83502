// SPDX-License-Identifier: MIT
// The event routes of the original API: POST /track/event, /track/batch, /track/form[/:form], GET
// /track/health (events spec 2.6). Answers leave when the events are durable.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/events/batch.h"
#include "core/events/form_body.h"
#include "core/events/ingest.h"
#include "core/events/shapes.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::routes {
namespace {

using events::Outcome;
using Outcomes = std::vector<Outcome>;

constexpr std::string_view kBadEvent = "Invalid event data";
constexpr std::string_view kBadBatch = "Invalid batch data";

/// A refusal as the original printed it: its short text, and our code and message.
http::Problem refusal(std::string_view error, const Error& why) {
  json::Writer members;
  members.string(why.message);
  return {.status = 400,
          .code = reason_of(why),
          .error = std::string(error),
          .detail = why.message,
          .pointer = why.field,
          .members = "\"message\":" + members.take()};
}

Result<json::Document> parse(std::string_view text) {
  auto document = json::Document::parse(text, json::kEvent);
  if (!document) {
    Error error = std::move(document.error());
    error.reason = "bad_json";
    return Failure(std::move(error));
  }
  return document;
}

std::string_view key_in(const json::Document& body) {
  const auto key = body.root().find("writeKey");
  return key ? key->as_string().value_or("") : std::string_view{};
}

/// What is said of all events of these routes.
events::Envelope envelope_of(const json::Document& body, const events::Source& source) {
  return {.channel = source.kind, .has_duplicates = body.has_duplicates(), .is_original = true};
}

void write_made_id(json::Writer& out, const Outcome& outcome) {
  if (!outcome.anonymous_id.empty()) {
    out.member("anonymousId", outcome.anonymous_id);
  }
}

/// The error names the member as the original's events call it.
Error as_sent(Error error) {
  if (error.field == "/type" || error.field == "/messageId") {
    error.field = error.field == "/type" ? "/eventType" : "/eventId";
  }
  return error;
}

/// Takes one raw event in and answers in the original's form.
void accept_one(Edge& edge,
                const http::Exchange& exchange,
                const json::Document& event,
                const events::Source& source,
                std::function<http::Response(const Outcome&)> answer) {
  const json::Value raw = event.root();
  const bool is_original = events::is_seed_event(raw);
  edge.ingest.accept(
      {&raw, 1},
      envelope_of(event, source),
      origin_of(exchange.request(), source),
      [exchange, answer = std::move(answer), is_original](Result<Outcomes> outcomes) {
        if (!outcomes) {
          return exchange.fail(outcomes.error());
        }
        const Outcome& outcome = outcomes->front();
        if (outcome.status == Outcome::Status::Refused) {
          return exchange.fail(
              refusal(kBadEvent, is_original ? as_sent(outcome.error) : outcome.error));
        }
        exchange.complete(answer(outcome));
      });
}

void take_event(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request, max_body(edge));
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const auto body = parse(*unpacked ? std::string_view(**unpacked) : request.body());
  if (!body) {
    return exchange.fail(refusal(kBadEvent, body.error()));
  }
  const auto source = public_source_of(edge, request, key_in(*body));
  if (!source) {
    return exchange.fail(source.error());
  }
  accept_one(
      edge, exchange, *body, **source, [received = request.received()](const Outcome& outcome) {
        json::Writer out;
        out.begin_object().member("success", true).member("eventId", outcome.id.text);
        out.member("timestamp", to_ms(received));
        write_made_id(out, outcome);
        out.end_object();
        return http::json(out);
      });
}

http::Response batch_answer(const Outcomes& outcomes) {
  json::Writer out;
  out.begin_object().member("success", true).member("processed", std::uint64_t{outcomes.size()});
  out.key("results").begin_array();
  for (const Outcome& outcome : outcomes) {
    const bool refused = outcome.status == Outcome::Status::Refused;
    out.begin_object()
        .member("eventId", outcome.id.text)
        .member("status", refused ? "error" : "success");
    if (refused) {
      out.member("error", outcome.error.message);
    }
    write_made_id(out, outcome);
    out.end_object();
  }
  out.end_array().end_object();
  return http::json(out);
}

void take_batch(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request, max_body(edge));
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const auto body = parse(*unpacked ? std::string_view(**unpacked) : request.body());
  if (!body) {
    return exchange.fail(refusal(kBadBatch, body.error()));
  }
  const auto list = body->root().find("events");
  if (!list || !list->is_array()) {
    return exchange.fail(refusal(kBadBatch,
                                 {ErrorCode::InvalidArgument,
                                  "events must be a list of events",
                                  "/events",
                                  "batch_required"}));
  }
  const auto source = public_source_of(edge, request, key_in(*body));
  if (!source) {
    return exchange.fail(source.error());
  }
  if (auto fits = check_count(edge, list->size()); !fits) {
    return exchange.fail(std::move(fits.error()));
  }
  events::Envelope envelope = envelope_of(*body, **source);
  envelope.context = body->root().find("context");
  const std::size_t shared = envelope.context ? envelope.context->raw().size() : 0;
  if (const auto fits = events::check_shared(shared, list->size()); !fits) {
    return exchange.fail(http::Problem{.status = 413,
                                       .code = fits.error().reason,
                                       .error = std::string(kBadBatch),
                                       .detail = fits.error().message,
                                       .pointer = fits.error().field});
  }
  std::vector<json::Value> raws;
  raws.reserve(list->size());
  for (const json::Value event : list->elements()) {
    raws.push_back(event);
  }
  edge.ingest.accept(
      raws, envelope, origin_of(request, **source), [exchange](Result<Outcomes> outcomes) {
        if (!outcomes) {
          return exchange.fail(outcomes.error());
        }
        exchange.complete(batch_answer(*outcomes));
      });
}

/// Whether a URL is one of an origin: `https://shop.example`, with any path behind it.
bool is_below(std::string_view url, std::string_view origin) {
  while (origin.ends_with('/')) {
    origin.remove_suffix(1);
  }
  return !origin.empty() && url.starts_with(origin) &&
         (url.size() == origin.size() || url[origin.size()] == '/' || url[origin.size()] == '?' ||
          url[origin.size()] == '#');
}

/// Whether a form may lead there: a path, a URL of the host that was asked or of the public address
/// of the daemon, or of an origin that is listed.
bool may_lead_to(const Edge& edge, std::string_view target, const http::Request& request) {
  const bool has_control = std::ranges::any_of(
      target, [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; });
  if (has_control) {
    return false;
  }
  if (target.starts_with('/')) {
    return !target.starts_with("//");
  }
  const std::string origin = (request.is_https() ? "https://" : "http://") +
                             std::string(request.header("Host").value_or(""));
  const auto& listed = edge.config.track.redirects;
  return is_below(target, origin) || is_below(target, edge.config.server.public_url) ||
         std::ranges::any_of(listed,
                             [target](const std::string& one) { return is_below(target, one); });
}

/// As it may stand in a field: what is no visible ASCII is escaped (RFC 3986).
std::string as_location(std::string_view target) {
  std::string location;
  for (const char c : target) {
    const bool is_visible = c > ' ' && c < '\x7F';
    location += is_visible ? std::string(1, c) : encoding::percent_encode({&c, 1});
  }
  return location;
}

http::Response form_answer(bool wants_json, const Outcome& outcome, const std::string& redirect) {
  if (wants_json) {
    json::Writer out;
    out.begin_object().member("success", true).member("eventId", outcome.id.text);
    write_made_id(out, outcome);
    out.end_object();
    return http::json(out);
  }
  return redirect.empty() ? http::no_content()
                          : std::move(http::Response(303).set("Location", as_location(redirect)));
}

void take_form(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request, max_body(edge));
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const std::string_view text = *unpacked ? std::string_view(**unpacked) : request.body();
  const std::string_view type = request.header("Content-Type").value_or("");
  const auto fields = events::read_form(type, text);
  if (!fields) {
    return exchange.fail(refusal("Invalid form data", fields.error()));
  }
  const events::FormEvent form =
      events::from_form(*fields, request.header("Referer").value_or(""), request.param("form"));
  const auto source = public_source_of(edge, request, form.write_key);
  if (!source) {
    return exchange.fail(source.error());
  }
  const bool wants_json =
      events::form_encoding(type, text) == events::FormEncoding::Json ||
      request.header("Accept").value_or("").find("application/json") != std::string_view::npos;
  const std::string redirect =
      may_lead_to(edge, form.redirect, request) ? form.redirect : std::string{};
  if (form.drop) {
    return exchange.complete(form_answer(wants_json, {.id = edge.ids.event_id()}, redirect));
  }
  const auto document = json::Document::parse(form.raw, json::kEvent);
  if (!document) {
    return exchange.fail(refusal("Invalid form data", document.error()));
  }
  accept_one(edge, exchange, *document, **source, [wants_json, redirect](const Outcome& outcome) {
    return form_answer(wants_json, outcome, redirect);
  });
}

}  // namespace

void track(Mount& mount) {
  const RouteOptions takes{.needs = Public,
                           .max_body = max_body(mount.edge),
                           .accepts = Accepts::Packed,
                           .cors = Cors::Anyone,
                           .any_host = true,
                           .authenticates = false};
  mount.post("/track/event", takes, [&edge = mount.edge](const http::Exchange& exchange) {
    take_event(edge, exchange);
  });
  mount.post("/track/batch", takes, [&edge = mount.edge](const http::Exchange& exchange) {
    take_batch(edge, exchange);
  });
  mount.post("/track/form", takes, [&edge = mount.edge](const http::Exchange& exchange) {
    take_form(edge, exchange);
  });
  mount.post("/track/form/:form", takes, [&edge = mount.edge](const http::Exchange& exchange) {
    take_form(edge, exchange);
  });
  mount.get("/track/health", {.needs = Public}, [](const http::Request&) {
    http::Response response;
    response.type("application/json").fixed_body(R"({"status":"ok","service":"tracking"})");
    return response;
  });
}

}  // namespace edge::routes
