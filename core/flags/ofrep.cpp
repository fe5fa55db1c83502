// SPDX-License-Identifier: MIT
#include "core/flags/ofrep.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/flags/bucketing.h"

namespace edge::flags::ofrep {
namespace {

constexpr std::string_view kTargetingKey = "targetingKey";
constexpr std::string_view kVariableKey = "variableKey";
constexpr std::string_view kMainVariable = "value";
constexpr std::size_t kTagOctets = 16;

Error bad(std::string_view code, std::string message, std::string field) {
  return {.code = ErrorCode::InvalidArgument,
          .message = std::move(message),
          .field = std::move(field),
          .reason = std::string(code)};
}

Error not_found(std::string message) {
  return {.code = ErrorCode::NotFound,
          .message = std::move(message),
          .reason = std::string(kFlagNotFound)};
}

std::string_view key_of(json::Value variable) {
  const auto key = variable.find("key");
  return key ? key->as_string().value_or(std::string_view{}) : std::string_view{};
}

/// The keys of a flag's variables, each once.
std::vector<std::string_view> variables_of(const Flag& flag) {
  std::vector<std::string_view> keys;
  const auto variables = flag.source->find("variables");
  for (const json::Value variable : variables ? variables->elements() : json::Elements{}) {
    const std::string_view key = key_of(variable);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(key);
    }
  }
  return keys;
}

bool has_variable(const Flag& flag, std::string_view key) {
  const auto variables = flag.source->find("variables");
  for (const json::Value variable : variables ? variables->elements() : json::Elements{}) {
    if (key_of(variable) == key) {
      return true;
    }
  }
  return false;
}

bool covers_everybody(const Rule& rule) {
  return rule.allocation.size() == 1 && rule.allocation.front().end >= kBuckets;
}

void write_metadata(json::Writer& out, const Decision& decision, std::string_view revision) {
  out.begin_object().member("flagKey", decision.flag_key);
  if (decision.rule_key) {
    out.member("ruleKey", *decision.rule_key);
  }
  out.member("ruleType", name_of(decision.source));
  if (decision.rule != nullptr) {
    out.member("experimentId", decision.rule->id);
  }
  if (decision.variation != nullptr) {
    out.member("variationId", decision.variation->id);
  }
  out.member("enabled", decision.is_enabled).member("revision", revision).end_object();
}

/// What was decided for a flag, with its variables at hand.
struct Answer {
  Answer(const Datafile& from, const Decision& made)
      : datafile(from),
        decision(made),
        variables(json::Document::parse(made.variables, json::kDecision)) {}

  const Datafile& datafile;
  const Decision& decision;
  Result<json::Document> variables;

  /// Nothing when there is no such variable or its text could not be converted.
  [[nodiscard]] std::optional<json::Value> value_of(std::string_view variable) const {
    const auto value = variables ? variables->root().find(variable) : std::nullopt;
    return value && !value->is_null() ? value : std::nullopt;
  }
};

Result<void> append(json::Writer& out,
                    std::string_view key,
                    const Answer& answer,
                    std::optional<std::string_view> variable) {
  const auto value = variable ? answer.value_of(*variable) : std::nullopt;
  if (variable && !value) {
    return Failure(bad(kParseError,
                       fmt::format("variable \"{}\" of flag \"{}\" has no value of its type",
                                   *variable,
                                   answer.decision.flag_key),
                       ""));
  }
  out.begin_object().member("key", key).key("value");
  value ? out.value(*value) : out.boolean(answer.decision.is_enabled);
  out.member("reason", reason_of(answer.decision));
  if (answer.decision.variation_key) {
    out.member("variant", *answer.decision.variation_key);
  }
  write_metadata(out.key("metadata"), answer.decision, answer.datafile.revision);
  out.end_object();
  return {};
}

}  // namespace

Result<Context> read_context(json::Value body) {
  if (!body.is_object()) {
    return Failure(bad(kParseError, "the body must be a JSON object", ""));
  }
  const auto given = body.find("context");
  if (!given || !given->is_object()) {
    return Failure(bad(kInvalidContext, "context must be an object", "/context"));
  }
  const auto targeting_key = given->find(kTargetingKey);
  const auto id = targeting_key ? targeting_key->as_string() : std::nullopt;
  auto user = id && !id->empty() ? user_of(targeting_key, given, std::nullopt)
                                 : Failure(Error{.code = ErrorCode::InvalidArgument});
  if (!user) {
    return Failure(bad(kTargetingKeyMissing,
                       "context.targetingKey must be a text that is not empty",
                       "/context/targetingKey"));
  }
  std::erase_if(user->attributes, [](const Attribute& attribute) {
    return attribute.name == kTargetingKey || attribute.name == kVariableKey;
  });
  Context context{.user = std::move(*user)};
  if (const auto variable = given->find(kVariableKey)) {
    context.variable = variable->as_string().value_or(std::string_view{});
  }
  return context;
}

