// SPDX-License-Identifier: MIT
// Validation and normalisation of one event (events spec 1.1 to 1.3). The checks stand in the order
// in which they are reported. Nothing of the event is copied, but for what must change: a text with
// NUL, half surrogates, line ends or repeated names is rewritten once at the start, contexts of
// batch and event are merged when both have one.
#include <array>
#include <utility>

#include "core/encoding/utf8.h"
#include "core/events/draft.h"
#include "core/events/raw_event.h"
#include "core/events/shapes.h"

namespace edge::events {
namespace {

using json::Value;

tl::unexpected<Error> refuse(std::string_view code,
                             std::string_view message,
                             std::string field = {}) {
  return Failure(
      {ErrorCode::InvalidArgument, std::string(message), std::move(field), std::string(code)});
}

bool is_given(const std::optional<Value>& value) {
  return value && !value->is_null();
}

/// Turns the fields into the draft, check by check.
class Normaliser {
 public:
  Normaliser(Fields fields, const Envelope& envelope, const Limits& limits, Draft& draft)
      : fields_(std::move(fields)), envelope_(envelope), limits_(limits), draft_(draft) {}

  Result<void> run(Ids& ids) {
    using Check = Result<void> (Normaliser::*)();
    constexpr std::array<Check, 6> kChecks = {&Normaliser::take_type,
                                              &Normaliser::take_message_id,
                                              &Normaliser::take_ids,
                                              &Normaliser::take_names,
                                              &Normaliser::take_objects,
                                              &Normaliser::require_ids};
    for (const Check check : kChecks) {
      if (auto done = (this->*check)(); !done) {
        return done;
      }
    }
    if (draft_.id.empty()) {
      draft_.id = ids.event_id();
    }
    if (draft_.user_id.empty() && draft_.anonymous_id.empty()) {
      draft_.anonymous_id =
          *draft_.texts.emplace_back(std::make_unique<const std::string>(ids.uuid()));
      draft_.has_made_anonymous_id = true;
    }
    complete();
    return {};
  }

 private:
  Result<void> take_type() {
    if (envelope_.type) {
      draft_.type = *envelope_.type;
      return {};
    }
    if (!is_given(fields_.type) || fields_.type->as_string() == "") {
      return refuse("type_required", "type is required", "/type");
    }
    const auto type = type_of(fields_.type->as_string().value_or(""));
    if (!type) {
      return refuse("unknown_type",
                    "type must be one of track, page, screen, identify, group, alias",
                    "/type");
    }
    draft_.type = *type;
    return {};
  }

  Result<void> take_message_id() {
    if (!is_given(fields_.message_id)) {
      return {};
    }
    if (const auto text = fields_.message_id->as_string()) {
      if (text->size() > limits_.max_message_id &&
          encoding::count_code_points(*text) > limits_.max_message_id) {
        return refuse(
            "message_id_too_long", "messageId must be at most 100 characters", "/messageId");
      }
      draft_.id.text = *text;
      return {};
    }
    const auto number = safe_integer(*fields_.message_id);
    if (!number) {
      return refuse("message_id_not_string", "messageId must be a string", "/messageId");
    }
    draft_.id.text = *number;
    return {};
  }

  /// False when the value can be no id.
  bool take_id(const std::optional<Value>& value, std::string_view& id) {
    if (!is_given(value)) {
      return true;
    }
    if (const auto text = value->as_string()) {
      id = trimmed(*text);
      return true;
    }
    auto number = safe_integer(*value);
    if (!number) {
      return false;
    }
    id = *draft_.texts.emplace_back(std::make_unique<const std::string>(std::move(*number)));
    return true;
  }

  Result<void> take_ids() {
    const bool usable = take_id(fields_.user_id, draft_.user_id) &&
                        take_id(fields_.anonymous_id, draft_.anonymous_id) &&
                        take_id(fields_.group_id, draft_.group_id) &&
                        take_id(fields_.previous_id, draft_.previous_id);
    return usable ? Result<void>{}
                  : refuse("id_not_string",
                           "userId, anonymousId, groupId and previousId must be strings");
  }

  [[nodiscard]] bool is_view() const {
    return draft_.type == Type::Page || draft_.type == Type::Screen;
  }

