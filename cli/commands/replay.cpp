// SPDX-License-Identifier: MIT
// Sends events again: from a file, the store, a queue, the dead letters or another daemon to a
// daemon, the local store, a destination or standard output. Paced, deduplicated, and resumable
// after any interruption.
#include "core/delivery/replay.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <thread>

#include "cli/command.h"
#include "cli/commands/replay_ends.h"
#include "cli/commands/replay_history.h"
#include "cli/commands/replay_progress.h"
#include "cli/commands/replay_rehearsal.h"
#include "cli/exit_code.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "cli/typed.h"
#include "core/config/secrets.h"
#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using delivery::ReplayCounts;
using delivery::ReplayOptions;
using delivery::ReplaySummary;
using std::chrono::milliseconds;

/// `max`, `original` or `20x`.
Result<double> speed_of(const std::string& text) {
  if (text == "max" || text == "original") {
    return text == "max" ? 0.0 : 1.0;
  }
  double factor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
  const bool good = error == std::errc{} && std::string_view(end) == "x" && factor > 0;
  return good ? Result<double>(factor)
              : Failure(usage_error("--speed wants max, original or like 10x", "speed"));
}

/// One file per source and target, below the state directory.
std::filesystem::path default_checkpoint(const Call& call) {
  const auto environment = config::process_environment();
  const auto state = environment("XDG_STATE_HOME");
  const std::filesystem::path base =
      state && !state->empty()
          ? std::filesystem::path(*state)
          : std::filesystem::path(environment("HOME").value_or(".")) / ".local" / "state";
  std::error_code ignored;  // a source without a path keeps its name
  const std::string key =
      std::filesystem::absolute(call["from"], ignored).string() + " " + call["to"];
  return base / "edgectl" /
         fmt::format("replay-{}.json", encoding::hex_encode(crypto::sha256(key)).substr(0, 16));
}

Result<ReplayOptions> options_of(const Call& call) {
  ReplayOptions options;
  if (call.flag("resume") && call.flag("restart")) {
    return Failure(usage_error("--resume and --restart exclude each other"));
  }
  if (call.has("rate") && call["speed"] != "max") {
    return Failure(usage_error("--rate and --speed exclude each other"));
  }
  const auto speed = speed_of(call["speed"]);
  if (!speed) {
    return Failure(speed.error());
  }
  for (const char* name : {"limit", "in-flight", "batch", "max-replays", "retries"}) {
    if (call.has(name) && call.integer(name) < (std::string_view(name) == "in-flight" ? 1 : 0)) {
      return Failure(usage_error(fmt::format("--{} is too small", name), name));
    }
  }
  options.speed = *speed;
  if (call.has("where")) {
    auto filter = filter_of(call["where"]);
    if (!filter) {
      return Failure(filter.error());
    }
    options.where = [filter = std::move(*filter), now = call.clock().now()](json::Value event) {
      return filter.takes(event, now);
    };
  }
  options.since = call.has("since") ? std::optional(call.time("since")) : std::nullopt;
  options.until = call.has("until") ? std::optional(call.time("until")) : std::nullopt;
  options.limit = call.has("limit") ? static_cast<std::uint64_t>(call.integer("limit")) : 0;
  options.rate = call.has("rate") ? call.rate("rate").per_second : 0;
  options.in_flight =
      static_cast<std::size_t>(std::min<std::int64_t>(call.integer("in-flight"), 64));
  options.batch = call.has("batch") ? static_cast<std::size_t>(call.integer("batch")) : 0;
  options.dedupe = call.flag("no-dedupe") ? "" : call["dedupe"];
  options.timestamps = call["timestamps"] == "shift" ? ReplayOptions::Timestamps::Shift
                       : call["timestamps"] == "now" ? ReplayOptions::Timestamps::Now
                                                     : ReplayOptions::Timestamps::Keep;
  options.on_error = call["on-error"] == "stop"  ? ReplayOptions::OnError::Stop
                     : call["on-error"] == "dlq" ? ReplayOptions::OnError::Bury
                                                 : ReplayOptions::OnError::Skip;
  options.max_replays = static_cast<std::uint32_t>(call.integer("max-replays"));
  options.retries = static_cast<std::uint32_t>(call.integer("retries"));
  options.checkpoint =
      call.has("checkpoint") ? std::filesystem::path(call["checkpoint"]) : default_checkpoint(call);
  options.resume = call.flag("resume");
  options.restart = call.flag("restart");
  return options;
}

