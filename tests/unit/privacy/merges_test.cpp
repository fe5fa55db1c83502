// SPDX-License-Identifier: MIT
// What merges leave in histories and exports, and what taking one back shows.
#include <fmt/format.h>

#include <future>

#include "core/profile_export.h"
#include "core/profiles/unmerge.h"
#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using namespace std::chrono_literals;

namespace {

profiles::Profile found(Installation& there, profiles::Name name, const std::string& value) {
  const auto profile = there.edge->profiles.find(name, value);
  REQUIRE(profile);
  REQUIRE(*profile);
  return **profile;
}

/// `name:before>after` of each change, the profile before it when it was somebody else's.
std::vector<std::string> history_of(Installation& there, const profiles::Profile& profile) {
  json::Writer out;
  out.begin_object();
  REQUIRE(profiles::write_history(out, there.edge->profiles, profile));
  const std::string text = out.end_object().take();
  const auto document = json::Document::parse(text, json::kApi);
  std::vector<std::string> changes;
  for (const json::Value change : document->root().find("traits")->elements()) {
    const auto raw = [&](const char* name) {
      const auto value = change.find(name);
      return std::string(value ? value->raw() : "");
    };
    changes.push_back(
        fmt::format("{}{}:{}>{}", raw("profileId"), raw("name"), raw("before"), raw("after")));
  }
  return changes;
}

std::string identify(const std::string& names, const std::string& traits, Time at) {
  return fmt::format(R"({{"type":"identify",{},"traits":{},"timestamp":"{}"}})",
                     names,
                     traits,
                     events::format_time(at));
}

}  // namespace

TEST_CASE("a merge that changes traits stands in the history, with what was before the merge",
          "[profiles]") {
  Installation there;
  const Time now = there.clock.now();
  there.take(identify(R"("userId":"u")", R"({"city":"B","plan":"pro"})", now - 3h));
  there.take(identify(R"("anonymousId":"a")", R"({"city":"A"})", now - 2h));
  there.take(identify(R"("anonymousId":"b")", R"({"lang":"de"})", now - 2h));
  there.take(identify(R"("anonymousId":"b","userId":"w")", R"({})", now - 2h));
  there.fold();
  const std::string device = found(there, profiles::Name::AnonymousId, "a").id.text;

  there.take(identify(R"("userId":"u","anonymousId":"a")", R"({})", now - 1h));
  there.fold();

  const profiles::Profile merged = found(there, profiles::Name::UserId, "u");
  REQUIRE(merged.merges.size() == 1);
  CHECK(history_of(there, merged) ==
        std::vector<std::string>{R"("city":"B">"A")",
                                 R"("plan":>"pro")",
                                 R"("city":>"B")",
                                 fmt::format(R"("{}""city":>"A")", device)});
  std::size_t exported = 0;
  REQUIRE(
      export_person(*there.edge, profiles::Name::UserId, "u", [&exported](std::string_view line) {
        exported += line.starts_with(R"({"kind":"history")") ? 1U : 0U;
      }));
  CHECK(exported == 4);
}

TEST_CASE("who was merged earlier into somebody merged now is in the history too", "[profiles]") {
  Installation there;
  const Time now = there.clock.now();
  there.take(identify(R"("anonymousId":"a")", R"({"x":1})", now - 5h));
  there.take(identify(R"("userId":"u")", R"({"x":2})", now - 4h));
  there.take(identify(R"("userId":"u","anonymousId":"a")", R"({})", now - 3h));
  there.take(identify(R"("userId":"v")", R"({"y":3})", now - 2h));
  there.take(R"({"type":"alias","userId":"v","previousId":"u"})");
  there.fold();

  const auto changes = history_of(there, found(there, profiles::Name::UserId, "v"));

  CHECK(std::ranges::count_if(
            changes, [](const std::string& change) { return change.ends_with(R"("x":>1)"); }) == 1);
  CHECK(std::ranges::count_if(
            changes, [](const std::string& change) { return change.ends_with(R"("y":>3)"); }) == 1);
}

TEST_CASE("after a merge is taken back nobody shows the other's device", "[profiles]") {
  Installation there;
  const Time now = there.clock.now();
  there.take(identify(R"("userId":"u","anonymousId":"own")", R"({})", now - 3h));
  there.take(identify(R"("anonymousId":"a")", R"({})", now - 2h));
  there.take(identify(R"("userId":"u","anonymousId":"a")", R"({})", now - 1h));
  there.fold();
  const profiles::Profile merged = found(there, profiles::Name::UserId, "u");
  REQUIRE(merged.anonymous_id == "a");

  std::promise<Result<void>> done;
  there.edge->projector.submit(
      profiles::unmerge_task(merged.id, merged.merges.front()),
      [&done](Result<void> outcome) { done.set_value(std::move(outcome)); });
  there.fold();
  REQUIRE(done.get_future().get());

  CHECK(found(there, profiles::Name::UserId, "u").anonymous_id == "own");
  CHECK(found(there, profiles::Name::AnonymousId, "a").anonymous_id == "a");
  there.reopen();
  CHECK(found(there, profiles::Name::UserId, "u").anonymous_id == "own");
}
