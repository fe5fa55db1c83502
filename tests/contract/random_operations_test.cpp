// SPDX-License-Identifier: MIT
// The engine against the model: the same random operations on both must give the same answers. The
// seed is printed; a failing run is repeated with EDGE_CONTRACT_SEED, a longer one is asked for
// with EDGE_CONTRACT_OPS.
#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
using storage::Batch;
using storage::Key;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Makes operations from a seed and compares what the two stores answer.
class Comparison {
 public:
  Comparison(std::uint64_t seed, std::uint64_t operations)
      : random_(seed),
        engine_("sqlite", {.roll_after = 20min}),
        model_(engine_.clock),
        step_ms_(8 * 3'600'000 / operations) {}

  void step() {
    engine_.clock.advance(std::chrono::milliseconds{below(2 * step_ms_ + 1)});
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return commit(log_batch());
      case 3:
      case 4:
      case 5:
        return commit(state_batch());
      case 6:
        return take();
      case 7:
        return look_up();
      case 8:
        return read();
      default:
        return below(400) == 0 ? engine_.reopen() : list();
    }
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  Key key() {
    return {
        below(2) == 0 ? "one" : "two", fmt::format("p{}", below(2)), fmt::format("k{}", below(12))};
  }
  std::string text() { return std::string(below(40), static_cast<char>('a' + below(26))); }
  std::int64_t time() {
    return to_ms(engine_.clock.store_now()) + static_cast<std::int64_t>(below(10 * step_ms_ + 1));
  }

