// SPDX-License-Identifier: MIT
#include "cli/commands/replay_rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "core/base/id.h"
#include "core/delivery/preview.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

using Tally = std::map<std::string, std::uint64_t>;
using std::chrono::milliseconds;

/// Counts what it is sent. One thread only: it is given one batch at a time.
class CountingTarget final : public delivery::ReplayTarget {
 public:
  CountingTarget(const std::function<std::vector<std::string>(const events::Event&)>& destinations,
                 const Clock& clock,
                 Random& random)
      : destinations_(destinations), clock_(clock), ids_(random) {}

  [[nodiscard]] std::size_t max_batch() const override { return 500; }

  Result<std::vector<std::string>> send(std::span<delivery::ReplayItem> items) override {
    std::vector<std::string> failures;
    for (const delivery::ReplayItem& item : items) {
      const auto text = item.canonical ? Result<std::string>(item.event)
                                       : delivery::canonical_text(item.event, clock_.now(), ids_);
      const auto event =
          text ? events::Event::decode(*text) : Result<events::Event>(Failure(text.error()));
      // A letter that cannot be read stays a letter: a refusal would count as a replay of it.
      failures.push_back(event || !item.letter.empty() ? "" : reason_of(event.error()));
      if (event) {
        count(item, *event);
      }
    }
    return failures;
  }

  std::uint64_t taken = 0;
  Tally by_type = {};
  Tally by_destination = {};
  Tally by_reason = {};
  std::optional<Time> begin = {};  // of the first one, from which a pace counts
  std::optional<Time> first = {};
  std::optional<Time> last = {};

 private:
  void count(const delivery::ReplayItem& item, const events::Event& event) {
    ++taken;
    ++by_type[std::string(events::name_of(event.type()))];
    if (!item.letter.empty()) {
      ++by_destination[item.destination];
      ++by_reason[item.reason];
    } else {
      for (const std::string& id : destinations_(event)) {
        ++by_destination[id];
      }
    }
    const auto document = json::Document::parse(item.event, json::kEvent);
    if (const auto time = document ? delivery::time_of(document->root()) : std::nullopt) {
      begin = begin.value_or(*time);
      first = std::min(first.value_or(*time), *time);
      last = std::max(last.value_or(*time), *time);
    }
  }

  const std::function<std::vector<std::string>(const events::Event&)>& destinations_;
  const Clock& clock_;
  Ids ids_;
};

/// How long the pace makes it; nothing when only the target's speed counts.
std::optional<milliseconds> estimate(const delivery::ReplayOptions& options,
                                     const CountingTarget& target) {
  double ms = -1;
  if (options.rate > 0) {
    ms = static_cast<double>(std::max<std::uint64_t>(target.taken, 1) - 1) * 1000 / options.rate;
  }
  if (options.speed > 0 && target.begin) {
    ms = std::max(ms, static_cast<double>((*target.last - *target.begin).count()) / options.speed);
  }
  return ms < 0 ? std::nullopt : std::optional(milliseconds{std::llround(ms)});
}

void write_tally(json::Writer& out, const char* name, const Tally& tally) {
  out.key(name).begin_object();
  for (const auto& [key, count] : tally) {
    out.member(key, count);
  }
  out.end_object();
}

std::string lines_of(std::string_view title, const Tally& tally) {
  std::string text;
  for (const auto& [key, count] : tally) {
    text += fmt::format("{}\t{}\t{}\n", title, key, count);
  }
  return text;
}

}  // namespace

Result<int> rehearse_replay(
    Call& call,
    delivery::ReplaySource& source,
    const delivery::ReplayOptions& options,
    const std::function<std::vector<std::string>(const events::Event&)>& destinations,
    delivery::ReplayHooks hooks) {
  CountingTarget target(destinations, call.clock(), call.random());
  delivery::ReplayOptions quick = options;
  quick.rehearsal = true;
  quick.rate = quick.speed = 0;
  quick.in_flight = 1;
  quick.timestamps = delivery::ReplayOptions::Timestamps::Keep;
  hooks.progress = [](const delivery::ReplayCounts&) {};
  delivery::Replay replay(source, target, quick, std::move(hooks), call.clock(), call.random());
  const auto summary = replay.run();
  if (!summary) {
    return Failure(summary.error());
  }
  if (summary->interrupted) {
    return 128 + Call::interruption().load();
  }
  const delivery::ReplayCounts& counts = summary->counts;
  const auto duration = estimate(options, target);
  json::Writer out;
  out.begin_object().member("schema", "edge.replay/1").member("dryRun", true);
  out.member("read", counts.read).member("sent", 0);
  out.member("toSend", target.taken);
  out.member("deduplicated", counts.deduplicated).member("skipped", counts.skipped);
  out.member("failed", counts.failed).member("quarantined", counts.quarantined);
  out.member("durationMs", 0).member("rate", 0);
  write_tally(out, "types", target.by_type);
  write_tally(out, "destinations", target.by_destination);
  write_tally(out, "reasons", target.by_reason);
  write_tally(out, "failures", summary->failures);
  std::string human = fmt::format(
      "{} read, {} to send, {} repeated, {} not chosen, {} replayed too often, {} cannot be sent\n",
      counts.read,
      target.taken,
      counts.deduplicated,
      counts.skipped,
      counts.quarantined,
      counts.failed);
  human += lines_of("type", target.by_type) + lines_of("destination", target.by_destination) +
           lines_of("reason", target.by_reason) + lines_of("cannot be sent", summary->failures);
  if (target.first) {
    const std::string first = events::format_time(*target.first);
    const std::string last = events::format_time(*target.last);
    out.member("first", first).member("last", last);
    human += fmt::format("{} to {}\n", first, last);
  }
  if (duration) {
    out.member("estimatedDurationMs", std::int64_t{duration->count()});
    human += fmt::format("takes about {:.1f} s at that pace\n",
                         static_cast<double>(duration->count()) / 1000);
  } else {
    human += "takes as long as the target needs: neither --rate nor --speed is given\n";
  }
  return call.print(Document{.json = out.end_object().take(), .human = std::move(human)});
}

}  // namespace edge::cli