std::string_view reason_of(const Decision& decision) {
  switch (decision.means) {
    case Means::Forced:
    case Means::Override:
    case Means::Whitelist:
      return "TARGETING_MATCH";
    default:
      break;
  }
  if (decision.variation == nullptr) {
    return "DISABLED";
  }
  if (decision.source != Source::Rollout) {
    return "SPLIT";
  }
  if (!decision.is_enabled) {
    return "DISABLED";
  }
  if (!decision.rule->matches_everybody) {
    return "TARGETING_MATCH";
  }
  return covers_everybody(*decision.rule) ? "STATIC" : "SPLIT";
}

/// What a key means: a flag, and one of its variables unless the value is whether the flag is on.
struct Evaluator::Place {
  const Flag* flag = nullptr;
  std::optional<std::string_view> variable = {};

  [[nodiscard]] Result<void> check() const {
    if (!variable || has_variable(*flag, *variable)) {
      return {};
    }
    return Failure(
        not_found(fmt::format("flag \"{}\" has no variable \"{}\"", flag->key, *variable)));
  }
};

Evaluator::Evaluator(const Datafile& datafile,
                     const Context& context,
                     const Circumstances& circumstances)
    : datafile_(datafile), context_(context), decider_(datafile, context.user, circumstances) {}

std::optional<Evaluator::Place> Evaluator::find(std::string_view key) const {
  if (const Flag* flag = datafile_.find_flag(key)) {
    if (!context_.variable.empty()) {
      return Place{.flag = flag, .variable = context_.variable};
    }
    const bool has_main = has_variable(*flag, kMainVariable);
    return Place{.flag = flag, .variable = has_main ? std::optional(kMainVariable) : std::nullopt};
  }
  std::size_t dot = key.rfind('.');
  while (dot != std::string_view::npos) {
    const Flag* flag = datafile_.find_flag(key.substr(0, dot));
    const std::string_view variable = key.substr(dot + 1);
    if (flag != nullptr && has_variable(*flag, variable)) {
      return Place{.flag = flag, .variable = variable};
    }
    dot = dot == 0 ? std::string_view::npos : key.rfind('.', dot - 1);
  }
  return std::nullopt;
}

Result<void> Evaluator::evaluate(std::string_view key, json::Writer& out) {
  const auto place = find(key);
  if (!place) {
    return Failure(not_found(fmt::format("there is no flag \"{}\"", key)));
  }
  if (auto checked = place->check(); !checked) {
    return checked;
  }
  const Decision decision = decider_.decide(place->flag->key);
  return append(out, key, Answer(datafile_, decision), place->variable);
}

void Evaluator::evaluate_all(bool with_variables, json::Writer& out) {
  const auto append_or_error = [&out](std::string_view key, const Result<void>& done) {
    if (!done) {
      out.raw(error_body(key, done.error().reason, done.error().message));
    }
  };
  for (const Decision& decision : decider_.decide_all()) {
    const Flag& flag = *datafile_.find_flag(decision.flag_key);
    const Answer answer(datafile_, decision);
    const Place place = *find(flag.key);
    const auto checked = place.check();
    append_or_error(flag.key, checked ? append(out, flag.key, answer, place.variable) : checked);
    if (!with_variables) {
      continue;
    }
    for (const std::string_view variable : variables_of(flag)) {
      const std::string key = fmt::format("{}.{}", flag.key, variable);
      append_or_error(key, append(out, key, answer, variable));
    }
  }
}

std::string error_body(std::optional<std::string_view> key,
                       std::string_view code,
                       std::string_view details) {
  json::Writer out;
  out.begin_object();
  if (key) {
    out.member("key", *key);
  }
  if (!code.empty()) {
    out.member("errorCode", code);
  }
  return out.member("errorDetails", details).end_object().take();
}

std::string tag_of(const Datafile& datafile) {
  return encoding::hex_encode(
      std::string_view(crypto::sha256(datafile.text())).substr(0, kTagOctets));
}

}  // namespace edge::flags::ofrep
