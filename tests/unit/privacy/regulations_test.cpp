// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "core/base/fault.h"
#include "core/profile_export.h"
#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using Status = events::Outcome::Status;
using Texts = std::vector<std::string>;

namespace {

/// Somebody with everything that is kept of a person: traits, a merge, a segment by hand, and
/// events before and after. Their texts hold `mark`.
void live(Installation& there, const std::string& mark) {
  const auto take = [&](const std::string& event) { there.take(event); };
  take(fmt::format(R"({{"type":"track","event":"Seen","anonymousId":"a-{0}","messageId":"{0}-1",)"
                   R"("properties":{{"note":"note-{0}"}}}})",
                   mark));
  take(fmt::format(
      R"({{"type":"identify","userId":"u-{0}","messageId":"{0}-2","traits":{{"plan":"{0}-old"}}}})",
      mark));
  take(fmt::format(R"({{"type":"identify","userId":"u-{0}","anonymousId":"a-{0}","messageId":)"
                   R"("{0}-3","traits":{{"plan":"{0}-new","email":"{0}@x.example"}}}})",
                   mark));
  take(fmt::format(
      R"({{"type":"alias","userId":"u-{0}","previousId":"old-{0}","messageId":"{0}-4"}})", mark));
  there.fold();
}

std::string status_of(Installation& there, const std::string& id) {
  const auto document = there.edge->regulations.document(id);
  REQUIRE(document);
  const auto parsed = json::Document::parse(*document, json::kApi);
  return std::string(*parsed->root().find("status")->as_string());
}

std::int64_t count_of(Installation& there, const std::string& id, const std::string& name) {
  const auto document = there.edge->regulations.document(id);
  const auto parsed = json::Document::parse(*document, json::kApi);
  return *parsed->root().at_pointer("/counts/" + name)->as_int64();
}

destinations::Definition hook(const Installation& there) {
  const auto json = json::Document::parse(
      R"({"name":"hook","type":"webhook","config":{"url":"https://hook.example/"}})", json::kApi);
  return *destinations::read_definition(json->root(), there.edge->catalogue);
}

}  // namespace

TEST_CASE("a deleted person is gone from profiles, log and every file", "[regulations]") {
  Installation there;
  live(there, "zaphod");
  live(there, "trillian");
  const std::string kept = there.profile("u-trillian");
  REQUIRE_FALSE(there.files_with("note-zaphod").empty());

  const std::string id = there.start({.ids = {"u-zaphod"}});
  CHECK(status_of(there, id) == "RUNNING");
  REQUIRE(there.work());

  CHECK(status_of(there, id) == "FINISHED");
  CHECK(count_of(there, id, "profiles") == 1);
  CHECK(count_of(there, id, "events") == 4);
  CHECK(there.profile("u-zaphod").empty());
  CHECK(there.events() == Texts{"trillian-1", "trillian-2", "trillian-3", "trillian-4"});
  CHECK(there.profile("u-trillian") == kept);
  CHECK(there.files_with("zaphod") == Texts{});
  there.reopen();
  there.fold();
  CHECK(there.profile("u-zaphod").empty());
  CHECK(there.profile("u-trillian") == kept);
  CHECK(there.files_with("zaphod") == Texts{});
}

TEST_CASE("what was said in the room of a deleted person is gone too", "[regulations]") {
  Installation there;
  live(there, "zaphod");
  live(there, "trillian");
  const auto say = [&there](const std::string& name) {
    std::promise<Result<state::Published>> said;
    there.edge->rooms.room("user:u-" + name)
        ->publish(0, {.event = "e", .data = "\"to-" + name + "\""}, [&said](auto done) {
          said.set_value(std::move(done));
        });
    REQUIRE(said.get_future().get());
  };
  say("zaphod");
  say("trillian");
  REQUIRE_FALSE(there.files_with("to-zaphod").empty());

  const std::string id = there.start({.ids = {"u-zaphod"}});
  REQUIRE(there.work());

  CHECK(status_of(there, id) == "FINISHED");
  CHECK(there.files_with("zaphod") == Texts{});
  CHECK_FALSE(there.files_with("to-trillian").empty());
}

TEST_CASE("people can be named by mail address, anonymous id and profile", "[regulations]") {
  const auto [subject, name] =
      GENERATE(table<profiles::Name, std::string>({{profiles::Name::Email, " Ford@X.example"},
                                                   {profiles::Name::AnonymousId, "a-ford"},
                                                   {profiles::Name::AnonymousId, "old-ford"}}));
  Installation there;
  live(there, "ford");

  there.start({.subject = subject, .ids = {name}});
  REQUIRE(there.work());

  CHECK(there.events().empty());
  CHECK(there.files_with("ford") == Texts{});
}

TEST_CASE("a name that nobody goes by deletes nothing", "[regulations]") {
  Installation there;
  live(there, "arthur");

  const std::string id = there.start({.ids = {"nobody", ""}});
  REQUIRE(there.work());

  CHECK(status_of(there, id) == "FINISHED");
  CHECK(count_of(there, id, "profiles") == 0);
  CHECK(there.events().size() == 4);
}

TEST_CASE("who comes back after a deletion starts anew", "[regulations]") {
  Installation there;
  live(there, "marvin");
  there.start({.ids = {"u-marvin"}});
  REQUIRE(there.work());

  there.take(R"({"type":"track","event":"Back","userId":"u-marvin","messageId":"back"})");
  there.fold();

  CHECK(there.profile("u-marvin").find(R"("eventCount":1)") != std::string::npos);
  CHECK(there.profile("u-marvin").find("marvin-new") == std::string::npos);
}

TEST_CASE("a deletion that is cut off after any step goes on after the restart", "[regulations]") {
  const int step = GENERATE(1, 2, 3, 4, 5, 6, 7);
  const bool is_death = GENERATE(false, true);
  INFO(step);
  Installation there;
  REQUIRE(there.edge->destinations.create(hook(there)));
  live(there, "slartibartfast");
  live(there, "trillian");
  const std::string id = there.start({.ids = {"u-slartibartfast"}});
  there.http->follow(ScriptedHttp::answering(200));

  REQUIRE(fault::arm(fmt::format("regulation.after_step:{}:error", step)));
  CHECK_FALSE(there.work());
  fault::arm("");
  if (is_death) {
    there.reopen();
  }
  REQUIRE(there.work());

  CHECK(status_of(there, id) == "FINISHED");
  CHECK(count_of(there, id, "profiles") == 1);
  CHECK(count_of(there, id, "events") == 4);
  CHECK(there.events().size() == 4);
  CHECK(there.profile("u-slartibartfast").empty());
  REQUIRE(there.edge->forwarders.run_until_idle());
  REQUIRE(there.work());
  CHECK(there.files_with("slartibartfast") == Texts{});
}

TEST_CASE("the number of events is right when a deletion is cut off among them", "[regulations]") {
  const bool is_death = GENERATE(false, true);
  Installation there({}, {.roll_after = std::chrono::milliseconds{1}});
  for (int part = 0; part < 3; ++part) {
    for (int i = 0; i < 4; ++i) {
      there.take(fmt::format(
          R"({{"type":"track","event":"E","userId":"u-1","messageId":"{}-{}"}})", part, i));
    }
    there.clock.advance(std::chrono::seconds{1});
  }
  there.fold();
  const std::string id = there.start({.ids = {"u-1"}});

  REQUIRE(fault::arm("erase.before_swap:2:error"));
  CHECK_FALSE(there.work());
  fault::arm("");
  CHECK(there.events().size() < 12);
  CHECK_FALSE(there.events().empty());
  if (is_death) {
    there.reopen();
  }
  REQUIRE(there.work());

  CHECK(status_of(there, id) == "FINISHED");
  CHECK(count_of(there, id, "events") == 12);
  CHECK(there.events().empty());
}

TEST_CASE("a deletion that meets a damaged file fails, names it, and can be retried",
          "[regulations]") {
  Installation there({}, {.roll_after = std::chrono::milliseconds{1}});
  live(there, "zaphod");
  there.clock.advance(std::chrono::seconds{1});
  live(there, "trillian");
  there.clock.advance(std::chrono::seconds{1});
  live(there, "arthur");
  there.start({.ids = {"u-arthur"}});  // also seals the parts of the log
  REQUIRE(there.work());
  const std::string part = there.files_with("note-zaphod").at(0);
  const std::string path = there.data() + "/events/" + part;
  there.edge.reset();
  std::filesystem::copy_file(path, path + ".kept");
  REQUIRE(damage_page_with(path, "note-zaphod"));
  there.open();
  const std::string hers = there.start({.ids = {"u-trillian"}});
  const std::string his = there.start({.ids = {"u-zaphod"}});
  const std::string nobodys = there.start({.ids = {"u-nobody"}});
  const auto problem = [&] {
    const auto document = json::Document::parse(*there.edge->regulations.document(his), json::kApi);
    const auto text = document->root().find("error");
    return std::string(text ? text->as_string().value_or("") : "");
  };

  REQUIRE(there.work());
  REQUIRE(there.work());

  CHECK(status_of(there, his) == "FAILED");
  INFO(problem());
  CHECK(problem().find(part + " is damaged") != std::string::npos);
  CHECK(status_of(there, hers) == "FINISHED");
  CHECK(status_of(there, nobodys) == "FINISHED");
  CHECK(there.edge->regulations.retry(hers).error().reason == "not_failed");
  CHECK(there.edge->regulations.retry("reg-none").error().code == ErrorCode::NotFound);
  there.edge.reset();
  std::filesystem::rename(path + ".kept", path);
  there.open();
  CHECK(status_of(there, his) == "FAILED");
  REQUIRE(there.edge->regulations.retry(his));
  CHECK(status_of(there, his) == "RUNNING");
  REQUIRE(there.work());
  CHECK(status_of(there, his) == "FINISHED");
  CHECK(problem().empty());
  CHECK(count_of(there, his, "events") == 4);
  CHECK(there.files_with("zaphod") == Texts{});
}

TEST_CASE("what was deleted can be brought in again at once", "[regulations]") {
  Installation there;
  const std::string event = R"({"type":"track","event":"E","userId":"u-1","messageId":"m"})";
  there.take(event);
  there.fold();
  CHECK(there.take(event).status == Status::Duplicate);
  there.start({.ids = {"u-1"}});
  REQUIRE(there.work());

  CHECK(there.take(event).status == Status::Stored);
  CHECK(there.take(event).status == Status::Duplicate);
  there.fold();
  CHECK(there.profile("u-1").find(R"("eventCount":1)") != std::string::npos);
}

TEST_CASE("events of suppressed people are taken and not kept", "[regulations]") {
  Installation there;
  const std::string event =
      R"({"type":"track","event":"E","userId":"u-1","anonymousId":"a-1","messageId":")";
  there.start({.type = RegulationType::SuppressOnly, .ids = {"u-1"}});

