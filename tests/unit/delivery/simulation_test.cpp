// SPDX-License-Identifier: MIT
// Many random lives of a forwarder: answers of all kinds, commits that fail, restarts at any
// moment. Whatever happens, nothing vanishes and nothing is sent twice without a reason.
#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;

struct Life {
  explicit Life(std::uint64_t seed) : dice(seed) {
    bench.http.follow(
        [this](const transport::OutgoingRequest& request) { return answer(request); });
  }

  Result<transport::IncomingResponse> answer(const transport::OutgoingRequest& request) {
    const std::string body = request.body;
    const auto id = body.substr(body.find("messageId\":\"") + 12, 4);
    switch (calm ? 9 : dice.below(12)) {
      case 0:
        return Failure({ErrorCode::Unavailable, "", "", "connection_lost"});
      case 1:
        return transport::IncomingResponse{.status = 500};
      case 2:
        return transport::IncomingResponse{.status = 408};
      case 3:
        return transport::IncomingResponse{.status = 400};
      case 4:
        return transport::IncomingResponse{.status = 429, .headers = {{"retry-after", "3"}}};
      case 5:
        return transport::IncomingResponse{.status = 401};
      default:
        ++accepted[id];
        order.push_back(id);
        return transport::IncomingResponse{.status = 200};
    }
  }

  SeededRandom dice;
  DeliveryBench bench{R"({"retry":{"probeMs":1000,"capMs":4000}})"};
  bool calm = false;
  std::map<std::string, int> accepted;
  std::vector<std::string> order;
};

std::string event_id(int number) {
  return std::to_string(1000 + number);
}

TEST_CASE("every event is delivered or dead, whatever happens", "[delivery]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Life life(seed);
    auto forwarder = life.bench.forwarder();
    int appended = 0;
    int lost_outcomes = 0;
    for (int round = 0; round < 60; ++round) {
      for (auto n = life.dice.below(4); n > 0; --n) {
        life.bench.append(event_id(appended), "u" + std::to_string(appended % 3));
        ++appended;
      }
      const bool refuses = life.dice.below(6) == 0;
      if (refuses) {
        life.bench.store.refuse_commits(Error{ErrorCode::Unavailable, "full", "", "full"});
      }
      forwarder->work();
      life.bench.store.refuse_commits(std::nullopt);
      if (life.dice.below(5) == 0) {
        forwarder = life.bench.forwarder();  // a crash: what was not stored is forgotten
        lost_outcomes += refuses ? 1 : 0;
      }
      life.bench.clock.advance(std::chrono::milliseconds{life.dice.below(3000)});
    }
    life.calm = true;
    for (int i = 0; i < 400 && forwarder->status()->pending > 0; ++i) {
      life.bench.clock.advance(2s);
      forwarder->work();
    }

    const auto status = forwarder->status();
    CHECK(status->pending == 0);
    CHECK(life.bench.rows().empty());
    CHECK(status->delivered + status->dead == appended);
    std::set<std::string> dead;
    for (const DeadLetter& letter : life.bench.dead()) {
      dead.insert(letter.event.substr(letter.event.find("messageId\":\"") + 12, 4));
    }
    int repeated = 0;
    for (int i = 0; i < appended; ++i) {
      const int times = life.accepted[event_id(i)];
      CHECK(times + static_cast<int>(dead.count(event_id(i))) >= 1);
      repeated += times > 1 ? times - 1 : 0;
    }
    std::map<int, std::vector<std::string>> by_user;
    for (const std::string& id : life.order) {
      auto& ids = by_user[(std::stoi(id) - 1000) % 3];
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
        ids.push_back(id);
      }
    }
    for (const auto& [user, ids] : by_user) {
      CHECK(std::is_sorted(ids.begin(), ids.end()));
    }
    CHECK(repeated <= lost_outcomes);  // one request in flight on the calling thread
  }
}

TEST_CASE("dead letters that are handed back leave only when they are delivered", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  bench.append("b", "u1");
  bench.http.follow(test::ScriptedHttp::answering(400));
  const auto forwarder = bench.forwarder();
  forwarder->work();
  CHECK(bench.dead().size() == 2);
  CHECK(forwarder->status()->dead == 2);

  CHECK(bench.letters.retry(LetterQuery{.destination = "hook"})->replayed == 2);
  CHECK(bench.letters.retry(LetterQuery{})->replayed == 0);  // they wait already
  forwarder->rows_changed();
  CHECK(forwarder->status()->dead == 2);
  forwarder->work();
  CHECK(bench.dead().size() == 2);
  CHECK(bench.dead()[0].replays == 1);
  CHECK_FALSE(bench.dead()[0].replaying);

  bench.http.follow(test::ScriptedHttp::answering(200));
  CHECK(bench.letters.retry(Ids{bench.dead()[1].id})->replayed == 1);
  forwarder->rows_changed();
  forwarder->work();
  REQUIRE(bench.dead().size() == 1);
  CHECK(forwarder->status()->dead == 1);
  CHECK(forwarder->status()->delivered == 1);
  CHECK(forwarder->status()->pending == 0);
}

TEST_CASE("a letter that was replayed too often stays", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  bench.http.follow(test::ScriptedHttp::answering(400));
  const auto forwarder = bench.forwarder();
  forwarder->work();
  for (int i = 0; i < 5; ++i) {
    CHECK(bench.letters.retry(LetterQuery{})->replayed == 1);
    forwarder->rows_changed();
    forwarder->work();
  }

  const auto result = bench.letters.retry(LetterQuery{});

  CHECK(result->replayed == 0);
  CHECK(result->quarantined == 1);
}

TEST_CASE("dead letters are listed newest first in pages and expire after 14 days", "[delivery]") {
  DeliveryBench bench;
  bench.http.follow(test::ScriptedHttp::answering(404));
  const auto forwarder = bench.forwarder();
  for (int i = 0; i < 5; ++i) {
    bench.append("e" + std::to_string(i), "u");
    forwarder->work();
    bench.clock.advance(1s);
  }

  const auto first = bench.letters.list({.destination = "hook", .limit = 2});
  REQUIRE(first->items.size() == 2);
  REQUIRE(first->next);
  const auto second =
      bench.letters.list({.reason = "http_404", .cursor = *first->next, .limit = 5});

  CHECK(first->items[0].event.find("\"e4\"") != std::string::npos);
  CHECK(second->items.size() == 3);
  CHECK_FALSE(second->next);
  CHECK(*bench.letters.count({}) == 5);
  CHECK(bench.letters.list({.reason = "gone"})->items.empty());
  REQUIRE(bench.letters.erase(first->items[0].id, DeadLetters::Leaving::Discarded));
  CHECK(bench.letters.erase(first->items[0].id, DeadLetters::Leaving::Discarded).error().code ==
        ErrorCode::NotFound);
  CHECK(bench.letters.find("nonsense").error().code == ErrorCode::NotFound);
  bench.clock.advance(14 * 24h);
  CHECK(bench.dead().empty());
}

}  // namespace
}  // namespace edge::delivery
