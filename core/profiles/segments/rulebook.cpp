// SPDX-License-Identifier: MIT
#include "core/profiles/segments/rulebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace edge::profiles {
namespace {

constexpr std::size_t kMaxCounters = 200;

using Version = Rulebook::Version;

Error bad(std::string message, std::string reason) {
  return {.code = ErrorCode::InvalidArgument,
          .message = std::move(message),
          .field = "/conditions",
          .reason = std::move(reason)};
}

std::string text_of(const Leaf& leaf) {
  return to_json(Node{.op = Node::Op::Leaf, .leaf = leaf});
}

/// Gives equal leaves that need events one slot.
void number_counters(Node& node, Segment& segment, std::map<std::string, int>& slots) {
  if (node.op == Node::Op::Leaf && node.leaf.needs_events()) {
    const auto [found, is_new] =
        slots.emplace(text_of(node.leaf), static_cast<int>(segment.counters.size()));
    node.leaf.slot = found->second;
    if (is_new) {
      segment.counters.push_back(node.leaf);
    }
  }
  for (Node& child : node.children) {
    number_counters(child, segment, slots);
  }
}

bool decides(const Version& version) {
  return version.state == SegmentState::Ready || version.state == SegmentState::Settling;
}

/// Visits versions so that references come first; remembers the way for the report of a circle.
class Order {
 public:
  explicit Order(const std::vector<Version>& versions) : versions_(versions) {
    for (std::size_t i = 0; i < versions.size(); ++i) {
      if (decides(versions[i]) || !names_.contains(versions[i].definition.name)) {
        names_[versions[i].definition.name] = i;
      }
    }
  }

  Result<std::vector<std::size_t>> run() {
    marks_.assign(versions_.size(), Mark::New);
    for (std::size_t i = 0; i < versions_.size(); ++i) {
      if (auto visited = visit(i); !visited) {
        return Failure(visited.error());
      }
    }
    return std::move(order_);
  }

 private:
  enum class Mark : std::uint8_t { New, Open, Done };

  Result<void> visit(std::size_t place) {
    if (marks_[place] == Mark::Done) {
      return {};
    }
    const std::string& name = versions_[place].definition.name;
    if (marks_[place] == Mark::Open) {
      const auto first = std::ranges::find(way_, name);
      return Failure(bad(fmt::format("segments refer to one another in a circle: {} → {}",
                                     fmt::join(first, way_.end(), " → "),
                                     name),
                         "segment_cycle"));
    }
    marks_[place] = Mark::Open;
    way_.push_back(name);
    std::vector<std::size_t> next;
    for_each_leaf(versions_[place].definition.tree, [&](const Leaf& leaf) {
      if (leaf.type == Leaf::Type::Segment || leaf.type == Leaf::Type::Dimension) {
        if (const auto found = names_.find(leaf.segment()); found != names_.end()) {
          next.push_back(found->second);
        }
      }
    });
    for (const std::size_t one : next) {
      if (auto visited = visit(one); !visited) {
        return visited;
      }
    }
    way_.pop_back();
    marks_[place] = Mark::Done;
    order_.push_back(place);
    return {};
  }

  const std::vector<Version>& versions_;
  std::map<std::string_view, std::size_t> names_;
  std::vector<Mark> marks_;
  std::vector<std::string> way_;
  std::vector<std::size_t> order_;
};

const std::vector<std::size_t> kNowhere;

void add_once(std::vector<std::size_t>& places, std::size_t place) {
  if (places.empty() || places.back() != place) {
    places.push_back(place);
  }
}

}  // namespace

std::string_view name_of(SegmentState state) {
  static constexpr std::array<std::string_view, 4> kNames = {
      "computing", "settling", "ready", "disabled"};
  return kNames[static_cast<std::size_t>(state)];
}