  CHECK(there.take(event + "1\"}").status == Status::Withheld);
  CHECK(there.take(R"({"type":"track","event":"E","userId":"u-2","messageId":"2"})").status ==
        Status::Stored);
  CHECK(
      there.take(R"({"type":"alias","userId":"u-2","previousId":"u-1","messageId":"3"})").status ==
      Status::Withheld);
  REQUIRE(there.work());
  there.reopen();
  CHECK(there.take(event + "4\"}").status == Status::Withheld);
  CHECK(there.events() == Texts{"2"});
  CHECK(there.files_with("u-1") == Texts{});

  const std::string id = there.start({.type = RegulationType::Unsuppress, .ids = {"u-1"}});
  CHECK(there.take(event + "5\"}").status == Status::Stored);
  REQUIRE(there.work());
  CHECK(status_of(there, id) == "FINISHED");
}

TEST_CASE("mail addresses suppress in any spelling", "[regulations]") {
  Installation there;
  there.start({.type = RegulationType::SuppressOnly,
               .subject = profiles::Name::Email,
               .ids = {"Mia@X.example"}});

  CHECK(there.take(R"({"type":"identify","userId":"m","traits":{"email":" mia@x.EXAMPLE"}})")
            .status == Status::Withheld);
  CHECK(there
            .take(R"({"type":"track","event":"E","userId":"m",)"
                  R"("context":{"traits":{"email":"mia@x.example"}}})")
            .status == Status::Withheld);
  const auto external = [](const char* type, const char* id, const char* collection = "users") {
    return fmt::format(R"({{"type":"track","event":"E","userId":"m","context":{{"externalIds":)"
                       R"([{{"type":"{}","id":"{}","collection":"{}"}}]}}}})",
                       type,
                       id,
                       collection);
  };
  CHECK(there.take(external("email", "MIA@x.example ")).status == Status::Withheld);
  CHECK(there.take(external("email", "mia@x.example", "orders")).status == Status::Stored);
  there.start({.type = RegulationType::SuppressOnly,
               .subject = profiles::Name::AnonymousId,
               .ids = {"a-1"}});
  CHECK(there.take(external("anonymous_id", "a-1")).status == Status::Withheld);
  CHECK(there.take(external("anonymous_id", "a-2")).status == Status::Stored);
  CHECK(
      there.take(R"({"type":"identify","userId":"m","traits":{"email":"bo@x.example"}})").status ==
      Status::Stored);
}

