// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/unit/queues/post_office.h"

using namespace edge;
using namespace edge::queues;
using namespace std::chrono_literals;

using Texts = std::vector<std::string>;

TEST_CASE("messages come out in the order they went in, with what they are", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  const std::int64_t sent_at = to_ms(office.subject.clock.now());

  const Backlog after = office.send({"a", "b"});
  office.subject.clock.advance(1s);
  office.send({"c"});
  office.reopen();
  const auto pulled = office.pull();

  CHECK(after == Backlog{2, 2, sent_at});
  REQUIRE(PostOffice::bodies(pulled) == Texts{"a", "b", "c"});
  CHECK(pulled[0].message.id.size() == 32);
  CHECK(pulled[0].message.type == ContentType::Text);
  CHECK(pulled[0].message.timestamp == sent_at);
  CHECK(pulled[2].message.timestamp == sent_at + 1'000);
  CHECK(pulled[0].message.attempts == 1);
  CHECK(office.pull().empty());
}

TEST_CASE("a pull gives at most what it is asked for", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send(Texts(7, "x"));

  CHECK(office.pull(5).size() == 5);
  CHECK(office.pull(5).size() == 2);
}

TEST_CASE("acknowledged messages are gone, also for the counters and after a restart", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a", "bb", "ccc"});
  const auto pulled = office.pull();

  const Settled settled = office.ack({pulled[0].lease, pulled[2].lease});
  office.reopen();

  CHECK(settled.acked == 2);
  CHECK(settled.warnings.empty());
  CHECK(office.backlog().count == 1);
  CHECK(office.backlog().bytes == 2);
  CHECK(office.recount() == std::pair<std::uint64_t, std::uint64_t>{1, 2});
  office.subject.clock.advance(30s);
  CHECK(PostOffice::bodies(office.pull()) == Texts{"bb"});
}

TEST_CASE("the more particular delay wins, also when it is 0", "[queues]") {
  PostOffice office;
  office.set({.delivery_delay = 100});
  using Delay = std::optional<std::int64_t>;
  const auto [message, batch, expected] =
      GENERATE(table<Delay, Delay, std::int64_t>({{std::nullopt, std::nullopt, 100},
                                                  {std::nullopt, 20, 20},
                                                  {std::nullopt, 0, 0},
                                                  {7, 20, 7},
                                                  {0, 20, 0},
                                                  {0, std::nullopt, 0}}));

  REQUIRE(office.queues->send(office.mail(),
                              {.messages = {{.body = "x", .delay = message}}, .delay = batch}));

  if (expected > 0) {
    office.subject.clock.advance(std::chrono::seconds(expected) - 1ms);
    CHECK(office.pull().empty());
    office.subject.clock.advance(1ms);
  }
  CHECK(office.pull().size() == 1);
}

TEST_CASE("a lease that ends is a failed delivery", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a"});
  const auto first = office.pull(1, 10s);
  office.subject.clock.advance(9'999ms);
  CHECK(office.pull().empty());
  office.subject.clock.advance(1ms);

  const auto second = office.pull(1, 10s);

  REQUIRE(second.size() == 1);
  CHECK(second[0].message.attempts == 2);
  CHECK(second[0].message.id == first[0].message.id);
  CHECK(second[0].lease != first[0].lease);
}

TEST_CASE("a message that fails once more than it may be retried goes to the dead letters",
          "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.consume({.max_retries = 2, .dead_letter_queue = "graves"});
  const bool by_retry = GENERATE(true, false);
  office.send({"a"});
  const std::int64_t sent_at = to_ms(office.subject.clock.now());
  std::string id;
  for (std::uint32_t delivery = 1; delivery <= 3; ++delivery) {
    const auto pulled = office.pull(1, 10s);
    REQUIRE(pulled.size() == 1);
    CHECK(pulled[0].message.attempts == delivery);
    id = pulled[0].message.id;
    if (by_retry) {
      CHECK(office.retry(pulled[0].lease).retried == 1);
    } else {
      office.subject.clock.advance(10s);
    }
  }

  CHECK(office.pull().empty());
  office.reopen();

  CHECK(office.backlog().count == 0);
  CHECK(office.recount().first == 0);
  CHECK(office.backlog("graves").count == 1);
  const auto letters = office.queues->pull(office.mail("graves"), {}).value();
  REQUIRE(letters.size() == 1);
  const Message& letter = letters[0].message;
  CHECK(letter.id == id);
  CHECK(letter.body == "a");
  CHECK(letter.type == ContentType::Text);
  CHECK(letter.timestamp == sent_at);
  CHECK(letter.attempts == 1);
  CHECK(letter.source == "mail");
  CHECK(letter.dead_attempts == 3);
  REQUIRE(office.losses.size() == 1);
  CHECK(office.losses[0].reason == "dead_lettered");
  CHECK(office.queues->standing(office.mail())->dead == 1);
}

TEST_CASE("without a dead-letter queue it is dropped, and that is told", "[queues]") {
  PostOffice office;
  office.consume({.max_retries = 0});
  office.send({"a", "b"});
  const auto pulled = office.pull(2, 10s);
  CHECK(office.retry(pulled[0].lease).retried == 1);
  office.subject.clock.advance(10s);

  CHECK(office.pull().empty());

  CHECK(office.recount().first == 0);
  REQUIRE(office.losses.size() == 2);
  CHECK(office.losses[1].reason == "retries");
  CHECK(office.registry.text().find(
            R"(edge_queue_dropped_total{queue="mail",reason="retries"} 2)") != std::string::npos);
}

TEST_CASE("a retry comes back after its delay, else after the consumer's", "[queues]") {
  PostOffice office;
  office.consume({.retry_delay = 50});
  using Delay = std::optional<std::int64_t>;
  const auto [given, expected] =
      GENERATE(table<Delay, std::int64_t>({{std::nullopt, 50}, {8, 8}, {0, 0}}));
  office.send({"a"});

  CHECK(office.retry(office.pull()[0].lease, given).retried == 1);

  if (expected > 0) {
    CHECK(office.queues->standing(office.mail())->delayed == 1);
    office.subject.clock.advance(std::chrono::seconds(expected) - 1ms);
    CHECK(office.pull().empty());
    office.subject.clock.advance(1ms);
  }
  CHECK(office.pull()[0].message.attempts == 2);
}

TEST_CASE("an ack after the lease counts as long as the message is there", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a", "b", "c", "d"});
  const auto first = office.pull(4, 10s);
  office.subject.clock.advance(10s);
  CHECK(office.ack({first[0].lease}).acked == 1);  // not delivered again yet
  const auto again = office.pull(4, 10s);
  REQUIRE(PostOffice::bodies(again) == Texts{"b", "c", "d"});
  CHECK(office.ack({first[1].lease}).acked == 1);  // delivered again, not acknowledged
  CHECK(office.ack({again[1].lease}).acked == 1);
  CHECK(office.retry(again[2].lease, 5).retried == 1);
  CHECK(office.ack({first[3].lease}).acked == 1);  // waits for its retry

  const Settled late = office.ack({first[2].lease, again[0].lease});

  CHECK(late.acked == 0);
  CHECK(late.warnings.size() == 2);
  CHECK(office.backlog().count == 0);
  CHECK(office.recount().first == 0);
}

TEST_CASE("what cannot be settled is a warning and changes nothing", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  REQUIRE(office.queues->table.create("other", {}));
  office.send({"a", "b"});
  const auto pulled = office.pull();
  std::string forged = pulled[0].lease;
  forged[10] = forged[10] == 'A' ? 'B' : 'A';
  const std::string ref = office.queues->peek(office.mail(), {})->messages.at(0).ref;

  const Settled settled = office.ack({forged, "", "no lease", ref});
  const Settled elsewhere =
      office.queues->settle(office.mail("other"), {.acks = {pulled[0].lease}}).value();
  const Settled twice = office.ack({pulled[1].lease, pulled[1].lease});
  const Settled over = office.retry(pulled[1].lease);

  CHECK(settled.acked == 0);
  CHECK(settled.warnings.size() == 4);
  CHECK(elsewhere.acked == 0);
  CHECK(elsewhere.warnings.size() == 1);
  CHECK(twice.acked == 1);
  CHECK(twice.warnings.size() == 1);
  CHECK(over.retried == 0);
  CHECK(over.warnings.size() == 1);
  CHECK(office.backlog().count == 1);
  CHECK(office.ack({pulled[0].lease}).acked == 1);
}

TEST_CASE("leases outlive a restart", "[queues]") {
  PostOffice office("sqlite");
  office.send({"a"});
  const auto pulled = office.pull();

  office.reopen();

  CHECK(office.ack({pulled[0].lease}).acked == 1);
}

TEST_CASE("too old messages are never delivered, shown or kept", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.set({.retention = 60});
  office.send({"old"});
  office.send({"late"}, 90);
  office.subject.clock.advance(59s);
  office.send({"new"});
  CHECK(office.queues->peek(office.mail(), {})->messages.size() == 3);
  CHECK(office.queues->sweep() == 0);
  office.subject.clock.advance(1s);

  CHECK(office.queues->peek(office.mail(), {})->messages.size() == 1);
  CHECK(office.queues->sweep() == 1);
  CHECK(office.backlog().count == 2);
  office.subject.clock.advance(31s);
  CHECK(PostOffice::bodies(office.pull()) == Texts{"new"});
  CHECK(office.backlog().count == 1);
  REQUIRE(office.losses.size() == 2);
  CHECK(office.losses[0].reason == "retention");
}

TEST_CASE("a dead letter is kept from the moment it became one", "[queues]") {
  PostOffice office;
  REQUIRE(office.queues->table.create("graves", {.retention = 60}));
  office.consume({.max_retries = 0, .dead_letter_queue = "graves"});
  office.send({"a"});
  office.subject.clock.advance(100s);
  REQUIRE(office.retry(office.pull()[0].lease).retried == 1);
  office.subject.clock.advance(59s);

  CHECK(office.queues->peek(office.mail("graves"), {})->messages.size() == 1);
  office.subject.clock.advance(1s);
  CHECK(office.queues->peek(office.mail("graves"), {})->messages.empty());
}

TEST_CASE("while paused nothing is delivered, and sending goes on", "[queues]") {
  PostOffice office;
  office.set({.delivery_paused = true});
  office.send({"a"});

  const auto refused = office.queues->pull(office.mail(), {});

  REQUIRE(!refused);
  CHECK(refused.error().reason == "queue_delivery_paused");
  CHECK(office.queues->has_due(office.mail()) == false);
  office.set({});
  CHECK(office.queues->has_due(office.mail()) == true);
  CHECK(office.pull().size() == 1);
}

TEST_CASE("who is posted to is not pulled from", "[queues]") {
  PostOffice office;
  office.consume({.type = Consumer::Type::Worker, .url = "https://example.com/"});

  const auto refused = office.queues->pull(office.mail(), {});

  REQUIRE(!refused);
  CHECK(refused.error().reason == "push_consumer");
}

TEST_CASE("a peek leases nothing, and its refs purge", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a", "b", "c"});
  const auto seen = office.queues->peek(office.mail(), {}).value().messages;
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].message.attempts == 0);
  const auto pulled = office.pull(1);
  REQUIRE(pulled[0].message.attempts == 1);

  const auto warnings =
      office.queues
          ->purge(office.mail(), {seen[0].ref, seen[1].ref, pulled[0].lease, "none", seen[1].ref})
          .value();

  CHECK(warnings.size() == 4);
  CHECK(warnings.contains(seen[0].ref));  // delivered meanwhile
  CHECK(office.backlog().count == 2);
  CHECK(PostOffice::bodies(office.pull()) == Texts{"c"});
}

