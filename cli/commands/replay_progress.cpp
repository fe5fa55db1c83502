// SPDX-License-Identifier: MIT
#include "cli/commands/replay_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "cli/bar.h"
#include "cli/terminal.h"

namespace edge::cli {
namespace {

using delivery::ReplayCounts;
using std::chrono::milliseconds;

constexpr std::size_t kCells = 11;
constexpr milliseconds kRedraw{100};
constexpr milliseconds kPlain{30'000};
constexpr milliseconds kPatience{500};

std::uint64_t passed_over(const ReplayCounts& counts) {
  return counts.skipped + counts.deduplicated + counts.quarantined;
}

std::uint64_t settled(const ReplayCounts& counts) {
  return counts.sent + counts.failed + passed_over(counts);
}

/// How many there are: as many as were read, in proportion; never more than `--limit` and those
/// passed over.
std::uint64_t total_of(const Call& call, const ReplayCounts& counts, std::optional<double> share) {
  const double all = share && *share > 0 ? static_cast<double>(counts.read) / *share : 0;
  const auto total = static_cast<std::uint64_t>(std::llround(all));
  const auto limit =
      call.has("limit") ? static_cast<std::uint64_t>(call.integer("limit")) : std::uint64_t{0};
  const std::uint64_t most = limit + passed_over(counts);
  return limit > 0 && (total == 0 || most < total) ? most : total;
}

std::string drawn(double share, bool ascii) {
  const auto cells = static_cast<std::size_t>(share * static_cast<double>(kCells));
  std::string text;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    text += cell < cells    ? (ascii ? "#" : "━")
            : cell == cells ? (ascii ? ">" : "╸")
                            : (ascii ? "-" : "─");
  }
  return text;
}

}  // namespace

ReplayProgress::ReplayProgress(const Call& call)
    : call_(call),
      terminal_(call["progress"] == "always" ||
                (call["progress"] == "auto" && is_terminal(STDERR_FILENO))),
      silent_(call.quiet() || call["progress"] == "never"),
      begun_(call.clock().steady()),
      last_(begun_) {}

void ReplayProgress::show(const ReplayCounts& counts, std::optional<double> share) {
  const SteadyTime now = call_.clock().steady();
  if (!sent_before_) {
    sent_before_ = counts.sent;
    begun_ = now;
  }
  const milliseconds pause = !terminal_ ? kPlain : drawn_ ? kRedraw : kPatience;
  if (silent_ || now - last_ < pause) {
    return;
  }
  last_ = now;
  fmt::print(stderr,
             "{}{}{}",
             terminal_ ? "\r" : "",
             line(counts, share, now),
             terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
  drawn_ = terminal_;
}

void ReplayProgress::clear() const {
  if (drawn_) {
    fmt::print(stderr, "\r\x1b[K");
  }
}

std::string ReplayProgress::line(const ReplayCounts& counts,
                                 std::optional<double> share,
                                 SteadyTime now) const {
  const std::uint64_t done = settled(counts);
  const std::uint64_t total = std::max(total_of(call_, counts, share), done);
  const bool is_known = share || call_.has("limit");
  const double part = total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const double rate = seconds > 0 ? static_cast<double>(counts.sent - *sent_before_) / seconds : 0;
  std::string text = "replay ";
  text += is_known ? fmt::format("{} {:.0f} %  {}/{}",
                                 drawn(part, call_.flag("ascii")),
                                 std::floor(part * 100),
                                 spaced(done),
                                 spaced(total))
                   : spaced(done);
  text += fmt::format("  {:.0f}/s  {} failed", rate, counts.failed);
  if (is_known && rate > 0) {
    text += fmt::format("  eta {:.0f}s", std::ceil(static_cast<double>(total - done) / rate));
  }
  return text;
}

}  // namespace edge::cli
