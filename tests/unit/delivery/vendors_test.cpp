// SPDX-License-Identifier: MIT
// Deliveries to the vendors: batches whose events fare differently, requests in several steps.
#include <zlib.h>

#include <array>
#include <map>

#include "core/delivery/forwarder.h"
#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;
using transport::IncomingResponse;
using transport::OutgoingRequest;

constexpr const char* kAmplitude = R"({"apiKey":"topsecret"})";
constexpr const char* kMixpanel = R"({"token":"topsecret","gzip":false})";
constexpr const char* kSegment = R"({"writeKey":"topsecret"})";

/// How often each `insert_id` or `messageId` stands in the requests, by the member's name.
std::map<std::string, int> ids_in(const std::vector<OutgoingRequest>& requests,
                                  const std::string& member) {
  std::map<std::string, int> times;
  const std::string mark = "\"" + member + "\":\"";
  for (const OutgoingRequest& request : requests) {
    for (std::size_t at = request.body.find(mark); at != std::string::npos;
         at = request.body.find(mark, at + 1)) {
      const std::size_t begin = at + mark.size();
      ++times[request.body.substr(begin, request.body.find('"', begin) - begin)];
    }
  }
  return times;
}

void append_many(DeliveryBench& bench, int n) {
  for (int i = 0; i < n; ++i) {
    bench.append("m" + std::to_string(i), "u" + std::to_string(i));
  }
}

void append_identify(DeliveryBench& bench) {
  bench.append_event(
      R"({"type":"identify","messageId":"i1","userId":"u","anonymousId":"a","traits":{"plan":"pro"},)"
      R"("timestamp":"2023-11-14T22:13:20.000Z"})",
      "i1",
      "u");
}

bool is_to(const OutgoingRequest& request, std::string_view path) {
  return request.url.find(path) != std::string::npos;
}

TEST_CASE("what Amplitude names is dead or waits, the rest goes again at once", "[delivery]") {
  DeliveryBench bench("amplitude", kAmplitude);
  append_many(bench, 4);
  bench.clock.advance(1s);
  const auto forwarder = bench.forwarder();
  bench.http.follow([](const OutgoingRequest& request) {
    const bool first = request.body.find("\"m0\"") != std::string::npos;
    return first ? IncomingResponse{.status = 400,
                                    .body = R"({"code":400,"events_with_invalid_fields":)"
                                            R"({"time":[0]},"throttled_events":[2]})"}
                 : IncomingResponse{.status = 200};
  });

  bench.clock.advance(600ms);
  forwarder->work();
  bench.clock.advance(600ms);
  forwarder->work();

  const auto times = ids_in(bench.http.requests(), "insert_id");
  CHECK(times == std::map<std::string, int>{{"m0", 1}, {"m1", 2}, {"m2", 1}, {"m3", 2}});
  const auto dead = bench.dead();
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].reason == "invalid_fields:time");
  CHECK(dead[0].request.find("\"m0\"") != std::string::npos);
  CHECK(dead[0].request.find("\"m1\"") == std::string::npos);
  CHECK(dead[0].request.find("topsecret") == std::string::npos);
  REQUIRE(bench.rows().size() == 1);
  CHECK(forwarder->status()->delivered == 2);
  bench.clock.advance(28s);
  CHECK_FALSE(forwarder->work());
  bench.clock.advance(2s);
  forwarder->work();
  CHECK(forwarder->status()->delivered == 3);
}

TEST_CASE("throttled events wait as long as throttleMs says", "[delivery]") {
  DeliveryBench bench("amplitude", kAmplitude, R"({"lingerMs":0,"retry":{"throttleMs":1000}})");
  append_many(bench, 1);
  const auto forwarder = bench.forwarder();
  bench.http.follow([](const OutgoingRequest&) {
    return IncomingResponse{.status = 429, .body = R"({"throttled_events":[0]})"};
  });
  forwarder->work();
  bench.http.follow(ScriptedHttp::answering(200));

  bench.clock.advance(900ms);
  CHECK_FALSE(forwarder->work());
  bench.clock.advance(200ms);
  CHECK(forwarder->work());
  CHECK(forwarder->status()->delivered == 1);
}