TEST_CASE("deliveries and dead letters of a deleted person go, those of others stay",
          "[regulations]") {
  Installation there;
  REQUIRE(there.edge->destinations.create(hook(there)));
  there.http->follow([](const transport::OutgoingRequest& request) {
    const bool is_refused = request.body.find("Dead") != std::string::npos;
    return transport::IncomingResponse{.status = is_refused ? 400 : 503};
  });
  for (const char* user : {"trin", "other"}) {
    there.take(fmt::format(R"({{"type":"track","event":"Dead","userId":"{}"}})", user));
    REQUIRE(there.edge->forwarders.run_until_idle());
    there.take(fmt::format(R"({{"type":"track","event":"Late","userId":"{}"}})", user));
    REQUIRE(there.edge->forwarders.run_until_idle());
  }
  there.fold();
  const auto letters = [&] { return *there.edge->forwarders.dead_letters().count({}); };
  REQUIRE(letters() == 2);

  const std::string id = there.start({.ids = {"trin"}});
  REQUIRE(there.work());

  CHECK(letters() == 1);
  CHECK(count_of(there, id, "deadLetters") == 1);
  CHECK(count_of(there, id, "deliveries") == 1);
  const auto status = there.edge->forwarders.status("hook");
  REQUIRE(status);
  CHECK(status->dead == 1);
  CHECK(status->pending == 2);  // the other's, and the news of the deletion
}

