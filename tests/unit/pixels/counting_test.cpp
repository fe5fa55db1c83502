// SPDX-License-Identifier: MIT
// From visits to counters, with everything between them: collector, log, tally, reports.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "core/metrics/metrics.h"
#include "core/pixels/collector.h"
#include "core/pixels/counts.h"
#include "core/pixels/html.h"
#include "core/pixels/stats.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace pixels = edge::pixels;
namespace json = edge::json;
using namespace std::chrono_literals;
using pixels::TokenKind;

namespace {

constexpr const char* kBrowser = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Firefox/126.0";

/// Everything a collector needs, on a store in memory.
struct Mailroom {
  edge::test::FakeClock clock;
  edge::test::MemoryStore store{clock};
  edge::test::SequenceIds ids;
  edge::metrics::Registry metrics;
  edge::events::Ingest ingest{store, clock, ids, metrics, {}};
  pixels::OptOuts opt_outs{store, clock};
  pixels::Collector::Settings settings;
  pixels::KeyRing ring =
      pixels::KeyRing::parse(R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})")
          .value();
  pixels::AddressLists lists;
  std::unique_ptr<pixels::Collector> collector;

  /// A collector as after a start of the program.
  void restart() {
    collector =
        std::make_unique<pixels::Collector>(settings, store, ingest, opt_outs, clock, ids, metrics);
    REQUIRE(collector->start({}));
  }

  std::string token(const std::string& recipient,
                    TokenKind kind = TokenKind::Open,
                    const std::string& url = {},
                    std::uint32_t ttl = 0) const {
    return pixels::seal({.kind = kind,
                         .issued_at = static_cast<std::uint32_t>(edge::to_ms(clock.now()) / 1000),
                         .campaign_id = "c",
                         .email_id = "e",
                         .recipient_id = recipient,
                         .ttl_s = ttl,
                         .url = url},
                        ring)
        .value();
  }

  void visit(pixels::Visit visit) {
    visit.received_at = clock.now();
    if (visit.user_agent.empty()) {
      visit.user_agent = kBrowser;
    }
    collector->take({std::move(visit)}, {ring, pixels::OpenRules::defaults(), lists});
  }
  void open(const std::string& recipient, const std::string& agent = kBrowser) {
    visit({.token = token(recipient), .client_ip = "203.0.113.9", .user_agent = agent});
  }
  void click(const std::string& recipient, const std::string& url) {
    visit({.kind = TokenKind::Click,
           .token = token(recipient, TokenKind::Click, url),
           .client_ip = "203.0.113.9"});
  }

  /// The counters of the campaign as JSON, everything gathered included.
  std::string stats() {
    collector->finish();
    REQUIRE(collector->flush());
    return pixels::stats_json(pixels::Counts(store), {.campaign = "c"}).value();
  }
  std::int64_t count(const std::string& pointer) {
    const std::string text = stats();
    const auto document = json::Document::parse(text, json::kStrict);
    const auto value = document->root().at_pointer(pointer);
    CAPTURE(text, pointer);
    return value ? value->as_int64().value() : 0;
  }
  /// The newest event of that name.
  std::string event(const std::string& name) {
    const auto found =
        store.find({.stream = "events", .name = name, .limit = 1}, edge::storage::Deadline::in(1s));
    return found->records.empty() ? "{}" : found->records.front()->body;
  }
};

}  // namespace

TEST_CASE("opens are counted by class and by distinct recipients", "[pixels]") {
  Mailroom room;
  room.restart();

  room.open("u-1");
  room.clock.advance(5s);
  room.open("u-1");
  room.open("u-2");
  room.open("u-3", "Mozilla/5.0");  // Apple Mail fetched it
  room.open("u-4", "curl/8.0");

  CHECK(room.count("/total") == 5);
  CHECK(room.count("/human") == 3);
  CHECK(room.count("/machine") == 2);
  CHECK(room.count("/unique") == 4);
  CHECK(room.count("/unique_human") == 2);
  CHECK(room.count("/emails/0/total") == 5);
}