TEST_CASE("records that Mixpanel imported are not sent again because others failed", "[delivery]") {
  DeliveryBench bench("mixpanel", kMixpanel, R"({"lingerMs":0})");
  append_many(bench, 5);
  bench.http.follow([](const OutgoingRequest&) {
    return IncomingResponse{
        .status = 400,
        .body = R"({"code":400,"num_records_imported":4,"failed_records":[{"index":3,)"
                R"("field":"properties.time","message":"invalid"}]})"};
  });

  const auto forwarder = bench.forwarder();
  forwarder->work();

  CHECK(bench.http.requests().size() == 1);
  CHECK(forwarder->status()->delivered == 4);
  REQUIRE(bench.dead().size() == 1);
  CHECK(bench.dead()[0].reason == "properties.time: invalid");
}

TEST_CASE("a request of an event that was taken is not repeated when a later one fails",
          "[delivery]") {
  DeliveryBench bench("mixpanel", kMixpanel, R"({"lingerMs":0})");
  append_identify(bench);
  const auto failing_import = [](int status) {
    return [=](const OutgoingRequest& request) {
      return IncomingResponse{.status = is_to(request, "/import") ? status : 200, .body = "1"};
    };
  };
  bench.http.follow(failing_import(503));
  bench.forwarder()->work();
  bench.clock.advance(10s);
  bench.http.follow(failing_import(401));
  bench.forwarder()->work();  // after a restart: the row knows
  bench.clock.advance(10min);
  bench.http.follow(failing_import(200));
  const auto forwarder = bench.forwarder();

  forwarder->work();

  int profiles = 0;
  for (const OutgoingRequest& request : bench.http.requests()) {
    profiles += is_to(request, "/engage") ? 1 : 0;
  }
  CHECK(profiles == 1);
  CHECK(bench.http.requests().size() == 4);
  CHECK(forwarder->status()->delivered == 1);
}

TEST_CASE("when one request fails, events of others still go out", "[delivery]") {
  DeliveryBench bench("mixpanel", kMixpanel, R"({"lingerMs":0,"ordering":"none"})");
  append_identify(bench);
  bench.append("t1", "u2");
  bench.http.follow([](const OutgoingRequest& request) {
    return IncomingResponse{.status = 200, .body = is_to(request, "/engage") ? "0" : "{}"};
  });
  const auto forwarder = bench.forwarder();

  forwarder->work();

  REQUIRE(bench.dead().size() == 1);
  CHECK(bench.dead()[0].reason == "rejected: 0");
  CHECK(forwarder->status()->delivered == 1);
  CHECK(ids_in(bench.http.requests(), "$insert_id") == std::map<std::string, int>{{"t1", 1}});
}

TEST_CASE("requests to Amplitude grow while a backlog is worked off", "[delivery]") {
  DeliveryBench bench("amplitude", kAmplitude);
  append_many(bench, 1200);
  const auto forwarder = bench.forwarder();
  bench.clock.advance(1s);

  forwarder->work();
  bench.clock.advance(1s);
  forwarder->work();

  std::vector<std::size_t> sizes;
  for (const OutgoingRequest& request : bench.http.requests()) {
    sizes.push_back(ids_in({request}, "insert_id").size());
  }
  CHECK(sizes.at(0) == 10);
  CHECK(sizes.at(1) == 20);
  CHECK(*std::max_element(sizes.begin(), sizes.end()) == 500);
  CHECK(forwarder->status()->delivered == 1200);
}

TEST_CASE("what waited for a broken destination goes out in batches again", "[delivery]") {
  DeliveryBench bench("segment", kSegment, R"({"lingerMs":0})");
  append_many(bench, 400);
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  for (int i = 0; i < 20; ++i) {
    forwarder->work();
    bench.clock.advance(500ms);
  }
  CHECK(forwarder->status()->pending == 400);
  bench.http.follow(ScriptedHttp::answering(200));
  bench.http.forget();

  bench.clock.advance(20min);
  forwarder->work();

  CHECK(forwarder->status()->delivered == 400);
  CHECK(bench.http.requests().size() <= 12);
  const auto times = ids_in(bench.http.requests(), "messageId");
  CHECK(times.size() == 400);
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& id) { return id.second == 1; }));
}

