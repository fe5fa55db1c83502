// SPDX-License-Identifier: MIT
// An Optimizely datafile, compiled once and then only read. Everything that a decision needs is a
// pointer away: traffic ranges know their variation, rules their twins in the project-wide indexes,
// conditions are flattened (audience.h), and the variables of a flag are rendered as JSON per
// variation, so that deciding copies nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/flags/audience.h"
#include "core/flags/bucketing.h"
#include "core/flags/reporting.h"
#include "core/json/document.h"

namespace edge::flags {

struct Variation {
  std::string_view id = {};
  std::string_view key = {};
  std::uint32_t number = 0;  ///< the same for equal ids
  bool is_enabled = false;
  std::optional<json::Value> source = {};  ///< as written
};

struct Group {
  std::string_view id = {};
  bool is_random = false;  ///< its rules exclude each other
  std::vector<Range> allocation = {};
};

/// An experiment, a delivery rule or a holdout.
struct Rule {
  std::string_view id = {};
  std::string_view key = {};
  bool is_running = false;
  bool is_rollout_rule = false;
  bool is_holdout = false;
  bool is_cmab = false;
  bool excludes_targeted = false;  ///< holdouts: delivery rules still apply
  bool matches_everybody = true;
  bool names_missing_group = false;
  Conditions::Root conditions = 0;  ///< unless everybody matches
  const Group* group = nullptr;
  const Rule* by_key = nullptr;  ///< what the project-wide indexes give for the own key and id
  const Rule* by_id = nullptr;
  std::vector<Range> allocation = {};
  std::vector<const Variation*> variations = {};
  std::vector<std::pair<std::string_view, std::string_view>> whitelist =
      {};  ///< by user id, sorted
  std::vector<const Rule*> local_holdouts = {};
  std::optional<json::Value> source = {};     ///< as written
  std::optional<json::Value> audiences = {};  ///< conditions as written, for reasons
  std::string_view status = {};
  std::string_view layer_id = {};  ///< the campaign in events

  /// The variation of that key; the last one when keys repeat.
  [[nodiscard]] const Variation* find_variation(std::string_view variation_key) const;
};

struct Rollout {
  std::string_view id = {};
  std::vector<Rule*> rules = {};
};

struct Flag {
  std::string_view key = {};
  bool is_replaced = false;  ///< a later flag has the same key
  std::string_view rollout_id = {};
  const Rollout* rollout = nullptr;
  std::vector<const Rule*> experiments = {};
  std::vector<const Variation*> variations = {};  ///< in the order in which forced ones are sought
  std::string defaults = {};                      ///< variables as JSON object text
  std::vector<std::pair<std::uint32_t, std::string>> values = {};  ///< by variation number, sorted
  std::optional<json::Value> source = {};

  [[nodiscard]] const Variation* find_variation(std::string_view variation_key) const;
  /// Variables under an enabled variation; the defaults when it has none (or is null).
  [[nodiscard]] std::string_view variables_under(const Variation* variation) const;
};

struct Audience {
  std::string_view name = {};  ///< its id when it has no name
  Conditions::Root root = 0;
};

/// Immutable; shared by threads. Made by `load_datafile` only. Members are in file order.
struct Datafile {
  Datafile() = default;
  Datafile(const Datafile&) = delete;
  Datafile& operator=(const Datafile&) = delete;
  Datafile(Datafile&&) = delete;
  Datafile& operator=(Datafile&&) = delete;
  ~Datafile() = default;

  [[nodiscard]] const Flag* find_flag(std::string_view key) const;
  [[nodiscard]] const Rule* find_rule(std::string_view key) const;
  [[nodiscard]] const Variation* find_variation(std::string_view id) const;
  [[nodiscard]] json::Value root() const { return document->root(); }
  /// The text it was loaded from.
  [[nodiscard]] std::string_view text() const { return document->text(); }

  bool is_ready = false;      ///< false without `revision`: every decision is an error decision
  std::string revision = {};  ///< as text
  std::deque<Flag> flags = {};
  std::vector<const Rule*> top_experiments = {};
  std::vector<const Rule*> holdouts = {};       ///< global ones
  std::vector<Audience> audiences = {};         ///< typed ones first
  Index<std::string_view> audience_names = {};  ///< by id; the id itself when it has no name
  Conditions conditions = {};
  Reporting reporting = {};

  // What the members above point into, and the indexes.
  std::unique_ptr<json::Document> document = {};
  std::vector<std::unique_ptr<json::Document>> condition_texts = {};
  std::deque<std::string> converted_ids = {};  ///< ids that were numbers
  std::deque<Variation> variations = {};
  std::deque<Group> groups = {};
  std::deque<Rule> rules = {};
  std::deque<Rollout> rollouts = {};
  Index<const Flag*> flag_by_key = {};
  Index<Rule*> rule_by_key = {};
  Index<Rule*> rule_by_id = {};
  Index<const Variation*> variation_by_id = {};
};

/// Reads and compiles a datafile of schema version 2, 3 or 4, accepting exactly what Optimizely's
/// JavaScript SDK 6.6.1 accepts.
///
/// Failure: InvalidArgument, reason `invalid_datafile`, with the place in `field`.
Result<std::shared_ptr<const Datafile>> load_datafile(std::string_view text);

}  // namespace edge::flags
