// SPDX-License-Identifier: MIT
// What an operator changed is in force for every event that comes after it.
#include <set>

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using destinations::Switch;
using test::ScriptedHttp;

std::multiset<std::string> urls_of(const ScriptedHttp& http) {
  std::multiset<std::string> urls;
  for (const auto& request : http.requests()) {
    urls.insert(request.url);
  }
  return urls;
}

TEST_CASE("a pause keeps the cursor where it is, though nobody tells the forwarder", "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  bench.append("a", "u1");
  forwarder->work();

  REQUIRE(bench.destinations.set_switch("hook", Switch::Paused));
  bench.append("b", "u2");
  forwarder->work();

  CHECK(bench.sent() == Ids{"a"});
  CHECK(forwarder->status()->state == Status::State::Paused);
  CHECK(forwarder->status()->pending == 1);
}

TEST_CASE("a change while a request is on its way holds for the next one", "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  for (const char* id : {"a", "b", "c"}) {
    bench.append(id, id);
  }
  bench.http.follow([&](const transport::OutgoingRequest&) {
    bench.configure(R"({"headers":{"x":"y"},"method":"PUT"})");
    return transport::IncomingResponse{.status = 200};
  });

  forwarder->work();

  const auto requests = bench.http.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].method == "POST");
  CHECK(requests[1].method == "PUT");
  CHECK(requests[2].method == "PUT");
}

TEST_CASE("a request that is on its way when the pause comes may finish", "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  for (const char* id : {"a", "b"}) {
    bench.append(id, "u");
  }
  bench.http.follow([&](const transport::OutgoingRequest&) {
    REQUIRE(bench.destinations.set_switch("hook", Switch::Paused));
    return transport::IncomingResponse{.status = 200};
  });
  forwarder->work();

  CHECK(bench.sent() == Ids{"a"});
  CHECK(forwarder->status()->delivered == 1);
  bench.http.follow(ScriptedHttp::answering(200));
  REQUIRE(bench.destinations.set_switch("hook", Switch::On));
  forwarder->work();
  CHECK(bench.sent() == Ids{"a", "b"});
}

TEST_CASE("a removed destination is sent nothing more", "[delivery]") {
  DeliveryBench bench;
  destinations::Definition late = bench.entry()->definition;
  late.id = late.name = "late";
  const auto made = bench.destinations.create(late);
  REQUIRE(made);
  Forwarder forwarder(
      *made,
      ForwarderServices{
          bench.store, bench.destinations.table(), bench.http, bench.clock, bench.random});
  REQUIRE(forwarder.start());
  bench.append("a", "u1", 2);

  REQUIRE(bench.destinations.erase("late"));
  forwarder.work();

  CHECK(urls_of(bench.http).empty());
  CHECK(forwarder.status()->state == Status::State::Disabled);
}

}  // namespace
}  // namespace edge::delivery
