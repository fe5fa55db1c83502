// SPDX-License-Identifier: MIT
// The event routes of the original API: POST /track/event, /track/batch, /track/form[/:form], GET
// /track/health (events spec 2.6). Answers leave when the events are durable.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
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

bool has_id(json::Value event, std::string_view name) {
  const auto id = event.find(name);
  return id && !id->is_null() && id->as_string() != "";
}

/// A raw event; where it had to be written anew, in a document of its own. One that nobody is named
/// in gets an anonymousId, which the sender is told.
class RawEvent {
 public:
  /// `received` must outlive it.
  RawEvent(json::Value received, std::optional<json::Value> batch_context, Ids& ids)
      : event_(received) {
    if (auto rewritten = events::from_seed(received, batch_context)) {
      replace(*rewritten);
    }
    name_someone(ids);
  }

  [[nodiscard]] json::Value event() const { return event_; }
  /// The anonymousId, when one was made.
  [[nodiscard]] const std::string& made() const { return made_; }
  [[nodiscard]] bool has_duplicates(const json::Document& received) const {
    return document_ ? document_->has_duplicates() : received.has_duplicates();
  }

 private:
  void replace(std::string_view text) {
    if (auto document = json::Document::parse(text, json::kEvent)) {
      document_ = std::make_unique<const json::Document>(std::move(*document));
      event_ = document_->root();
    }
  }
  void name_someone(Ids& ids) {
    if (!event_.is_object() || has_id(event_, "userId") || has_id(event_, "anonymousId")) {
      return;
    }
    made_ = ids.uuid();
    const auto id = json::Document::parse(R"({"anonymousId":")" + made_ + "\"}", json::kStrict);
    replace(events::merged(event_, id->root(), false));
  }

  json::Value event_;
  std::unique_ptr<const json::Document> document_;
  std::string made_;
};

/// Takes one raw event in and answers in the original's form.
void accept_one(Edge& edge,
                const http::Exchange& exchange,
                const RawEvent& event,
                bool has_duplicates,
                const events::Source& source,
                std::function<http::Response(const Outcome&)> answer) {
  const http::Request& request = exchange.request();
  const json::Value raw = event.event();
  edge.ingest.accept({&raw, 1},
                     {.has_duplicates = has_duplicates},
                     origin_of(request, source),
                     [exchange, answer = std::move(answer)](Result<Outcomes> outcomes) {
                       if (!outcomes) {
                         return exchange.fail(outcomes.error());
                       }
                       const Outcome& outcome = outcomes->front();
                       if (outcome.status == Outcome::Status::Refused) {
                         return exchange.fail(refusal(kBadEvent, outcome.error));
                       }
                       exchange.complete(answer(outcome));
                     });
}

void take_event(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request);
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
  const RawEvent event(body->root(), std::nullopt, edge.ids);
  accept_one(edge,
             exchange,
             event,
             event.has_duplicates(*body),
             **source,
             [received = request.received(), made = event.made()](const Outcome& outcome) {
               json::Writer out;
               out.begin_object().member("success", true).member("eventId", outcome.id.text);
               out.member("timestamp", to_ms(received));
               if (!made.empty()) {
                 out.member("anonymousId", made);
               }
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
    out.end_object();
  }
  out.end_array().end_object();
  return http::json(out);
}

void take_batch(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request);
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
  auto context = body->root().find("context");
  std::vector<RawEvent> events;
  std::vector<json::Value> raws;
  for (const json::Value event : list->elements()) {
    raws.push_back(events.emplace_back(event, context, edge.ids).event());
  }
  edge.ingest.accept(raws,
                     {.has_duplicates = body->has_duplicates()},
                     origin_of(request, **source),
                     [exchange](Result<Outcomes> outcomes) {
                       if (!outcomes) {
                         return exchange.fail(outcomes.error());
                       }
                       exchange.complete(batch_answer(*outcomes));
                     });
}

/// Whether a redirect stays on this host: a path, or a URL of the host that was asked.
bool stays_here(std::string_view target, const http::Request& request) {
  if (target.find_first_of("\r\n\t\\") != std::string_view::npos) {
    return false;
  }
  if (target.starts_with('/')) {
    return !target.starts_with("//");
  }
  const std::string origin = (request.is_https() ? "https://" : "http://") +
                             std::string(request.header("Host").value_or(""));
  return target.starts_with(origin) &&
         (target.size() == origin.size() || target[origin.size()] == '/');
}

http::Response form_answer(bool wants_json, const std::string& id, const std::string& redirect) {
  if (wants_json) {
    json::Writer out;
    out.begin_object().member("success", true).member("eventId", id).end_object();
    return http::json(out);
  }
  return redirect.empty() ? http::no_content()
                          : std::move(http::Response(303).set("Location", redirect));
}

void take_form(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto unpacked = unpack(request);
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const std::string_view text = *unpacked ? std::string_view(**unpacked) : request.body();
  const std::string_view type = request.header("Content-Type").value_or("");
  const auto fields = events::read_form(type, text);
  if (!fields) {
    return exchange.fail(refusal("Invalid form data", fields.error()));
  }
  const auto source = public_source_of(edge, request, {});
  if (!source) {
    return exchange.fail(source.error());
  }
  events::FormEvent form =
      events::from_form(*fields, request.header("Referer").value_or(""), request.param("form"));
  const bool wants_json =
      events::form_encoding(type, text) == events::FormEncoding::Json ||
      request.header("Accept").value_or("").find("application/json") != std::string_view::npos;
  const std::string redirect = stays_here(form.redirect, request) ? form.redirect : std::string{};
  if (form.drop) {
    return exchange.complete(form_answer(wants_json, edge.ids.event_id().text, redirect));
  }
  const auto document = json::Document::parse(form.raw, json::kEvent);
  if (!document) {
    return exchange.fail(refusal("Invalid form data", document.error()));
  }
  const RawEvent event(document->root(), std::nullopt, edge.ids);
  accept_one(edge,
             exchange,
             event,
             event.has_duplicates(*document),
             **source,
             [wants_json, redirect](const Outcome& outcome) {
               return form_answer(wants_json, outcome.id.text, redirect);
             });
}

}  // namespace

void track(Mount& mount) {
  const RouteOptions takes{.needs = Public,
                           .max_body = kMaxIngestBody,
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
