// SPDX-License-Identifier: MIT
// Reads the JSON form of conditions. Structure is checked strictly, so that a misspelt member never
// widens a segment; what a value can be compared with is left to the comparison.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "core/events/event.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {
namespace {

using json::Value;

constexpr std::size_t kMaxNameBytes = 500;
constexpr std::size_t kMaxListItems = 1'000;
constexpr std::size_t kMaxNames = 100;

/// Keeps the first failure; readers go on with a stand-in so that the way back needs no checks.
class Verdict {
 public:
  void refuse(const std::string& pointer, std::string message) {
    if (!error_) {
      error_ = Error{.code = ErrorCode::InvalidArgument,
                     .message = std::move(message),
                     .field = pointer,
                     .reason = "bad_condition"};
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

Literal read_literal(Value value, const std::string& pointer, Verdict& verdict) {
  switch (value.kind()) {
    case json::Kind::Null:
      return {.kind = Literal::Kind::Null};
    case json::Kind::True:
    case json::Kind::False:
      return {.kind = Literal::Kind::Bool, .boolean = *value.as_bool()};
    case json::Kind::Number:
      return {.kind = Literal::Kind::Number,
              .number = value.as_double().value_or(0),
              .text = std::string(value.raw())};
    case json::Kind::String:
      return Literal::of(std::string(*value.as_string()));
    case json::Kind::Object:
      return {.kind = Literal::Kind::Object, .text = std::string(value.raw())};
    case json::Kind::Array:
      break;
  }
  if (value.size() > kMaxListItems) {
    verdict.refuse(pointer, fmt::format("a list of values has at most {} elements", kMaxListItems));
    return {};
  }
  Literal list{.kind = Literal::Kind::List};
  for (const Value element : value.elements()) {
    if (element.is_array()) {
      verdict.refuse(pointer, "a list of values cannot hold lists");
      return {};
    }
    list.list.push_back(read_literal(element, pointer, verdict));
  }
  return list;
}

/// The members of one leaf; each is asked for at most once.
class Fields {
 public:
  Fields(Value object, std::string pointer, Verdict& verdict)
      : object_(object), pointer_(std::move(pointer)), verdict_(verdict) {}

  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] std::string pointer_of(std::string_view name) const {
    return fmt::format("{}/{}", pointer_, name);
  }
  [[nodiscard]] std::optional<Value> find(std::string_view name) const {
    const auto value = object_.find(name);
    return value && !value->is_null() ? value : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
    const auto value = find(name);
    if (!value) {
      return std::nullopt;
    }
    const auto text = value->as_string();
    if (!text) {
      refuse(name, fmt::format("{} must be a text", name));
    }
    return std::string(text.value_or(""));
  }
  [[nodiscard]] std::string needed(std::string_view name) const {
    auto value = text(name);
    if (!value || value->empty() || value->size() > kMaxNameBytes) {
      refuse(name, fmt::format("{} must be a text of 1 to {} octets", name, kMaxNameBytes));
    }
    return std::move(value).value_or("");
  }
  [[nodiscard]] Duration duration(std::string_view name) const {
    return duration_in(find(name), pointer_of(name));
  }
  [[nodiscard]] Duration duration_in(std::optional<Value> value, const std::string& pointer) const {
    const auto text = value ? value->as_string() : std::nullopt;
    auto parsed = text ? parse_duration(*text) : std::nullopt;
    if (!parsed) {
      verdict_.refuse(pointer,
                      "a duration is digits and one of ms, s, m, h, d, w, for example \"7d\"");
    }
    return std::move(parsed).value_or(Duration{});
  }
  [[nodiscard]] std::optional<Time> time(std::string_view name) const {
    const auto value = find(name);
    if (!value) {
      return std::nullopt;
    }
    const auto parsed = events::parse_time(*value);
    if (!parsed) {
      refuse(name, fmt::format("{} must be a time such as 2026-03-01T00:00:00Z", name));
    }
    return parsed;
  }
  void only(std::initializer_list<std::string_view> names) const {
    for (const auto [name, value] : object_.members()) {
      if (std::ranges::find(names, name) == names.end()) {
        refuse(name, fmt::format("a condition of this type has no \"{}\"", name));
      }
    }
  }
  /// Refuses a member.
  void refuse(std::string_view name, std::string message) const {
    verdict_.refuse(pointer_of(name), std::move(message));
  }
  /// Refuses the condition as a whole.
  void refuse(std::string message) const { verdict_.refuse(pointer_, std::move(message)); }
  [[nodiscard]] Verdict& verdict() const { return verdict_; }

 private:
  Value object_;
  std::string pointer_;
  Verdict& verdict_;
};

Comparison read_comparison(const Fields& in, Match fallback) {
  Comparison comparison{.match = fallback};
  if (const auto name = in.text("match")) {
    const auto match = match_of(*name);
    if (!match || *match == Match::Regex) {
      in.refuse("match", fmt::format("there is no match \"{}\"", *name));
    }
    comparison.match = match.value_or(fallback);
  }
  if (const auto value = in.find("value")) {
    comparison.value = read_literal(*value, in.pointer_of("value"), in.verdict());
  }
  if (const auto ignore = in.find("ignoreCase")) {
    if (!ignore->is_bool()) {
      in.refuse("ignoreCase", "ignoreCase must be true or false");
    }
    comparison.ignore_case = ignore->as_bool().value_or(false);
  }
  if (comparison.value.kind == Literal::Kind::None && comparison.match != Match::Exists) {
    in.refuse("value", fmt::format("{} needs a value", name_of(comparison.match)));
  }
  return comparison;
}

class Reader {
 public:
  [[nodiscard]] const std::optional<Error>& error() const { return verdict_.error(); }

  Node node(Value value, const std::string& pointer, std::uint32_t depth, bool is_where) {
    if (depth > kMaxConditionDepth) {
      verdict_.refuse(pointer,
                      fmt::format("conditions are nested deeper than {}", kMaxConditionDepth));
      return {};
    }
    if (++nodes_ > kMaxConditionNodes) {
      verdict_.refuse(pointer,
                      fmt::format("there are more than {} conditions", kMaxConditionNodes));
      return {};
    }
    if (value.is_object()) {
      Node node{.op = Node::Op::Leaf};
      node.leaf = is_where ? where_leaf(Fields(value, pointer, verdict_))
                           : leaf(Fields(value, pointer, verdict_), depth);
      return node;
    }
    if (!value.is_array()) {
      verdict_.refuse(pointer, "a condition is a list or an object");
      return {};
    }
    return list(value, pointer, depth, is_where);
  }

 private:
  Node list(Value value, const std::string& pointer, std::uint32_t depth, bool is_where) {
    Node node;
    std::uint32_t index = 0;
    for (const Value element : value.elements()) {
      const std::string place = fmt::format("{}/{}", pointer, index);
      if (index++ == 0 && element.is_string()) {
        const std::string_view word = *element.as_string();
        if (word != "and" && word != "or" && word != "not") {
          verdict_.refuse(place,
                          fmt::format("\"{}\" is no operator; there are and, or, not", word));
          return {};
        }
        node.op = word == "and" ? Node::Op::And : word == "or" ? Node::Op::Or : Node::Op::Not;
        continue;
      }
      node.children.push_back(this->node(element, place, depth + 1, is_where));
    }
    if (node.op == Node::Op::Not && node.children.size() > 1) {
      verdict_.refuse(pointer, "not takes one condition; put several into an and or or");
    }
    return node;
  }

  Leaf where_leaf(const Fields& in) {
    in.only({"type", "name", "match", "value", "ignoreCase"});
    const std::string type = in.text("type").value_or("property");
    if (type != "property" && type != "custom_attribute" && type != "trait" && type != "context") {
      in.refuse("type", "where looks at properties, or with type context at the context");
    }
    return {.type = type == "context" ? Leaf::Type::Context : Leaf::Type::Trait,
            .name = in.needed("name"),
            .comparison = read_comparison(in, Match::Exact)};
  }

  Leaf leaf(const Fields& in, std::uint32_t depth) {
    const std::string type = in.text("type").value_or("custom_attribute");
    if (type == "event") {
      return event(in, depth);
    }
    if (type == "recency") {
      return recency(in, depth);
    }
    if (type == "sequence") {
      return sequence(in, depth);
    }
    return plain(in, type);
  }

  Leaf plain(const Fields& in, const std::string& type) {
    if (type == "segment") {
      in.only({"type", "name"});
      return {.type = Leaf::Type::Segment, .name = in.needed("name")};
    }
    if (type == "third_party_dimension") {
      in.only({"type", "name", "match", "value"});
      if (in.text("match").value_or("qualified") != "qualified") {
        in.refuse("match", "the match of a third_party_dimension is qualified");
      }
      return {.type = Leaf::Type::Dimension,
              .name = in.text("name").value_or(""),
              .comparison = {.value = Literal::of(in.needed("value"))}};
    }
    in.only({"type", "name", "match", "value", "ignoreCase"});
    if (type == "group") {
      return {.type = Leaf::Type::Group, .comparison = read_comparison(in, Match::Contains)};
    }
    if (type == "custom_attribute" || type == "trait") {
      return {.name = in.needed("name"), .comparison = read_comparison(in, Match::Exact)};
    }
    if (type == "identifier") {
      return {.type = Leaf::Type::Identifier,
              .name = in.needed("name"),
              .comparison = read_comparison(in, Match::Exact)};
    }
    if (type == "profile") {
      return profile(in);
    }
    in.refuse("type", fmt::format("there is no condition of type \"{}\"", type));
    return {};
  }

  Leaf profile(const Fields& in) {
    Leaf leaf{.type = Leaf::Type::Profile,
              .name = in.needed("name"),
              .comparison = read_comparison(in, Match::Exact)};
    constexpr std::string_view kKnown =
        "sessionCount eventCount daysSinceFirstSeen daysSinceLastSeen firstSeen lastSeen";
    if ((" " + std::string(kKnown) + " ").find(" " + leaf.name + " ") == std::string::npos) {
      in.refuse("name", fmt::format("a profile has no \"{}\"; there are {}", leaf.name, kKnown));
    }
    return leaf;
  }

  Selector selector(const Fields& in, std::uint32_t depth) {
    Selector selector;
    if (const auto kind = in.text("kind")) {
      const auto known = selector_kind_of(*kind);
      if (!known) {
        in.refuse("kind", fmt::format("there is no kind of events \"{}\"", *kind));
      }
      selector.kind = known.value_or(Selector::Kind::Track);
    }
    const bool has_event = in.find("event").has_value();
    if (has_event && in.find("name")) {
      in.refuse("name", "event and name say the same; give one of them");
    }
    const std::string_view member = has_event ? "event" : "name";
    if (const auto names = in.find(member)) {
      read_names(*names, in.pointer_of(member), selector);
    }
    if (const auto where = in.find("where")) {
      selector.where =
          std::make_shared<const Node>(node(*where, in.pointer_of("where"), depth + 1, true));
    }
    return selector;
  }

  void read_names(Value names, const std::string& pointer, Selector& selector) {
    const auto add = [&](Value value) {
      const auto text = value.as_string();
      if (!text || text->empty() || text->size() > kMaxNameBytes ||
          selector.names.size() == kMaxNames) {
        verdict_.refuse(
            pointer, fmt::format("names of events are texts, or a list of at most {}", kMaxNames));
        return;
      }
      selector.names.emplace_back(*text);
    };
    if (names.as_string() == "*") {
      selector.has_star = true;
    } else if (names.is_array()) {
      for (const Value name : names.elements()) {
        add(name);
      }
      if (selector.names.empty()) {
        verdict_.refuse(pointer, "an empty list of names selects nothing");
      }
    } else {
      add(names);
    }
  }

  Window window(const Fields& in) {
    Window window;
    const auto between = in.find("between");
    window.since = in.time("since");
    window.until = in.time("until");
    const bool is_absolute = window.since || window.until;
    if ((in.find("within") ? 1 : 0) + (between ? 1 : 0) + (is_absolute ? 1 : 0) > 1) {
      in.refuse("within, between and since/until exclude one another");
    }
    if (is_absolute) {
      window.kind = Window::Kind::Absolute;
    } else if (in.find("within")) {
      window.kind = Window::Kind::Within;
      window.from = in.duration("within");
    } else if (between) {
      const std::string place = in.pointer_of("between");
      if (between->size() != 2 || !between->is_array()) {
        verdict_.refuse(place, "between is a list of two durations, the longer one first");
        return {};
      }
      window.kind = Window::Kind::Between;
      window.from = in.duration_in(between->at(0), place + "/0");
      window.to = in.duration_in(between->at(1), place + "/1");
    }
    if (window.is_moving() && window.from.time <= window.to.time) {
      in.refuse("the window is empty: its first duration must be the longer one");
    }
    return window;
  }

  Leaf event(const Fields& in, std::uint32_t depth) {
    in.only({"type",
             "kind",
             "event",
             "name",
             "where",
             "within",
             "between",
             "since",
             "until",
             "count",
             "aggregate"});
    Leaf leaf{.type = Leaf::Type::Event,
              .comparison = {.match = Match::Ge, .value = Literal::of(1.0)},
              .selector = selector(in, depth),
              .window = window(in)};
    const auto count = in.find("count");
    const auto aggregate = in.find("aggregate");
    if (count && aggregate) {
      in.refuse("aggregate", "a condition has a count or an aggregate, not both");
    }
    const std::string_view member = aggregate ? "aggregate" : "count";
    if (const auto given = aggregate ? aggregate : count) {
      const Fields inner(*given, in.pointer_of(member), verdict_);
      if (!given->is_object()) {
        inner.refuse(fmt::format("{} must be an object", member));
      }
      leaf.comparison = read_comparison(inner, Match::Exact);
      if (aggregate) {
        inner.only({"fn", "property", "match", "value", "ignoreCase"});
        leaf.function = function_of(inner.needed("fn"));
        if (!leaf.function) {
          inner.refuse("fn", "fn is one of sum, avg, min, max, unique, first, last");
        }
        leaf.property = inner.needed("property");
      } else {
        inner.only({"match", "value"});
      }
    }
    check_count(leaf, in.pointer());
    return leaf;
  }

  /// Counts in moving windows are kept one by one up to the number that is asked about.
  void check_count(const Leaf& leaf, const std::string& pointer) {
    const auto check = [&](const Literal& value) {
      if (value.kind == Literal::Kind::Number && value.number > kMaxWindowCount &&
          leaf.window.is_moving() && (!leaf.function || leaf.function == Function::Unique)) {
        verdict_.refuse(
            pointer, fmt::format("a count in a window compares with at most {}", kMaxWindowCount));
      }
    };
    check(leaf.comparison.value);
    for (const Literal& value : leaf.comparison.value.list) {
      check(value);
    }
  }

  Leaf recency(const Fields& in, std::uint32_t depth) {
    in.only({"type", "kind", "event", "name", "where", "match", "value"});
    Leaf leaf{.type = Leaf::Type::Recency,
              .comparison = read_comparison(in, Match::Le),
              .selector = selector(in, depth),
              .max = in.duration("value")};
    const Match match = leaf.comparison.match;
    if (match != Match::Lt && match != Match::Le && match != Match::Gt && match != Match::Ge) {
      in.refuse("match", "the match of a recency is lt, le, gt or ge");
    }
    return leaf;
  }

  Leaf sequence(const Fields& in, std::uint32_t depth) {
    in.only({"type", "steps", "max", "within", "between", "since", "until"});
    Leaf leaf{.type = Leaf::Type::Sequence, .window = window(in)};
    const auto steps = in.find("steps");
    if (!steps || !steps->is_array() || steps->size() == 0 || steps->size() > kMaxSteps) {
      in.refuse("steps", fmt::format("steps is a list of 1 to {} selectors", kMaxSteps));
      return {};
    }
    for (std::uint32_t i = 0; i < steps->size(); ++i) {
      Value step = *steps->at(i);
      std::string place = fmt::format("{}/{}", in.pointer_of("steps"), i);
      if (const auto negated = step.find("not")) {
        if (i + 1 != steps->size() || i == 0 || step.size() != 1) {
          verdict_.refuse(place, "only the last of several steps may be a not");
        }
        leaf.ends_with_not = true;
        step = *negated;
        place += "/not";
      }
      if (!step.is_object()) {
        verdict_.refuse(place, "a step is an object that selects events");
      }
      const Fields fields(step, place, verdict_);
      fields.only({"type", "kind", "event", "name", "where"});
      leaf.steps.push_back(selector(fields, depth));
    }
    if (in.find("max")) {
      leaf.max = in.duration("max");
    } else if (leaf.ends_with_not) {
      in.refuse("max", "a sequence that ends with a not needs a max");
    }
    return leaf;
  }

  Verdict verdict_;
  std::size_t nodes_ = 0;
};

}  // namespace

Result<Node> read_conditions(Value tree, const std::string& pointer) {
  Reader reader;
  Node node = reader.node(tree, pointer, 0, false);
  if (reader.error()) {
    return Failure(*reader.error());
  }
  return node;
}

}  // namespace edge::profiles
