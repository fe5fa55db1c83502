// SPDX-License-Identifier: MIT
// Queues in Cloudflare's REST API and in the seed API, over HTTP.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "core/queues/waiting_pulls.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::member;

const std::string kAll = "/client/v4/accounts/local/queues";

struct QueueDaemon : test::AuthDaemon {
  QueueDaemon() : AuthDaemon({.real = false}) {}

  Answer call(const std::string& method,
              const std::string& path,
              const std::string& body = {},
              const std::string& who = "admin") const {
    return ask(method,
               path,
               fmt::format("{}Authorization: Bearer {}\r\n",
                           body.empty() ? "" : "Content-Type: application/json\r\n",
                           who),
               body);
  }
  [[nodiscard]] Answer show(const std::string& path) const { return call("GET", path); }
  Answer post(const std::string& path, const std::string& body) const {
    return call("POST", path, body);
  }
  /// Makes a queue; its path.
  [[nodiscard]] std::string create(const std::string& name) const {
    const Answer made = post(kAll, fmt::format(R"({{"queue_name":"{}"}})", name));
    REQUIRE(made.status == 200);
    return kAll + "/" + member(made, "/result/queue_id");
  }
};

/// Status and code of a failure, which must have the form of the API.
std::string failure(const Answer& answer) {
  if (member(answer, "/success") != "false" || member(answer, "/result") != "null" ||
      member(answer, "/errors/0/message") == "(none)") {
    return answer.body;
  }
  return fmt::format("{} {}", answer.status, member(answer, "/errors/0/code"));
}

std::string result_of(const Answer& answer, const std::string& pointer = "") {
  CHECK(answer.status == 200);
  CHECK(member(answer, "/success") == "true");
  CHECK(member(answer, "/errors") == "[]");
  return member(answer, "/result" + pointer);
}

}  // namespace

TEST_CASE("queues are created, shown, changed and deleted", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");

  const Answer shown = daemon.show(queue);
  CHECK(result_of(shown, "/queue_name") == "orders");
  CHECK(result_of(shown, "/settings") ==
        R"({"delivery_delay":0,"delivery_paused":false,"message_retention_period":345600})");
  CHECK(result_of(shown, "/producers") == "[]");
  CHECK(result_of(shown, "/consumers") == "[]");
  CHECK(result_of(shown, "/consumers_total_count") == "0");
  CHECK(result_of(daemon.show(kAll + "/orders"), "/queue_id") == result_of(shown, "/queue_id"));
  const Answer listed = daemon.show(kAll);
  CHECK(result_of(listed, "/0/queue_name") == "orders");
  CHECK(member(listed, "/result_info") ==
        R"({"page":1,"per_page":1,"count":1,"total_count":1,"total_pages":1})");

  daemon.call("PATCH", queue, R"({"settings":{"delivery_delay":7}})");
  const Answer patched = daemon.call("PATCH", queue, R"({"settings":{"delivery_paused":true}})");
  CHECK(result_of(patched, "/settings/delivery_delay") == "7");
  CHECK(result_of(patched, "/settings/delivery_paused") == "true");
  const Answer replaced =
      daemon.call("PUT", queue, R"({"settings":{"message_retention_period":60}})");
  CHECK(result_of(replaced, "/settings") ==
        R"({"delivery_delay":0,"delivery_paused":false,"message_retention_period":60})");

  CHECK(failure(daemon.post(kAll, R"({"queue_name":"orders"})")) == "409 11009");
  CHECK(failure(daemon.post(kAll, R"({"queue_name":"No"})")) == "400 10400");
  CHECK(failure(daemon.post(kAll, "{}")) == "400 10207");
  CHECK(failure(daemon.post(kAll + "/orders/messages", "{")) == "400 10208");
  CHECK(failure(daemon.call("PUT", queue, R"({"queue_name":"other"})")) == "400 10207");
  CHECK(failure(daemon.call("PATCH", queue, R"({"settings":{"delivery_delay":-1}})")) ==
        "400 10202");
  result_of(daemon.call("DELETE", queue));
  CHECK(failure(daemon.show(queue)) == "404 10104");
  CHECK(failure(daemon.call("DELETE", queue)) == "404 10104");
  CHECK(failure(daemon.show("/client/v4/accounts/a%20b/queues")) == "404 7003");
}