/// Events sent per second, by this run.
double rate_of(const ReplaySummary& summary) {
  const double seconds = std::chrono::duration<double>(summary.duration).count();
  return seconds > 0 ? static_cast<double>(summary.sent_now) / seconds : 0;
}

std::string in_words(const ReplaySummary& summary) {
  const ReplayCounts& counts = summary.counts;
  std::string text = fmt::format("read {} · replayed {} · deduplicated {} · failed {}",
                                 counts.read,
                                 counts.sent,
                                 counts.deduplicated,
                                 counts.failed);
  if (counts.skipped > 0) {
    text += fmt::format(" · skipped {}", counts.skipped);
  }
  if (counts.quarantined > 0) {
    text += fmt::format(" · quarantined {}", counts.quarantined);
  }
  return text + fmt::format(" · {:.1f} s · {:.0f}/s",
                            std::chrono::duration<double>(summary.duration).count(),
                            rate_of(summary));
}

void write_summary(json::Writer& out, const ReplaySummary& summary) {
  const ReplayCounts& counts = summary.counts;
  out.begin_object().member("schema", "edge.replay/1");
  out.member("read", counts.read).member("sent", counts.sent);
  out.member("deduplicated", counts.deduplicated).member("skipped", counts.skipped);
  out.member("failed", counts.failed).member("quarantined", counts.quarantined);
  out.member("durationMs", std::int64_t{summary.duration.count()});
  out.key("rate").number(std::round(rate_of(summary) * 10) / 10);
  out.key("failures").begin_object();
  for (const auto& [reason, count] : summary.failures) {
    out.member(reason, count);
  }
  out.end_object().member("interrupted", summary.interrupted).end_object();
}

/// With everything that was given: another `--where` or `--map` would be another run. Times are
/// those of this run, also where they were given as seen from its start.
void note_continuation(const Call& call, const ReplayOptions& options) {
  std::error_code unreadable;
  if (!std::filesystem::exists(options.checkpoint, unreadable)) {
    return;
  }
  const auto time = [](const std::optional<Time>& at) {
    return at ? events::format_time(*at) : std::string();
  };
  std::vector<std::string> arguments = options_of(call,
                                                  {{"since", time(options.since)},
                                                   {"until", time(options.until)},
                                                   {"checkpoint", options.checkpoint.string()},
                                                   {"restart", ""},
                                                   {"resume", ""}});
  arguments.insert(arguments.begin(), "replay");
  arguments.emplace_back("--resume");
  call.note("continue with: " + as_typed(arguments));
}

Result<int> report(Call& call, const ReplaySummary& summary, const ReplayOptions& options) {
  call.note(in_words(summary));
  if (summary.counts.failed > 0) {
    call.note(fmt::format("{} failed, first: {}", summary.counts.failed, summary.first_failure));
  }
  if (summary.interrupted || summary.stopped) {
    note_continuation(call, options);
  }
  if (call.format() != Format::Table && call["to"] != "-") {
    json::Writer out;
    write_summary(out, summary);
    if (auto printed = call.print(Document{.json = out.take()}); !printed) {
      return printed;
    }
  }
  const int signal = Call::interruption().load();
  if (summary.interrupted) {
    return 128 + signal;
  }
  return summary.counts.failed > 0 || summary.stopped ? exit_code::kPartly : exit_code::kDone;
}

