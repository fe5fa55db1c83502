// SPDX-License-Identifier: MIT
#include "cli/commands/replay_daemon.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "cli/exit_code.h"
#include "cli/stored_events.h"
#include "core/delivery/retry.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::chrono::milliseconds kRetryBase{500};
constexpr std::chrono::milliseconds kRetryCap{30'000};

class DaemonSource final : public delivery::ReplaySource {
 public:
  DaemonSource(Remote& daemon, std::uint64_t end, ReplayPatience patience, Random& random)
      : daemon_(daemon), end_(end), patience_(std::move(patience)), random_(random) {}

  [[nodiscard]] std::string identity() const override {
    json::Writer out;
    return out.begin_object().member("daemon", daemon_.url()).end_object().take();
  }
  Result<void> seek(std::uint64_t position) override {
    if (position > end_) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{} holds {} events only, the interrupted run was at {}",
                                  daemon_.url(),
                                  end_,
                                  position),
                      "checkpoint",
                      "source_changed"});
    }
    after_ = position;
    return {};
  }
  Result<std::optional<delivery::ReplayItem>> next() override {
    while (ready_.empty() && after_ < end_) {
      auto page = ask();
      if (!page) {
        return Failure(page.error());
      }
      for (std::size_t i = 0; i < page->events.size(); ++i) {
        ready_.push_back({.event = std::move(page->events[i]),
                          .position = page->positions[i],
                          .canonical = true});
      }
      const std::uint64_t reached = page->next.value_or(end_);
      after_ = reached > after_ ? reached : end_;
    }
    if (ready_.empty() || ready_.front().position > end_) {
      return std::nullopt;
    }
    delivery::ReplayItem item = std::move(ready_.front());
    ready_.pop_front();
    last_ = item.position;
    return item;
  }
  [[nodiscard]] std::optional<double> share() const override {
    return static_cast<double>(last_) / static_cast<double>(std::max<std::uint64_t>(end_, 1));
  }

 private:
  /// Asks for the next page, again after a while when the daemon cannot answer now.
  Result<events::StoredPage> ask() {
    for (std::uint32_t failures = 0;;) {
      auto page = stored_page(daemon_, {.limit = kPage}, after_);
      if (page) {
        return page;
      }
      const ErrorCode code = page.error().code;
      const bool may_pass = code == ErrorCode::RateLimited || code == ErrorCode::Unavailable ||
                            code == ErrorCode::DeadlineExceeded || is_unreachable(page.error());
      if (!may_pass || ++failures > patience_.retries) {
        return page;
      }
      const auto delay = delivery::next_delay(failures, kRetryBase, kRetryCap, random_);
      if (!patience_.wait(std::max<std::chrono::milliseconds>(delay, page.error().retry_after))) {
        return page;
      }
    }
  }

  Remote& daemon_;
  const std::uint64_t end_;
  ReplayPatience patience_;
  Random& random_;
  std::uint64_t after_ = 0;
  std::uint64_t last_ = 0;
  std::deque<delivery::ReplayItem> ready_;
};

}  // namespace

Result<std::unique_ptr<delivery::ReplaySource>> replay_daemon(Remote& daemon,
                                                              ReplayPatience patience,
                                                              Random& random) {
  const auto newest = stored_page(daemon, {.limit = 1});
  if (!newest) {
    return Failure(newest.error());
  }
  const std::uint64_t end = newest->positions.empty() ? 0 : newest->positions.front();
  return std::make_unique<DaemonSource>(daemon, end, std::move(patience), random);
}

}  // namespace edge::cli
