// SPDX-License-Identifier: MIT
// Deleting and handing out events that no living profile received.
#include <fmt/format.h>

#include "core/profile_export.h"
#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using Texts = std::vector<std::string>;
using profiles::Name;

namespace {

Texts exported(Installation& there, Name name, const std::string& value) {
  Texts ids;
  const auto written = export_person(*there.edge, name, value, [&](std::string_view line) {
    const auto document = json::Document::parse(line, json::kApi);
    if (const auto event = document->root().find("event")) {
      ids.emplace_back(*event->find("messageId")->as_string());
    }
  });
  REQUIRE(written);
  CHECK((*written || ids.empty()));
  return ids;
}

/// A visitor with two devices and a mail address, whose profile has expired since, and one who
/// lives on.
void let_expire(Installation& there) {
  there.take(R"({"type":"track","event":"E","anonymousId":"a-1","messageId":"x-1"})");
  there.take(
      R"({"type":"identify","anonymousId":"a-1","messageId":"x-2","traits":{"email":"Zaphod@x.example"}})");
  there.take(
      R"({"type":"identify","anonymousId":"a-2","messageId":"x-3","traits":{"email":"zaphod@x.example"}})");
  there.take(R"({"type":"track","event":"E","anonymousId":"b-1","messageId":"y-1"})");
  there.fold();
  there.clock.advance(std::chrono::hours{24 * 200});
  there.take(R"({"type":"track","event":"E","anonymousId":"b-1","messageId":"y-2"})");
  const auto gone = there.edge->regulations.expire_visitors(
      there.clock.now() - std::chrono::hours{24 * 180}, {}, [&] {
        return there.edge->projector.drain();
      });
  REQUIRE(gone);
  REQUIRE(*gone == 1);
}

}  // namespace

TEST_CASE("events of a visitor who has expired go when they ask by any name", "[regulations]") {
  const auto [name, value] = GENERATE(table<Name, std::string>(
      {{Name::AnonymousId, "a-1"}, {Name::AnonymousId, "a-2"}, {Name::Email, "zaphod@X.example"}}));
  const bool came_back = GENERATE(false, true);
  Installation there({}, {.roll_after = std::chrono::hours{24}});
  let_expire(there);
  Texts theirs = {"x-1", "x-2", "x-3"};
  if (came_back) {
    there.take(R"({"type":"track","event":"E","anonymousId":"a-1","messageId":"x-4",)"
               R"("context":{"traits":{"email":"zaphod@x.example"}}})");
    there.fold();
    theirs.emplace_back("x-4");
  }
  // Who comes back with one device is not known by the other.
  CHECK(exported(there, Name::AnonymousId, "a-1") == theirs);

  const std::string id = there.start({.subject = name, .ids = {value}});
  REQUIRE(there.work());

  INFO(value << came_back);
  const bool is_new_kept = came_back && value == "a-2";
  CHECK(there.events() == (is_new_kept ? Texts{"y-1", "y-2", "x-4"} : Texts{"y-1", "y-2"}));
  CHECK(there.edge->regulations.document(id)->find(fmt::format(
            R"("events":{})", theirs.size() - (is_new_kept ? 1 : 0))) != std::string::npos);
}

TEST_CASE("events that were linked to nobody go with the names they carry", "[regulations]") {
  Installation there;
  there.take(R"({"type":"track","event":"E","anonymousId":"a-1","messageId":"anonymous"})",
             {.source = "web", .anonymous = true});
  there.take(
      R"({"type":"track","event":"E","userId":"u-1","messageId":"internal","context":{"internal":true}})",
      {.source = "web", .may_be_internal = true});
  there.take(R"({"type":"track","event":"E","userId":"u-2","messageId":"kept"})");
  there.fold();
  REQUIRE(there.events().size() == 3);
  CHECK(exported(there, Name::AnonymousId, "a-1") == Texts{"anonymous"});
  CHECK(exported(there, Name::AnonymousId, "nobody").empty());

  there.start({.subject = Name::AnonymousId, .ids = {"a-1"}});
  there.start({.subject = Name::UserId, .ids = {"u-1"}});
  REQUIRE(there.work());

  CHECK(there.events() == Texts{"kept"});
}

TEST_CASE("an address that another living person carries takes nothing of theirs",
          "[regulations]") {
  Installation there;
  for (const char* user : {"u-1", "u-2"}) {
    there.take(fmt::format(
        R"({{"type":"identify","userId":"{0}","messageId":"{0}","traits":{{"email":"s@x.example"}}}})",
        user));
  }
  there.fold();

  there.start({.subject = Name::Email, .ids = {"s@x.example"}});
  REQUIRE(there.work());

  CHECK(there.events() == Texts{"u-2"});
}
