// SPDX-License-Identifier: MIT
#include "daemon/deciding.h"

#include <algorithm>
#include <utility>

#include "core/json/writer.h"
#include "daemon/http/service.h"

namespace edge {
namespace {

using Then = std::function<void(const Known&)>;

void write_user(json::Writer& out, const flags::User& user, std::optional<json::Value> attributes) {
  out.key("UserContext").begin_object().member("ID", user.id).key("Attributes");
  if (attributes && attributes->is_object()) {
    out.value(*attributes);
  } else {
    out.begin_object().end_object();
  }
  out.key("QualifiedSegments").begin_array();
  for (const std::string_view segment : user.segments) {
    out.string(segment);
  }
  out.end_array().end_object();
}

/// The rest of the way, on a thread that may block.
void look_up(Edge& edge, const Wanted& wanted, bool is_stale, const Then& then) {
  Known known{.is_stale = is_stale};
  auto record = edge.user_records.find(wanted.project.name(), wanted.user_id);
  if (record) {
    known.record = *std::move(record);
  } else {
    known.problem = record.error();
  }
  if (wanted.segments && !known.problem) {
    auto segments = edge.profiles.segments_of(wanted.user_id, edge.clock.now());
    if (segments) {
      known.segments = *std::move(segments);
    } else {
      known.problem = segments.error();
    }
  }
  then(known);
}

}  // namespace

void when_known(Edge& edge, const http::Exchange& exchange, Wanted wanted, Then then) {
  if (!wanted.segments) {
    if (auto record = edge.user_records.cached(wanted.project.name(), wanted.user_id)) {
      then({.record = std::move(record)});
      return;
    }
    exchange.state()->service->defer(exchange,
                                     [&edge, wanted = std::move(wanted), then = std::move(then)] {
                                       look_up(edge, wanted, false, then);
                                     });
    return;
  }
  edge.projector.when_current([&edge, exchange, wanted = std::move(wanted), then = std::move(then)](
                                  const Result<void>& reached) {
    const bool is_stale = !reached;
    if (is_stale) {
      edge.metrics
          .counter("edge_flags_stale_total",
                   "Decisions that did not see all events answered before")
          .with({})
          .add();
    }
    exchange.state()->service->defer(
        exchange, [&edge, wanted, is_stale, then] { look_up(edge, wanted, is_stale, then); });
  });
}

void report(Edge& edge,
            const flags::Datafile& datafile,
            const flags::User& user,
            const std::vector<flags::Exposure>& exposures) {
  if (exposures.empty() || !edge.reports.is_wanted()) {
    return;
  }
  edge.reports.send(user.id, edge.reports.of(datafile, user, exposures));
}

bool report_conversion(Edge& edge,
                       flags::Project& project,
                       const flags::Datafile& datafile,
                       const flags::User& user,
                       std::string_view event_key,
                       std::optional<json::Value> attributes,
                       std::optional<json::Value> tags) {
  flags::EventWriter writer(datafile, user, kReportClient, edge.ids);
  const auto event = writer.conversion(event_key, tags, edge.clock.now());
  if (!event) {
    return false;
  }
  edge.reports.send(user.id, std::span(&*event, 1));
  if (!project.notifications.is_heard(flags::Topic::Track)) {
    return true;
  }
  const auto visitor = json::Document::parse(event->visitor, json::kDecision);
  const auto conversion = visitor->root().at_pointer("/snapshots/0/events/0");
  json::Writer out;
  out.begin_object().member("EventKey", event_key);
  write_user(out, user, attributes);
  out.key("EventTags");
  tags && tags->is_object() ? out.value(*tags) : out.raw("{}");
  out.key("ConversionEvent").begin_object();
  for (const std::string_view name : {"entity_id", "key"}) {
    out.key(name).value(*conversion->find(name));
  }
  out.key("Attributes").value(*visitor->root().find("attributes"));
  for (const std::string_view name : {"tags", "revenue", "value"}) {
    const auto member = conversion->find(name);
    out.key(name);
    member ? out.value(*member) : out.null();
  }
  out.end_object().end_object();
  project.notifications.publish(flags::Topic::Track, out.take());
  return true;
}

void remember(Edge& edge,
              const flags::Project& project,
              const flags::User& user,
              const flags::Decider& decider) {
  if (auto buckets = decider.profile_to_save()) {
    edge.user_records.remember(project.name(), user.id, *std::move(buckets));
  }
}

void announce(flags::Project& project,
              const flags::User& user,
              std::optional<json::Value> attributes,
              const std::vector<flags::Decision>& decisions,
              const std::vector<flags::Exposure>& exposures) {
  if (!project.notifications.is_heard(flags::Topic::Decision)) {
    return;
  }
  for (const flags::Decision& decision : decisions) {
    const bool dispatched = std::ranges::any_of(exposures, [&](const flags::Exposure& exposure) {
      return exposure.flag_key == decision.flag_key;
    });
    json::Writer out;
    out.begin_object().member("Type", "flag");
    write_user(out, user, attributes);
    out.key("DecisionInfo")
        .begin_object()
        .member("flagKey", decision.flag_key)
        .member("enabled", decision.is_enabled)
        .key("variables")
        .raw(decision.variables)
        .member("variationKey", decision.variation_key.value_or(""))
        .member("ruleKey", decision.rule_key.value_or(""));
    out.key("reasons").begin_array();
    for (const std::string& reason : decision.reasons) {
      out.string(reason);
    }
    out.end_array()
        .member("decisionEventDispatched", dispatched)
        .member("experimentId", decision.rule != nullptr ? decision.rule->id : "")
        .member("variationId", decision.variation != nullptr ? decision.variation->id : "")
        .end_object()
        .end_object();
    project.notifications.publish(flags::Topic::Decision, out.take());
  }
}

}  // namespace edge