TEST_CASE("each kind of access needs its permission", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  const std::string message = R"({"body":1})";
  CHECK(daemon.call("GET", queue, "", "viewer").status == 200);
  CHECK(failure(daemon.call("POST", queue + "/messages", message, "viewer")) == "403 10000");
  CHECK(daemon.call("POST", queue + "/messages", message, "editor").status == 200);
  CHECK(daemon.call("POST", queue + "/messages/pull", "{}", "editor").status == 200);
  CHECK(daemon.call("POST", queue + "/messages/peek", "{}", "viewer").status == 200);
  CHECK(failure(daemon.call("POST", queue + "/messages/pull", "{}", "viewer")) == "403 10000");
  CHECK(failure(daemon.call("POST", kAll, R"({"queue_name":"x"})", "editor")) == "403 10000");
  CHECK(failure(daemon.call("DELETE", queue, "", "editor")) == "403 10000");
  CHECK(failure(daemon.call(
            "POST", queue + "/purge", R"({"delete_messages_permanently":true})", "editor")) ==
        "403 10000");
  CHECK(daemon
            .ask("POST",
                 queue + "/messages",
                 "X-API-Key: queue:send\r\nContent-Type: application/json\r\n",
                 message)
            .status == 200);
  CHECK(daemon
            .ask("POST",
                 queue + "/messages/pull",
                 "X-API-Key: queue:send\r\nContent-Type: application/json\r\n",
                 "{}")
            .status == 403);
  CHECK(failure(daemon.ask("GET", kAll, "")) == "403 10000");
}

TEST_CASE("messages go through a queue as Cloudflare's clients expect", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  const std::int64_t now = to_ms(daemon.clock.now());

  const Answer sent = daemon.post(queue + "/messages", R"({"body":{"n":1}})");
  CHECK(result_of(sent) ==
        fmt::format(R"({{"metadata":{{"metrics":{{"backlog_count":1,)"
                    R"("backlog_bytes":7,"oldest_message_timestamp_ms":{}}}}}}})",
                    now));
  const Answer batch = daemon.post(
      queue + "/messages/batch",
      R"({"messages":[{"body":"tä","content_type":"text"},{"body":"AAE=","content_type":"bytes"},)"
      R"({"body":0,"delay_seconds":9}]})");
  CHECK(result_of(batch, "/metadata/metrics/backlog_count") == "4");

  const Answer pulled =
      daemon.ask("POST", queue + "/messages/pull", "Authorization: Bearer admin\r\n", "");
  CHECK(result_of(pulled, "/message_backlog_count") == "4");
  CHECK(result_of(pulled, "/metadata/metrics/backlog_count") == "4");
  CHECK(result_of(pulled, "/messages/0/body") == "eyJuIjoxfQ==");
  CHECK(result_of(pulled, "/messages/0/attempts") == "1");
  CHECK(result_of(pulled, "/messages/0/timestamp_ms") == std::to_string(now));
  CHECK(result_of(pulled, "/messages/0/metadata") == R"({"CF-Content-Type":"json"})");
  CHECK(result_of(pulled, "/messages/0/id").size() == 32);
  CHECK(result_of(pulled, "/messages/1/body") == "tä");
  CHECK(result_of(pulled, "/messages/1/metadata") == R"({"CF-Content-Type":"text"})");
  CHECK(result_of(pulled, "/messages/2/body") == "AAE=");
  CHECK(result_of(pulled, "/messages/3") == "(none)");

  const std::string first = result_of(pulled, "/messages/0/lease_id");
  const std::string second = result_of(pulled, "/messages/1/lease_id");
  const Answer settled = daemon.post(
      queue + "/messages/ack",
      fmt::format(
          R"({{"acks":[{{"lease_id":"{}"}},{{"lease_id":"no"}}],"retries":[{{"lease_id":"{}",)"
          R"("delay_seconds":5}}]}})",
          first,
          second));
  CHECK(result_of(settled, "/ackCount") == "1");
  CHECK(result_of(settled, "/retryCount") == "1");
  CHECK(result_of(settled, "/warnings") == R"({"no":"this is not a lease of the queue"})");
  CHECK(result_of(daemon.show(queue + "/metrics"), "/backlog_count") == "3");
}

