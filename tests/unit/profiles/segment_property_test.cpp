// SPDX-License-Identifier: MIT
// Random segments over random events, late and early ones, with restarts: after every step, and at
// every instant at which anything can change, the incremental evaluation says what a full one says.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "core/base/random.h"
#include "tests/unit/profiles/segment_oracle.h"
#include "tests/unit/profiles/segment_run.h"

namespace edge {
namespace {

constexpr std::int64_t kStart = 1'770'000'000'000;
constexpr std::int64_t kHour = 3'600'000;  // all times and spans are whole hours

/// Makes definitions and events; every choice comes from the seed.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  template <std::size_t N>
  std::string one_of(const std::array<const char*, N>& words) {
    return words[below(N)];
  }

  std::string window() {
    switch (below(5)) {
      case 0:
        return "";
      case 1: {
        const auto to = 1 + below(4);
        return fmt::format(R"(,"between":["{}h","{}h"])", to + 1 + below(6), to);
      }
      case 2:
        return fmt::format(R"(,"since":{},"until":{})",
                           kStart + static_cast<std::int64_t>(below(10)) * kHour,
                           kStart + static_cast<std::int64_t>(10 + below(20)) * kHour);
      default:
        return fmt::format(R"(,"within":"{}h")", 1 + below(8));
    }
  }

  std::string number_match() {
    static constexpr std::array kMatches = {"exact", "ne", "gt", "ge", "lt", "le"};
    return fmt::format(R"("match":"{}","value":{})", one_of(kMatches), below(5));
  }

  std::string event_leaf() {
    static constexpr std::array kNames = {"A", "B", "*"};
    std::string where = below(4) == 0 ? fmt::format(R"(,"where":{{"name":"x",{}}})", number_match())
                                      : std::string();
    const std::string head =
        fmt::format(R"({{"type":"event","event":"{}"{}{})", one_of(kNames), window(), where);
    if (below(2) == 0) {
      return head + fmt::format(R"(,"count":{{{}}}}})", number_match());
    }
    static constexpr std::array kFunctions = {
        "sum", "avg", "min", "max", "unique", "first", "last"};
    return head + fmt::format(R"(,"aggregate":{{"fn":"{}","property":"x",{}}}}})",
                              one_of(kFunctions),
                              number_match());
  }

  std::string sequence() {
    std::string steps;
    static constexpr std::array kNames = {"A", "B", "C"};
    const auto count = 1 + below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      steps += fmt::format(R"({}{{"event":"{}"}})", i == 0 ? "" : ",", one_of(kNames));
    }
    if (below(2) == 0) {
      steps += fmt::format(R"(,{{"not":{{"event":"{}"}}}})", one_of(kNames));
    }
    return fmt::format(
        R"({{"type":"sequence","steps":[{}],"max":"{}h"{}}})", steps, 1 + below(5), window());
  }

  std::string leaf(std::size_t place) {
    static constexpr std::array kRecency = {"lt", "le", "gt", "ge"};
    static constexpr std::array kTimes = {
        "within_last", "within_next", "older_than", "beyond_next"};
    switch (below(9)) {
      case 0:
        return fmt::format(R"({{"type":"recency","event":"{}","match":"{}","value":"{}h"}})",
                           below(2) == 0 ? "A" : "*",
                           one_of(kRecency),
                           below(7));
      case 1:
      case 2:
        return sequence();
      case 3:
        return fmt::format(R"({{"name":"plan",{}}})", number_match());
      case 4:
        return fmt::format(
            R"({{"name":"when","match":"{}","value":"{}h"}})", one_of(kTimes), below(6));
      case 5:
        return fmt::format(R"({{"type":"profile","name":"{}",{}}})",
                           below(2) == 0 ? "daysSinceFirstSeen" : "daysSinceLastSeen",
                           number_match());
      case 6:
        if (place > 0) {
          return fmt::format(R"({{"type":"segment","name":"s{}"}})", below(place));
        }
        [[fallthrough]];
      default:
        return event_leaf();
    }
  }

  std::string tree(std::size_t place, int depth) {
    if (depth == 0 || below(3) == 0) {
      return leaf(place);
    }
    if (below(4) == 0) {
      return fmt::format(R"(["not",{}])", tree(place, depth - 1));
    }
    return fmt::format(R"(["{}",{},{}])",
                       below(2) == 0 ? "and" : "or",
                       tree(place, depth - 1),
                       tree(place, depth - 1));
  }

  std::string event(std::int64_t now) {
    // Mostly now, sometimes late, sometimes from a clock that is ahead.
    std::int64_t at = now;
    if (below(3) == 0) {
      at -= static_cast<std::int64_t>(below(6)) * kHour;
    } else if (below(8) == 0) {
      at += static_cast<std::int64_t>(below(3)) * kHour;
    }
    const std::string head = fmt::format(R"({{"messageId":"m","userId":"u","timestamp":"{}",)",
                                         events::format_time(from_ms(at)));
    if (below(6) == 0) {
      return head + fmt::format(R"("type":"identify","traits":{{"plan":{},"when":"{}"}}}})",
                                below(5),
                                events::format_time(from_ms(
                                    now + (static_cast<std::int64_t>(below(12)) - 4) * kHour)));
    }
    static constexpr std::array kNames = {"A", "B", "C"};
    static constexpr std::array kValues = {"0", "1.5", "2", "3", "\"text\"", "null"};
    return head + fmt::format(R"("type":"track","event":"{}","properties":{{"x":{}}}}})",
                              one_of(kNames),
                              one_of(kValues));
  }

