// SPDX-License-Identifier: MIT
// Events and their deliveries as they come: printed, sent on to a program that is being written, or
// waited for.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/event_options.h"
#include "cli/commands/replay_ends.h"
#include "cli/event_follower.h"
#include "cli/exit_code.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "core/delivery/retry.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using std::chrono::milliseconds;
using News = DeliveryFollower::News;

constexpr milliseconds kLook{300};
constexpr std::uint32_t kMostRefusals = 5;
constexpr milliseconds kLongestOutage{5'000};  // between two tries to reach a daemon that is away

std::string member(json::Value event, std::string_view name) {
  const auto value = event.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

Result<std::size_t> positive(const Call& call, std::string_view option) {
  const std::int64_t number = call.integer(option);
  if (number < 0) {
    return Failure(usage_error(fmt::format("--{} is too small", option), std::string(option)));
  }
  return static_cast<std::size_t>(number);
}

/// What `--where` takes; without it every event, as each has a type.
Result<profiles::ObjectFilter> where_of(const Call& call) {
  return filter_of(call.has("where") ? call["where"] : "exists type");
}

void pause_unless_stopped(milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (Call::interruption().load() == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::min<milliseconds>(time, milliseconds{50}));
  }
}

/// Prints and sends on, until it is stopped.
class Tail {
 public:
  Tail(Call& call, StoredEvents& stored) : call_(call), deliveries_(call.clock(), stored) {}

  /// Failure: usage.
  Result<void> forward_to(const std::string& url) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      return Failure(usage_error(fmt::format("--forward-to \"{}\" is no URL", url), "forward-to"));
    }
    auto target = ends_.target("webhook:" + url);
    if (!target) {
      return Failure(target.error());
    }
    url_ = url;
    target_ = std::move(*target);
    return {};
  }

  void take(const std::string& text, bool is_new) {
    const auto event = json::Document::parse(text, json::kEvent);
    const std::string id = member(event->root(), "messageId");
    print(row_of(event->root()), text);
    if (!deliveries_.follow(id) && !std::exchange(is_overrun_, true)) {
      call_.note("more events than can be followed: deliveries of the oldest are not shown");
    }
    if (target_ && is_new) {
      forward(id, text);
    }
  }

  Result<void> tell_deliveries(bool is_last) {
    const auto news = deliveries_.look(is_last);
    if (!news) {
      return Failure(news.error());
    }
    for (const News& one : *news) {
      tell(one);
    }
    return {};
  }

 private:
  /// Time, id, type, who, what.
  using Row = std::array<std::string, 5>;

  static Row row_of(json::Value event) {
    std::string user = member(event, "userId");
    std::string name = member(event, "event");
    return {member(event, "receivedAt"),
            member(event, "messageId"),
            member(event, "type"),
            user.empty() ? member(event, "anonymousId") : std::move(user),
            name.empty() ? member(event, "name") : std::move(name)};
  }

  /// The same columns: time, id, `delivery`, where to, what became of it.
  void tell(const News& news) {
    std::string outcome = news.status;
    outcome += news.attempts > 0 ? fmt::format(", {} attempts", news.attempts) : "";
    outcome += news.reason.empty() ? "" : ", " + news.reason;
    json::Writer out;
    out.begin_object().key("delivery").begin_object();
    out.member("messageId", news.message_id).member("destination", news.destination);
    out.member("status", news.status);
    if (news.attempts > 0) {
      out.member("attempts", news.attempts);
    }
    if (!news.reason.empty()) {
      out.member("reason", news.reason);
    }
    const std::string record = out.end_object().end_object().take();
    if (has_selected(record)) {
      print({events::format_time(call_.clock().now()),
             news.message_id,
             "delivery",
             news.destination,
             std::move(outcome)},
            record);
    }
  }

  /// Whether `--select` leaves something of a record.
  [[nodiscard]] bool has_selected(const std::string& record) const {
    const auto& select = call_.layout().select;
    const auto document = json::Document::parse(record, json::kEvent);
    return select.empty() || std::ranges::any_of(select, [&](const std::string& pointer) {
             return document->root().at_pointer(pointer).has_value();
           });
  }

  /// One line, at once.
  void print(const Row& row, const std::string& record) {
    const Format format = call_.format();
    if (!call_.layout().select.empty()) {
      return print_rendered({.name = "events", .records = {record}});
    }
    if (format == Format::Table) {
      return call_.out().line(
          fmt::format("{}  {}  {:<8}  {}  {}", row[0], row[1], row[2], row[3], row[4]));
    }
    if (format != Format::Csv && format != Format::Tsv) {
      return call_.out().line(record);
    }
    static constexpr std::array<Column, 5> kColumns = {
        {{"received", "/0"}, {"message", "/1"}, {"type", "/2"}, {"user", "/3"}, {"event", "/4"}}};
    json::Writer cells;
    cells.begin_array();
    for (const std::string& cell : row) {
      cells.string(cell);
    }
    Listing listing{.name = "events", .columns = {kColumns.begin(), kColumns.end()}};
    if (!std::exchange(has_header_, true)) {
      print_rendered(listing);
    }
    listing.records.push_back(cells.end_array().take());
    print_rendered(listing, true);
  }

  /// `is_continued`: without the line of headings.
  void print_rendered(const Listing& listing, bool is_continued = false) {
    const auto text = render(listing, call_.layout());
    if (!text || text->empty()) {
      return;
    }
    std::string_view lines = *text;
    lines.remove_suffix(1);
    lines.remove_prefix(is_continued ? lines.find('\n') + 1 : 0);
    call_.out().line(lines);
  }

  /// Once; who was not there sees the next one.
  void forward(const std::string& id, const std::string& event) {
    delivery::ReplayItem item{.event = event, .canonical = true};
    const auto sent = target_->send({&item, 1});
    std::string problem = sent ? sent->front() : sent.error().message;
    tell({.message_id = id,
          .destination = url_,
          .status = problem.empty() ? "delivered" : "failed",
          .reason = std::move(problem)});
  }

  Call& call_;
  DeliveryFollower deliveries_;
  ReplayEnds ends_{call_, {}};
  std::unique_ptr<delivery::ReplayTarget> target_;
  std::string url_;
  bool is_overrun_ = false;
  bool has_header_ = false;  // csv and tsv begin with it
};