TEST_CASE("what is wrong with messages has the number of the API", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  const auto send = [&](const std::string& body) {
    return failure(daemon.post(queue + "/messages", body));
  };
  const auto batch = [&](const std::string& body) {
    return failure(daemon.post(queue + "/messages/batch", body));
  };
  CHECK(send(R"({"body":1,"delay_seconds":86401})") == "400 10202");
  CHECK(send(R"({"body":1,"content_type":"v8"})") == "400 10203");
  CHECK(send(fmt::format(R"({{"body":"{}"}})", std::string(128'000, 'x'))) == "413 10204");
  CHECK(send(fmt::format(R"({{"body":"{}"}})", std::string(1'100'000, 'x'))) == "413 10204");
  CHECK(send("{}") == "400 10207");
  CHECK(send("[]") == "400 10207");
  CHECK(send("nonsense") == "400 10208");
  const std::string big = fmt::format(R"({{"body":"{}"}})", std::string(100'000, 'x'));
  CHECK(batch(fmt::format(R"({{"messages":[{0},{0},{0}]}})", big)) == "413 10205");
  std::string many = R"({"body":1})";
  for (int i = 0; i < 100; ++i) {
    many += R"(,{"body":1})";
  }
  CHECK(batch(fmt::format(R"({{"messages":[{}]}})", many)) == "400 10206");
  CHECK(batch(R"({"messages":[]})") == "400 10207");
  CHECK(failure(daemon.post(kAll + "/none/messages", R"({"body":1})")) == "404 10104");
  CHECK(failure(daemon.post(queue + "/messages/pull", R"({"batch_size":101})")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/messages/pull", R"({"visibility_timeout":-1})")) ==
        "400 10207");
  CHECK(failure(daemon.post(queue + "/messages/pull", R"({"wait_ms":20001})")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/messages/ack", R"({"acks":[{}]})")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/messages/ack",
                            R"({"retries":[{"lease_id":"x","delay_seconds":-1}]})")) ==
        "400 10202");
  CHECK(failure(daemon.post(queue + "/messages/purge", "{}")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/purge", "{}")) == "400 10207");
  CHECK(result_of(daemon.show(queue + "/metrics"), "/backlog_count") == "0");
}

TEST_CASE("a busy store is an overload of the queue", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  auto& store = dynamic_cast<test::MemoryStore&>(daemon.edge->store);
  store.refuse_commits(
      Error{ErrorCode::Unavailable, "busy", "", "unavailable", std::chrono::seconds(1)});

  const Answer refused = daemon.post(queue + "/messages", R"({"body":1})");

  CHECK(failure(refused) == "429 10250");
  CHECK(refused.field("Retry-After") == "1");
}

TEST_CASE("a queue has one consumer, and its kind says who may pull", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  CHECK(failure(daemon.post(queue + "/consumers", "{}")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/consumers", R"({"type":"worker"})")) == "400 10207");
  CHECK(failure(daemon.post(queue + "/consumers",
                            R"({"type":"http_pull","dead_letter_queue":"orders"})")) ==
        "400 10207");

  const Answer made = daemon.post(
      queue + "/consumers",
      R"({"type":"http_pull","settings":{"batch_size":2,"max_retries":1},"dead_letter_queue":"d"})");
  CHECK(result_of(made, "/type") == "http_pull");
  CHECK(result_of(made, "/settings/batch_size") == "2");
  CHECK(result_of(made, "/settings/visibility_timeout_ms") == "30000");
  CHECK(result_of(made, "/dead_letter_queue") == "d");
  CHECK(result_of(made, "/queue_name") == "orders");
  const std::string one = queue + "/consumers/" + result_of(made, "/consumer_id");
  CHECK(failure(daemon.post(queue + "/consumers", R"({"type":"http_pull"})")) == "409 10409");
  CHECK(result_of(daemon.show(queue + "/consumers"), "/0/consumer_id") ==
        result_of(made, "/consumer_id"));
  daemon.post(queue + "/messages/batch", R"({"messages":[{"body":1},{"body":2},{"body":3}]})");
  CHECK(result_of(daemon.post(queue + "/messages/pull", "{}"), "/messages/2") == "(none)");

  const Answer pushed =
      daemon.call("PUT", one, R"({"type":"worker","script_name":"https://example.com/q"})");
  CHECK(result_of(pushed, "/settings/batch_size") == "10");
  CHECK(result_of(pushed, "/url") == "https://example.com/q");
  CHECK(result_of(daemon.show(one), "/type") == "worker");
  CHECK(failure(daemon.post(queue + "/messages/pull", "{}")) == "405 10405");
  result_of(daemon.call("DELETE", one));
  CHECK(failure(daemon.show(one)) == "404 10404");
  CHECK(daemon.post(queue + "/messages/pull", "{}").status == 200);

  daemon.call("PATCH", queue, R"({"settings":{"delivery_paused":true}})");
  const Answer paused = daemon.post(queue + "/messages/pull", "{}");
  CHECK(paused.status == 409);
  CHECK(member(paused, "/errors/0/message") == "queue_delivery_paused");
}

TEST_CASE("messages are looked at and purged", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  daemon.post(queue + "/messages/batch", R"({"messages":[{"body":1},{"body":2},{"body":3}]})");

  const Answer seen = daemon.post(queue + "/messages/peek", R"({"batch_size":2})");
  CHECK(result_of(seen, "/messages/1/body") == "Mg==");
  CHECK(result_of(seen, "/messages/1/attempts") == "0");
  CHECK(result_of(seen, "/messages/2") == "(none)");
  const Answer rest = daemon.post(queue + "/messages/peek",
                                  fmt::format(R"({{"cursor":"{}"}})", result_of(seen, "/cursor")));
  CHECK(result_of(rest, "/messages/0/body") == "Mw==");

  const Answer purged = daemon.post(queue + "/messages/purge",
                                    fmt::format(R"({{"refs":[{{"ref":"{}"}},{{"ref":"x"}}]}})",
                                                result_of(seen, "/messages/0/ref")));
  CHECK(result_of(purged) == R"({"errors":[],"warnings":{"x":"this is not a ref of the queue"}})");
  CHECK(result_of(daemon.show(queue + "/metrics"), "/backlog_count") == "2");
  CHECK(result_of(daemon.show(queue + "/purge")) == R"({"completed":true,"started_at":null})");
  CHECK(result_of(daemon.post(queue + "/purge", R"({"delete_messages_permanently":true})"),
                  "/queue_name") == "orders");
  CHECK(result_of(daemon.show(queue + "/purge"), "/completed") == "false");
  CHECK(result_of(daemon.show(queue + "/metrics")) ==
        R"({"backlog_count":0,"backlog_bytes":0,"oldest_message_timestamp_ms":0})");
}

TEST_CASE("a pull waits for a message without a thread", "[queues][v4]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  const std::jthread answering(
      [&](const std::stop_token& stop) { daemon.edge->waiting_pulls.run(stop); });
  auto pulled = std::async(std::launch::async, [&] {
    return daemon.post(queue + "/messages/pull", R"({"wait_ms":20000})");
  });
  while (daemon.edge->waiting_pulls.waiting() == 0) {
    std::this_thread::yield();
  }

  daemon.post(queue + "/messages", R"({"body":1})");

  CHECK(result_of(pulled.get(), "/messages/0/body") == "MQ==");
}

TEST_CASE("the seed's route takes any JSON into the queue events or another", "[queues]") {
  const QueueDaemon daemon;
  const Answer sent = daemon.post("/api/queue/send", R"({"event":"x"})");
  CHECK(sent.status == 200);
  CHECK(sent.body ==
        fmt::format(R"({{"success":true,"timestamp":{}}})", to_ms(daemon.clock.now())));
  CHECK(result_of(daemon.post(kAll + "/events/messages/pull", "{}"), "/messages/0/body") ==
        "eyJldmVudCI6IngifQ==");

  const Answer lost = daemon.post("/api/queue/send?queue=none", "1");
  CHECK(lost.status == 404);
  CHECK(member(lost, "/error") == "Queue not found");
  CHECK(daemon.post("/api/queue/send", "{").status == 400);
  CHECK(daemon.post("/api/queue/send", fmt::format("\"{}\"", std::string(128'000, 'x'))).status ==
        413);
  CHECK(daemon.call("POST", "/api/queue/send", "1", "viewer").status == 403);
}

TEST_CASE("how queues stand is told, and dead letters go back", "[queues]") {
  const QueueDaemon daemon;
  const std::string queue = daemon.create("orders");
  daemon.post(queue + "/consumers",
              R"({"type":"http_pull","settings":{"max_retries":0},"dead_letter_queue":"graves"})");
  daemon.post(queue + "/messages", R"({"body":1})");
  const std::string lease =
      result_of(daemon.post(queue + "/messages/pull", "{}"), "/messages/0/lease_id");
  daemon.post(queue + "/messages/ack",
              fmt::format(R"({{"retries":[{{"lease_id":"{}"}}]}})", lease));

  const Answer all = daemon.show("/api/queues");
  CHECK(member(all, "/queues/0/name") == "graves");
  CHECK(member(all, "/queues/0/ready") == "1");
  CHECK(member(all, "/queues/1/dead") == "1");
  const Answer one = daemon.show("/api/queues/orders");
  CHECK(member(one, "/consumer") == "http_pull");
  CHECK(member(one, "/deadLetterQueue") == "graves");
  CHECK(member(one, "/settings/delivery_delay") == "0");
  CHECK(daemon.show("/api/queues/none").status == 404);

  const Answer letter = daemon.post(kAll + "/graves/messages/peek", "{}");
  CHECK(result_of(letter, "/messages/0/metadata") ==
        R"({"CF-Content-Type":"json","CF-dead-letter-source":"orders",)"
        R"("CF-dead-letter-attempts":"1"})");
  CHECK(daemon.post("/api/queues/orders/revive", "").body == R"({"revived":1})");
  CHECK(daemon.post("/api/queues/orders/revive", "").body == R"({"revived":0})");
  CHECK(member(daemon.show("/api/queues/orders"), "/ready") == "1");
  CHECK(daemon.post("/api/queues/none/revive", "").status == 404);
}

}  // namespace edge