 private:
  SeededRandom random_;
};

std::string definitions(Maker& maker) {
  std::string all = "[";
  for (std::size_t i = 0; i < 3; ++i) {
    all += fmt::format(
        R"({}{{"name":"s{}","conditions":{}}})", i == 0 ? "" : ",", i, maker.tree(i, 2));
  }
  return all + "]";
}

/// Plays one scenario; the first difference as text, else empty.
std::string difference(std::uint64_t seed) {
  Maker maker(seed);
  const auto written = json::Document::parse(definitions(maker), json::kEvent);
  std::vector<profiles::Definition> list;
  for (const json::Value one : written->root().elements()) {
    list.push_back(profiles::read_definition(one).value());
  }
  test::SegmentOracle oracle(list);
  test::SegmentRun run(test::rulebook(written->root()));
  std::map<std::string, bool> members;
  std::size_t used = 0;
  std::int64_t now = kStart;
  const auto check = [&](std::int64_t at) -> std::string {
    for (; used < run.transitions.size() && to_ms(run.transitions[used].at) <= at; ++used) {
      members[run.transitions[used].segment] = run.transitions[used].entered;
    }
    for (const profiles::Definition& definition : list) {
      const bool expected = oracle.is_member(definition.name, *run.profile(), from_ms(at));
      if (members[definition.name] != expected) {
        return fmt::format("seed {}: {} is {} {} h after the start, full evaluation says {}\n{}",
                           seed,
                           definition.name,
                           members[definition.name],
                           static_cast<double>(at - kStart) / static_cast<double>(kHour),
                           expected,
                           written->text());
      }
    }
    return {};
  };
  for (int step = 0; step < 14; ++step) {
    const std::int64_t before = now;
    now += static_cast<std::int64_t>(maker.below(step == 10 ? 40 : 4)) * kHour;
    run.step(from_ms(now), "");
    // Things change at full hours or, at the upper side of `le`, one millisecond later.
    for (std::int64_t at = before; step > 0 && at < now; at += kHour) {
      for (const std::int64_t instant : {at, at + 1, at + kHour - 1}) {
        if (auto found = check(instant); !found.empty()) {
          return found;
        }
      }
    }
    if (step > 0) {
      if (auto found = check(now); !found.empty()) {
        return found;
      }
    }
    const std::string event = maker.event(now);
    oracle.add(event);
    run.step(from_ms(now), event);
    if (maker.below(5) == 0) {
      run.restart();
    }
    if (auto found = check(now); !found.empty()) {
      return found;
    }
  }
  return {};
}

/// Whether counters that got the events in two parts, and were then joined, say what one that got
/// all of them says.
std::string merge_difference(std::uint64_t seed) {
  Maker maker(seed);
  const std::string text = maker.below(2) == 0 ? maker.event_leaf() : maker.sequence();
  const auto written = json::Document::parse(text, json::kEvent);
  const profiles::Leaf leaf = profiles::read_conditions(written->root())->leaf;
  profiles::Counter whole;
  std::array<profiles::Counter, 2> parts;
  std::int64_t now = kStart;
  for (std::uint64_t i = 1; i < 40; ++i) {
    now += static_cast<std::int64_t>(maker.below(2)) * kHour;
    const auto event = events::Event::decode(maker.event(now));
    profiles::feed(whole, leaf, *event, i, from_ms(now));
    profiles::feed(parts[maker.below(2)], leaf, *event, i, from_ms(now));
  }
  profiles::merge(parts[0], parts[1], leaf, from_ms(now));
  for (std::int64_t at = now; at < now + 20 * kHour; at += kHour) {
    if (evaluate(parts[0], leaf, from_ms(at)).truth != evaluate(whole, leaf, from_ms(at)).truth) {
      return fmt::format("seed {}: {}", seed, text);
    }
  }
  return {};
}

std::uint64_t runs(std::uint64_t usual) {
  const char* const given = std::getenv("EDGE_SEGMENT_RUNS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : usual;
}

}  // namespace

TEST_CASE("incremental and full evaluation of segments agree at every instant", "[segments]") {
  const std::uint64_t count = runs(3'000);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const std::string found = difference(seed);
    if (!found.empty()) {
      FAIL(found);
    }
  }
  SUCCEED(count << " scenarios");
}

TEST_CASE("counters of merged profiles say what one counter says", "[segments]") {
  const std::uint64_t count = runs(3'000);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const std::string found = merge_difference(seed);
    if (!found.empty()) {
      FAIL(found);
    }
  }
  SUCCEED(count << " scenarios");
}

}  // namespace edge
