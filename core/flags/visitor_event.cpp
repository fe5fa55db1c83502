// SPDX-License-Identifier: MIT
#include "core/flags/visitor_event.h"

#include <algorithm>
#include <cmath>

#include "core/json/javascript.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

constexpr std::string_view kEndpoint = "https://logx.optimizely.com/v1/events";
constexpr std::string_view kEuropeanEndpoint = "https://eu.logx.optimizely.com/v1/events";
constexpr std::string_view kReservedPrefix = "$opt_";
constexpr std::string_view kBotFiltering = "$opt_bot_filtering";

void write_text_or_null(json::Writer& out, std::string_view text) {
  if (text.empty()) {
    out.null();
  } else {
    out.string(text);
  }
}

/// The receiver takes numeric ids only.
std::string_view digits_only(std::string_view id) {
  const bool is_numeric =
      std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_numeric ? id : std::string_view{};
}

void write_attribute(json::Writer& out, std::string_view id, std::string_view key) {
  out.begin_object()
      .member("entity_id", id)
      .member("key", key)
      .member("type", "custom")
      .key("value");
}

void write_scalar(json::Writer& out, const Scalar& scalar) {
  if (scalar.kind == Scalar::Kind::Text) {
    out.string(scalar.text);
  } else if (scalar.kind == Scalar::Kind::Bool) {
    out.boolean(scalar.boolean);
  } else {
    out.number(scalar.number);
  }
}

bool is_reported(const Scalar& scalar) {
  using Kind = Scalar::Kind;
  return scalar.kind == Kind::Text || scalar.kind == Kind::Bool ||
         (scalar.kind == Kind::Number && std::abs(scalar.number) <= kLargestNumber);
}

/// `revenue`: whole units; nothing when it is no finite number.
std::optional<double> revenue_of(json::Value tag) {
  const auto number = tag.is_string() ? json::javascript::parse_int_or_hex(*tag.as_string())
                                      : std::optional(json::javascript::number_of(tag));
  return number && std::isfinite(*number) ? std::optional(std::trunc(*number)) : std::nullopt;
}

/// `value` as JSON text; empty when it is no finite number. What is no text stays as it is.
std::string value_of(json::Value tag) {
  std::string text;
  if (tag.is_string()) {
    const auto number = json::javascript::parse_float(*tag.as_string());
    if (number && std::isfinite(*number)) {
      json::append_number(text, *number);
    }
  } else if (std::isfinite(json::javascript::number_of(tag))) {
    json::javascript::append_json(text, tag);
  }
  return text;
}

void write_tags(json::Writer& out, json::Value tags) {
  std::optional<json::Value> revenue;
  std::optional<json::Value> value;
  out.key("tags").begin_object();
  for (const auto& [name, tag] : tags.members()) {
    if (tag.is_null()) {
      continue;
    }
    std::string text;
    json::javascript::append_json(text, tag);
    out.key(name).raw(text);
    if (name == "revenue") {
      revenue = tag;
    } else if (name == "value") {
      value = tag;
    }
  }
  out.end_object();
  if (const auto number = revenue ? revenue_of(*revenue) : std::nullopt) {
    out.key("revenue").number(*number);
  }
  if (const std::string number = value ? value_of(*value) : std::string{}; !number.empty()) {
    out.key("value").raw(number);
  }
}

}  // namespace

bool may_share(const VisitorEvent& left, const VisitorEvent& right) {
  return left.endpoint == right.endpoint && left.head == right.head &&
         left.bot_filtering == right.bot_filtering;
}

std::vector<EventRequest> requests_of(std::span<const VisitorEvent> events,
                                      std::size_t max_events) {
  std::vector<EventRequest> requests;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (requests.empty() || requests.back().events == max_events ||
        !may_share(events[i - 1], events[i])) {
      requests.push_back({.endpoint = events[i].endpoint});
      requests.back().body = "{" + events[i].head + ",\"visitors\":[";
    }
    EventRequest& request = requests.back();
    request.body += request.events == 0 ? "" : ",";
    request.body += events[i].visitor;
    ++request.events;
  }
  for (EventRequest& request : requests) {
    request.body += "]}";
  }
  return requests;
}

