// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace edge::crypto {

/// Octets that must not leak: they live in guarded pages of their own that are locked against
/// swapping where the system allows it, left out of core dumps, and wiped when the owner ends
/// (libsodium 1.0.18). Immutable; move only.
class Secret {
 public:
  Secret() = default;
  /// Copies `octets` into guarded memory. The source stays as it is; see `take`.
  explicit Secret(std::string_view octets);

  /// As the constructor, and wipes the source.
  static Secret take(std::string&& octets);

  [[nodiscard]] std::string_view view() const { return {octets_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  struct Free {
    void operator()(char* octets) const;
  };
  std::unique_ptr<char, Free> octets_;
  std::size_t size_ = 0;
};

/// Overwrites a text that held a secret and empties it.
void wipe(std::string& text);

}  // namespace edge::crypto
