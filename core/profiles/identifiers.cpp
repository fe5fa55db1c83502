// SPDX-License-Identifier: MIT
#include "core/profiles/identifiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/events/external_ids.h"
#include "core/events/placeholder.h"
#include "core/profiles/profile.h"

namespace edge::profiles {
namespace {

using json::Value;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return lower(c); });
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos
             ? std::string_view{}
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view text_of(std::optional<Value> object, std::string_view name) {
  const auto member = object ? object->find(name) : std::nullopt;
  return member ? member->as_string().value_or(std::string_view{}) : std::string_view{};
}

/// Collects the usable ones of one event.
class Collector {
 public:
  explicit Collector(const Rules& rules) : rules_(rules) {}

  void add(std::string_view type, std::string_view value) {
    if (is_usable(value, rules_)) {
      found_.push_back({rank_of(type), std::string(type), std::string(value)});
    }
  }

  void add_email(std::string_view raw) { add(kEmail, normal_email(raw)); }

  std::vector<Identifier> take() {
    std::ranges::sort(found_);
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    if (found_.size() > kMaxEventIdentifiers) {
      found_.resize(kMaxEventIdentifiers);
    }
    return std::move(found_);
  }

 private:
  static int rank_of(std::string_view type) { return type == kUserId ? 0 : type == kEmail ? 1 : 2; }

  const Rules& rules_;
  std::vector<Identifier> found_;
};

void add_device(Collector& ids, std::optional<Value> device) {
  const std::string type = lower(text_of(device, "type"));
  if (type != "ios" && type != "android") {
    return;
  }
  ids.add(type + ".id", text_of(device, "id"));
  ids.add(type + ".push_token", text_of(device, "token"));
  const auto tracking = device->find("adTrackingEnabled");
  if (tracking && tracking->as_bool().value_or(false)) {
    ids.add(type + ".idfa", text_of(device, "advertisingId"));
  }
}

}  // namespace

Result<Rules> rules_of(const config::Identity& settings, const config::Profiles& people) {
  const auto wrong = [](std::string key, std::string what) {
    return Failure({ErrorCode::InvalidArgument, fmt::format("{}: {}", key, what), key});
  };
  Rules rules{.alias = settings.alias != "deny", .session_gap = people.session_gap};
  for (const std::string& value : settings.blocked) {
    rules.blocked.insert(lower(value));
  }
  if (rules.session_gap < std::chrono::seconds{1} || rules.session_gap > std::chrono::hours{24}) {
    return wrong("profiles.session_gap", "must be from 1s to 24h");
  }
  if (people.history < 0 || people.history > 1'000) {
    return wrong("profiles.history", "must be from 0 to 1000");
  }
  rules.history = static_cast<std::uint64_t>(people.history);
  if (settings.max_identifiers < 1 || settings.max_merges < 0) {
    return wrong(settings.max_merges < 0 ? "identity.max_merges" : "identity.max_identifiers",
                 "is below what a profile needs");
  }
  rules.max_identifiers = static_cast<std::size_t>(settings.max_identifiers);
  rules.max_merges = static_cast<std::size_t>(settings.max_merges);
  for (const std::string& text : settings.limits) {
    const std::size_t equals = text.find('=');
    const std::string_view digits = equals == std::string::npos
                                        ? std::string_view{}
                                        : std::string_view(text).substr(equals + 1);
    std::size_t limit = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), limit);
    if (equals == 0 || digits.empty() || failure != std::errc{} ||
        end != digits.data() + digits.size() || limit == 0) {
      return wrong("identity.limits",
                   fmt::format("\"{}\" is not TYPE=NUMBER, such as email=5", text));
    }
    rules.limits.insert_or_assign(text.substr(0, equals), limit);
  }
  return rules;
}

std::size_t Rules::limit_of(std::string_view type) const {
  const auto found = limits.find(type);
  return found == limits.end() ? other_limit : found->second;
}

bool is_usable(std::string_view value, const Rules& rules) {
  return value.size() <= kMaxIdentifierBytes && !events::is_placeholder(value) &&
         (rules.blocked.empty() || !rules.blocked.contains(lower(value)));
}

std::string normal_email(std::string_view raw) {
  std::string email = lower(trim(raw));
  const auto at = email.find('@');
  const bool good = at != std::string::npos && at > 0 && at + 1 < email.size() &&
                    email.find('@', at + 1) == std::string::npos;
  return good ? email : std::string{};
}

std::vector<Identifier> identifiers_of(const events::Event& event, const Rules& rules) {
  Collector ids(rules);
  ids.add(kUserId, event.user_id());
  if (!event.has_flag(events::kAnonymousFlag)) {
    ids.add(kAnonymousId, event.anonymous_id());
  }
  const auto context = event.context();
  const auto member = [&](std::string_view name) {
    return context ? context->find(name) : std::nullopt;
  };
  const bool has_traits = event.type() == events::Type::Identify;
  const std::string_view email = has_traits ? text_of(event.traits(), "email") : std::string_view{};
  ids.add_email(email.empty() ? text_of(member("traits"), "email") : email);
  if (context) {
    add_device(ids, member("device"));
    events::each_external_id(context, [&ids](std::string_view type, std::string_view value) {
      type == kEmail ? ids.add_email(value) : ids.add(type, value);
    });
  }
  return ids.take();
}

}  // namespace edge::profiles