/// Goes on after a daemon was away. Failure: it is no outage.
class Outage {
 public:
  Outage(Call& call, StoredEvents& stored) : call_(call), stored_(stored) {}

  void over() {
    if (failures_ > 0) {
      call_.note("the daemon answers again");
    }
    failures_ = refusals_ = 0;
  }
  Result<void> wait(const Error& error) {
    const bool is_away = is_unreachable(error) || error.code == ErrorCode::Unavailable ||
                         error.code == ErrorCode::RateLimited ||
                         error.code == ErrorCode::DeadlineExceeded;
    // The credential was good before: a daemon that was started anew, perhaps between two looks,
    // wants another one, which it writes a little later.
    const bool is_changed = error.code == ErrorCode::Unauthenticated;
    refusals_ = is_changed ? refusals_ + 1 : 0;
    if (!stored_.is_remote() || (!is_away && !is_changed) || refusals_ > kMostRefusals) {
      return Failure(error);
    }
    if (failures_++ == 0) {
      call_.note(fmt::format("{}; trying again", error.message));
    }
    const std::uint32_t tries = is_changed ? refusals_ : failures_;
    pause_unless_stopped(std::max<milliseconds>(
        delivery::nominal_delay(tries, kLook, kLongestOutage), error.retry_after));
    if (is_changed) {
      stored_.reconnect();
    }
    return {};
  }

 private:
  Call& call_;
  StoredEvents& stored_;
  std::uint32_t failures_ = 0;
  std::uint32_t refusals_ = 0;  // of the credential, in a row
};