TEST_CASE("exactly the poisonous one percent becomes dead letters", "[delivery]") {
  const std::string type = GENERATE("segment", "webhook");
  DeliveryBench bench(type,
                      type == "segment" ? kSegment : R"({"url":"https://h.example/","batch":100})",
                      R"({"lingerMs":0})");
  append_many(bench, 1000);
  const auto is_poison = [](const std::string& id) { return id.ends_with("37"); };
  std::map<std::string, int> taken;
  bench.http.follow([&](const OutgoingRequest& request) {
    const auto ids = ids_in({request}, "messageId");
    const bool bad =
        std::any_of(ids.begin(), ids.end(), [&](const auto& id) { return is_poison(id.first); });
    for (const auto& [id, times] : ids) {
      taken[id] += bad ? 0 : times;
    }
    return IncomingResponse{.status = bad ? 400 : 200};
  });

  const auto forwarder = bench.forwarder();
  forwarder->work();

  CHECK(forwarder->status()->pending == 0);
  for (const auto& [id, times] : taken) {
    INFO(id);
    CHECK(times == (is_poison(id) ? 0 : 1));
  }
  std::size_t dead = 0;
  for (LetterQuery query{.limit = 200};;) {
    const auto page = bench.letters.list(query);
    for (const DeadLetter& letter : page->items) {
      ++dead;
      CHECK(is_poison(std::string(events::Event::decode(letter.event)->message_id())));
    }
    if (!page->next) {
      break;
    }
    query.cursor = *page->next;
  }
  CHECK(dead == 10);
}

TEST_CASE("events of one user keep their order through failing batches", "[delivery]") {
  DeliveryBench bench("segment", kSegment, R"({"lingerMs":0,"retry":{"baseMs":100,"capMs":500}})");
  for (int i = 0; i < 500; ++i) {
    bench.append("m" + std::to_string(1000 + i), "u" + std::to_string(i % 3));
  }
  std::vector<std::string> taken;
  int number = 0;
  bench.http.follow([&](const OutgoingRequest& request) {
    const bool fails = number++ % 3 != 0;
    for (const auto& [id, times] : ids_in({request}, "messageId")) {
      if (!fails) {
        taken.push_back(id);
      }
    }
    return IncomingResponse{.status = fails ? 503 : 200};
  });
  const auto forwarder = bench.forwarder();

  for (int i = 0; i < 2000 && forwarder->status()->pending > 0; ++i) {
    forwarder->work();
    bench.clock.advance(200ms);
  }

  CHECK(forwarder->status()->pending == 0);
  std::map<char, std::string> last;
  for (const std::string& id : taken) {
    std::string& before = last[static_cast<char>(std::stoi(id.substr(1)) % 3)];
    CHECK(before < id);
    before = id;
  }
  CHECK(taken.size() == 500);
  CHECK(number < 250);  // two of three attempts fail, and what failed goes on in halves
}

TEST_CASE("a destination that cannot bear large requests gets smaller ones", "[delivery]") {
  DeliveryBench bench("segment", kSegment, R"({"lingerMs":0,"retry":{"baseMs":100,"capMs":500}})");
  append_many(bench, 300);
  std::map<std::string, int> taken;
  int requests = 0;
  bench.http.follow([&](const OutgoingRequest& request) {
    ++requests;
    const auto ids = ids_in({request}, "messageId");
    const bool fails = ids.size() > 10;
    for (const auto& [id, times] : ids) {
      taken[id] += fails ? 0 : times;
    }
    return IncomingResponse{.status = fails ? 503 : 200};
  });
  const auto forwarder = bench.forwarder();

  for (int i = 0; i < 2000 && forwarder->status()->pending > 0; ++i) {
    forwarder->work();
    bench.clock.advance(200ms);
  }

  CHECK(forwarder->status()->pending == 0);
  CHECK(taken.size() == 300);
  CHECK(std::ranges::all_of(taken, [](const auto& id) { return id.second == 1; }));
  CHECK(requests < 2 * 300);  // probes of one included
}

TEST_CASE("events for Mixpanel travel packed", "[delivery]") {
  DeliveryBench bench("mixpanel", R"({"token":"t"})", R"({"lingerMs":0})");
  append_many(bench, 3);

  bench.forwarder()->work();

  const OutgoingRequest request = bench.http.requests().at(0);
  const IncomingResponse fields{.headers = request.headers};
  CHECK(fields.header("content-encoding") == "gzip");
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::array<char, 4096> out{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(request.body.data()));
  stream.avail_in = static_cast<uInt>(request.body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out.size();
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(std::string_view(out.data()).starts_with("[{\"event\":\"Tested\""));
  inflateEnd(&stream);
}

}  // namespace
}  // namespace edge::delivery
