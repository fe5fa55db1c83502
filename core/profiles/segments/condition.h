// SPDX-License-Identifier: MIT
// What a segment asks (events spec 6.1 to 6.4): a tree of conditions over one person. It has two
// written forms, JSON (the audience-condition form of the decision API) and an expression
// (expression.h); this is what both are read into.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::profiles {

/// Three-valued logic: who has no plan neither has plan "pro" nor another one.
enum class Truth : std::uint8_t { False, True, Undecided };

constexpr Truth truth_of(bool value) {
  return value ? Truth::True : Truth::False;
}

/// How a value is compared (events spec 6.3). `Regex` exists in filters of the command line only.
enum class Match : std::uint8_t {
  Exact,
  Ne,
  Gt,
  Ge,
  Lt,
  Le,
  Substring,
  StartsWith,
  EndsWith,
  Contains,
  In,
  NotIn,
  Exists,
  Before,
  After,
  WithinLast,
  WithinNext,
  OlderThan,
  BeyondNext,
  SemverEq,
  SemverLt,
  SemverLe,
  SemverGt,
  SemverGe,
  Regex,
};

/// The name in JSON (`exact`, `within_last`, …) and back.
std::string_view name_of(Match match);
std::optional<Match> match_of(std::string_view name);

/// A span of time as written: digits and `ms s m h d w`; a day is 24 h.
struct Duration {
  std::chrono::milliseconds time{0};
  std::string text = {};  ///< `7d`; empty: none given
};
/// Nothing when the text is none, or longer than 100 years.
std::optional<Duration> parse_duration(std::string_view text);

/// A value of a condition. Objects are kept as text and equal nothing.
struct Literal {
  enum class Kind : std::uint8_t { None, Null, Bool, Number, Text, List, Object };
  Kind kind = Kind::None;
  bool boolean = false;
  double number = 0;
  std::string text = {};  ///< of a text; JSON as written of a number or object
  std::vector<Literal> list = {};

  static Literal of(std::string text);
  static Literal of(double number);
};

struct Comparison {
  Match match = Match::Exact;
  Literal value = {};
  bool ignore_case = false;
};

struct Node;

/// Which events: those of a kind, with one of the names, whose properties satisfy `where`.
struct Selector {
  enum class Kind : std::uint8_t { Track, Page, Screen, Identify, Group, Any };
  Kind kind = Kind::Track;
  std::vector<std::string> names = {};     ///< empty: every name
  bool has_star = false;                   ///< written as `*`
  std::shared_ptr<const Node> where = {};  ///< null: all of them
};

std::string_view name_of(Selector::Kind kind);
std::optional<Selector::Kind> selector_kind_of(std::string_view name);

/// When the events happened, seen from now.
struct Window {
  enum class Kind : std::uint8_t {
    Always,
    Within,    ///< (now − from, now]
    Between,   ///< (now − from, now − to]
    Absolute,  ///< [since, until)
  };
  Kind kind = Kind::Always;
  Duration from = {};
  Duration to = {};
  std::optional<Time> since = {};
  std::optional<Time> until = {};

  /// The window that moves with now: how long until an event enters, how long until it leaves.
  [[nodiscard]] bool is_moving() const { return kind == Kind::Within || kind == Kind::Between; }
};

/// What is computed from a property of the events.
enum class Function : std::uint8_t { Sum, Avg, Min, Max, Unique, First, Last };
std::string_view name_of(Function function);
std::optional<Function> function_of(std::string_view name);