Result<int> tail(Call& call) {
  const auto count = positive(call, "number");
  auto filter = where_of(call);
  if (!count || !filter) {
    return Failure(count ? filter.error() : count.error());
  }
  const bool follows = !call.flag("no-follow");
  if (!follows && call.has("forward-to")) {
    return Failure(
        usage_error("--forward-to sends what comes, --no-follow waits for nothing; replay sends "
                    "what is there"));
  }
  StoredEvents stored(call);
  Tail tail(call, stored);
  if (call.has("forward-to")) {
    if (auto ready = tail.forward_to(call["forward-to"]); !ready) {
      return Failure(ready.error());
    }
  }
  const auto& stop = Call::interruption();
  EventFollower follower(call, stored, std::move(*filter));
  const auto present = follower.present(*count);
  if (!present) {
    return Failure(present.error());
  }
  for (const std::string& event : *present) {
    tail.take(event, false);
  }
  if (!follows) {
    const auto told = tail.tell_deliveries(true);
    return told ? Result<int>(0) : Failure(told.error());
  }
  Outage outage(call, stored);
  while (stop.load() == 0) {
    const auto fresh = follower.fresh();
    for (std::size_t i = 0; fresh && i < fresh->size(); ++i) {
      tail.take((*fresh)[i], true);
    }
    const auto told = fresh ? tail.tell_deliveries(false) : Failure(fresh.error());
    if (told) {
      outage.over();
      pause_unless_stopped(fresh->empty() ? kLook : milliseconds{0});
    } else if (auto waited = outage.wait(told.error()); !waited) {
      return Failure(waited.error());
    }
  }
  return 128 + stop.load();
}

Result<int> wait(Call& call) {
  const auto count = positive(call, "count");
  auto filter = where_of(call);
  if (!count || !filter) {
    return Failure(count ? filter.error() : count.error());
  }
  const auto& stop = Call::interruption();
  const auto until = std::chrono::steady_clock::now() + call.duration("timeout");
  StoredEvents stored(call);
  EventFollower follower(call,
                         stored,
                         std::move(*filter),
                         call.has("since") ? call.time("since") : call.clock().now());
  auto met = follower.present(std::numeric_limits<std::size_t>::max());
  while (met && met->size() < *count && stop.load() == 0 &&
         std::chrono::steady_clock::now() < until) {
    auto fresh = follower.fresh();
    if (!fresh) {
      return Failure(fresh.error());
    }
    std::ranges::move(*fresh, std::back_inserter(*met));
    if (met->size() < *count) {
      pause_unless_stopped(
          std::clamp(std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()),
                     milliseconds{0},
                     kLook));
    }
  }
  if (!met) {
    return Failure(met.error());
  }
  const bool is_met = met->size() >= *count;
  if (!is_met) {
    call.note(fmt::format("{} of {} events came", met->size(), *count));
  }
  met->resize(std::min(met->size(), *count));
  const auto printed = call.print(Listing{.schema = "edge.events/1",
                                          .name = "events",
                                          .columns = {{"received", "/receivedAt"},
                                                      {"type", "/type"},
                                                      {"event", "/event"},
                                                      {"user", "/userId"},
                                                      {"message", "/messageId"}},
                                          .records = std::move(*met)});
  return !printed || is_met ? printed : Result<int>(stop.load() != 0 ? 128 + stop.load() : 1);
}

}  // namespace

void events_tail(Tree& tree) {
  with_filter(with_choice(tree.command("events tail", "Print events and deliveries as they come")),
              "those received from then on")
      .about(
          "One line per event and per delivery of it, with the message id; as JSON lines a "
          "delivery is an object with the one member delivery. With --select a delivery is left "
          "out unless it has something there, as at /delivery/status. When the daemon is away, it "
          "is tried again "
          "and continues behind the last event.")
      .option({.name = "number",
               .letter = 'N',
               .value = "N",
               .help = "so many of the newest first",
               .type = Type::Integer,
               .fallback = "20"})
      .flag("no-follow", "only those that are there")
      .option({.name = "forward-to",
               .value = "URL",
               .help = "post each event that comes there, as a webhook destination does"})
      .example("events tail --event Purchase", "until Ctrl-C")
      .example("events tail --no-follow --format jsonl", "the newest 20 as JSON lines")
      .example("events tail -N 0 --forward-to http://127.0.0.1:3000/hook",
               "feed a receiver that is being written")
      .exits(exit_code::kInterrupted, "interrupted, as it has no other end")
      .see("edgectl replay")
      .runs(tail);
  with_filter(with_choice(tree.command("events wait", "Wait until events have come")),
              "those received from then on; default: the start of the command")
      .about("--timeout is how long to wait, by default 10s.")
      .option({.name = "count",
               .value = "N",
               .help = "so many",
               .type = Type::Integer,
               .fallback = "1"})
      .example("events wait --where 'event = \"purchase\"' --since -10s --timeout 10s",
               "in a test of a shop")
      .output("events", kEventsSchema)
      .exits(1, "not so many came in time")
      .runs(wait);
}

}  // namespace edge::cli::commands
