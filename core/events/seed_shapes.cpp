// SPDX-License-Identifier: MIT
// Events and actions of the original API (events spec 1.5).
#include <array>

#include "core/events/member_index.h"
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

/// Members of several objects in one; of equal names the last wins. Begun with the first member, so
/// that an empty object is left out.
class Layers {
 public:
  void add(std::string_view name, Value value) { members_.push_back({name, value}); }
  void add_all(Object object) {
    if (!object) {
      return;
    }
    for (const auto& [name, value] : object->members()) {
      add(name, value);
    }
  }
  void write(Writer& out, std::string_view name, bool even_empty) const {
    if (members_.empty() && !even_empty) {
      return;
    }
    out.key(name).begin_object();
    for (const auto& [member, value] : last_of_equal(members_)) {
      out.key(member).value(value);
    }
    out.end_object();
  }

 private:
  std::vector<json::Member> members_;
};

constexpr std::array<std::string_view, 4> kPixelIds = {
    "pixelId", "campaignId", "emailId", "recipientId"};
constexpr std::array<std::string_view, 6> kOpenFacts = {
    "openClass", "openRule", "machineOpen", "authenticated", "unique", "duplicate"};
/// Members that have been read, or mean nothing in a canonical event.
constexpr std::array<std::string_view, 12> kSeedOnly = {"eventId",
                                                        "eventType",
                                                        "user",
                                                        "page",
                                                        "source",
                                                        "version",
                                                        "traits",
                                                        "metadata",
                                                        "pixelId",
                                                        "campaignId",
                                                        "emailId",
                                                        "recipientId"};

/// Writes one event of the original API member by member.
class SeedReader {
 public:
  SeedReader(Value event, Object batch)
      : event_(event), batch_(batch), user_(inside(event, "user")) {}

  std::string run() {
    const std::string_view type = text_in(event_, "eventType");
    is_pixel_ = type == "pixel";
    is_identify_ = type == "identify";
    out_.begin_object();
    write_ids();
    copy(out_, "timestamp", inside(event_, "timestamp"));
    if (is_pixel_) {
      write_pixel();
    } else {
      copy(out_, "type", inside(event_, "eventType"));
    }
    write_traits();
    write_context();
    copy_rest();
    return out_.end_object().take();
  }

 private:
  void write_ids() {
    const auto id = inside(event_, "eventId");
    if (id && id->as_string() != "uuid") {
      out_.key("messageId").value(*id);
    }
    auto user = inside(user_, "userId");
    if (!user && is_pixel_) {
      user = inside(event_, "recipientId");
    }
    for (const auto& [name, value] :
         {std::pair<std::string_view, Object>{"userId", user ? user : inside(event_, "userId")},
          {"anonymousId",
           inside(user_, "anonymousId") ? inside(user_, "anonymousId")
                                        : inside(event_, "anonymousId")}}) {
      copy(out_, name, value);
    }
  }

  void write_pixel() {
    out_.member("type", "track").member("event", "Email Opened");
    Layers properties;
    properties.add_all(inside(event_, "metadata"));
    for (const std::string_view name : kPixelIds) {
      if (const auto value = inside(event_, name)) {
        properties.add(name, *value);
      }
    }
    properties.write(out_, "properties", true);
  }

  void write_traits() {
    if (!is_identify_) {
      copy(out_, "traits", inside(event_, "traits"));
      return;
    }
    Layers traits;
    add_user_traits(traits);
    traits.add_all(inside(event_, "traits"));
    traits.write(out_, "traits", false);
  }

  void add_user_traits(Layers& traits) {
    traits.add_all(inside(user_, "traits"));
    if (const auto email = inside(user_, "email")) {
      traits.add("email", *email);
    }
  }

  void write_context() {
    Layers context;
    context.add_all(inside(event_, "context"));
    Writer inner;
    inner.begin_object();
    write_page(inner);
    const auto source =
        inside(event_, "source") ? inside(event_, "source") : inside(batch_, "source");
    copy(inner, "source", source);
    if (const auto campaign = inside(batch_, "campaignId")) {
      inner.key("campaign").begin_object().key("id").value(*campaign).end_object();
    }
    copy(inner, "sessionId", inside(batch_, "sessionId"));
    if (!is_identify_) {
      Layers traits;
      add_user_traits(traits);
      traits.write(inner, "traits", false);
    }
    write_open_facts(inner);
    const std::string text = inner.end_object().take();
    if (text == "{}") {
      context.write(out_, "context", false);
      return;
    }
    const auto parsed = json::Document::parse(text, json::kEvent);
    const auto given = inside(event_, "context");
    if (parsed && given && given->is_object()) {
      out_.key("context").raw(merged(parsed->root(), *given, true));
    } else {
      out_.key("context").raw(text);
    }
  }

