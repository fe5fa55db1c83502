// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/destinations/route.h"
#include "core/destinations/route_set.h"

namespace edge::destinations {

/// Where a destination is configured, and so who may change it.
enum class Origin : std::uint8_t { Configuration, Store };

/// What an operator switched, over what the definition says.
enum class Switch : std::uint8_t { On, Paused, Disabled };

/// One destination, ready for use. Immutable.
struct Entry {
  Definition definition = {};
  Origin origin = Origin::Store;
  Switch position = Switch::On;
  unsigned number = 0;  ///< by which events that are routed to it name it
  RouteTarget target = {};
  std::shared_ptr<const Destination> destination = {};
  events::IpMode ip = events::IpMode::Full;
  std::string credentials = {};  ///< hash of the secrets that its settings name
  std::uint64_t turns = 0;       ///< how often an operator switched it in this process

  /// The event as this destination may see it, with what `ip` leaves of its address; nothing when
  /// that changes nothing.
  [[nodiscard]] std::optional<events::Event> shortened(const events::Event& event) const;
  /// What the event becomes here.
  [[nodiscard]] Mapped map(const events::Event& event) const;
  /// Whether events are routed to it.
  [[nodiscard]] bool is_enabled() const {
    return definition.enabled && position != Switch::Disabled;
  }
};

/// All destinations at one moment. Immutable; replaced as a whole when one changes.
class Table {
 public:
  Table() = default;
  Table(std::vector<std::shared_ptr<const Entry>> entries, RouteRules rules)
      : entries_(std::move(entries)), rules_(std::move(rules)) {}

  /// The numbers of the destinations that the event goes to.
  [[nodiscard]] RouteSet route(const events::Event& event) const;
  /// The same for a canonical text, which is not read when no destination is enabled.
  [[nodiscard]] RouteSet route(std::string_view body) const;

  [[nodiscard]] const std::vector<std::shared_ptr<const Entry>>& entries() const {
    return entries_;
  }
  /// By id, else by name; null when there is none.
  [[nodiscard]] std::shared_ptr<const Entry> find(std::string_view id_or_name) const;

 private:
  std::vector<std::shared_ptr<const Entry>> entries_;
  RouteRules rules_;
};

}  // namespace edge::destinations
