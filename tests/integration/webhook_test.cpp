// SPDX-License-Identifier: MIT
// What other services report to a real daemon.
#include <catch2/catch.hpp>

#include "core/webhooks/signature.h"
#include "tests/support/asking.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
namespace webhooks = edge::webhooks;

namespace {

constexpr const char* kConfig =
    "[[webhooks]]\nname = \"shop\"\nkind = \"custom\"\nsecret = \"SHOP\"\n"
    "[[webhooks]]\nname = \"segment\"\nsecret = \"SEGMENT\"\n"
    "[[destinations]]\nname = \"back\"\ntype = \"segment\"\nwriteKey = \"wk-1\"\n"
    "[[destinations]]\nname = \"on\"\ntype = \"segment\"\nwriteKey = \"wk-2\"\n";

bool start(DaemonProcess& daemon) {
  return daemon.start({}, {{"EDGE_SECRET_SHOP", "whsec_AAAA"}, {"EDGE_SECRET_SEGMENT", "shared"}});
}

edge::transport::Headers signed_fields(webhooks::Scheme scheme,
                                       const std::string& secret,
                                       const std::string& body,
                                       const std::string& id = "m1") {
  const edge::SystemClock clock;
  return *webhooks::sign({.scheme = scheme, .secrets = {secret}}, body, id, clock.now());
}

}  // namespace

TEST_CASE("a signed webhook becomes an event, a repeated one does nothing", "[webhooks]") {
  DaemonProcess daemon(kConfig);
  REQUIRE(start(daemon));
  Asking asking(daemon);
  const std::string body = R"({"event":"order.created","userId":"u-1","total":5})";
  const auto fields = signed_fields(webhooks::Scheme::Standard, "whsec_AAAA", body);

  const auto first = asking.ask("POST", "/webhook/shop", body, fields);
  const auto again = asking.ask("POST", "/webhook/shop", body, fields);
  const auto unsigned_call = asking.ask("POST", "/webhook/shop", body);
  const auto forged = asking.ask("POST", "/webhook/shop", body + " ", fields);
  const auto nowhere = asking.ask("POST", "/webhook/none", body);

  CHECK(first.status == 200);
  CHECK(first.at("/success") == "true");
  CHECK(again.at("/eventId") == first.at("/eventId"));
  CHECK(unsigned_call.status == 401);
  CHECK(unsigned_call.at("/error") == "Invalid signature");
  CHECK(forged.status == 401);
  CHECK(forged.body.find("mismatch") == std::string::npos);
  CHECK(nowhere.status == 404);
  const auto events = asking.ask("GET", "/cdp/events?event=order.created");
  CHECK(events.at("/items/0/context/source") == "webhook-unknown");
  CHECK(events.at("/items/1").empty());
  CHECK(asking.ask("GET", "/webhook/health").at("/service") == "webhook");
}

TEST_CASE("without a secret a webhook is open on loopback; what it cannot read is refused",
          "[webhooks]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  Asking asking(daemon);

  CHECK(asking.ask("POST", "/webhook/custom", R"({"total":5})").status == 200);
  const auto broken = asking.ask("POST", "/webhook/custom", "{");
  CHECK(broken.status == 400);
  CHECK(broken.at("/error") == "Failed to process webhook");
  const auto optimizely = asking.ask(
      "POST",
      "/webhook/optimizely",
      R"({"project_id":1234,"timestamp":1773489540,"event":"project.datafile_updated","data":{}})");
  CHECK(optimizely.status == 200);
}

TEST_CASE("a Segment webhook takes lists and never sends events back where they came from",
          "[webhooks]") {
  DaemonProcess daemon(kConfig);
  REQUIRE(start(daemon));
  Asking asking(daemon);
  const std::string body =
      R"([{"type":"track","event":"A","userId":"u","messageId":"s-1","writeKey":"wk-1",)"
      R"("context":{"ip":"5.5.5.5","library":{"name":"analytics.js"}}},)"
      R"({"event":"B","anonymousId":"a","messageId":"s-2"}])";

  const auto answer = asking.ask(
      "POST", "/webhook/segment", body, signed_fields(webhooks::Scheme::Segment, "shared", body));

  CHECK(answer.status == 200);
  CHECK(answer.at("/eventId") == "s-1");
  CHECK(answer.at("/count") == "2");
  const auto visit = asking.ask("GET", "/cdp/events/s-1");
  CHECK(visit.at("/event/context/ip") == "5.5.5.0");  // the visitor's, not the sender's
  CHECK(visit.at("/event/context/userAgent").empty());
  CHECK(asking.wait_for("/cdp/destinations/back", "/pending", "1"));
  CHECK(asking.wait_for("/cdp/destinations/on", "/pending", "2"));
}

TEST_CASE("a webhook that comes again with the id of a taken one does nothing, whatever it says",
          "[webhooks]") {
  DaemonProcess daemon(
      "[[webhooks]]\nname = \"relay\"\nkind = \"segment\"\nscheme = \"standard\"\nsecret = "
      "\"SHOP\"\n");
  REQUIRE(start(daemon));
  Asking asking(daemon);
  const auto call = [&](const std::string& message, const std::string& webhook_id) {
    const std::string body =
        R"({"type":"track","event":"Relayed","userId":"u","messageId":")" + message + "\"}";
    return asking.ask("POST",
                      "/webhook/relay",
                      body,
                      signed_fields(webhooks::Scheme::Standard, "whsec_AAAA", body, webhook_id));
  };

  CHECK(call("m-1", "call-1").at("/eventId") == "m-1");
  CHECK(call("m-2", "call-1").at("/eventId") == "m-1");
  CHECK(call("m-3", "call-2").at("/eventId") == "m-3");

  const auto events = asking.ask("GET", "/cdp/events?event=Relayed");
  CHECK(events.at("/items/0/messageId") == "m-3");
  CHECK(events.at("/items/1/messageId") == "m-1");
  CHECK(events.at("/items/2").empty());
}

TEST_CASE("a webhook whose secret is missing keeps the daemon from starting", "[webhooks]") {
  DaemonProcess daemon("[[webhooks]]\nname = \"shop\"\nsecret = \"NONE\"\n");

  CHECK_FALSE(daemon.start());
  CHECK(daemon.log().find("there is no secret") != std::string::npos);
}