  Result<void> take_names() {
    if (draft_.type == Type::Track) {
      if (is_given(fields_.event) && !fields_.event->is_string()) {
        return refuse("event_not_string", "event must be a string", "/event");
      }
      draft_.event =
          is_given(fields_.event) ? trimmed(*fields_.event->as_string()) : std::string_view{};
      if (draft_.event.empty()) {
        return refuse("event_not_defined", "event is required for track", "/event");
      }
    }
    if (is_view()) {
      if (is_given(fields_.name) && !fields_.name->is_string()) {
        return refuse("name_not_string", "name must be a string", "/name");
      }
      if (is_given(fields_.category) && !fields_.category->is_string()) {
        return refuse("category_not_string", "category must be a string", "/category");
      }
      draft_.name = is_given(fields_.name) ? *fields_.name->as_string() : std::string_view{};
      draft_.category =
          is_given(fields_.category) ? *fields_.category->as_string() : std::string_view{};
    }
    return {};
  }

  Result<void> take_objects() {
    const std::array<
        std::pair<std::string_view, std::pair<std::optional<Value>*, std::optional<Value>*>>,
        4>
        objects = {{{"properties", {&fields_.properties, &draft_.properties}},
                    {"traits", {&fields_.traits, &draft_.traits}},
                    {"context", {&fields_.context, &draft_.context}},
                    {"integrations", {&fields_.integrations, &draft_.integrations}}}};
    for (const auto& [name, places] : objects) {
      if (!is_given(*places.first)) {
        continue;
      }
      if (!(*places.first)->is_object()) {
        return refuse(std::string(name) + "_not_object",
                      std::string(name) + " must be an object",
                      "/" + std::string(name));
      }
      *places.second = *places.first;
    }
    return {};
  }

  Result<void> require_ids() {
    if (draft_.type == Type::Alias) {
      if (draft_.user_id.empty()) {
        return refuse("id_required", "userId is required", "/userId");
      }
      if (draft_.previous_id.empty()) {
        draft_.previous_id = draft_.anonymous_id;
      }
      if (draft_.previous_id.empty()) {
        return refuse("previous_id_required", "previousId is required for alias", "/previousId");
      }
    }
    if (draft_.user_id.empty() && draft_.anonymous_id.empty() && !envelope_.is_original) {
      return refuse("id_required", "userId or anonymousId is required", "/userId");
    }
    if (draft_.type == Type::Group && draft_.group_id.empty()) {
      return refuse("group_id_required", "groupId is required for group", "/groupId");
    }
    return {};
  }

  /// What follows from a valid event: merged envelope, names on both sides, traits, channel.
  void complete() {
    if (!envelope_.is_original) {
      draft_.context = laid_over(envelope_.context, draft_.context, true);
    }
    draft_.integrations = laid_over(envelope_.integrations, draft_.integrations, false);
    if (is_view()) {
      draft_.has_name_of_properties = fill_both("name", draft_.name);
      draft_.has_category_of_properties = fill_both("category", draft_.category);
    }
    const auto context_traits = draft_.context ? draft_.context->find("traits") : std::nullopt;
    if (draft_.type == Type::Identify && !draft_.traits && context_traits &&
        context_traits->is_object()) {
      draft_.traits = context_traits;
      draft_.has_traits_of_context = true;
    }
    draft_.channel = envelope_.channel.value_or(channel_of_event());
    draft_.others = std::move(fields_.others);
    keep_foreign(fields_.event, "event", draft_.type == Type::Track);
    keep_foreign(fields_.name, "name", is_view());
    keep_foreign(fields_.category, "category", is_view());
  }

  /// A field that belongs to another type is kept like any unknown one.
  void keep_foreign(const std::optional<Value>& value, std::string_view name, bool is_own) {
    if (!is_own && is_given(value)) {
      draft_.others.push_back({name, *value});
    }
  }

  std::optional<Value> laid_over(const std::optional<Value>& below,
                                 const std::optional<Value>& above,
                                 bool deep) {
    if (!below || !above) {
      return above ? above : below;
    }
    auto document = json::Document::parse(merged(*below, *above, deep), json::kEvent);
    if (!document) {
      return above;  // cannot happen: both sides were parsed before
    }
    return draft_.documents
        .emplace_back(std::make_unique<const json::Document>(std::move(*document)))
        ->root();
  }