std::string EventWriter::head() const {
  const Reporting& reporting = datafile_.reporting;
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : {std::pair{"account_id", &reporting.account_id},
                                    std::pair{"project_id", &reporting.project_id},
                                    std::pair{"revision", &reporting.revision}}) {
    if (!value->empty()) {
      out.key(name).raw(*value);
    }
  }
  out.member("client_name", client_.name)
      .member("client_version", client_.version)
      .member("anonymize_ip", reporting.anonymizes_ip)
      .member("enrich_decisions", true)
      .end_object();
  const std::string text = out.take();
  return text.substr(1, text.size() - 2);
}

void EventWriter::write_attributes(json::Writer& out) const {
  const Reporting& reporting = datafile_.reporting;
  for (const Attribute& attribute : user_.attributes) {
    if (!is_reported(attribute.value)) {
      continue;
    }
    const auto listed = reporting.attribute_ids.find(attribute.name);
    const bool is_reserved = attribute.name.starts_with(kReservedPrefix);
    const std::string_view id = listed != reporting.attribute_ids.end() ? listed->second
                                : is_reserved                           ? attribute.name
                                                                        : std::string_view{};
    if (!id.empty()) {
      write_attribute(out, id, attribute.name);
      write_scalar(out, attribute.value);
      out.end_object();
    }
  }
  if (reporting.bot_filtering) {
    write_attribute(out, kBotFiltering, kBotFiltering);
    out.boolean(*reporting.bot_filtering).end_object();
  }
}

VisitorEvent EventWriter::event_of(const std::string& snapshot) const {
  json::Writer out;
  out.begin_object().member("visitor_id", user_.id).key("attributes").begin_array();
  write_attributes(out);
  out.end_array().key("snapshots").begin_array().raw(snapshot).end_array().end_object();
  return {.endpoint = std::string(datafile_.reporting.is_european ? kEuropeanEndpoint : kEndpoint),
          .head = head(),
          .bot_filtering = datafile_.reporting.bot_filtering,
          .visitor = out.take()};
}

VisitorEvent EventWriter::impression(const Exposure& exposure, Time now) {
  const std::string_view experiment = exposure.rule == nullptr ? "" : exposure.rule->id;
  const std::string_view layer = exposure.rule == nullptr ? "" : exposure.rule->layer_id;
  const std::string_view campaign = layer.empty() ? experiment : layer;
  const Variation* variation = exposure.variation;
  json::Writer out;
  out.begin_object().key("decisions").begin_array().begin_object();
  write_text_or_null(out.key("campaign_id"), campaign);
  out.member("experiment_id", experiment).key("variation_id");
  write_text_or_null(out, variation == nullptr ? std::string_view{} : digits_only(variation->id));
  out.key("metadata")
      .begin_object()
      .member("flag_key", exposure.flag_key)
      .member("rule_key", exposure.rule == nullptr ? std::string_view{} : exposure.rule->key)
      .member("rule_type", name_of(exposure.source))
      .member("variation_key", variation == nullptr ? std::string_view{} : variation->key)
      .member("enabled", exposure.is_enabled)
      .end_object()
      .end_object()
      .end_array();
  out.key("events").begin_array().begin_object();
  write_text_or_null(out.key("entity_id"), campaign);
  out.member("key", "campaign_activated")
      .member("timestamp", to_ms(now))
      .member("uuid", ids_.uuid())
      .end_object()
      .end_array()
      .end_object();
  return event_of(out.text());
}

VisitorEvent EventWriter::activation(const Rule& experiment, const Variation& variation, Time now) {
  return impression({.rule = &experiment,
                     // The reference looks the key up anew, in this experiment alone.
                     .variation = experiment.find_variation(variation.key),
                     .is_enabled = true,
                     .source = Source::Experiment},
                    now);
}

std::optional<VisitorEvent> EventWriter::conversion(std::string_view event_key,
                                                    std::optional<json::Value> tags,
                                                    Time now) {
  const auto known = datafile_.reporting.event_ids.find(event_key);
  if (known == datafile_.reporting.event_ids.end()) {
    return std::nullopt;
  }
  json::Writer out;
  out.begin_object()
      .key("events")
      .begin_array()
      .begin_object()
      .member("entity_id", known->second)
      .member("key", event_key)
      .member("timestamp", to_ms(now))
      .member("uuid", ids_.uuid());
  if (tags && tags->is_object()) {
    write_tags(out, *tags);
  }
  out.end_object().end_array().end_object();
  return event_of(out.text());
}

}  // namespace edge::flags