  Batch log_batch() {
    Batch batch;
    for (std::uint64_t appends = 1 + below(2); appends > 0; --appends) {
      storage::Append append{
          .stream = below(5) == 0 ? "rooms" : "events", .lane = 0, .unique = below(10) != 0};
      for (std::uint64_t records = below(100) == 0 ? 150 : below(6); records > 0; --records) {
        append.records.push_back({.source = below(2) == 0 ? "web" : "app",
                                  .id = fmt::format("id{}", below(4'000)),
                                  .at = static_cast<std::int64_t>(below(1'000)),
                                  .kind = static_cast<std::uint32_t>(below(3)),
                                  .routes = below(8),
                                  .user = fmt::format("u{}", below(5)),
                                  .name = fmt::format("n{}", below(3)),
                                  .body = text()});
      }
      batch.appends.push_back(std::move(append));
    }
    batch.token = token(1);
    return batch;
  }

  storage::Token token(std::uint8_t domain) {
    return below(10) == 0 ? storage::Token{domain, static_cast<std::uint8_t>(below(20))}
                          : storage::Token{};
  }

  Batch state_batch() {
    Batch batch;
    for (std::uint64_t n = below(3); n > 0; --n) {
      const auto entry = *model_.get(key(), soon());
      const Key checked = key();
      const auto present = *model_.get(checked, soon());
      batch.checks.push_back({checked, below(8) == 0 ? below(50) : present ? present->version : 0});
    }
    for (std::uint64_t n = below(4); n > 0; --n) {
      batch.puts.push_back(
          {key(), below(3) == 0 ? std::to_string(below(100)) : text(), below(3) == 0 ? time() : 0});
    }
    if (below(3) == 0) {
      batch.dels.push_back({key()});
    }
    for (std::uint64_t n = below(2); n > 0; --n) {
      batch.adds.push_back(
          {key(), static_cast<std::int64_t>(below(9)) - 4, below(4) == 0 ? time() : 0});
    }
    for (std::uint64_t n = below(3); n > 0; --n) {
      batch.dues.push_back(
          {queue(), time(), text(), below(2) == 0 ? "" : fmt::format("o{}", below(3)), text()});
    }
    for (std::uint64_t n = below(3); n > 0 && !taken_.empty(); --n) {
      const auto& [queue, due] = taken_[below(taken_.size())];
      using Outcome = storage::Settle::Outcome;
      const auto outcome = std::array{Outcome::Retry, Outcome::Move, Outcome::Done}.at(below(3));
      batch.settles.push_back({queue,
                               due.at,
                               due.number,
                               due.lease,
                               outcome,
                               time(),
                               below(2) == 0 ? "" : text(),
                               this->queue(),
                               below(2) == 0 ? "" : text()});
    }
    if (below(4) == 0) {
      batch.advances.push_back(
          {"c", "events", 0, {below(100), {{below(9), below(9)}}, below(20) == 0 ? 1U : 0U}});
    }
    batch.token = token(2);
    return batch;
  }

  std::string queue() { return below(2) == 0 ? "mail" : "sms"; }

  void commit(const Batch& batch) {
    const auto expected = model_.commit(batch, soon());
    const auto actual = engine_->commit(batch, soon());
    INFO((actual ? "" : actual.error().message));
    REQUIRE(actual.has_value() == expected.has_value());
    if (expected) {
      REQUIRE(*actual == *expected);
    } else {
      REQUIRE(actual.error().reason == expected.error().reason);
      REQUIRE(actual.error().field == expected.error().field);
    }
  }

  void take() {
    const storage::Take query{.queue = queue(),
                              .limit = below(5),
                              .lease_for = std::chrono::milliseconds{below(4 * step_ms_)}};
    const auto expected = *model_.take(query, soon());
    REQUIRE(*engine_->take(query, soon()) == expected);
    for (const storage::Due& due : expected) {
      taken_.emplace_back(query.queue, due);
    }
    if (taken_.size() > 50) {
      taken_.erase(taken_.begin(), taken_.begin() + 25);
    }
  }

  void list() {
    storage::List query{.queue = queue(), .limit = 1 + below(20)};
    if (below(2) == 0) {
      query.order_key = below(3) == 0 ? "" : fmt::format("o{}", below(3));
    }
    const auto expected = *model_.list(query, soon());
    const auto actual = *engine_->list(query, soon());
    REQUIRE(actual.items == expected.items);
    REQUIRE(actual.next == expected.next);
    REQUIRE(engine_->size(query.queue) == model_.size(query.queue));
    REQUIRE(*engine_->later(query.queue, soon()) == *model_.later(query.queue, soon()));
    REQUIRE(*engine_->position("c", "events", 0, soon()) ==
            *model_.position("c", "events", 0, soon()));
  }

  void look_up() {
    const std::vector<Key> keys{key(), key(), key()};
    REQUIRE(*engine_->get(keys, soon()) == *model_.get(keys, soon()));
    const Key from = key();
    const storage::Scan scan{
        from.space, from.part, below(2) == 0 ? from.key : "", "", 1 + below(15), below(2) == 0};
    const auto expected = *model_.scan(scan, soon());
    const auto actual = *engine_->scan(scan, soon());
    REQUIRE(actual.items == expected.items);
    REQUIRE(actual.next == expected.next);
  }

  void read() {
    const char* stream = below(3) == 0 ? "rooms" : "events";
    const std::uint64_t head = model_.head(stream, 0);
    REQUIRE(engine_->head(stream, 0) == head);
    const storage::Read query{
        .stream = stream, .after = below(head + 2), .max_records = 1 + below(20)};
    const auto expected = *model_.read(query, soon());
    const auto actual = *engine_->read(query, soon());
    // A slice may end early at the border of two volumes; what there is must be the same.
    REQUIRE(actual.records.size() <= expected.records.size());
    REQUIRE(actual.records.empty() == expected.records.empty());
    for (std::size_t i = 0; i < actual.records.size(); ++i) {
      REQUIRE(*actual.records[i] == *expected.records[i]);
    }
    find(stream);
  }

  void find(const char* stream) {
    storage::Find query{.stream = stream, .limit = 1 + below(8)};
    query.user = below(2) == 0 ? "" : fmt::format("u{}", below(5));
    query.name = below(3) == 0 ? fmt::format("n{}", below(3)) : "";
    query.id = below(4) == 0 ? fmt::format("id{}", below(4'000)) : "";
    query.since = below(3) == 0 ? static_cast<std::int64_t>(below(1'000)) : 0;
    query.before = below(2) == 0 ? 0 : below(model_.head(stream, 0) + 2);
    const auto expected = *model_.find(query, soon());
    const auto actual = *engine_->find(query, soon());
    REQUIRE(actual.records.size() == expected.records.size());
    REQUIRE(actual.next.has_value() == expected.next.has_value());
    for (std::size_t i = 0; i < actual.records.size(); ++i) {
      REQUIRE(*actual.records[i] == *expected.records[i]);
    }
  }

  SeededRandom random_;
  Subject engine_;
  MemoryStore model_;
  const std::uint64_t step_ms_;
  std::vector<std::pair<std::string, storage::Due>> taken_;
};

}  // namespace

TEST_CASE("random operations give the same answers as the model", "[storage]") {
  const std::uint64_t seed =
      from_environment("EDGE_CONTRACT_SEED", Catch::rngSeed() != 0 ? Catch::rngSeed() : 1);
  const std::uint64_t operations = from_environment("EDGE_CONTRACT_OPS", 20'000);
  fmt::print("contract: {} random operations, EDGE_CONTRACT_SEED={}\n", operations, seed);
  Comparison comparison(seed, operations);

  for (std::uint64_t i = 0; i < operations; ++i) {
    INFO("operation " << i << ", seed " << seed);
    comparison.step();
  }
}
