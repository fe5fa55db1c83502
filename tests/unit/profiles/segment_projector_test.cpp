// SPDX-License-Identifier: MIT
// Segments in the projector: what is stored, what is made up for, who is told.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "core/profiles/profiles.h"
#include "core/profiles/segments/explain.h"
#include "core/profiles/segments/expression.h"
#include "core/profiles/segments/filter.h"
#include "core/profiles/segments/segment_report.h"
#include "core/profiles/unmerge.h"
#include "tests/unit/profiles/segment_world.h"

namespace edge {
namespace {

using namespace std::chrono_literals;
using profiles::Name;
using profiles::SegmentRegistry;
using Names = std::vector<std::string>;

using test::definition;
using test::identify;
using test::kStart;
using test::track;
using test::World;

}  // namespace

TEST_CASE("time alone ends a membership, at the exact millisecond, also over a restart",
          "[segments]") {
  World world({definition("buyers", "did(\"Order\", 7d)")});
  world.take({track("u", "Order", kStart)});
  CHECK(world.segments("u") == Names{"buyers"});
  CHECK(world.numbers("buyers").size == 1);

  world.advance(7 * 24h - 1ms);
  CHECK(world.segments("u") == Names{"buyers"});
  world.advance(1ms);
  CHECK(world.segments("u") == Names{});  // before anybody wrote it down

  world.advance(48h);
  world.start({definition("buyers", "did(\"Order\", 7d)")});
  REQUIRE(world.projector->drain());
  const auto logged =
      profiles::Profiles(world.store, *world.registry).transitions(world.profile("u").id).value();
  REQUIRE(logged.size() == 2);
  CHECK(logged[0].transition ==
        profiles::Transition{"buyers", false, kStart + 7 * 24h, profiles::Reason::Time});
  CHECK(logged[0].by.empty());
  CHECK(logged[1].by == "m");
  CHECK(world.numbers("buyers").size == 0);
  CHECK(test::entries(world.store, "segment_due").empty());
}

TEST_CASE("a segment made later counts what was stored before", "[segments]") {
  World world;
  std::vector<std::string> log;
  for (int i = 0; i < 1'500; ++i) {
    log.push_back(
        track(fmt::format("u{}", i % 7), i % 3 == 0 ? "Order" : "View", kStart + i * 1min));
  }
  world.clock.advance(1'500min);
  world.take(log);

  REQUIRE(world.run(profiles::define_task(definition("often", "count(\"Order\", 30d) >= 72"))));

  CHECK(world.registry->current()->find("often")->state == profiles::SegmentState::Ready);
  CHECK(world.projector->counters().recounted == 500);
  const auto asked = profiles::parse_expression("count(\"Order\") >= 72");
  const auto preview =
      profiles::preview(world.store, *world.registry, *asked, 10, world.clock.now()).value();
  CHECK(world.numbers("often").size == static_cast<std::int64_t>(preview.count));
  CHECK(preview.count > 0);
  CHECK(preview.count < 7);
  // One more event is counted once, not twice.
  const std::string member = preview.sample.front().user;
  const auto before = world.profile(member).standing.counters.begin()->second.instants.size();
  world.take({track(member, "Order", world.clock.now())});
  CHECK(world.profile(member).standing.counters.begin()->second.instants.size() == before + 1);
}

TEST_CASE("a backfill goes on after a restart and counts nothing twice", "[segments]") {
  World world;
  std::vector<std::string> log;
  for (int i = 0; i < 2'000; ++i) {
    log.push_back(track("u", "Order", kStart));
  }
  world.take(log);
  // Defined and killed at once: nothing but the definition is stored.
  REQUIRE(world.registry->current()->records.empty());
  world.start({definition("orders", "count(\"Order\") = 2001")});
  CHECK(world.registry->current()->find("orders")->state == profiles::SegmentState::Computing);
  CHECK(world.segments("u") == Names{});
  std::stop_source stopped;
  stopped.request_stop();
  REQUIRE(world.projector->drain(stopped.get_token()));

  world.start({definition("orders", "count(\"Order\") = 2001")});
  world.take({track("u", "Order", kStart)});

  CHECK(world.registry->current()->find("orders")->state == profiles::SegmentState::Ready);
  CHECK(world.segments("u") == Names{"orders"});
}

TEST_CASE("while a changed segment is computed the old rule decides", "[segments]") {
  World world({definition("x", "did(\"A\")")});
  world.take({track("u", "A", kStart), track("v", "B", kStart)});
  CHECK(world.segments("u") == Names{"x"});

  world.start({definition("x", "did(\"B\")")});
  CHECK(world.segments("u") == Names{"x"});  // not yet computed
  REQUIRE(world.projector->drain());

  CHECK(world.segments("u") == Names{});
  CHECK(world.segments("v") == Names{"x"});
  CHECK(world.numbers("x").size == 1);
  const auto logged =
      profiles::Profiles(world.store, *world.registry).transitions(world.profile("u").id).value();
  CHECK(logged.front().transition.reason == profiles::Reason::Definition);
}

TEST_CASE("definitions of the configuration win and cannot be changed", "[segments]") {
  World world;
  REQUIRE(world.run(profiles::define_task(definition("mine", "a = 1"))));
  world.start({definition("mine", "a = 2"), definition("other", "segment(\"mine\")")});
  CHECK(profiles::to_expression(world.registry->current()->find("mine")->definition.tree) ==
        "a == 2");

  CHECK(world.run(profiles::define_task(definition("mine", "a = 3"))).error().reason ==
        "configured");
  CHECK(world.run(profiles::undefine_task("mine")).error().reason == "configured");
  CHECK(world.run(profiles::undefine_task("nobody")).error().code == ErrorCode::NotFound);
  const auto circle =
      world.run(profiles::define_task(definition("loop", "segment(\"loop\") or a = 1")));
  CHECK(circle.error().reason == "segment_cycle");
  CHECK(circle.error().message.find("loop → loop") != std::string::npos);

  world.start();  // gone from the configuration
  CHECK(world.registry->current()->records.empty());
}

TEST_CASE("a segment that others refer to stays", "[segments]") {
  World world;
  REQUIRE(world.run(profiles::define_task(definition("base", "a = 1"))));
  REQUIRE(world.run(profiles::define_task(definition("above", "segment(\"base\")"))));

  CHECK(world.run(profiles::undefine_task("base")).error().reason == "in_use");
  CHECK(world.run(profiles::undefine_task("above")));
  CHECK(world.run(profiles::undefine_task("base")));
}

TEST_CASE("a segment that is made again counts from nothing", "[segments]") {
  World world;
  const auto pros = definition("pros", "plan = pro");
  REQUIRE(world.run(profiles::define_task(pros)));
  world.take({identify(R"("userId":"u1")", R"({"plan":"pro"})", kStart),
              identify(R"("anonymousId":"d2")", R"({"plan":"pro"})", kStart)});
  REQUIRE(world.numbers("pros").size == 2);

  REQUIRE(world.run(profiles::undefine_task("pros")));
  world.take({identify(R"("userId":"u1","anonymousId":"d2")", "{}", kStart)});  // joins both
  REQUIRE(world.run(profiles::define_task(pros)));

  CHECK(world.numbers("pros").size == 1);
}

TEST_CASE("destinations are told who enters and leaves, with ids that repeat", "[segments]") {
  const std::string send =
      R"(,"send":[{"destination":"crm","as":"track"},{"destination":"ads","as":"identify"}])";
  World world({definition("buyers", "did(\"Order\", 1h)", send)});
  world.take({track("u", "Order", kStart)});
  REQUIRE(world.news.size() == 2);
  const auto first = json::Document::parse(world.news[0], json::kEvent);
  const json::Value event = first->root();
  CHECK(event.find("event")->as_string() == "Audience Entered");
  CHECK(event.find("userId")->as_string() == "u");
  CHECK(event.at_pointer("/properties/audience_key")->as_string() == "buyers");
  CHECK(event.at_pointer("/properties/buyers")->as_bool() == true);
  CHECK(event.at_pointer("/integrations/All")->as_bool() == false);
  CHECK(event.at_pointer("/integrations/crm")->as_bool() == true);
  CHECK_FALSE(event.at_pointer("/integrations/ads"));
  const std::string id(event.find("messageId")->as_string().value());
  CHECK(id.size() == 36);
  CHECK(id.starts_with("seg-"));
  const auto second = json::Document::parse(world.news[1], json::kEvent);
  CHECK(second->root().find("type")->as_string() == "identify");
  CHECK(second->root().at_pointer("/traits/buyers")->as_bool() == true);
  CHECK(second->root().find("messageId")->as_string() == id + "-i");

  world.advance(1h);
  REQUIRE(world.projector->drain());
  REQUIRE(world.news.size() == 4);
  CHECK(world.news[2].find("Audience Exited") != std::string::npos);
  CHECK(world.news[2].find(events::format_time(kStart + 1h)) != std::string::npos);
}

TEST_CASE("when the news cannot be stored nothing is written, and it is told again", "[segments]") {
  World world;
  world.registry = std::make_unique<SegmentRegistry>(world.store, profiles::SwitchedOff{});
  REQUIRE(world.registry->load(
      {definition("b", "did(\"Order\")", R"(,"send":[{"destination":"crm"}])")}, false));
  bool is_down = true;
  Names told;
  world.projector = std::make_unique<profiles::Projector>(
      world.store,
      *world.registry,
      world.clock,
      profiles::ProjectorOptions{.announce = [&](const Names& raw) -> Result<void> {
        told.insert(told.end(), raw.begin(), raw.end());
        return is_down ? Failure({ErrorCode::Unavailable, "down"}) : Result<void>{};
      }});
  test::append(world.store, {track("u", "Order", kStart)});
  CHECK_FALSE(world.projector->drain());
  CHECK(world.store.position(profiles::kConsumer, "events", 0, test::soon())->offset == 0);

  is_down = false;
  REQUIRE(world.projector->drain());

  REQUIRE(told.size() == 2);
  CHECK(told[0] == told[1]);
}

TEST_CASE("segments by hand are kept apart and count for rules", "[segments]") {
  World world({definition("led", "segment(\"hand_picked\") and plan = pro")});
  world.take({identify(R"("userId":"u")", R"({"plan":"pro"})", kStart)});

  REQUIRE(world.run(profiles::manual_task("u", "hand_picked", "console", true)));
  CHECK(world.segments("u") == Names{"hand_picked", "led"});
  CHECK(world.profile("u").standing.manual.at("hand_picked").source == "console");
  REQUIRE(world.run(profiles::manual_task("u", "hand_picked", "console", false)));
  CHECK(world.segments("u") == Names{});
  CHECK(world.run(profiles::manual_task("nobody", "x", "y", true)).error().code ==
        ErrorCode::NotFound);
}

TEST_CASE("merged people have the events of both, and part again as they were", "[segments]") {
  World world({definition("two", "count(\"Order\") = 2"), definition("pro", "plan = pro")});
  const auto by_device = fmt::format(
      R"({{"messageId":"d","type":"track","event":"Order","anonymousId":"a","timestamp":"{}","receivedAt":"{}"}})",
      events::format_time(kStart),
      events::format_time(kStart));
  world.take({by_device,
              identify(R"("anonymousId":"a")", R"({"plan":"pro"})", kStart + 1s),
              track("u", "Order", kStart + 2s)});
  CHECK(world.segments("u") == Names{});

  world.take({identify(R"("userId":"u","anonymousId":"a")", R"({"x":1})", kStart + 3s)});
  CHECK(world.segments("u") == Names{"pro", "two"});
  CHECK(world.numbers("pro").size == 1);
  const auto merged = world.profile("u");
  REQUIRE(merged.merges.size() == 1);

  REQUIRE(world.run(profiles::unmerge_task(merged.id, merged.merges.front())));

  CHECK(world.segments("u") == Names{});
  const auto device =
      profiles::Profiles(world.store, *world.registry).find(Name::AnonymousId, "a").value().value();
  CHECK(device.id != merged.id);
  CHECK(device.event_count == 2);
  CHECK(world.profile("u").event_count == 2);
  CHECK(world.numbers("pro").size == 1);
  CHECK(device.standing.computed.at("pro").is_member);
  CHECK(world.run(profiles::unmerge_task(merged.id, merged.merges.front())).error().reason ==
        "merge_undone");
  world.take({track("u", "Order", kStart + 4s)});
  CHECK(world.segments("u") == Names{"two"});
}

TEST_CASE("only the latest merge of a profile can be taken back", "[segments]") {
  World world;
  world.take({track("u", "A", kStart), track("v", "A", kStart), track("w", "A", kStart)});
  const auto [u, v, w] =
      std::tuple{world.profile("u").id, world.profile("v").id, world.profile("w").id};
  REQUIRE(world.run(profiles::merge_task(v, u)));
  REQUIRE(world.run(profiles::merge_task(w, u)));
  CHECK(world.run(profiles::merge_task(w, u)).error().reason == "same_profile");
  CHECK(world.run(profiles::merge_task(ProfileId{"p0-99"}, u)).error().code == ErrorCode::NotFound);
  const auto both = world.profile("u");
  REQUIRE(both.merges.size() == 2);
  CHECK(world.profile("v").id == u);
  CHECK(both.event_count == 3);

  const auto early = world.run(profiles::unmerge_task(u, both.merges[0]));
  CHECK(early.error().reason == "merge_not_latest");
  CHECK(early.error().code == ErrorCode::Conflict);
  REQUIRE(world.run(profiles::unmerge_task(u, both.merges[1])));
  REQUIRE(world.run(profiles::unmerge_task(u, both.merges[0])));

  CHECK(world.profile("v").id == v);
  CHECK(world.profile("w").id == w);
  CHECK(world.profile("u").event_count == 1);
  CHECK(world.profile("u").identifiers.size() == 1);
}

TEST_CASE("profiles are filtered by an expression", "[segments]") {
  World world({definition("ordered", "did(\"Order\")")});
  world.take({identify(R"("userId":"u")", R"({"plan":"pro","address":{"city":"Ulm"}})", kStart),
              track("u", "Order", kStart),
              identify(R"("userId":"v")", R"({"plan":"free"})", kStart)});
  const profiles::Profiles profiles(world.store, *world.registry);
  const auto count = [&](std::string_view where) {
    const auto filter = profiles::ProfileFilter::parse(where, *world.registry).value();
    return profiles
        .list("", 100, [&](const auto& one) { return filter.takes(one, world.clock.now()); })
        .value()
        .profiles.size();
  };
  CHECK(count("") == 2);
  CHECK(count("plan = pro") == 1);
  CHECK(count("address.city = Ulm and profile.eventCount = 2") == 1);
  CHECK(count("segment(\"ordered\")") == 1);
  CHECK(count("identifier.user_id in [u, v]") == 2);
  CHECK(profiles::ProfileFilter::parse("did(\"Order\")", *world.registry).error().reason ==
        "bad_expression");
  const auto first = profiles.list("", 1, [](const auto&) { return true; }).value();
  REQUIRE(first.profiles.size() == 1);
  CHECK(profiles.list(first.next, 5, [](const auto&) { return true; }).value().profiles.size() ==
        1);
}

TEST_CASE("an explanation shows each condition with what was seen", "[segments]") {
  World world({definition("both", "plan = pro and count(\"Order\", 7d) >= 3")});
  world.take(
      {identify(R"("userId":"u")", R"({"plan":"pro"})", kStart), track("u", "Order", kStart)});
  const auto list = world.registry->current();
  json::Writer out;

  profiles::write_explanation(
      out, *list->book, {}, *list->book->find("both"), world.profile("u"), world.clock.now());

  const auto document = json::Document::parse(out.text(), json::kApi);
  const json::Value root = document->root();
  CHECK(root.find("value")->as_string() == "false");
  CHECK(root.at_pointer("/tree/op")->as_string() == "and");
  CHECK(root.at_pointer("/tree/children/0/value")->as_string() == "true");
  CHECK(root.at_pointer("/tree/children/0/seen")->as_string() == "pro");
  CHECK(root.at_pointer("/tree/children/1/when")->as_string() == "count(\"Order\", 7d) >= 3");
  CHECK(root.at_pointer("/tree/children/1/seen")->as_int64() == 1);
}

TEST_CASE("an explanation says what a segment is that no rule decides", "[segments]") {
  World world({definition("off", "plan = pro", R"(,"enabled":false)"),
               definition("busy", "count(\"Order\", 90d, 30d) >= 30")});
  world.take({identify(R"("userId":"u")", R"({"plan":"pro"})", kStart)});
  REQUIRE(world.run(profiles::manual_task("u", "hand_picked", "console", true)));
  const auto explain = [&](std::string_view name) {
    json::Writer out;
    const bool is_known = profiles::explain_segment(
        out, *world.registry->current()->book, {}, name, world.profile("u"), world.clock.now());
    const auto document = json::Document::parse(is_known ? out.text() : "{}", json::kApi);
    const auto text = [&](std::string_view member) {
      const auto value = document->root().at_pointer(member);
      return value ? std::string(value->raw()) : std::string("none");
    };
    return fmt::format("{} {} {}", text("/member"), text("/state"), text("/tree/value"));
  };

  CHECK(explain("off") == R"(false "disabled" "true")");
  CHECK(explain("plan_pro") == R"(true "ready" "true")");
  CHECK(explain("power_user") == R"(false "ready" "false")");
  CHECK(explain("hand_picked") == R"(true "ready" "true")");
  CHECK(explain("unknown") == "none none none");
}

TEST_CASE("who has more events than are kept is marked, and an explanation says so", "[segments]") {
  World world({definition("rich", "sum(\"Order\", \"n\", 30d) > 1")});
  std::vector<std::string> orders;
  for (int i = 0; i < 2'100; ++i) {
    std::string order = track("u", "Order", kStart + std::chrono::minutes{i});
    orders.push_back(order.insert(1, R"("properties":{"n":1},)"));
  }
  world.take(orders);

  CHECK(world.profile("u").flags.contains("segment_limit"));
  const auto list = world.registry->current();
  json::Writer out;
  profiles::write_explanation(
      out, *list->book, {}, *list->book->find("rich"), world.profile("u"), kStart + 48h);
  const auto document = json::Document::parse(out.text(), json::kApi);
  CHECK(document->root().at_pointer("/tree/cut")->as_bool() == true);
  CHECK(document->root().at_pointer("/tree/seen")->as_int64() == 2'100);
}

TEST_CASE("an object filter looks events up from their root", "[segments]") {
  const auto event = json::Document::parse(
      R"({"event":"purchase","properties":{"total":12.5,"sku":"A-1"},"context":{"page":{"url":"/x"}}})",
      json::kEvent);
  const auto takes = [&](std::string_view where) {
    return profiles::ObjectFilter::parse(where,
                                         [](const std::string& pattern, std::string_view text) {
                                           return text.starts_with(pattern);
                                         })
        .value()
        .takes(event->root(), kStart);
  };
  CHECK(takes("event = \"purchase\" and properties.total > 10"));
  CHECK(takes("context.page.url starts_with \"/\""));
  CHECK(takes("properties.sku ~ \"A-\""));
  CHECK_FALSE(takes("not exists properties.sku"));
  CHECK_FALSE(takes("not properties.missing = 1"));
  CHECK_FALSE(profiles::ObjectFilter::parse("a ~ \"b\""));
  CHECK_FALSE(profiles::ObjectFilter::parse("count(\"x\") > 1"));
}

}  // namespace edge