TEST_CASE("[threat-4] a replayed pixel counts in total, not in unique, and bursts collapse",
          "[pixels][threat-4]") {
  Mailroom room;
  room.restart();
  const std::string token = room.token("u-1");
  const pixels::Visit visit{.token = token, .client_ip = "203.0.113.9"};

  for (int i = 0; i < 5; ++i) {
    room.visit(visit);  // within the window
  }
  room.clock.advance(3s);
  room.visit(visit);

  CHECK(room.count("/total") == 2);
  CHECK(room.count("/unique") == 1);
  CHECK(room.count("/repeats") == 4);
  CHECK(room.event("Email Visits Repeated").find(R"("repeats":4)") != std::string::npos);
}

TEST_CASE("a repeat of another class, network or program is another visit", "[pixels]") {
  Mailroom room;
  room.restart();
  const std::string token = room.token("u-1");

  room.visit({.token = token, .client_ip = "203.0.113.9"});
  room.visit({.token = token, .client_ip = "203.0.113.77"});  // the same /24
  room.visit({.token = token, .client_ip = "198.51.100.1"});
  room.visit({.token = token, .client_ip = "203.0.113.9", .user_agent = "curl/8.0"});
  room.visit({.is_head = true, .token = token, .client_ip = "203.0.113.9"});

  CHECK(room.count("/total") == 4);
  CHECK(room.count("/repeats") == 1);
}

TEST_CASE("[threat-7] machines are told apart and do not count as people", "[pixels][threat-7]") {
  Mailroom room;
  REQUIRE(room.lists.add(pixels::AddressList::Scanner, "192.0.2.0/24\n", "list"));
  REQUIRE(room.lists.add(pixels::AddressList::Self, "198.51.100.0/24\n", "list"));
  room.settings.min_human_seconds = 10;
  room.settings.iat_is_sent = true;
  room.restart();
  const std::string early = room.token("u-1");
  const std::string scanned = room.token("u-2");
  const std::string own = room.token("u-3");

  room.clock.advance(3s);
  room.visit({.token = early, .client_ip = "203.0.113.9"});
  room.clock.advance(60s);
  room.visit({.token = scanned, .client_ip = "192.0.2.7"});
  room.visit({.token = own, .client_ip = "198.51.100.7"});
  CHECK(room.event("Email Opened").find(R"("openClass":"self")") != std::string::npos);

  CHECK(room.count("/total") == 2);
  CHECK(room.count("/machine") == 2);
  CHECK(room.count("/unique_human") == 0);
}

TEST_CASE(
    "[threat-1] [threat-2] [threat-3] forged and foreign tokens are refused or flagged, by status",
    "[pixels][threat-1][threat-2][threat-3]") {
  Mailroom room;
  room.restart();
  std::string changed = room.token("u-1");
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  const auto foreign =
      pixels::KeyRing::parse(
          R"({"keys":{"1":"BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","9":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})")
          .value();
  const pixels::Claims claims{
      .issued_at = 1, .campaign_id = "c", .email_id = "e", .recipient_id = "r"};
  // {"v":"v1","c":"c","e":"e","r":"u-1","t":1} of the original platform
  const std::string legacy = "eyJ2IjoidjEiLCJjIjoiYyIsImUiOiJlIiwiciI6InUtMSIsInQiOjF9";

  room.visit({.token = changed});
  room.visit({.token = pixels::seal(claims, foreign, {.key_number = 1}).value()});
  room.visit({.token = pixels::seal(claims, foreign, {.key_number = 9}).value()});
  room.visit({.token = "x"});
  room.visit({.token = room.token("u-1", TokenKind::Click, "https://x.example/")});
  room.visit({.token = legacy + ".0"});

  CHECK(room.count("/total") == 0);
  CHECK(room.count("/rejected/bad_signature") >= 1);
  CHECK(room.count("/rejected/unknown_key") == 1);
  CHECK(room.count("/rejected/malformed") >= 1);
  CHECK(room.count("/rejected/wrong_kind") == 1);
  CHECK(room.count("/rejected/legacy_v1_bad_hash") == 1);
}