TEST_CASE("webhooks are told of a deletion, vendors are listed", "[regulations]") {
  Installation there;
  REQUIRE(there.edge->destinations.create(hook(there)));
  const auto json = json::Document::parse(
      R"({"name":"amp","type":"amplitude","config":{"apiKey":"k"}})", json::kApi);
  REQUIRE(there.edge->destinations.create(
      *destinations::read_definition(json->root(), there.edge->catalogue)));
  there.take(R"({"type":"identify","userId":"eddie","traits":{"email":"e@x.example"}})");
  there.fold();
  REQUIRE(there.edge->forwarders.run_until_idle());
  there.http->forget();

  const std::string id = there.start({.ids = {"eddie"}});
  REQUIRE(there.work());
  REQUIRE(there.edge->forwarders.run_until_idle());

  REQUIRE(there.http->requests().size() == 1);
  CHECK(there.http->requests()[0].body ==
        R"({"type":"delete","userId":"eddie","identifiers":{"email":["e@x.example"],)"
        R"("user_id":["eddie"]}})");
  CHECK(there.edge->regulations.document(id)->find(R"("manual":["amp"])") != std::string::npos);
  // The news held names while they waited; they go too.
  CHECK(*there.work());
  CHECK(there.files_with("e@x.example") == Texts{});
  CHECK_FALSE(*there.work());
}

TEST_CASE("a profile can go without its events", "[regulations]") {
  Installation there;
  live(there, "agrajag");

  there.start({.ids = {"u-agrajag"}, .keep_events = true});
  REQUIRE(there.work());

  CHECK(there.profile("u-agrajag").empty());
  CHECK(there.events().size() == 4);
}