  /// True when the field was filled.
  bool fill_both(std::string_view member, std::string_view& field) {
    const auto property = draft_.properties ? draft_.properties->find(member) : std::nullopt;
    if (field.empty() && property) {
      field = property->as_string().value_or("");
      return !field.empty();
    }
    if (!field.empty() && !is_given(property)) {
      draft_.property_patches.push_back({.member = member, .json = json_text(field)});
    }
    return false;
  }

  [[nodiscard]] Channel channel_of_event() const {
    auto said = fields_.channel;
    if (!said || !said->is_string()) {
      said = draft_.context ? draft_.context->find("channel") : std::nullopt;
    }
    if (const auto name = said ? said->as_string() : std::nullopt) {
      if (*name == "browser" || *name == "web") {
        return Channel::Browser;
      }
      return *name == "mobile" ? Channel::Mobile : Channel::Server;
    }
    const auto library =
        draft_.context ? draft_.context->at_pointer("/library/name") : std::nullopt;
    const auto name = library ? library->as_string().value_or("") : std::string_view{};
    return name == "analytics.js" || name.starts_with("RudderLabs JavaScript") ? Channel::Browser
                                                                               : Channel::Server;
  }

  Fields fields_;
  const Envelope& envelope_;
  const Limits& limits_;
  Draft& draft_;
};

/// Keeps a rewritten event for the life of the draft.
Result<Value> keep(Draft& draft, Result<json::Document> document) {
  if (!document) {
    return Failure(document.error());
  }
  return draft.documents.emplace_back(std::make_unique<const json::Document>(std::move(*document)))
      ->root();
}

/// The raw event in canonical shape and as clean text; itself when it has both.
Result<Value> rewritten(Value raw, const Envelope& envelope, Draft& draft) {
  bool has_duplicates = envelope.has_duplicates;
  if (const auto text =
          envelope.is_original ? from_seed(raw, envelope.context) : std::optional<std::string>{}) {
    const auto canonical = keep(draft, json::Document::parse(*text, json::kEvent));
    if (!canonical) {
      return canonical;
    }
    raw = *canonical;
    has_duplicates = has_duplicates || draft.documents.back()->has_duplicates();
  }
  return has_duplicates || !is_clean(raw.raw()) ? keep(draft, cleaned(raw)) : raw;
}

}  // namespace

std::string_view name_of(Channel channel) {
  switch (channel) {
    case Channel::Browser:
      return "browser";
    case Channel::Mobile:
      return "mobile";
    case Channel::Server:
      break;
  }
  return "server";
}

Result<Draft> normalise(
    Value raw, const Envelope& envelope, Time received_at, Ids& ids, const Limits& limits) {
  if (!raw.is_object()) {
    return refuse("event_not_object", "event must be a JSON object");
  }
  if (raw.raw().size() > limits.max_event_bytes) {
    return Failure({ErrorCode::TooLarge,
                    "event exceeds " + std::to_string(limits.max_event_bytes) + " bytes",
                    {},
                    "event_too_large"});
  }
  if (is_deeper(raw, limits.max_depth)) {
    return refuse("event_too_deep",
                  "event is nested deeper than " + std::to_string(limits.max_depth) + " levels");
  }
  Draft draft;
  const auto event = rewritten(raw, envelope, draft);
  if (!event) {
    return Failure(event.error());
  }
  Fields fields = find_fields(*event);
  fields.clocks.envelope_sent_at = envelope.sent_at;
  draft.clocks = resolve_clocks(fields.clocks, received_at, limits.max_future);
  if (auto done = Normaliser(std::move(fields), envelope, limits, draft).run(ids); !done) {
    return Failure(done.error());
  }
  return draft;
}

std::string raw_message_id(Value raw) {
  const auto id = raw.find(is_seed_event(raw) ? "eventId" : "messageId");
  if (!id) {
    return {};
  }
  const auto text = id->as_string();
  if (text && encoding::count_code_points(*text) <= Limits{}.max_message_id) {
    return std::string(*text);
  }
  return safe_integer(*id).value_or("");
}

}  // namespace edge::events
