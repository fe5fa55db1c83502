// SPDX-License-Identifier: MIT
// Bodies of inbound webhooks as events (events spec 9).
#include "core/events/overlay.h"
#include "core/events/shapes.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

using json::Value;
using json::Writer;
using Object = std::optional<Value>;

Object inside(Object object, std::string_view name) {
  const auto value = object ? object->find(name) : std::nullopt;
  return value && !value->is_null() ? value : std::nullopt;
}

std::string_view text_in(Object object, std::string_view name) {
  const auto value = inside(object, name);
  return value ? value->as_string().value_or("") : std::string_view{};
}

void copy(Writer& out, std::string_view name, Object value) {
  if (value) {
    out.key(name).value(*value);
  }
}

tl::unexpected<Error> bad_body(std::string_view what) {
  return Failure({ErrorCode::InvalidArgument, std::string(what), {}, "bad_webhook_body"});
}

std::string from_segment(Value event) {
  Writer over;
  over.begin_object();
  if (!inside(event, "type")) {
    over.member("type", "track");
  }
  over.key("context").begin_object().member("source", "segment-webhook").end_object().end_object();
  const auto parsed = json::Document::parse(over.take(), json::kEvent);
  return parsed ? merged(event, parsed->root(), true) : std::string(event.raw());
}

/// `{project_id, timestamp, event, data}`: about the project, not about a person.
std::string from_project_event(Value body) {
  const std::string project(
      inside(body, "project_id")->as_string().value_or(inside(body, "project_id")->raw()));
  Writer out;
  out.begin_object()
      .member("type", "track")
      .member("event", "optimizely." + std::string(text_in(body, "event")))
      .member("anonymousId", "optimizely-project-" + project);
  copy(out, "timestamp", inside(body, "timestamp"));
  out.key("properties").begin_object().member("projectId", project);
  if (const auto data = inside(body, "data")) {
    for (const auto& [name, value] : data->members()) {
      if (name != "projectId") {
        out.key(name).value(value);
      }
    }
  }
  out.end_object();
  out.key("context")
      .begin_object()
      .member("source", "optimizely-webhook")
      .member("internal", true)
      .end_object();
  return out.end_object().take();
}

Result<std::string> from_optimizely(Value body) {
  if (inside(body, "project_id") && !text_in(body, "event").empty()) {
    return from_project_event(body);
  }
  if (text_in(body, "event_type").empty()) {
    return bad_body("neither event nor event_type");
  }
  const auto data = inside(body, "data");
  Writer out;
  out.begin_object().member("type", "track").member("event", text_in(body, "event_type"));
  copy(out, "userId", inside(data, "user_id"));
  copy(out, "anonymousId", inside(data, "visitor_uuid"));
  copy(out, "timestamp", inside(body, "timestamp"));
  out.key("properties");
  data && data->is_object() ? out.value(*data) : out.raw("{}");
  out.key("context").begin_object().member("source", "optimizely-webhook").end_object();
  return out.end_object().take();
}

std::string from_custom(Value body, std::string_view source) {
  const auto data = inside(body, "data");
  const bool is_standard =
      text_in(body, "event").empty() && !text_in(body, "type").empty() && data && data->is_object();
  const Value content = is_standard ? *data : body;
  const std::string_view name = is_standard ? text_in(body, "type") : text_in(body, "event");
  Writer out;
  out.begin_object().member("type", "track").member("event", name.empty() ? "custom_event" : name);
  copy(out, "userId", inside(content, "userId"));
  copy(out, "anonymousId", inside(content, "anonymousId"));
  if (is_standard) {
    copy(out, "timestamp", inside(body, "timestamp"));
  }
  out.key("properties").value(content);
  out.key("context").begin_object();
  out.member("source", "webhook-" + std::string(source.empty() ? "unknown" : source));
  const auto traits = inside(content, "traits");
  if (traits && traits->is_object()) {
    out.key("traits").value(*traits);
  }
  return out.end_object().end_object().take();
}

}  // namespace

Result<std::vector<std::string>> from_inbound(InboundKind kind,
                                              Value body,
                                              std::string_view source) {
  std::vector<std::string> events;
  if (kind == InboundKind::Segment && body.is_array()) {
    for (const Value event : body.elements()) {
      if (!event.is_object()) {
        return bad_body("an event is no object");
      }
      events.push_back(from_segment(event));
    }
    return events;
  }
  if (!body.is_object()) {
    return bad_body("the body is no object");
  }
  switch (kind) {
    case InboundKind::Segment:
      events.push_back(from_segment(body));
      break;
    case InboundKind::Optimizely: {
      auto event = from_optimizely(body);
      if (!event) {
        return Failure(event.error());
      }
      events.push_back(std::move(*event));
      break;
    }
    case InboundKind::Custom:
      events.push_back(from_custom(body, source));
      break;
  }
  return events;
}

}  // namespace edge::events
