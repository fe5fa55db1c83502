// SPDX-License-Identifier: MIT
// Built-in sample events: for trying a destination, a segment or a dashboard without an
// application.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/commands/sample_events.h"
#include "cli/commands/sending.h"
#include "cli/set_pointer.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMostEvents = 1'000'000;
constexpr milliseconds kTick{50};

Result<int> list(Call& call) {
  Listing listing{.schema = "edge.fixtures/1",
                  .name = "fixtures",
                  .columns = {{"name", "/name"}, {"what", "/what"}}};
  for (const Fixture& fixture : fixtures()) {
    json::Writer out;
    out.begin_object().member("name", fixture.name).member("what", fixture.help).end_object();
    listing.records.push_back(out.take());
  }
  return call.print(listing);
}

/// What the options ask for.
struct Order {
  const Fixture& fixture;
  std::uint64_t people;
  std::vector<KeyValue> changes;
  std::unique_ptr<Random> random;

  /// The next event.
  [[nodiscard]] Result<json::Document> next() const {
    const std::uint64_t visitor = 1 + random->below(people);
    auto event = json::Document::parse(fixture.make(*random, visitor), json::kEvent);
    for (const KeyValue& change : changes) {
      auto changed = event ? set_at_pointer(event->root(), change.key, change.json)
                           : Result<std::string>(Failure(event.error()));
      event = changed ? json::Document::parse(*changed, json::kEvent)
                      : Result<json::Document>(Failure(changed.error()));
    }
    if (event && !event->root().is_object()) {
      return Failure(usage_error("--set must leave an object", "set"));
    }
    return event;
  }
};

Result<Order> order_of(Call& call) {
  const auto fixture = std::ranges::find(fixtures(), call["FIXTURE"], &Fixture::name);
  if (fixture == fixtures().end()) {
    return Failure(usage_error("give the name of a fixture, or --list", "FIXTURE"));
  }
  if (call.integer("count") < 1 || call.integer("count") > kMostEvents) {
    return Failure(
        usage_error(fmt::format("--count must be a number from 1 to {}", kMostEvents), "count"));
  }
  if (call.integer("distinct-users") < 1) {
    return Failure(usage_error("--distinct-users must be at least 1", "distinct-users"));
  }
  auto changes = call.pairs("set");
  if (!changes) {
    return Failure(changes.error());
  }
  std::unique_ptr<Random> random = std::make_unique<SystemRandom>();
  if (call.has("seed")) {
    random = std::make_unique<SeededRandom>(static_cast<std::uint64_t>(call.integer("seed")));
  }
  return Order{*fixture,
               static_cast<std::uint64_t>(call.integer("distinct-users")),
               std::move(*changes),
               std::move(random)};
}

/// Waits for the turn of event number `number`. False when interrupted.
bool wait_turn(const Call& call, std::int64_t number, SteadyTime begun) {
  const auto& stop = Call::interruption();
  const auto due =
      begun + std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(
                  static_cast<double>(number) / call.rate("rate").per_second));
  while (stop.load() == 0 && call.clock().steady() < due) {
    const auto left = std::chrono::ceil<milliseconds>(due - call.clock().steady());
    std::this_thread::sleep_for(std::min(left, kTick));
  }
  return stop.load() == 0;
}

Result<int> print_events(Call& call, const Order& order) {
  for (std::int64_t i = 0; i < call.integer("count"); ++i) {
    const auto event = order.next();
    if (!event) {
      return Failure(event.error());
    }
    call.out().line(event->root().raw());
  }
  return exit_code::kDone;
}

Result<void> send_events(Call& call, const Order& order, Sender& sender) {
  const auto& stop = Call::interruption();
  const SteadyTime begun = call.clock().steady();
  for (std::int64_t i = 0; i < call.integer("count") && stop.load() == 0; ++i) {
    if (call.has("rate") && !wait_turn(call, i, begun)) {
      break;
    }
    const auto event = order.next();
    auto sent = event ? sender.add(event->root()) : Result<void>(Failure(event.error()));
    if (sent && call.has("rate")) {
      sent = sender.flush();
    }
    if (!sent) {
      return sent;
    }
  }
  return {};
}

Result<int> run(Call& call) {
  if (call.flag("list")) {
    return list(call);
  }
  const auto order = order_of(call);
  if (!order) {
    return Failure(order.error());
  }
  if (call.flag("print")) {
    return print_events(call, *order);
  }
  Sender sender(call);
  auto sent = send_events(call, *order, sender);
  if (const auto finished = sender.finish(); sent && !finished) {
    sent = finished;
  }
  if (!sent) {
    return Failure(sent.error());
  }
  const int signal = Call::interruption().load();
  auto printed = print_report(call, sender.report());
  return signal == 0 ? printed : Result<int>(128 + signal);
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const Fixture& fixture : fixtures()) {
    all.push_back(fixture.name);
  }
  return all;
}

}  // namespace

void trigger(Tree& tree) {
  tree.command("trigger", "Send built-in sample events")
      .in(Section::Send)
      .positional({.name = "FIXTURE", .help = "kind of event", .choices = names()})
      .flag("list", "list the fixtures")
      .option({.name = "count",
               .value = "N",
               .help = "how many events",
               .type = Type::Integer,
               .fallback = "1"})
      .option({.name = "rate", .value = "RATE", .help = "events per time", .type = Type::Rate})
      .option({.name = "set",
               .value = "PTR=VALUE",
               .help = "change what a JSON pointer names in every event",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "distinct-users",
               .value = "N",
               .help = "the events are of so many people",
               .type = Type::Integer,
               .fallback = "1"})
      .option({.name = "seed",
               .value = "N",
               .help = "draw the same people and values again",
               .type = Type::Integer})
      .flag("print", "print the events, one JSON line each, and send nothing")
      .option(kWriteKey)
      .changes()
      .about(
          "Prints the message ids. These are new in every run, also with --seed: sending again "
          "stores again.")
      .example("trigger --list", "what there is")
      .example("trigger purchase --count 200 --rate 20/s --distinct-users 50 --seed 1",
               "ten seconds of orders of fifty people")
      .example("trigger purchase --set /properties/plan:='\"pro\"' --print", "look before sending")
      .output("fixtures",
              R"({"type":"object","required":["schema","fixtures"],"properties":{"schema":)"
              R"({"const":"edge.fixtures/1"},"fixtures":{"type":"array"}}})")
      .exits(exit_code::kBadInput, "every event was refused")
      .exits(exit_code::kPartly, "some events were refused")
      .see("edgectl send")
      .runs(run);
}

}  // namespace edge::cli::commands
