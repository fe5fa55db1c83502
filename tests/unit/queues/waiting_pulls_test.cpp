// SPDX-License-Identifier: MIT
#include "core/queues/waiting_pulls.h"

#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "tests/unit/queues/post_office.h"

using namespace edge;
using namespace edge::queues;
using namespace std::chrono_literals;

namespace {

using Pulled = Result<std::vector<Delivery>>;

/// A pull that waits, and its answer.
struct Waiter {
  std::promise<Pulled> promise;
  std::future<Pulled> answer = promise.get_future();

  WaitingPulls::Done done() {
    return [this](Pulled pulled) { promise.set_value(std::move(pulled)); };
  }
};

/// The thread that answers.
struct Answering {
  explicit Answering(WaitingPulls& pulls)
      : thread([&pulls](const std::stop_token& stop) { pulls.run(stop); }) {}
  std::jthread thread;
};

}  // namespace

TEST_CASE("a pull that waits gets what is sent meanwhile, the longest waiting first", "[queues]") {
  PostOffice office("sqlite");
  WaitingPulls pulls(*office.queues, office.subject.clock);
  Waiter first;
  Waiter second;
  REQUIRE(pulls.add(office.mail(), {.batch_size = 1}, 20s, first.done()));
  REQUIRE(pulls.add(office.mail(), {.batch_size = 1}, 20s, second.done()));
  const Answering answering(pulls);

  office.send({"a"});
  const Pulled a = first.answer.get();
  CHECK(pulls.waiting() <= 1);
  office.send({"b"});
  const Pulled b = second.answer.get();

  REQUIRE(a);
  CHECK(PostOffice::bodies(*a) == std::vector<std::string>{"a"});
  REQUIRE(b);
  CHECK(PostOffice::bodies(*b) == std::vector<std::string>{"b"});
}

TEST_CASE("a pull that waits in vain, on a paused or a deleted queue is told so", "[queues]") {
  PostOffice office("sqlite");
  WaitingPulls pulls(*office.queues, office.subject.clock);
  const Answering answering(pulls);
  Waiter vain;
  REQUIRE(pulls.add(office.mail(), {}, 1s, vain.done()));
  office.subject.clock.advance(1s);
  CHECK(vain.answer.get().value().empty());

  Waiter paused;
  office.set({.delivery_paused = true});
  REQUIRE(pulls.add(office.mail(), {}, 20s, paused.done()));
  CHECK(paused.answer.get().error().reason == "queue_delivery_paused");

  Waiter deleted;
  office.set({});
  REQUIRE(pulls.add(office.mail(), {}, 20s, deleted.done()));
  REQUIRE(office.queues->table.remove(office.mail()->id));
  CHECK(deleted.answer.get().error().reason == "queue_not_found");
}

TEST_CASE("a delay that ends and a stop end waiting too", "[queues]") {
  PostOffice office("sqlite");
  WaitingPulls pulls(*office.queues, office.subject.clock);
  Waiter delayed;
  Waiter stopped;
  {
    const Answering answering(pulls);
    office.send({"later"}, 5);
    REQUIRE(pulls.add(office.mail(), {.batch_size = 1}, 20s, delayed.done()));
    office.subject.clock.advance(5s);
    CHECK(delayed.answer.get().value().size() == 1);
    REQUIRE(pulls.add(office.mail(), {}, 20s, stopped.done()));
  }

  CHECK(stopped.answer.get().value().empty());
}

TEST_CASE("no pull waits once the daemon ends", "[queues]") {
  PostOffice office;
  WaitingPulls pulls(*office.queues, office.subject.clock);
  pulls.is_ending = [] { return true; };
  Waiter waiter;
  REQUIRE(pulls.add(office.mail(), {}, 20s, waiter.done()));
  const Answering answering(pulls);

  CHECK(waiter.answer.get().value().empty());
}

TEST_CASE("only so many pulls wait", "[queues]") {
  PostOffice office;
  WaitingPulls pulls(*office.queues, office.subject.clock);
  for (std::size_t i = 0; i < WaitingPulls::kMost; ++i) {
    REQUIRE(pulls.add(office.mail(), {}, 1s, [](const Pulled&) {}));
  }

  CHECK(!pulls.add(office.mail(), {}, 1s, [](const Pulled&) {}));
}