/// One question about a person. Which members count depends on `type`.
struct Leaf {
  enum class Type : std::uint8_t {
    Trait,       ///< `name`, `comparison`; in `where` a property
    Context,     ///< `name`, `comparison`; only in `where`
    Event,       ///< `selector`, `window`, `comparison` of the count or of `function`
    Recency,     ///< `selector`, match of `comparison`, `max`
    Sequence,    ///< `steps`, `window`, `max`
    Segment,     ///< `name`
    Dimension,   ///< `name`, `comparison.value`: the segment
    Profile,     ///< `name`, `comparison`
    Identifier,  ///< `name` = type, `comparison`
    Group,       ///< `comparison` with the list of group ids
  };
  Type type = Type::Trait;
  std::string name = {};
  Comparison comparison = {};
  Selector selector = {};
  Window window = {};
  std::optional<Function> function = {};
  std::string property = {};
  std::vector<Selector> steps = {};
  bool ends_with_not = false;  ///< the last step must not have happened
  Duration max = {};           ///< of a sequence; of a recency the age it is compared with
  int slot = -1;               ///< which of the segment's counters; set when it is compiled

  [[nodiscard]] bool needs_events() const {
    return type == Type::Event || type == Type::Recency || type == Type::Sequence;
  }
  /// The segment a Segment or Dimension leaf asks for.
  [[nodiscard]] const std::string& segment() const {
    return type == Type::Segment ? name : comparison.value.text;
  }
};

/// A tree. An empty `And` or `Or` is undecided.
struct Node {
  enum class Op : std::uint8_t { And, Or, Not, Leaf };
  Op op = Op::Or;
  std::vector<Node> children = {};
  profiles::Leaf leaf = {};
};

inline constexpr std::uint32_t kMaxConditionDepth = 32;
inline constexpr std::size_t kMaxConditionNodes = 200;
inline constexpr std::size_t kMaxSteps = 16;
/// A count within a moving window is kept event by event, so its number is bounded.
inline constexpr double kMaxWindowCount = 10'000;

/// Reads a tree from JSON. `pointer` says where it stands, for messages.
///
/// Failure: InvalidArgument, reason `bad_condition`, `field` = a JSON pointer.
Result<Node> read_conditions(json::Value tree, const std::string& pointer = "/conditions");
/// Writes the tree as JSON in the form of the vectors: lists begin with their operator, counts and
/// matches are always written out, `where` leaves have no type.
void write_conditions(json::Writer& out, const Node& tree);
std::string to_json(const Node& tree);

/// Compares a value with a condition's (events spec 6.3). `actual` nothing = it is missing.
/// `next` becomes the earliest instant after `now` at which the result can change by time alone,
/// if that is earlier than what it holds.
Truth compare(std::optional<json::Value> actual,
              const Comparison& comparison,
              Time now,
              Time& next);
Truth compare(double actual, const Comparison& comparison);
Truth compare(std::string_view actual, const Comparison& comparison);

/// The value at a dotted path below an object: a literal key with dots wins over the nested one.
std::optional<json::Value> at_path(std::optional<json::Value> object, std::string_view path);

/// `and`, `or`, `not` over results; `evaluate_leaf` gives those of the leaves.
template <typename Evaluate>
Truth evaluate(const Node& node, const Evaluate& evaluate_leaf) {
  if (node.op == Node::Op::Leaf) {
    return evaluate_leaf(node.leaf);
  }
  if (node.children.empty()) {
    return Truth::Undecided;
  }
  if (node.op == Node::Op::Not) {
    const Truth inner = evaluate(node.children.front(), evaluate_leaf);
    return inner == Truth::Undecided ? inner : truth_of(inner == Truth::False);
  }
  // All children are asked: each may tell when it changes next.
  const Truth winner = node.op == Node::Op::And ? Truth::False : Truth::True;
  Truth result = node.op == Node::Op::And ? Truth::True : Truth::False;
  for (const Node& child : node.children) {
    const Truth one = evaluate(child, evaluate_leaf);
    if (one == winner || (one == Truth::Undecided && result != winner)) {
      result = one;
    }
  }
  return result;
}

/// Calls `visit` with every leaf of the tree, those in `where` excluded.
template <typename Visit>
void for_each_leaf(const Node& node, const Visit& visit) {
  if (node.op == Node::Op::Leaf) {
    visit(node.leaf);
  }
  for (const Node& child : node.children) {
    for_each_leaf(child, visit);
  }
}

}  // namespace edge::profiles
