// SPDX-License-Identifier: MIT
// What other services report: POST /webhook/:name, GET /webhook/health (events spec 9). The raw
// body is checked before anything reads it; the caller learns no more than that a signature is
// wrong.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/events/overlay.h"
#include "core/webhooks/inbound.h"
#include "core/webhooks/taken_calls.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::routes {
namespace {

using events::Outcome;
using Outcomes = std::vector<Outcome>;

http::Problem bad_signature(const std::string& reason) {
  return {
      .status = 401, .code = "invalid_signature", .error = "Invalid signature", .log_code = reason};
}

http::Problem unreadable(const Error& why) {
  return {.status = 400,
          .code = reason_of(why),
          .error = "Failed to process webhook",
          .detail = why.message};
}

const webhooks::Inbound* find(const Edge& edge, std::string_view name) {
  const auto found = std::ranges::find(edge.inbound, name, &webhooks::Inbound::name);
  return found == edge.inbound.end() ? nullptr : &*found;
}

/// The sender's id of the message. Failure: why the call is not to be believed.
Result<std::string> checked(const Edge& edge,
                            const webhooks::Inbound& inbound,
                            const http::Request& request) {
  if (inbound.signing.secrets.empty()) {
    const bool open = inbound.accepts_unsigned || edge.is_loopback();
    return open ? Result<std::string>(std::string())
                : Failure({ErrorCode::Unauthenticated, "no secret is set", {}, "no_secret"});
  }
  return webhooks::verify(
      inbound.signing,
      [&request](std::string_view name) { return request.header(name); },
      request.body(),
      edge.clock.now());
}

/// Datafiles of the project that Optimizely says has changed.
void refresh_datafiles(Edge& edge, const std::string& project_id) {
  for (const auto& project : edge.flags.projects()) {
    const auto datafile = project->datafile();
    const auto id = datafile ? datafile->root().find("projectId") : std::nullopt;
    if (id && (id->as_string().value_or(id->raw()) == project_id)) {
      edge.flags.refresh_soon(*project);
    }
  }
}

/// An event of a Segment source is not sent back to that source: its write key stands in the event.
std::string not_back(const Edge& edge, std::string raw) {
  const auto document = json::Document::parse(raw, json::kEvent);
  const auto key = document ? document->root().find("writeKey") : std::nullopt;
  if (!key || !key->is_string()) {
    return raw;
  }
  json::Writer over;
  over.begin_object().key("integrations").begin_object();
  bool any = false;
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    const auto secrets = entry->destination->secrets();
    if (entry->definition.type == "segment" &&
        std::ranges::find(secrets, *key->as_string()) != secrets.end()) {
      over.member(entry->definition.id, false);
      any = true;
    }
  }
  over.end_object().end_object();
  const auto patch = json::Document::parse(over.take(), json::kEvent);
  return any && patch ? events::merged(document->root(), patch->root(), true) : raw;
}

/// The body of the answer. Failure: nothing of it could be taken.
Result<std::string> answer(const Outcomes& outcomes, bool is_list) {
  const auto refused = [](const Outcome& one) { return one.status == Outcome::Status::Refused; };
  const auto taken = std::ranges::find_if_not(outcomes, refused);
  if (taken == outcomes.end() && !outcomes.empty()) {
    return Failure(outcomes.front().error);
  }
  json::Writer out;
  out.begin_object().member("success", true);
  if (taken != outcomes.end()) {
    out.member("eventId", taken->id.text);
  }
  if (is_list) {
    const auto failed = std::ranges::count_if(outcomes, refused);
    out.member("count", static_cast<std::int64_t>(outcomes.size()) - std::int64_t{failed});
  }
  return out.end_object().take();
}

void take(Edge& edge,
          const std::shared_ptr<webhooks::TakenCalls>& taken,
          const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const webhooks::Inbound* inbound = find(edge, request.param("name"));
  if (inbound == nullptr) {
    return exchange.fail({ErrorCode::NotFound, "there is no such webhook"});
  }
  const auto message_id = checked(edge, *inbound, request);
  if (!message_id) {
    return exchange.fail(bad_signature(reason_of(message_id.error())));
  }
  if (auto known = message_id->empty()
                       ? std::nullopt
                       : taken->answer_to(inbound->name, *message_id, edge.clock.steady())) {
    return exchange.complete(http::json(std::move(*known)));
  }
  auto raws = webhooks::events_of(*inbound,
                                  {.body = request.body(),
                                   .source = request.header("X-Webhook-Source").value_or(""),
                                   .message_id = *message_id});
  if (!raws) {
    return exchange.fail(unreadable(raws.error()));
  }
  std::string list = "[";
  for (std::string& raw : *raws) {
    list += (list.size() == 1 ? "" : ",") + not_back(edge, std::move(raw));
  }
  const auto document = json::Document::parse(list + "]", json::kEvent);
  if (!document) {
    return exchange.fail(unreadable(document.error()));
  }
  std::vector<json::Value> events;
  for (const json::Value event : document->root().elements()) {
    events.push_back(event);
  }
  if (auto fits = check_count(edge, events.size()); !fits) {
    return exchange.fail(std::move(fits.error()));
  }
  const std::string project = webhooks::updated_project(*inbound, request.body());
  const std::string source = "webhook:" + inbound->name;
  // The request is that of a service: its address and its program are nobody's of the events.
  const events::Origin origin{.source = source,
                              .received_at = request.received(),
                              .hops = origin_of(request, edge.sources.fallback()).hops,
                              .may_be_internal = inbound->kind == events::InboundKind::Optimizely,
                              .ip = edge.sources.fallback().ip};
  const bool is_list = request.body().find_first_not_of(" \t\r\n") != std::string_view::npos &&
                       request.body()[request.body().find_first_not_of(" \t\r\n")] == '[';
  const events::Envelope envelope{.has_duplicates = document->has_duplicates()};
  edge.ingest.accept(
      events,
      envelope,
      origin,
      [&edge, exchange, taken, inbound, id = *message_id, project, is_list](Result<Outcomes> done) {
        if (!done) {
          return exchange.fail(done.error());
        }
        if (!project.empty()) {
          refresh_datafiles(edge, project);
        }
        auto text = answer(*done, is_list);
        if (!text) {
          return exchange.fail(unreadable(text.error()));
        }
        if (!id.empty()) {  // good from one tolerance before its time to one behind it
          taken->note(
              inbound->name, id, *text, edge.clock.steady() + 2 * inbound->signing.tolerance);
        }
        exchange.complete(http::json(std::move(*text)));
      });
}

}  // namespace

void webhook(Mount& mount) {
  mount.post("/webhook/:name",
             {.needs = Public, .accepts = Accepts::Any, .authenticates = false},
             [&edge = mount.edge, taken = std::make_shared<webhooks::TakenCalls>()](
                 http::Exchange exchange) { take(edge, taken, exchange); });
  mount.get("/webhook/health", {.needs = Public, .authenticates = false}, [](const http::Request&) {
    json::Writer out;
    out.begin_object().member("status", "ok").member("service", "webhook").end_object();
    return http::json(out);
  });
}

}  // namespace edge::routes