TEST_CASE("[threat-1] an open of the old layout is stored, flagged and never unique",
          "[pixels][threat-1]") {
  Mailroom room;
  const auto legacy = GENERATE(
      pixels::LegacyTokens::Flag, pixels::LegacyTokens::Count, pixels::LegacyTokens::Reject);
  room.settings.legacy = legacy;
  room.restart();
  // What pixel_v1.jsonl's layout says: base64 of the object, a dot, its checksum.
  const std::string body = "eyJ2IjoidjEiLCJjIjoiYyIsImUiOiJlIiwiciI6InUtMSIsInQiOjF9";
  std::int32_t hash = 0;
  for (const char c : body) {
    hash = static_cast<std::int32_t>(static_cast<std::uint32_t>(hash) * 31U +
                                     static_cast<unsigned char>(c));
  }
  char checksum[16];
  std::snprintf(checksum, sizeof checksum, "%llx", std::llabs(static_cast<long long>(hash)));

  room.visit({.token = body + "." + checksum});

  const bool taken = legacy != pixels::LegacyTokens::Reject;
  CHECK(room.count("/total") == (taken ? 1 : 0));
  CHECK(room.count("/unauthenticated") == (taken ? 1 : 0));
  CHECK(room.count("/unique") == (legacy == pixels::LegacyTokens::Count ? 1 : 0));
  CHECK(room.count("/rejected/legacy_v1") == (taken ? 0 : 1));
  CHECK((room.event("Email Opened").find(R"("authenticated":false)") != std::string::npos) ==
        taken);
}

TEST_CASE("an open after the token's time is late and nothing else", "[pixels]") {
  Mailroom room;
  room.restart();
  const std::string token = room.token("u-1", TokenKind::Open, {}, 60);
  room.clock.advance(61s);

  room.visit({.token = token});

  CHECK(room.count("/late") == 1);
  CHECK(room.count("/total") == 0);
  CHECK(room.event("Email Opened").find(R"("internal":true)") != std::string::npos);
}

TEST_CASE("three links of one mail within two seconds are a scanner's, the stored ones too",
          "[pixels]") {
  Mailroom room;
  room.restart();

  room.click("u-1", "https://x.example/1");
  room.click("u-1", "https://x.example/2");
  CHECK(room.count("/clicks/human") == 2);
  CHECK(room.count("/clicks/unique_human") == 1);
  room.click("u-1", "https://x.example/3");
  room.click("u-2", "https://x.example/1");
  room.click("u-2", "https://x.example/2");

  CHECK(room.count("/clicks/total") == 5);
  CHECK(room.count("/clicks/machine") == 3);
  CHECK(room.count("/clicks/human") == 2);
  CHECK(room.count("/clicks/unique") == 2);
  CHECK(room.count("/clicks/unique_human") == 1);

  room.clock.advance(10s);
  room.click("u-1", "https://x.example/1");  // now somebody reads it
  CHECK(room.count("/clicks/human") == 3);
  CHECK(room.count("/clicks/unique") == 2);
  CHECK(room.count("/clicks/unique_human") == 2);
}

TEST_CASE("slow readers and one link again and again are no sweep", "[pixels]") {
  Mailroom room;
  room.restart();
  for (const char* url : {"https://x.example/1", "https://x.example/2", "https://x.example/3"}) {
    room.click("u-1", url);
    room.clock.advance(1500ms);
  }
  for (int i = 0; i < 4; ++i) {
    room.click("u-2", "https://x.example/1");
  }

  CHECK(room.count("/clicks/machine") == 0);
  CHECK(room.count("/clicks/human") == 4);
  CHECK(room.count("/clicks/repeats") == 3);
}