TEST_CASE("after a deletion all is as if the person had never been there", "[regulations]") {
  SeededRandom random(Catch::rngSeed() + 5);
  Installation with;
  Installation without;
  for (int i = 0; i < 120; ++i) {
    const bool is_theirs = random.below(3) == 0;
    const std::string who = is_theirs ? "gone" : fmt::format("p{}", random.below(4));
    const std::string device = fmt::format("{}-d{}", who, random.below(3));
    std::string event = R"({"type":"track","event":"Button Clicked")";
    if (random.below(3) == 0) {
      event = fmt::format(R"({{"type":"identify","traits":{{"n":{},"email":"{}@x.example"}})",
                          random.below(50),
                          who);
    }
    event += fmt::format(R"(,"anonymousId":"{}")", device);
    event += random.below(2) == 0 ? fmt::format(R"(,"userId":"{}")", who) : "";
    event += fmt::format(R"(,"messageId":"{}"}})", i);
    with.take(event);
    if (!is_theirs) {
      without.take(event);
    }
    with.clock.advance(std::chrono::minutes{7});
    without.clock.advance(std::chrono::minutes{7});
  }
  with.fold();
  without.fold();

  RegulationRequest request{.subject = profiles::Name::AnonymousId,
                            .ids = {"gone-d0", "gone-d1", "gone-d2"}};
  with.start(request);
  request = {.ids = {"gone"}};
  with.start(request);
  REQUIRE(with.work());

  const auto people = [](Installation& there) {
    Texts documents;
    const auto page =
        there.edge->profiles.list("", 1'000, [](const profiles::Profile&) { return true; });
    for (profiles::Profile profile : page->profiles) {
      profile.id = ProfileId{};
      profile.merged_from.clear();
      documents.push_back(there.edge->profiles.document(profile, there.clock.now()));
    }
    std::ranges::sort(documents);
    return documents;
  };
  INFO(Catch::rngSeed());
  CHECK(with.events() == without.events());
  CHECK(people(with) == people(without));
  // And what is left in the log makes the same again.
  Installation again;
  for (const std::string& id : with.events()) {
    const auto event = events::Event::decode(with.body_of(id));
    again.take(events::without_internals(*event));
  }
  again.fold();
  Texts seen_again = people(again);
  CHECK(seen_again.size() == people(without).size());
}

TEST_CASE("an export holds everything that is kept of a person", "[regulations]") {
  Installation there;
  live(there, "deep");
  live(there, "other");

  Texts kinds;
  const auto written =
      export_person(*there.edge, profiles::Name::UserId, "u-deep", [&](std::string_view line) {
        const auto document = json::Document::parse(line, json::kApi);
        REQUIRE(document);
        kinds.emplace_back(*document->root().find("kind")->as_string());
        CHECK(line.find("other") == std::string::npos);
      });

  REQUIRE(written);
  CHECK(*written);
  const auto count = [&](const char* kind) { return std::ranges::count(kinds, kind); };
  CHECK(kinds.front() == "profile");
  CHECK(count("identifier") == 4);
  CHECK(count("history") == 3);
  CHECK(count("merge") == 1);
  CHECK(count("event") == 4);
}

TEST_CASE("wrong regulations are refused with the member that is wrong", "[regulations]") {
  const auto [body, field] = GENERATE(table<std::string, std::string>(
      {{R"({"subjectType":"USER_ID","subjectIds":["a"]})", "/regulationType"},
       {R"({"regulationType":"DELETE","subjectType":"USER_ID","subjectIds":["a"]})",
        "/regulationType"},
       {R"({"regulationType":"DELETE_ONLY","subjectType":"PROFILE_ID","subjectIds":["a"]})",
        "/subjectType"},
       {R"({"regulationType":"DELETE_ONLY","subjectType":"USER_ID","subjectIds":[]})",
        "/subjectIds"},
       {R"({"regulationType":"DELETE_ONLY","subjectType":"USER_ID","subjectIds":[""]})",
        "/subjectIds"},
       {R"({"regulationType":"DELETE_ONLY","subjectType":"USER_ID","subjectIds":[7]})",
        "/subjectIds"},
       {R"({"regulationType":"DELETE_ONLY","subjectType":"EMAIL","subjectIds":["a"]})",
        "/subjectIds"}}));
  const auto document = json::Document::parse(body, json::kApi);

  const auto request = read_regulation(document->root());

  REQUIRE_FALSE(request);
  CHECK(request.error().field == field);
}
