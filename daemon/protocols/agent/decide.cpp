// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/decide.h"

#include <algorithm>
#include <utility>

#include "core/json/writer.h"
#include "daemon/deciding.h"

namespace edge::protocols::agent {
namespace {

/// What the body asks for beside the user. Views into the body.
struct Wishes {
  flags::Options options = {};
  std::vector<flags::ForcedDecision> forced = {};
  bool fetches_segments = false;
};

Error bad_body() {
  return {ErrorCode::InvalidArgument, std::string(kBadBody)};
}

Result<void> read_options(const Call& call, Wishes& wishes) {
  const auto options = call.member("decideOptions");
  if (!options || options->is_null()) {
    return {};
  }
  if (!options->is_array()) {
    return Failure(bad_body());
  }
  for (const json::Value option : options->elements()) {
    const auto name = option.as_string();
    if (!name) {
      return Failure(bad_body());
    }
    if (!wishes.options.set(*name)) {
      return Failure({ErrorCode::InvalidArgument, "invalid option: " + std::string(*name)});
    }
  }
  return {};
}

/// A text member; empty when it is absent or null.
Result<std::string_view> text_of(json::Value object, std::string_view name) {
  const auto member = find_any_case(object, name);
  if (!member || member->is_null()) {
    return std::string_view{};
  }
  const auto text = member->as_string();
  return text ? Result<std::string_view>(*text) : Failure(bad_body());
}

Result<void> read_forced(const Call& call, Wishes& wishes) {
  const auto list = call.member("forcedDecisions");
  if (!list || list->is_null()) {
    return {};
  }
  if (!list->is_array()) {
    return Failure(bad_body());
  }
  for (const json::Value entry : list->elements()) {
    const auto flag = text_of(entry, "flagKey");
    const auto rule = text_of(entry, "ruleKey");
    const auto variation = text_of(entry, "variationKey");
    if (!entry.is_object() || !flag || !rule || !variation) {
      return Failure(bad_body());
    }
    wishes.forced.push_back(
        {.flag_key = *flag,
         .rule_key = rule->empty() ? std::nullopt : std::optional(*rule),  // empty: the flag
         .variation_key = *variation});
  }
  return {};
}

Result<Wishes> read_wishes(const Call& call) {
  Wishes wishes;
  if (auto read = read_options(call, wishes); !read) {
    return Failure(read.error());
  }
  if (auto read = read_forced(call, wishes); !read) {
    return Failure(read.error());
  }
  const auto fetch = call.member("fetchSegments");
  if (fetch && !fetch->is_bool() && !fetch->is_null()) {
    return Failure(bad_body());
  }
  wishes.fetches_segments = fetch && fetch->as_bool().value_or(false);
  return wishes;
}

/// The rule of "everyone else" has a key that was made from its id.
bool is_everyone_else(const flags::Decision& decision) {
  return decision.source == flags::Source::Rollout && decision.rule != nullptr &&
         decision.rule->key == decision.rule->id && decision.rule->key.starts_with("default-");
}

void write_decision(json::Writer& out,
                    const flags::Decision& decision,
                    std::string_view user,
                    std::string_view attributes) {
  out.begin_object()
      .member("variationKey", decision.variation_key.value_or(""))
      .member("enabled", decision.is_enabled)
      .member("ruleKey", decision.rule_key.value_or(""))
      .member("flagKey", decision.flag_key);
  out.key("userContext")
      .begin_object()
      .member("userId", user)
      .key("attributes")
      .raw(attributes)
      .end_object();
  out.key("reasons").begin_array();
  for (const std::string& reason : decision.reasons) {
    out.string(reason);
  }
  out.end_array();
  if (decision.variables != "{}") {
    out.key("variables").raw(decision.variables);
  }
  out.member("isEveryoneElseVariation", is_everyone_else(decision)).end_object();
}

std::vector<flags::Decision> decisions_of(flags::Decider& decider,
                                          const std::vector<std::string>& keys) {
  if (keys.empty()) {
    return decider.decide_all();
  }
  if (keys.size() == 1) {
    return {decider.decide(keys.front())};
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  return decider.decide_keys(views);
}

void answer(const Call& call, const Wishes& wishes, const Known& known) {
  if (known.problem) {
    return wishes.fetches_segments ? call.fail(500, "failed to fetch qualified segments")
                                   : call.exchange.fail(*known.problem);
  }
  auto user = user_of(call);
  if (!user) {
    return call.fail(400, user.error().message);
  }
  user->segments.assign(known.segments.begin(), known.segments.end());
  const auto overrides = known.record->overrides_under(*call.datafile, user->id);
  std::vector<flags::Exposure> exposures;
  flags::Decider decider(*call.datafile,
                         *user,
                         {.forced = wishes.forced,
                          .overrides = &overrides,
                          .profile = known.sticky(call.edge),
                          .options = wishes.options,
                          .exposures = &exposures});
  const auto keys = call.query("keys");
  auto decisions = decisions_of(decider, keys);
  const bool is_list = keys.size() != 1;
  if (is_list && wishes.options.enabled_flags_only) {
    std::erase_if(decisions, [](const auto& decision) { return !decision.is_enabled; });
  }
  const auto attributes = call.member("userAttributes");
  const std::string_view attributes_text =
      attributes && attributes->is_object() ? attributes->raw() : "{}";
  json::Writer out;
  if (is_list) {
    out.begin_array();
  }
  for (const flags::Decision& decision : decisions) {
    write_decision(out, decision, user->id, attributes_text);
  }
  if (is_list) {
    out.end_array();
  }
  remember(call.edge, call.project, *user, decider);
  report(call.edge, *call.datafile, *user, exposures);
  announce(call.project, *user, attributes, decisions, exposures);
  call.complete(known.mark(http::json(out)));
}

}  // namespace

void decide(const CallPointer& call, const std::string& user) {
  auto wishes = read_wishes(*call);
  if (!wishes) {
    return call->fail(400, wishes.error().message);
  }
  const bool asks = wishes->fetches_segments && call->datafile->conditions.ask_for_segments();
  when_known(
      call->edge,
      call->exchange,
      {.project = call->project, .user_id = user, .segments = asks},
      [call, wishes = *std::move(wishes)](const Known& known) { answer(*call, wishes, known); });
}

}  // namespace edge::protocols::agent
