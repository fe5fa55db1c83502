// SPDX-License-Identifier: MIT
#include "core/flags/record.h"

#include <functional>
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

/// What a record says, read. Views belong to the record and the datafile.
struct Reading {
  User user = {};
  std::vector<ForcedDecision> forced = {};
  Overrides overrides = {};
  std::optional<StickyMap> profile = {};
  Options options = {};

  static Result<Reading> of(const Datafile& datafile, json::Value record) {
    auto user =
        user_of(record.find("userId"), record.find("attributes"), record.find("qualifiedSegments"));
    if (!user) {
      Error error = user.error();
      error.reason = kInvalidInput;
      return Failure(std::move(error));
    }
    Reading reading{.user = std::move(*user), .options = options_of(record)};
    reading.forced = forced_decisions_of(record);
    reading.overrides = overrides_of(record, datafile, reading.user);
    if (const auto stored = record.find("userProfile")) {
      reading.profile = sticky_map_of(*stored);
    }
    return reading;
  }

  [[nodiscard]] Circumstances circumstances() const {
    return {.forced = forced,
            .overrides = &overrides,
            .profile = profile ? &*profile : nullptr,
            .options = options};
  }
};

/// Writes what was decided.
using Write = std::function<void(const Reading&, const Decider&, const std::vector<Decision>&)>;

Result<void> decide_record(const Datafile& datafile,
                           json::Value record,
                           bool explains,
                           const Witness& witness,
                           const Write& write) {
  const auto reading = Reading::of(datafile, record);
  if (!reading) {
    return Failure(reading.error());
  }
  std::vector<Exposure> exposures;
  Circumstances circumstances = reading->circumstances();
  circumstances.explains = explains;
  circumstances.exposures = witness ? &exposures : nullptr;
  Decider decider(datafile, reading->user, circumstances);
  const auto decisions = decisions_of(record, decider);
  if (!decisions) {
    return Failure(decisions.error());
  }
  if (witness) {
    witness(reading->user, exposures);
  }
  write(*reading, decider, *decisions);
  return {};
}

void write_saved(json::Writer& out, const Decider& decider) {
  if (const auto saved = decider.profile_to_save()) {
    out.key("savedProfile").raw(*saved);
  }
}

void write_origin(json::Writer& out, const DatafileOrigin& origin, const Datafile& datafile) {
  out.key("source")
      .begin_object()
      .member("kind", origin.kind)
      .member("revision", datafile.revision)
      .member("sha256", origin.sha256)
      .member("from", origin.from)
      .end_object();
}

}  // namespace

Result<bool> answer_record(const Datafile& datafile,
                           json::Value record,
                           json::Writer& out,
                           const Witness& witness) {
  bool all_known = true;
  const auto written = [&](const Reading&, const Decider& decider, const auto& decisions) {
    out.key("decisions").begin_object();
    for (const Decision& decision : decisions) {
      write(out.key(decision.flag_key), decision);
      all_known = all_known && !decision.is_error;
    }
    out.end_object();
    write_saved(out, decider);
  };
  const auto done = decide_record(datafile, record, false, witness, written);
  return done ? Result<bool>(all_known) : Failure(done.error());
}

Result<std::string> decide_document(const Datafile& datafile,
                                    const DatafileOrigin& origin,
                                    json::Value record,
                                    const Witness& witness) {
  const auto explain = record.find("explain");
  const bool explains = explain && explain->as_bool().value_or(false);
  json::Writer out;
  const auto written = [&](const Reading& reading, const Decider& decider, const auto& decisions) {
    out.begin_object().member("schema", "edge.decide/1").member("userId", reading.user.id);
    const auto attributes = record.find("attributes");
    out.key("attributes").raw(attributes && attributes->is_object() ? attributes->raw() : "{}");
    write_origin(out, origin, datafile);
    out.key("decisions").begin_array();
    for (const Decision& decision : decisions) {
      write_members(out.begin_object(), decision);
      if (explains) {
        write_walk(out.key("explanation"), datafile, reading.user, decision.steps);
      }
      out.end_object();
    }
    out.end_array();
    write_saved(out, decider);
  };
  const auto done = decide_record(datafile, record, explains, witness, written);
  return done ? Result<std::string>(out.end_object().take()) : Failure(done.error());
}

}  // namespace edge::flags
