// SPDX-License-Identifier: MIT
#include "core/flags/record.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/flags/decide.h"

namespace edge::flags {
namespace {

constexpr std::string_view kInvalidInput = "invalid_input";

std::optional<std::string_view> text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->as_string() : std::nullopt;
}

json::Elements list_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->elements() : json::Elements{};
}

std::vector<ForcedDecision> forced_decisions_of(json::Value record) {
  std::vector<ForcedDecision> forced;
  for (const json::Value entry : list_of(record, "forcedDecisions")) {
    const auto flag = text_of(entry, "flagKey");
    const auto variation = text_of(entry, "variationKey");
    if (flag && variation) {
      forced.push_back({*flag, text_of(entry, "ruleKey"), *variation});
    }
  }
  return forced;
}

Options options_of(json::Value record) {
  Options options;
  for (const json::Value name : list_of(record, "options")) {
    if (const auto text = name.as_string()) {
      options.set(*text);
    }
  }
  return options;
}

Overrides overrides_of(json::Value record, const Datafile& datafile, const User& user) {
  Overrides overrides;
  for (const json::Value entry : list_of(record, "forcedVariations")) {
    const auto experiment = text_of(entry, "experimentKey");
    if (experiment) {
      overrides.set(datafile, *experiment, user.id, text_of(entry, "variationKey"));
    }
  }
  return overrides;
}

Error invalid_key(std::string_view field) {
  return {.code = ErrorCode::InvalidArgument,
          .message = "a flag key must be a text",
          .field = std::string(field),
          .reason = std::string(kInvalidInput)};
}

Result<std::vector<Decision>> decisions_of(json::Value record, Decider& decider) {
  if (const auto key = record.find("key")) {
    if (!key->is_string()) {
      return Failure(invalid_key("/key"));
    }
    std::vector<Decision> decisions;
    decisions.push_back(decider.decide(*key->as_string()));
    return decisions;
  }
  const auto keys = record.find("keys");
  if (!keys) {
    return decider.decide_all();
  }
  std::vector<std::string_view> texts;
  for (const json::Value key : keys->elements()) {
    if (!key.is_string()) {
      return Failure(invalid_key("/keys"));
    }
    texts.push_back(*key.as_string());
  }
  if (!keys->is_array()) {
    return Failure(invalid_key("/keys"));
  }
  return decider.decide_keys(texts);
}

}  // namespace

Result<bool> answer_record(const Datafile& datafile, json::Value record, json::Writer& out) {
  const auto user =
      user_of(record.find("userId"), record.find("attributes"), record.find("qualifiedSegments"));
  if (!user) {
    Error error = user.error();
    error.reason = kInvalidInput;
    return Failure(std::move(error));
  }
  const auto forced = forced_decisions_of(record);
  const Overrides overrides = overrides_of(record, datafile, *user);
  const auto stored = record.find("userProfile");
  const StickyMap profile = stored ? sticky_map_of(*stored) : StickyMap{};
  Decider decider(datafile,
                  *user,
                  {.forced = forced,
                   .overrides = &overrides,
                   .profile = stored ? &profile : nullptr,
                   .options = options_of(record)});
  const auto decisions = decisions_of(record, decider);
  if (!decisions) {
    return Failure(decisions.error());
  }
  out.key("decisions").begin_object();
  for (const Decision& decision : *decisions) {
    write(out.key(decision.flag_key), decision);
  }
  out.end_object();
  if (const auto saved = decider.profile_to_save()) {
    out.key("savedProfile").raw(*saved);
  }
  return std::none_of(
      decisions->begin(), decisions->end(), [](const Decision& d) { return d.is_error; });
}

}  // namespace edge::flags