Result<std::shared_ptr<const Rulebook>> Rulebook::compile(std::vector<Version> versions) {
  const auto order = Order(versions).run();
  if (!order) {
    return Failure(order.error());
  }
  auto book = std::make_shared<Rulebook>();
  for (const std::size_t place : *order) {
    Version& version = versions[place];
    Segment segment{.generation = version.generation,
                    .state = version.state,
                    .had_members = version.had_members,
                    .tree = version.definition.tree};
    std::map<std::string, int> slots;
    number_counters(segment.tree, segment, slots);
    if (segment.counters.size() > kMaxCounters) {
      return Failure(
          bad(fmt::format("a segment asks at most {} different things of events", kMaxCounters),
              "bad_segment"));
    }
    const std::string name = version.definition.name;
    segment.definition = std::move(version.definition);
    const std::size_t here = book->segments_.size();
    book->segments_.push_back(std::move(segment));
    book->generations_.insert(version.generation);
    if (book->segments_[here].decides() && !book->by_name_.emplace(name, here).second) {
      return Failure(bad(fmt::format("two segments have the name \"{}\"", name), "bad_segment"));
    }
    book->index(here);
  }
  return book;
}

const Segment* Rulebook::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &segments_[found->second];
}

const std::vector<std::size_t>& Rulebook::on_trait(std::string_view name) const {
  const auto found = on_trait_.find(name);
  return found == on_trait_.end() ? kNowhere : found->second;
}

const std::vector<std::size_t>& Rulebook::on_segment(std::string_view name) const {
  const auto found = on_segment_.find(name);
  return found == on_segment_.end() ? kNowhere : found->second;
}

std::string Rulebook::listener_key(std::string_view kind, const std::string_view* name) {
  std::string key(kind);
  if (name != nullptr) {
    key.append(1, '\n').append(*name);
  }
  return key;
}

void Rulebook::index(std::size_t place) {
  Segment& segment = segments_[place];
  if (segment.state == SegmentState::Disabled) {
    return;
  }
  for (std::size_t slot = 0; slot < segment.counters.size(); ++slot) {
    const Leaf& leaf = segment.counters[slot];
    const Listener listener{.segment = place, .slot = static_cast<int>(slot)};
    if (leaf.type == Leaf::Type::Sequence) {
      for (const Selector& step : leaf.steps) {
        listen(step, listener);
      }
    } else {
      listen(leaf.selector, listener);
    }
  }
  if (segment.decides()) {
    for_each_leaf(segment.tree, [&](const Leaf& leaf) { index_leaf(leaf, place); });
  }
}

void Rulebook::listen(const Selector& selector, Listener listener) {
  const auto add = [&](const std::string& key) {
    auto& list = listeners_[key];
    const bool is_known = std::ranges::any_of(list, [&](const Listener& known) {
      return known.segment == listener.segment && known.slot == listener.slot;
    });
    if (!is_known) {
      list.push_back(listener);
    }
  };
  const std::string_view kind = name_of(selector.kind);
  if (selector.names.empty()) {
    add(listener_key(kind, nullptr));
  }
  for (const std::string_view name : selector.names) {
    add(listener_key(kind, &name));
  }
}

void Rulebook::index_leaf(const Leaf& leaf, std::size_t place) {
  switch (leaf.type) {
    case Leaf::Type::Trait:
      // `a.b.c` may lie in the trait `a`, `a.b` or `a.b.c`.
      for (std::size_t dot = leaf.name.find('.'); dot != std::string::npos;
           dot = leaf.name.find('.', dot + 1)) {
        add_once(on_trait_[leaf.name.substr(0, dot)], place);
      }
      add_once(on_trait_[leaf.name], place);
      break;
    case Leaf::Type::Profile:
      add_once(on_profile_, place);
      break;
    case Leaf::Type::Identifier:
      add_once(on_identifiers_, place);
      break;
    case Leaf::Type::Group:
      add_once(on_groups_, place);
      break;
    case Leaf::Type::Segment:
    case Leaf::Type::Dimension: {
      add_once(on_segment_[leaf.segment()], place);
      const auto found = by_name_.find(leaf.segment());
      if (found == by_name_.end()) {
        add_once(on_profile_, place);  // perhaps a built-in one, which any event can change
        break;
      }
      segments_[place].depends_on.push_back(found->second);
      segments_[found->second].needed_by.push_back(place);
      break;
    }
    default:
      break;
  }
}

}  // namespace edge::profiles
