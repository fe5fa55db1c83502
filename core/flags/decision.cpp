// SPDX-License-Identifier: MIT
#include "core/flags/decision.h"

#include <array>
#include <utility>

namespace edge::flags {
namespace {

void write_text_or_null(json::Writer& out, std::optional<std::string_view> text) {
  if (text) {
    out.string(*text);
  } else {
    out.null();
  }
}

}  // namespace

std::string_view name_of(Source source) {
  static constexpr std::array<std::string_view, 4> kNames{
      "feature-test", "rollout", "holdout", "experiment"};
  return kNames.at(static_cast<std::size_t>(source));
}

bool Options::set(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, bool Options::*>, 5> kOptions{{
      {"DISABLE_DECISION_EVENT", &Options::disable_decision_event},
      {"ENABLED_FLAGS_ONLY", &Options::enabled_flags_only},
      {"IGNORE_USER_PROFILE_SERVICE", &Options::ignore_user_profile},
      {"INCLUDE_REASONS", &Options::include_reasons},
      {"EXCLUDE_VARIABLES", &Options::exclude_variables},
  }};
  for (const auto& [known, member] : kOptions) {
    if (known == name) {
      this->*member = true;
      return true;
    }
  }
  return name == "IGNORE_CMAB_CACHE" || name == "RESET_CMAB_CACHE" ||
         name == "INVALIDATE_USER_CMAB_CACHE";
}

void write(json::Writer& out, const Decision& decision) {
  write_members(out.begin_object(), decision);
  out.end_object();
}

void write_members(json::Writer& out, const Decision& decision) {
  out.member("flagKey", decision.flag_key).member("enabled", decision.is_enabled);
  write_text_or_null(out.key("variationKey"), decision.variation_key);
  write_text_or_null(out.key("ruleKey"), decision.rule_key);
  out.key("variables").raw(decision.variables);
  out.key("reasons").begin_array();
  for (const std::string& reason : decision.reasons) {
    out.string(reason);
  }
  out.end_array();
}

}  // namespace edge::flags
