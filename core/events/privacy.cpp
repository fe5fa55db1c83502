// SPDX-License-Identifier: MIT
#include "core/events/privacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

using json::Value;

constexpr std::array<std::string_view, 3> kRoots = {"properties", "traits", "context"};

Result<std::vector<MemberPath>> read_paths(const std::vector<std::string>& texts, const char* key) {
  std::vector<MemberPath> paths;
  for (const std::string& text : texts) {
    MemberPath path;
    for (std::string_view rest = text;;) {
      const std::size_t dot = rest.find('.');
      path.emplace_back(rest.substr(0, dot));
      if (path.back().empty()) {
        return Failure(
            {ErrorCode::InvalidArgument,
             fmt::format("{}: \"{}\" is no path such as properties.card.number", key, text),
             key});
      }
      if (dot == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(dot + 1);
    }
    const bool is_rooted = std::ranges::find(kRoots, path.front()) != kRoots.end();
    if (is_rooted && path.size() == 1) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{}: \"{}\" needs the name of a member behind it", key, text),
                      key});
    }
    if (!is_rooted) {
      path.insert(path.begin(), "properties");
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

/// Paths that go on below the present place: what is left of each.
using Tails = std::vector<std::span<const std::string>>;

/// Writes an event with its changes.
class Redactor {
 public:
  explicit Redactor(std::string_view salt) : salt_(salt) {}

  void write(json::Writer& out, Value value, const Tails& drop, const Tails& hash) const {
    if (value.is_array()) {
      out.begin_array();
      for (const Value element : value.elements()) {
        write(out, element, drop, hash);
      }
      out.end_array();
      return;
    }
    if (!value.is_object()) {
      out.value(value);
      return;
    }
    out.begin_object();
    for (const auto& [name, member] : value.members()) {
      write_member(out, name, member, drop, hash);
    }
    out.end_object();
  }

 private:
  void write_member(json::Writer& out,
                    std::string_view name,
                    Value member,
                    const Tails& drop,
                    const Tails& hash) const {
    bool is_dropped = false;
    bool is_hashed = false;
    const Tails drop_below = below(name, drop, is_dropped);
    const Tails hash_below = below(name, hash, is_hashed);
    if (is_dropped) {
      return;
    }
    out.key(name);
    if (is_hashed) {
      write_hashed(out, member);
    } else if (drop_below.empty() && hash_below.empty()) {
      out.value(member);
    } else {
      write(out, member, drop_below, hash_below);
    }
  }

  static Tails below(std::string_view name, const Tails& tails, bool& is_end) {
    Tails rest;
    for (const auto tail : tails) {
      if (tail.front() == name) {
        is_end = is_end || tail.size() == 1;
        if (tail.size() > 1) {
          rest.push_back(tail.subspan(1));
        }
      }
    }
    return rest;
  }

  /// Elements of lists one by one; null stays: it removes a trait.
  void write_hashed(json::Writer& out, Value value) const {
    if (value.is_null()) {
      out.null();
    } else if (value.is_array()) {
      out.begin_array();
      for (const Value element : value.elements()) {
        write_hashed(out, element);
      }
      out.end_array();
    } else {
      const auto text = value.as_string();
      out.string(encoding::hex_encode(
          crypto::hmac(crypto::Hash::Sha256, salt_, text ? *text : value.raw())));
    }
  }

  std::string_view salt_;
};

/// Whether the dotted name of a member is that of a path, or lies below it.
bool is_at_or_below(std::string_view member, const MemberPath& path) {
  for (const std::string& part : path) {
    if (!member.starts_with(part)) {
      return false;
    }
    member.remove_prefix(part.size());
    if (!member.empty() && member.front() != '.') {
      return false;
    }
    member.remove_prefix(member.empty() ? 0 : 1);
  }
  return true;
}

/// Takes out of the draft what repeats members that rules are about.
void take_out_copies(Draft& draft, const PrivacyRules& rules) {
  const auto is_ruled = [&rules](std::string_view member) {
    const auto covers = [member](const MemberPath& path) { return is_at_or_below(member, path); };
    return std::ranges::any_of(rules.drop, covers) || std::ranges::any_of(rules.hash, covers);
  };
  std::erase_if(draft.context_patches,
                [&](const Patch& patch) { return !patch.from.empty() && is_ruled(patch.from); });
  if (draft.has_name_of_properties && is_ruled("properties.name")) {
    draft.name = {};
  }
  if (draft.has_category_of_properties && is_ruled("properties.category")) {
    draft.category = {};
  }
}

}  // namespace

Result<PrivacyRules> privacy_rules_of(const config::Config& config) {
  auto drop = read_paths(config.privacy.drop_properties, "privacy.drop_properties");
  auto hash = read_paths(config.privacy.hash_properties, "privacy.hash_properties");
  if (!drop || !hash) {
    return Failure(drop ? hash.error() : drop.error());
  }
  return PrivacyRules{.require_consent = config.privacy.require_consent,
                      .drop_bots = config.ingest.bots == "drop",
                      .drop = std::move(*drop),
                      .hash = std::move(*hash)};
}

std::string_view reason_to_drop(const Draft& draft, const PrivacyRules& rules) {
  if (!rules.require_consent.empty()) {
    const auto consent = draft.context ? draft.context->find("consent") : std::nullopt;
    const auto preferences = consent ? consent->find("categoryPreferences") : std::nullopt;
    const auto given = preferences ? preferences->find(rules.require_consent) : std::nullopt;
    if (!given || !given->as_bool().value_or(false)) {
      return "consent";
    }
  }
  if (rules.drop_bots) {
    const auto bot = draft.context ? draft.context->at_pointer("/bot/detected") : std::nullopt;
    const bool was_found = std::ranges::any_of(draft.context_patches, [](const Patch& patch) {
      return patch.member == "bot" && patch.inner == "detected";
    });
    if (was_found || (bot && bot->as_bool().value_or(false))) {
      return "bot";
    }
  }
  return {};
}

std::string redacted(Draft& draft,
                     const Internals& internals,
                     const PrivacyRules& rules,
                     std::string_view salt) {
  take_out_copies(draft, rules);
  const std::string body = encode(draft, internals);
  const auto document = json::Document::parse(body, json::kEvent);
  if (!document) {
    return body;  // cannot happen: it is our own text
  }
  const auto tails_of = [&draft](const std::vector<MemberPath>& paths) {
    Tails tails(paths.begin(), paths.end());
    for (const std::span<const std::string> path : paths) {
      if (draft.has_traits_of_context && path[0] == "context" && path[1] == "traits") {
        tails.push_back(path.subspan(1));
      }
    }
    return tails;
  };
  json::Writer out;
  out.reserve(body.size());
  Redactor(salt).write(out, document->root(), tails_of(rules.drop), tails_of(rules.hash));
  return out.take();
}

}  // namespace edge::events