TEST_CASE("a purge takes what is there at once, leases too, and nothing that comes later",
          "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send(Texts(20, "x"));
  const auto pulled = office.pull(3);
  CHECK(office.queues->is_purged(office.mail()) == true);

  REQUIRE(office.queues->table.purge(office.mail()->id));
  office.send({"new"});
  office.reopen();

  CHECK(office.backlog().count == 1);
  CHECK(office.ack({pulled[0].lease}).warnings.size() == 1);
  CHECK(PostOffice::bodies(office.pull()) == Texts{"new"});
  CHECK(office.queues->is_purged(office.mail()) == false);
  CHECK(office.queues->sweep() == 20);
  CHECK(office.queues->is_purged(office.mail()) == true);
  CHECK(office.backlog().count == 1);
}

TEST_CASE("sends from many threads are all there, and counted", "[queues]") {
  PostOffice office("sqlite");
  {
    std::vector<std::jthread> senders;
    for (int sender = 0; sender < 4; ++sender) {
      senders.emplace_back([&office] {
        for (int i = 0; i < 25; ++i) {
          static_cast<void>(office.queues->send(office.mail(), {.messages = {{.body = "1"}}}));
        }
      });
    }
    // Changes of settings disturb nobody.
    for (int i = 0; i < 10; ++i) {
      office.set({.retention = 1'000 + i});
    }
  }

  CHECK(office.backlog().count == 100);
  CHECK(office.recount() == std::pair<std::uint64_t, std::uint64_t>{100, 100});
  std::set<std::string> ids;
  for (const Delivery& delivery : office.pull()) {
    ids.insert(delivery.message.id);
  }
  CHECK(ids.size() == 100);
}

TEST_CASE("a send to a queue that was deleted meanwhile finds none", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  const QueuePointer old = office.mail();
  REQUIRE(office.queues->table.remove(old->id));

  const auto sent = office.queues->send(old, {.messages = {{.body = "1"}}});

  REQUIRE(!sent);
  CHECK(sent.error().reason == "queue_not_found");
  CHECK(office.subject->size(due_queue(*old)).items == 0);
}

TEST_CASE("what the store refuses is not sent", "[queues]") {
  PostOffice office("memory");
  auto& store = dynamic_cast<test::MemoryStore&>(*office.subject);
  store.refuse_commits(Error{ErrorCode::Unavailable, "busy", "", "unavailable"});

  const auto sent = office.queues->send(office.mail(), {.messages = {{.body = "1"}}});

  REQUIRE(!sent);
  CHECK(sent.error().reason == "unavailable");
  store.refuse_commits({});
  CHECK(office.backlog().count == 0);
}

TEST_CASE("the bounds of a send hold for every caller", "[queues]") {
  PostOffice office;
  const auto reason = [&](SendRequest request) {
    return office.queues->send(office.mail(), std::move(request)).error().reason;
  };
  const auto of_size = [](std::size_t octets) {
    return NewMessage{.body = std::string(octets, '1')};
  };

  CHECK(reason({.messages = {of_size(128'001)}}) == "message_too_large");
  CHECK(reason({.messages = {of_size(128'000), of_size(128'000), of_size(1)}}) ==
        "batch_too_large");
  CHECK(reason({.messages = std::vector<NewMessage>(101, of_size(1))}) == "too_many_messages");
  CHECK(office.queues->send(office.mail(), {.messages = {of_size(128'000), of_size(128'000)}}));
}

TEST_CASE("a peek goes on behind its page, and shows what is ready when asked", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a", "b", "c", "d"});
  office.send({"later"}, 60);
  REQUIRE(office.pull(1).size() == 1);
  const auto texts = [](const PeekPage& page) {
    Texts all;
    for (const Peeked& peeked : page.messages) {
      all.push_back(peeked.message.body);
    }
    return all;
  };

  const PeekPage first = office.queues->peek(office.mail(), {.batch_size = 2}).value();
  const PeekPage rest = office.queues->peek(office.mail(), {.cursor = first.next}).value();
  const PeekPage ready = office.queues->peek(office.mail(), {.ready = true}).value();

  CHECK(texts(first) == Texts{"b", "c"});
  CHECK(texts(rest) == Texts{"d", "a", "later"});
  CHECK(rest.next.empty());
  CHECK(texts(ready) == Texts{"b", "c", "d"});
  CHECK(office.queues->peek(office.mail(), {.cursor = "x"}).error().reason == "bad_cursor");
}

TEST_CASE("dead letters go back to the queue they come from, as new", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.set({.retention = 60});
  office.consume({.max_retries = 0, .dead_letter_queue = "graves"});
  CHECK(office.queues->revive(office.mail()) == 0);
  office.send({"a", "b"});
  for (const Delivery& delivery : office.pull()) {
    REQUIRE(office.retry(delivery.lease).retried == 1);
  }
  REQUIRE(office.queues->send(office.mail("graves"), {.messages = {{.body = "\"own\""}}}));
  office.subject.clock.advance(100s);

  CHECK(office.queues->revive(office.mail()) == 2);
  CHECK(office.queues->revive(office.mail()) == 0);

  CHECK(office.backlog("graves").count == 1);
  const auto pulled = office.pull();
  CHECK(PostOffice::bodies(pulled) == Texts{"a", "b"});
  CHECK(pulled.at(0).message.attempts == 1);
  CHECK(pulled.at(0).message.source.empty());
}

TEST_CASE("how a queue stands is counted by what its messages wait for", "[queues]") {
  PostOffice office(GENERATE("memory", "sqlite"));
  office.send({"a", "b", "c"});
  office.send({"later"}, 60);
  REQUIRE(office.pull(2).size() == 2);

  const Standing standing = office.queues->standing(office.mail()).value();

  CHECK(standing.ready == 1);
  CHECK(standing.in_flight == 2);
  CHECK(standing.delayed == 1);
  CHECK(standing.backlog.count == 4);
  CHECK(office.queues->rate(*office.mail()) == Approx(4.0 / 60));
}
