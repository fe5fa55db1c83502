// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/events/event.h"
#include "core/profiles/segments/definition.h"

namespace edge::profiles {

/// How far a definition is.
enum class SegmentState : std::uint8_t {
  Computing,  ///< stored events are being counted; the definition before it decides, if any
  Settling,   ///< it decides; people who brought no event since are being visited
  Ready,
  Disabled,
};
std::string_view name_of(SegmentState state);

/// One version of a definition, ready to be evaluated.
struct Segment {
  Definition definition = {};
  std::uint64_t generation = 0;
  SegmentState state = SegmentState::Ready;
  bool had_members = false;  ///< an earlier version decided already, so its members count meanwhile
  Node tree = {};            ///< leaves that need events know their slot
  std::vector<Leaf> counters = {};           ///< by slot
  std::vector<std::size_t> depends_on = {};  ///< places of segments it refers to, all before it
  std::vector<std::size_t> needed_by = {};   ///< places of those that refer to it

  /// Whether it says who is a member now.
  [[nodiscard]] bool decides() const {
    return state == SegmentState::Ready || state == SegmentState::Settling;
  }
  /// Whether readers are told of its members.
  [[nodiscard]] bool is_visible() const {
    return definition.is_enabled && (state == SegmentState::Ready || had_members);
  }
};

/// All segments of an installation in order of evaluation: those referred to stand before those
/// that refer to them, else they keep the order in which they were given. Immutable.
class Rulebook {
 public:
  /// What `compile` takes: one version of a definition.
  struct Version {
    Definition definition = {};
    std::uint64_t generation = 0;
    SegmentState state = SegmentState::Ready;
    bool had_members = false;
  };

  Rulebook() = default;
  /// A version that is `Computing` only counts; another version of the same name may decide.
  ///
  /// Failure: InvalidArgument, reason `segment_cycle`, with the names of a circle of references;
  /// reason `bad_segment` when two that decide have one name or one has too many counters.
  static Result<std::shared_ptr<const Rulebook>> compile(std::vector<Version> versions);

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  /// The place of the segment that decides under this name.
  [[nodiscard]] const Segment* find(std::string_view name) const;
  [[nodiscard]] bool empty() const { return segments_.empty(); }
  /// Whether a version of that generation is in the book.
  [[nodiscard]] bool knows(std::uint64_t generation) const {
    return generations_.contains(generation);
  }

  /// A counter of a segment that may take an event.
  struct Listener {
    std::size_t segment = 0;
    int slot = 0;
  };
  /// Calls `visit` with every counter whose kind and name the event has; `where` is not looked at.
  template <typename Visit>
  void for_each_listener(const events::Event& event, const Visit& visit) const {
    const auto call = [&](const std::string& key) {
      if (const auto found = listeners_.find(key); found != listeners_.end()) {
        for (const Listener& listener : found->second) {
          visit(listener);
        }
      }
    };
    const std::string_view kind = events::name_of(event.type());
    const std::string_view name =
        event.type() == events::Type::Track ? event.event() : event.name();
    call(listener_key(kind, &name));
    call(listener_key(kind, nullptr));
    call(listener_key("any", &name));
    call(listener_key("any", nullptr));
  }

  /// Segments that look at a trait of that (top-level) name.
  [[nodiscard]] const std::vector<std::size_t>& on_trait(std::string_view name) const;
  /// Segments that look at counts and times of the profile or at built-in segments.
  [[nodiscard]] const std::vector<std::size_t>& on_profile() const { return on_profile_; }
  [[nodiscard]] const std::vector<std::size_t>& on_identifiers() const { return on_identifiers_; }
  [[nodiscard]] const std::vector<std::size_t>& on_groups() const { return on_groups_; }
  /// Segments that look at a segment of that name which is not in the book: put by hand.
  [[nodiscard]] const std::vector<std::size_t>& on_segment(std::string_view name) const;

 private:
  using Places = std::vector<std::size_t>;

  /// nullptr: any name.
  static std::string listener_key(std::string_view kind, const std::string_view* name);
  void index(std::size_t place);
  void listen(const Selector& selector, Listener listener);
  void index_leaf(const Leaf& leaf, std::size_t place);

  std::vector<Segment> segments_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::set<std::uint64_t> generations_;
  std::map<std::string, std::vector<Listener>, std::less<>> listeners_;
  std::map<std::string, Places, std::less<>> on_trait_;
  std::map<std::string, Places, std::less<>> on_segment_;
  Places on_profile_;
  Places on_identifiers_;
  Places on_groups_;
};

}  // namespace edge::profiles
