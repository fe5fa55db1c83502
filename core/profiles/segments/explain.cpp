// SPDX-License-Identifier: MIT
#include "core/profiles/segments/explain.h"

#include <algorithm>

#include "core/profiles/segments.h"
#include "core/profiles/segments/expression.h"

namespace edge::profiles {
namespace {

class Explainer {
 public:
  Explainer(json::Writer& out,
            Assessor& assessor,
            const Segment& segment,
            const Profile& profile,
            Time now)
      : out_(out), assessor_(assessor), segment_(segment), profile_(profile), now_(now) {}

  void node(const Node& node) {
    out_.begin_object();
    if (node.op == Node::Op::Leaf) {
      leaf(node.leaf);
    } else {
      out_.member("op", node.op == Node::Op::And ? "and" : node.op == Node::Op::Or ? "or" : "not");
      out_.member("value", name_of(value_of(node))).key("children").begin_array();
      for (const Node& child : node.children) {
        this->node(child);
      }
      out_.end_array();
    }
    out_.end_object();
  }

  Truth value_of(const Node& node) {
    return evaluate(node, [this](const Leaf& leaf) {
      return assessor_.evaluate_leaf(segment_, leaf, profile_, now_).truth;
    });
  }

 private:
  void leaf(const Leaf& leaf) {
    const Node alone{.op = Node::Op::Leaf, .leaf = leaf};
    out_.member("when", to_expression(alone).value_or(to_json(alone)));
    out_.member("value", name_of(value_of(alone))).key("seen");
    seen(leaf);
    if (is_cut(leaf)) {
      out_.member("cut", true);
    }
  }

  void text_or_null(const std::string& text) { text.empty() ? out_.null() : out_.string(text); }

  void seen(const Leaf& leaf) {
    switch (leaf.type) {
      case Leaf::Type::Event:
      case Leaf::Type::Recency:
      case Leaf::Type::Sequence:
        return seen_events(leaf);
      case Leaf::Type::Segment:
      case Leaf::Type::Dimension:
        out_.boolean(assessor_.evaluate_leaf(segment_, leaf, profile_, now_).truth == Truth::True);
        return;
      case Leaf::Type::Profile:
        return seen_profile(leaf);
      case Leaf::Type::Identifier: {
        const auto found = profile_.identifiers.find(leaf.name);
        const bool is_there = found != profile_.identifiers.end() && !found->second.empty();
        return text_or_null(is_there ? found->second.front() : std::string());
      }
      case Leaf::Type::Group:
        out_.begin_array();
        for (const std::string& group : profile_.groups) {
          out_.string(group);
        }
        out_.end_array();
        return;
      default:
        return seen_trait(leaf);
    }
  }

  void seen_events(const Leaf& leaf) {
    const auto found = profile_.standing.counters.find(key_of(segment_.generation, leaf.slot));
    const Counter counter = found == profile_.standing.counters.end() ? Counter{} : found->second;
    const std::string text = seen_value(counter, leaf, now_);
    if (leaf.type == Leaf::Type::Recency) {
      return text_or_null(text);
    }
    text.empty() ? out_.null() : out_.raw(text);
  }

  [[nodiscard]] bool is_cut(const Leaf& leaf) const {
    const auto found = profile_.standing.counters.find(key_of(segment_.generation, leaf.slot));
    return leaf.needs_events() && found != profile_.standing.counters.end() && found->second.is_cut;
  }

  void seen_profile(const Leaf& leaf) {
    const auto age = [&](Time since) {
      return std::max<std::int64_t>(std::chrono::floor<std::chrono::days>(now_ - since).count(), 0);
    };
    if (leaf.name == "sessionCount") {
      out_.unsigned_integer(profile_.sessions.count());
    } else if (leaf.name == "eventCount") {
      out_.unsigned_integer(profile_.event_count);
    } else if (leaf.name == "daysSinceFirstSeen") {
      out_.integer(age(profile_.first_seen));
    } else if (leaf.name == "daysSinceLastSeen") {
      out_.integer(age(profile_.last_seen));
    } else {
      out_.integer(to_ms(leaf.name == "firstSeen" ? profile_.first_seen : profile_.last_seen));
    }
  }

  void seen_trait(const Leaf& leaf) {
    for (std::string_view top = leaf.name; !top.empty();) {
      if (const Trait* const trait = find_trait(profile_.traits, top)) {
        const auto document = json::Document::parse(trait->json, json::kEvent);
        const std::string_view rest = std::string_view(leaf.name).substr(top.size());
        const auto value = rest.empty() ? std::optional(document->root())
                                        : at_path(document->root(), rest.substr(1));
        if (value) {
          out_.value(*value);
          return;
        }
      }
      const std::size_t dot = top.rfind('.');
      top = dot == std::string_view::npos ? std::string_view{} : top.substr(0, dot);
    }
    out_.null();
  }

  json::Writer& out_;
  Assessor& assessor_;
  const Segment& segment_;
  const Profile& profile_;
  const Time now_;
};

}  // namespace

std::string_view name_of(Truth truth) {
  return truth == Truth::True ? "true" : truth == Truth::False ? "false" : "undecided";
}

void write_explanation(json::Writer& out,
                       const Rulebook& book,
                       const SwitchedOff& switched_off,
                       const Segment& segment,
                       const Profile& profile,
                       Time now) {
  Assessor assessor(book, switched_off);
  Profile later = profile;
  const Time at = std::max(now, later.standing.clock);
  assessor.advance(later, at);
  Explainer explainer(out, assessor, segment, later, at);
  const Truth value = segment.decides() ? explainer.value_of(segment.tree) : Truth::False;
  out.begin_object().member("segment", segment.definition.name);
  out.member("profileId", profile.id.text).member("member", value == Truth::True);
  out.member("value", name_of(value)).member("state", name_of(segment.state));
  const auto found = later.standing.computed.find(segment.definition.name);
  if (found != later.standing.computed.end()) {
    if (found->second.since != Time{}) {
      out.member("since", to_ms(found->second.since));
    }
    if (found->second.next != Time::max()) {
      out.member("next", to_ms(found->second.next));
    }
  }
  if (const auto manual = later.standing.manual.find(segment.definition.name);
      manual != later.standing.manual.end()) {
    out.member("manual", manual->second.source);
  }
  out.key("tree");
  explainer.node(segment.tree);
  out.end_object();
}

bool explain_segment(json::Writer& out,
                     const Rulebook& book,
                     const SwitchedOff& switched_off,
                     std::string_view name,
                     const Profile& profile,
                     Time now) {
  const Segment* segment = book.find(name);
  for (const Segment& one : book.segments()) {
    segment = segment == nullptr && one.definition.name == name ? &one : segment;
  }
  Segment without_rule{.definition = {.name = std::string(name)}};
  if (segment == nullptr) {
    if (!is_built_in_segment(name) && !profile.standing.manual.contains(name)) {
      return false;
    }
    without_rule.tree = {.op = Node::Op::Leaf,
                         .leaf = {.type = Leaf::Type::Segment, .name = std::string(name)}};
    segment = &without_rule;
  }
  write_explanation(out, book, switched_off, *segment, profile, now);
  return true;
}

}  // namespace edge::profiles
