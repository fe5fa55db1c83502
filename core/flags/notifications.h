// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace edge::flags {

/// What listeners can hear of a project.
enum class Topic : std::uint8_t { Decision, Track, ConfigUpdate };
inline constexpr std::size_t kTopics = 3;
/// `decision`, `track`, `project_config_update`.
std::string_view name_of(Topic topic);

/// A set of topics.
class Topics {
 public:
  static Topics all() { return Topics((1U << kTopics) - 1); }
  Topics() = default;
  Topics& add(Topic topic) {
    bits_ |= 1U << static_cast<unsigned>(topic);
    return *this;
  }
  [[nodiscard]] bool holds(Topic topic) const {
    return (bits_ & (1U << static_cast<unsigned>(topic))) != 0;
  }
  [[nodiscard]] bool is_empty() const { return bits_ == 0; }

 private:
  explicit Topics(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};

/// Who wants to hear what happens in a project, as JSON texts. Thread-safe.
class Notifications {
 public:
  /// Called on the thread that publishes, on several at once; must be quick. False: forget it.
  using Listener = std::function<bool(const std::string& message)>;

  void listen(Topics topics, Listener listener);
  /// Whether somebody listens, so that nobody builds messages for nothing. Costs one load.
  [[nodiscard]] bool is_heard(Topic topic) const {
    return heard_[static_cast<std::size_t>(topic)].load(std::memory_order_relaxed) > 0;
  }
  void publish(Topic topic, const std::string& message);

 private:
  struct Entry {
    Topics topics;
    Listener listener;
  };
  void count(const Entry& entry, int by);

  std::array<std::atomic<int>, kTopics> heard_{};
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Entry>> entries_;  // guarded by mutex_
};

}  // namespace edge::flags