/// An error of the checkpoint is a wrong use of the command.
Error as_usage(Error error) {
  if (error.reason == "checkpoint_unfinished" || error.reason == "checkpoint_missing") {
    return usage_error(error.message, error.field);
  }
  return error;
}

/// Lets the watch see what the options take.
void watch(ReplayOptions& options, HistoryWatch& history) {
  options.where = [takes = std::move(options.where), &history](json::Value event) {
    if (takes && !takes(event)) {
      return false;
    }
    history.see(event);
    return true;
  };
}

void warn(const Call& call, const std::optional<HistoryWatch>& history) {
  if (history && !history->warning().empty()) {
    call.note(history->warning());
  }
}

Result<int> run(Call& call) {
  auto options = options_of(call);
  if (!options) {
    return Failure(options.error());
  }
  const auto& stop = Call::interruption();
  delivery::ReplayHooks hooks;
  hooks.interrupted = [&stop] { return stop.load() != 0; };
  hooks.wait = [&stop, &clock = call.clock()](milliseconds time) {
    const SteadyTime until = clock.steady() + time;
    while (stop.load() == 0 && clock.steady() < until) {
      const auto left = std::chrono::ceil<milliseconds>(until - clock.steady());
      std::this_thread::sleep_for(std::min(left, milliseconds{50}));
    }
    return stop.load() == 0;
  };
  ReplayEnds ends(call, hooks.wait, options->on_error == ReplayOptions::OnError::Bury);
  const auto source = ends.source(call["from"]);
  if (!source) {
    return Failure(source.error());
  }
  const auto target = ends.target(call["to"]);
  if (!target) {
    return Failure(target.error());
  }
  if (options->on_error == ReplayOptions::OnError::Bury) {
    hooks.bury = ends.graveyard(call["to"]);
  }
  auto history = ends.history(call["from"], call["to"]);
  if (history) {
    watch(*options, *history);
  }
  if (call.dry_run()) {
    const auto rehearsed =
        rehearse_replay(call, **source, *options, ends.destinations(call["to"]), hooks);
    warn(call, history);
    return rehearsed ? rehearsed : Failure(as_usage(rehearsed.error()));
  }
  ReplayProgress progress(call);
  hooks.progress = [&](const ReplayCounts& counts) { progress.show(counts, (*source)->share()); };
  hooks.held = [&call](std::size_t events, milliseconds time) {
    call.note(fmt::format("the destination holds {} events back; sent again in {} s",
                          events,
                          std::chrono::ceil<std::chrono::seconds>(time).count()));
  };
  delivery::Replay replay(**source, **target, *options, hooks, call.clock(), call.random());
  const auto summary = replay.run();
  progress.clear();
  warn(call, history);
  if (!summary) {
    const Error error = as_usage(summary.error());
    if (error.reason != kUsageReason && error.field != "checkpoint") {
      note_continuation(call, *options);
    }
    return Failure(error);
  }
  if (auto finished = ends.finish(); !finished) {
    return Failure(finished.error());
  }
  return report(call, *summary, *options);
}

void declare_pace(Command& command) {
  command.option({.name = "where", .value = "EXPR", .help = "only events for which this is true"})
      .option({.name = "since", .value = "TIME", .help = "events from then on", .type = Type::Time})
      .option({.name = "until", .value = "TIME", .help = "events before then", .type = Type::Time})
      .option({.name = "limit",
               .value = "N",
               .help = "at most so many; those passed over do not count",
               .type = Type::Integer})
      .option({.name = "rate", .value = "RATE", .help = "events per time", .type = Type::Rate})
      .option({.name = "speed",
               .value = "SPEED",
               .help = "max, original spacing, or a multiple such as 10x",
               .fallback = "max"})
      .option({.name = "in-flight",
               .value = "N",
               .help = "batches on their way at once",
               .type = Type::Integer,
               .fallback = "8"})
      .option({.name = "batch",
               .value = "N",
               .help = "events per request, 100 when not given; fewer when they are large",
               .type = Type::Integer});
}

