// SPDX-License-Identifier: MIT
// Audience conditions. In the datafile they are trees of lists, `["and", leaf, ["not", leaf]]`;
// here they lie flattened in one array, in the order in which they are walked. Every node knows
// where its subtree ends, so skipping one is an assignment. Attribute names are numbered while
// compiling and the user's attributes are sorted into these slots once per call, so that a leaf
// reads its attribute by index.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/flags/user.h"
#include "core/json/document.h"
#include "core/json/semver.h"

namespace edge::json {
class Writer;
}

namespace edge::flags {

struct Datafile;

/// Three-valued result of a condition. Unknown: it cannot be told from what is known of the user.
enum class Truth : std::uint8_t { False, True, Unknown };

enum class Match : std::uint8_t {
  Exists,
  Exact,
  Substring,
  Gt,
  Ge,
  Lt,
  Le,
  SemverEq,
  SemverGt,
  SemverGe,
  SemverLt,
  SemverLe
};

/// A `custom_attribute` leaf.
struct Condition {
  Match match = Match::Exact;
  std::uint32_t slot = 0;
  Scalar value = {};
  std::optional<json::Version> version = {};  ///< of `value`, for the semver matches
};

/// All conditions of a datafile. Immutable after compilation; views belong to its documents.
class Conditions {
 public:
  using Root = std::uint32_t;

  /// Compiles the tree of an audience.
  Root add_audience(json::Value tree);
  /// An audience that nothing is known about.
  Root add_unknown();
  /// Compiles the tree of a rule, whose leaves are ids in `audiences`.
  Root add_rule(json::Value tree, const std::unordered_map<std::string_view, Root>& audiences);

  /// Whether any audience asks which segments the user is in.
  [[nodiscard]] bool ask_for_segments() const { return !segments_.empty(); }
  [[nodiscard]] std::size_t slots() const { return slot_by_name_.size(); }
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::string_view name) const;
  /// The attribute of a slot.
  [[nodiscard]] std::string_view name_of(std::uint32_t slot) const { return slot_names_[slot]; }

 private:
  friend class Subject;
  enum class Op : std::uint8_t { And, Or, Not, Unknown, False, Attribute, Segment, Audience };
  struct Node {
    Op op = Op::Unknown;
    std::uint32_t payload = 0;  // number of the condition, of the segment or of the audience
    Root end = 0;               // first node behind the subtree
  };

  template <typename Leaf>
  Root add_tree(json::Value tree, const Leaf& leaf);
  Node audience_leaf(json::Value leaf);
  Node attribute_leaf(json::Value leaf);

  std::vector<Node> nodes_;
  std::vector<Condition> conditions_;
  std::vector<std::string_view> segments_;
  std::vector<Root> audiences_;                        // roots of those that rules name
  std::unordered_map<Root, std::uint32_t> number_of_;  // of these
  std::unordered_map<std::string_view, std::uint32_t> slot_by_name_;
  std::vector<std::string_view> slot_names_;
};

/// A user's attributes sorted into the slots of a datafile. Borrows both. One thread only.
class Subject {
 public:
  Subject(const Conditions& conditions, const User& user);
  [[nodiscard]] Truth evaluate(Conditions::Root root) const;
  /// Appends the tree with the values seen and the result of each part (walk.h); `datafile` is the
  /// owner of the conditions. At most `budget` parts, which is counted down; what is beyond is left
  /// out.
  void describe(const Datafile& datafile,
                Conditions::Root root,
                json::Writer& out,
                std::size_t& budget) const;

 private:
  void describe_attribute(const Condition& condition, json::Writer& out) const;
  [[nodiscard]] Truth evaluate_audience(std::uint32_t number) const;
  [[nodiscard]] Truth evaluate_attribute(const Condition& condition) const;
  [[nodiscard]] bool is_qualified_for(std::string_view segment) const;

  const Conditions& conditions_;
  const User& user_;
  std::vector<const Scalar*> slots_;
  // What audiences came to: each is evaluated once, however many rules name it.
  enum class Known : std::uint8_t { No, False, True, Unknown };
  mutable std::vector<Known> audiences_;
};

}  // namespace edge::flags
