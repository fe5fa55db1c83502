// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/pixels/address_lists.h"

namespace edge::pixels {

/// Who fetched a pixel or followed a link (identity spec 1.11).
enum class OpenClass : std::uint8_t { Human, Proxy, Prefetch, Scanner, Bot, Self };
std::string_view name_of(OpenClass open_class);
std::optional<OpenClass> open_class_of(std::string_view name);

/// As what a class counts.
enum class CountedAs : std::uint8_t { Human, Machine, Nothing };

/// What a request for an image tells about who sent it. Absent fields are empty.
struct OpenRequest {
  std::string_view method = "GET";
  std::string_view user_agent = {};
  std::string_view sec_purpose = {};
  std::string_view purpose = {};
  std::string_view x_purpose = {};
  std::string_view x_moz = {};
  ListSet lists = {};  ///< the operator's lists that hold the client
  std::optional<std::int64_t> seconds_since_sent = {};
  std::int64_t min_human_seconds = 0;  ///< 0 = off
};

struct OpenVerdict {
  OpenClass open_class = OpenClass::Human;
  std::string rule = "default";  ///< id of the rule that decided
  CountedAs counted = CountedAs::Human;

  [[nodiscard]] bool is_machine() const { return counted == CountedAs::Machine; }
};

/// Rules that are applied in order; the first that fits decides. Immutable.
class OpenRules {
 public:
  /// The rules that come with the project; equal to the golden `open_rules.json`.
  static const OpenRules& defaults();

  /// Reads a rule file: `{"rules":[{"id","when":{…},"class"}],"counted"?:{CLASS:"human"|"machine"|
  /// "none"}}`. All conditions of a `when` must hold; of a list of words one. Conditions: `method`,
  /// `header_contains` (`sec-purpose`, `purpose`, `x-purpose`, `x-moz`), `ip_list` (names with `|`
  /// between), `ua_equals`, `ua_contains`, `ua_contains_ci`, `ua_prefix_ci`,
  /// `seconds_since_sent_below` (a number or `min_human_seconds`). The class `<the list>` is that
  /// of the list that held the client. Failure: InvalidArgument naming the rule.
  static Result<OpenRules> parse(std::string_view text);

  /// Without a rule that fits: human, rule `default`.
  [[nodiscard]] OpenVerdict classify(const OpenRequest& request) const;

  /// One rule; absent conditions are empty.
  struct Rule {
    std::string id = {};
    std::optional<OpenClass> open_class = {};  ///< nothing: that of the list
    std::string method = {};
    std::vector<std::pair<std::string_view OpenRequest::*, std::string>> headers = {};
    ListSet lists = {};
    std::optional<std::string> agent = {};
    std::vector<std::string> agent_words = {};
    std::vector<std::string> agent_words_any_case = {};     ///< in lower case
    std::vector<std::string> agent_prefixes_any_case = {};  ///< in lower case
    bool is_too_fast = false;
    std::optional<std::int64_t> seconds_below = {};  ///< nothing: `min_human_seconds`

    bool operator==(const Rule&) const = default;
  };
  bool operator==(const OpenRules&) const = default;

 private:
  std::vector<Rule> rules_;
  std::array<CountedAs, 6> counted_{CountedAs::Human,
                                    CountedAs::Human,
                                    CountedAs::Machine,
                                    CountedAs::Machine,
                                    CountedAs::Machine,
                                    CountedAs::Nothing};
};

}  // namespace edge::pixels
