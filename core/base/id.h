// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/random.h"

namespace edge {

/// A text identifier whose type says what it names, so that two arguments cannot be swapped.
template <typename Tag>
struct Id {
  std::string text = {};

  [[nodiscard]] bool empty() const { return text.empty(); }
  auto operator<=>(const Id&) const = default;
};

using EventId = Id<struct EventIdTag>;      ///< the messageId of an event
using ProfileId = Id<struct ProfileIdTag>;  ///< one person as we know them
using AccountId = Id<struct AccountIdTag>;  ///< one login account

/// A version 4 UUID in lower case (RFC 9562).
inline std::string uuid_v4(Random& random) {
  std::array<std::uint8_t, 16> octets{};
  random.fill(octets);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0FU) | 0x40U);
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3FU) | 0x80U);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      text += '-';
    }
    text += kDigits[octets[i] >> 4U];
    text += kDigits[octets[i] & 0x0FU];
  }
  return text;
}

/// Makes the ids of new things. Thread-safe.
class Ids {
 public:
  explicit Ids(Random& random) : random_(random) {}
  Ids(const Ids&) = delete;
  Ids& operator=(const Ids&) = delete;
  Ids(Ids&&) = delete;
  Ids& operator=(Ids&&) = delete;
  virtual ~Ids() = default;

  /// A fresh UUID. Tests override it with a sequence.
  virtual std::string uuid() { return uuid_v4(random_); }
  /// `edge-` and a fresh UUID: the messageId of an event that came without one (events spec 1.1).
  EventId event_id() { return EventId{"edge-" + uuid()}; }

 private:
  Random& random_;
};

}  // namespace edge

template <typename Tag>
struct std::hash<edge::Id<Tag>> {
  std::size_t operator()(const edge::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.text);
  }
};