void declare_care(Command& command) {
  command
      .option({.name = "dedupe",
               .value = "PTR",
               .help = "what tells events apart",
               .fallback = "/messageId"})
      .flag("no-dedupe", "send repeated events too")
      .option({.name = "timestamps",
               .value = "MODE",
               .help = "times of the events",
               .fallback = "keep",
               .choices = {"keep", "shift", "now"}})
      .option({.name = "max-replays",
               .value = "N",
               .help = "dead letters replayed so often stay",
               .type = Type::Integer,
               .fallback = "5"})
      .option({.name = "on-error",
               .value = "MODE",
               .help = "when the target refuses an event; dlq keeps it as a dead letter of the "
                       "destination",
               .fallback = "skip",
               .choices = {"skip", "stop", "dlq"}})
      .option({.name = "retries",
               .value = "N",
               .help = "after failures of the target",
               .type = Type::Integer,
               .fallback = "3"})
      .option({.name = "checkpoint",
               .value = "FILE",
               .help = "where the state of the run is kept",
               .complete = Complete::Files})
      .flag("resume", "continue an interrupted run")
      .flag("restart", "begin anew although a run is unfinished")
      .flag("keep-dead", "leave dead letters where they are");
}

}  // namespace

void replay(Tree& tree) {
  Command& command = tree.command("replay", "Send events again");
  command.in(Section::Send)
      .about(
          "Sources: a file of JSON lines or CSV (gzipped too), `-`, `store`, `queue:NAME`, `dlq`, "
          "`dlq:NAME` (of a destination or a queue), the "
          "URL of a daemon (its events, with the token of --token-file or `auth login`). "
          "Targets: the URL of a daemon, `local`, `destination:NAME`, `webhook:URL`, `-`. What is "
          "only printed stays where it is.")
      .about(
          "Messages and dead letters of a queue are looked at, not taken: each leaves when its "
          "event is acknowledged, and all others stay as they were. Pause the queue first when "
          "somebody else takes from it.")
      .option({.name = "from",
               .value = "SOURCE",
               .help = "where the events are",
               .required = true,
               .complete = Complete::Files})
      .option({.name = "to", .value = "TARGET", .help = "where they go", .required = true})
      .option({.name = "map",
               .value = "FIELD=COL",
               .help = "the CSV column that fills a field",
               .repeatable = true})
      .option(
          {.name = "write-key", .value = "KEY", .help = "write key of the source at the daemon"});
  declare_pace(command);
  declare_care(command);
  command.changes()
      .example("replay --from events.jsonl --to http://127.0.0.1:9100 --speed 20x",
               "a recorded hour in three minutes")
      .example("replay --from list.csv --to local --map userId=uid", "a table as events")
      .example("replay --from https://events.example.com --to local --where 'userId = u-1'",
               "what another daemon has of one person")
      .example("replay --from store --to destination:crm --since -1h -n",
               "how many of which kind, and how long; nothing is sent")
      .example("replay --from queue:orders --to local", "what waits in a queue, as events")
      .example("replay --from dlq:crm --to destination:crm --rate 50/s", "what failed, gently")
      .output(
          "replay",
          R"({"type":"object","required":["schema","read","sent","deduplicated","skipped",)"
          R"("failed","quarantined","durationMs"],"properties":{"schema":{"const":"edge.replay/1"},"rate":{"type":"number"},)"
          R"("dryRun":{"const":true},"read":{"type":"integer"},"sent":{"type":"integer"},)"
          R"("failed":{"type":"integer"},"toSend":{"type":"integer"},"types":{"type":"object"},)"
          R"("destinations":{"type":"object"},"reasons":{"type":"object"},)"
          R"("failures":{"type":"object"},"first":{"type":"string"},"last":{"type":"string"},)"
          R"("estimatedDurationMs":{"type":"integer"}}})")
      .exits(exit_code::kPartly, "some events were refused")
      .exits(exit_code::kInterrupted, "interrupted; the line to continue is printed")
      .runs(run);
}

}  // namespace edge::cli::commands