TEST_CASE("who opted out or sends GPC is counted without a name", "[pixels]") {
  Mailroom room;
  room.restart();
  REQUIRE(room.opt_outs.add("u-1", "news", "api").value());

  room.open("u-1");
  const std::string listed = room.event("Email Opened");
  room.visit({.opted_out = true, .token = room.token("u-2"), .client_ip = "203.0.113.9"});
  const std::string gpc = room.event("Email Opened");

  for (const std::string& event : {listed, gpc}) {
    CAPTURE(event);
    CHECK(event.find("u-1") == std::string::npos);
    CHECK(event.find("203.0.113") == std::string::npos);
    CHECK(event.find(R"("anonymousId":"anonymous")") != std::string::npos);
  }
  CHECK(room.count("/total") == 2);
  CHECK(room.count("/unique") == 0);
}

TEST_CASE("counters survive a restart at any moment and count nothing twice", "[pixels]") {
  Mailroom room;
  room.restart();
  room.open("u-1");
  room.restart();  // nothing was flushed: the log says it
  room.open("u-1", "Mozilla/5.0 (Macintosh) Safari/605.1.15");
  room.open("u-2");
  REQUIRE(room.collector->flush());
  room.restart();

  CHECK(room.count("/total") == 3);
  CHECK(room.count("/unique") == 2);
  CHECK(room.count("/unique_human") == 2);
}

TEST_CASE("a store that takes nothing loses the open, and counting goes on after it", "[pixels]") {
  Mailroom room;
  room.restart();
  room.store.refuse_commits(edge::Error{edge::ErrorCode::Unavailable, "full"});
  room.open("u-1");
  room.store.refuse_commits(std::nullopt);

  room.clock.advance(5s);
  room.open("u-1");

  CHECK(room.count("/total") == 1);
  CHECK(room.metrics.text().find("edge_pixel_dropped_total 1") != std::string::npos);
}

TEST_CASE("reports sum hours by campaign and by hour", "[pixels]") {
  Mailroom room;
  room.restart();
  const edge::Time begin = room.clock.now();
  room.open("u-1");
  room.clock.advance(2h);
  room.open("u-2");
  room.click("u-2", "https://x.example/");
  room.stats();
  const pixels::Counts counts(room.store);

  const auto by_hour = counts.report(begin, pixels::Counts::By::Hour).value();
  const auto later = counts.report(begin + 1h, pixels::Counts::By::Campaign).value();

  REQUIRE(by_hour.size() == 2);
  CHECK(by_hour[0].name == "2023-11-14T22:00:00.000Z");
  CHECK(by_hour[0].metrics.at("opens.total") == 1);
  REQUIRE(later.size() == 1);
  CHECK(later[0].name == "c");
  CHECK(later[0].metrics.at("opens.total") == 1);
  CHECK(later[0].metrics.at("clicks.total") == 1);
  CHECK(counts.campaigns("", 10)->items.size() == 1);
  CHECK(counts.campaigns("c", 10)->items.empty());
}

TEST_CASE("opt-out lists add, remove and page, and know who is on any", "[pixels]") {
  Mailroom room;
  pixels::OptOuts& lists = room.opt_outs;
  CHECK(lists.are_listed({"u-1"}).value() == std::vector<bool>{false});

  CHECK(lists.add("u-1", "", "api").value());
  CHECK_FALSE(lists.add("u-1", "", "api").value());
  CHECK(lists.add("u-1", "news", "unsubscribe").value());
  CHECK(lists.add("u-2", "news", "api").value());
  CHECK(lists.remove("u-1", "").value());
  CHECK_FALSE(lists.remove("u-1", "").value());

  const auto page = lists.list("news", "", 1).value();
  REQUIRE(page.items.size() == 1);
  CHECK(page.items[0].recipient == "u-1");
  CHECK(page.items[0].by == "unsubscribe");
  REQUIRE(page.next);
  CHECK(lists.list("news", *page.next, 10)->items.at(0).recipient == "u-2");
  CHECK(lists.are_listed({"u-1", "", "u-3"}).value() == std::vector<bool>{true, false, false});
  CHECK(lists.add("a\nb", "", "api").error().reason == "invalid_id");
  CHECK(lists.add("*", "", "api").error().reason == "invalid_id");
}