  void write_page(Writer& inner) {
    const auto page = inside(event_, "page");
    Layers kept;
    for (const auto& [name, value] : page ? page->members() : json::Members{}) {
      if (name != "userAgent" && name != "ip") {
        kept.add(name, value);
      }
    }
    kept.write(inner, "page", false);
    for (const std::string_view name : {"userAgent", "ip"}) {
      const auto value = inside(page, name);
      if (value && value->as_string() != "unknown") {
        inner.key(name).value(*value);
      }
    }
  }

  void write_open_facts(Writer& inner) {
    Layers facts;
    for (const std::string_view name : kOpenFacts) {
      if (const auto value = inside(event_, name); value && is_pixel_) {
        facts.add(name, *value);
      }
    }
    facts.write(inner, "pixel", false);
  }

  void copy_rest() {
    constexpr std::array<std::string_view, 8> kWritten = {
        "timestamp", "context", "userId", "anonymousId", "messageId", "type", "segments", "email"};
    for (const auto& [name, value] : event_.members()) {
      const bool used = std::find(kSeedOnly.begin(), kSeedOnly.end(), name) != kSeedOnly.end() ||
                        std::find(kWritten.begin(), kWritten.end(), name) != kWritten.end() ||
                        (is_pixel_ && (name == "event" || name == "properties" ||
                                       std::find(kOpenFacts.begin(), kOpenFacts.end(), name) !=
                                           kOpenFacts.end()));
      if (!used) {
        out_.key(name).value(value);
      }
    }
  }

  Value event_;
  Object batch_;
  Object user_;
  bool is_pixel_ = false;
  bool is_identify_ = false;
  Writer out_;
};

tl::unexpected<Error> bad_action(std::string_view member, std::string_view what) {
  return Failure({ErrorCode::InvalidArgument,
                  std::string(member) + " " + std::string(what),
                  "/" + std::string(member),
                  "invalid_action"});
}

}  // namespace

bool is_seed_event(Value event) {
  const auto type = event.find("eventType");
  return type && !type->is_null();
}

std::optional<std::string> from_seed(Value event, Object batch_context) {
  if (!event.is_object()) {
    return std::nullopt;
  }
  if (is_seed_event(event)) {
    return SeedReader(event, batch_context).run();
  }
  const auto source = inside(batch_context, "source");
  const auto session = inside(batch_context, "sessionId");
  const auto campaign = inside(batch_context, "campaignId");
  if (!source && !session && !campaign) {
    return std::nullopt;
  }
  Writer below;
  below.begin_object().key("context").begin_object();
  copy(below, "source", source);
  copy(below, "sessionId", session);
  if (campaign) {
    below.key("campaign").begin_object().key("id").value(*campaign).end_object();
  }
  below.end_object().end_object();
  const auto parsed = json::Document::parse(below.take(), json::kEvent);
  return parsed ? std::optional(merged(parsed->root(), event, true)) : std::nullopt;
}

Result<std::string> from_action(Value action) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {
      {{"email_open", "Email Opened"},
       {"form_submit", "Form Submitted"},
       {"button_click", "Button Clicked"},
       {"custom", "Custom Event"},
       {"page_view", {}}}};
  if (!action.is_object()) {
    return Failure({ErrorCode::InvalidArgument, "action must be an object", {}, "invalid_action"});
  }
  const std::string_view type = text_in(action, "type");
  const auto* name = std::find_if(
      kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == type; });
  if (name == kNames.end()) {
    return bad_action("type",
                      "must be one of email_open, form_submit, button_click, custom, page_view");
  }
  const auto data = inside(action, "data");
  if (data && !data->is_object()) {
    return bad_action("data", "must be an object");
  }
  if (!inside(action, "userId") && !inside(action, "anonymousId")) {
    return bad_action("userId", "is required");
  }
  Writer out;
  out.begin_object();
  for (const std::string_view id : {"messageId", "userId", "anonymousId", "timestamp"}) {
    copy(out, id, inside(action, id));
  }
  if (const auto source = inside(action, "source")) {
    out.key("context").begin_object().key("source").value(*source).end_object();
  }
  if (type == "page_view") {
    out.member("type", "page");
  } else {
    const std::string_view own = type == "custom" ? text_in(data, "eventName") : std::string_view{};
    out.member("type", "track").member("event", own.empty() ? name->second : own);
  }
  out.key("properties");
  data ? out.value(*data) : out.raw("{}");
  return out.end_object().take();
}

}  // namespace edge::events
