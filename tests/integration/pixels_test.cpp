// SPDX-License-Identifier: MIT
// Pixels and links of a real daemon: what the routes answer, what gets counted, what is kept.
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "core/json/document.h"
#include "core/pixels/codec.h"
#include "core/pixels/gif.h"
#include "core/transport/open.h"
#include "tests/support/daemon_process.h"

using namespace std::chrono_literals;
using edge::test::DaemonProcess;
namespace json = edge::json;
namespace pixels = edge::pixels;
namespace transport = edge::transport;

namespace {

constexpr const char* kBrowser = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Firefox/126.0";
constexpr const char* kFirst = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
constexpr const char* kSecond = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

std::string ring_text(int active) {
  return R"({"active":)" + std::to_string(active) + R"(,"keys":{"1":")" + kFirst + R"(","2":")" +
         kSecond + R"("}})";
}

/// A daemon with a key ring, and a client of it.
struct Post {
  DaemonProcess daemon;
  edge::SystemClock clock;
  std::unique_ptr<transport::HttpClient> http =
      transport::open_client(transport::GuardRules::trusted(), clock);
  pixels::KeyRing ring = pixels::KeyRing::parse(ring_text(1)).value();

  explicit Post(const std::string& config = "") : daemon(config) {
    write_ring(ring_text(1));
    std::ofstream(daemon.path("self.txt")) << "# nobody yet\n";
    REQUIRE(daemon.start());
  }

  void write_ring(const std::string& text) const {
    const std::string directory = daemon.data_dir() + "/keys";
    std::filesystem::create_directories(directory);
    REQUIRE(::chmod(daemon.data_dir().c_str(), 0700) == 0);
    REQUIRE(::chmod(directory.c_str(), 0700) == 0);
    std::ofstream(directory + "/pixel.json", std::ios::trunc) << text;
    REQUIRE(::chmod((directory + "/pixel.json").c_str(), 0600) == 0);
  }

  transport::IncomingResponse send(const std::string& method,
                                   const std::string& target,
                                   transport::Headers headers = {},
                                   const std::string& body = {}) {
    if (headers.empty()) {
      headers = {{"User-Agent", kBrowser}};
    }
    auto answer = http->send({.method = method,
                              .url = daemon.url() + target,
                              .headers = std::move(headers),
                              .body = body,
                              .timeout = 10s});
    CAPTURE(target, answer ? "" : answer.error().message);
    REQUIRE(answer);
    return std::move(*answer);
  }
  /// With the local key.
  transport::IncomingResponse ask(const std::string& method,
                                  const std::string& target,
                                  const std::string& body = {}) {
    return send(method,
                target,
                {{"Authorization", "Bearer " + daemon.key()}, {"Content-Type", "application/json"}},
                body);
  }

  std::string token(pixels::Claims claims) const {
    claims.issued_at =
        claims.issued_at != 0 ? claims.issued_at : static_cast<std::uint32_t>(std::time(nullptr));
    return pixels::seal(claims, ring).value();
  }
  std::string open_token(const std::string& recipient) const {
    return token({.campaign_id = "c", .email_id = "e", .recipient_id = recipient});
  }
  std::string click_token(const std::string& url,
                          std::uint32_t issued_at = 0,
                          std::uint32_t ttl = 0) const {
    return token({.kind = pixels::TokenKind::Click,
                  .issued_at = issued_at,
                  .campaign_id = "c",
                  .email_id = "e",
                  .recipient_id = "u-1",
                  .ttl_s = ttl,
                  .url = url});
  }

  std::int64_t count(const std::string& pointer) {
    const auto answer = ask("GET", "/pixel/stats?campaignId=c");
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    const auto document = json::Document::parse(answer.body, json::kStrict);
    const auto value = document->root().at_pointer(pointer);
    return value ? value->as_int64().value() : -1;
  }
};

std::string field(const transport::IncomingResponse& answer, const std::string& name) {
  for (const auto& [known, value] : answer.headers) {
    if (::strcasecmp(known.c_str(), name.c_str()) == 0) {
      return value;
    }
  }
  return {};
}

/// What the server of `url` says to these octets until it closes.
std::string raw_answer(const std::string& url, const std::string& octets) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::write(fd, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()));
  std::string answer;
  std::array<char, 4096> piece{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(fd, piece.data(), piece.size());
    answer.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  ::close(fd);
  return answer;
}

}  // namespace

TEST_CASE("the image is the same for every token and method, and counts", "[integration]") {
  Post post;
  const std::string good = post.open_token("u-1");

  const auto first = post.send("GET", "/pixel/track/" + good);
  const auto bad = post.send("GET", "/pixel/track/IAAA.gif?x=1");
  const auto range = post.send("GET",
                               "/pixel/track/" + post.open_token("u-2") + ".png",
                               {{"User-Agent", kBrowser},
                                {"Range", "bytes=0-3"},
                                {"If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"}});
  const auto head = post.send("HEAD", "/pixel/track/" + post.open_token("u-3"));
  const auto slashes = post.send("GET", "/pixel/track/eyJ/a+b=.12");

  for (const auto* answer : {&first, &bad, &range, &head, &slashes}) {
    CHECK(answer->status == 200);
    CHECK(field(*answer, "Content-Type") == "image/gif");
    CHECK(field(*answer, "Content-Length") == "43");
    CHECK(field(*answer, "Cache-Control") ==
          "no-store, no-cache, must-revalidate, private, max-age=0");
    CHECK(field(*answer, "Cross-Origin-Resource-Policy") == "cross-origin");
    CHECK(field(*answer, "ETag").empty());
    CHECK(field(*answer, "Set-Cookie").empty());
    CHECK((answer == &head ? answer->body.empty() : answer->body == pixels::kGif));
  }
  CHECK(post.send("DELETE", "/pixel/track/" + good).status == 405);
  CHECK(post.count("/total") == 3);
  CHECK(post.count("/human") == 2);
  CHECK(post.count("/unique") == 3);
  CHECK(post.count("/rejected/malformed") == 1);
  CHECK(post.count("/rejected/legacy_v1_bad_hash") == 1);
}

TEST_CASE("over a rate limit the image stays the same and the open is dropped", "[integration]") {
  Post post(R"([[limits]]
name = "pixels"
limit = 2
period = 3600
burst = 2
routes = ["/pixel/track/*"]
)");
  const auto shown = [&post](const std::string& recipient) {
    auto answer = post.send("GET", "/pixel/track/" + post.open_token(recipient));
    std::erase_if(answer.headers, [](const auto& header) {
      return ::strcasecmp(header.first.c_str(), "X-Request-Id") == 0 ||
             ::strcasecmp(header.first.c_str(), "traceparent") == 0 ||
             ::strcasecmp(header.first.c_str(), "Date") == 0;
    });
    return answer;
  };

  const auto first = shown("u-1");
  const auto second = shown("u-2");
  const auto third = shown("u-3");

  CHECK(first.status == 200);
  CHECK(third.status == 200);
  CHECK(third.body == pixels::kGif);
  CHECK(third.headers == first.headers);
  CHECK(field(third, "RateLimit").empty());
  CHECK(second.headers == first.headers);
  CHECK(post.count("/total") == 2);
  const std::string metrics = post.ask("GET", "/metrics").body;
  CHECK(metrics.find("\nedge_pixel_dropped_total 1\n") != std::string::npos);
  CHECK(metrics.find("edge_limit_refused_total{limit=\"pixels\"} 1\n") != std::string::npos);
}

TEST_CASE("bounds of bodies are settings", "[integration]") {
  Post post(R"(server.limits.body = 40
server.limits.auth_body = 30
server.limits.unsubscribe_body = 20
)");
  const auto status = [&post](const std::string& path, std::size_t octets) {
    return post.ask("POST", path, "{\"x\":\"" + std::string(octets - 8, 'a') + "\"}").status;
  };

  CHECK(status("/admin/users", 40) == 400);
  CHECK(status("/admin/users", 41) == 413);
  CHECK(status("/auth/login", 30) == 400);
  CHECK(status("/auth/login", 31) == 413);
  CHECK(status("/pixel/unsubscribe/x", 20) == 400);
  CHECK(status("/pixel/unsubscribe/x", 21) == 413);
  CHECK(status("/track/event", 400) != 413);
}

TEST_CASE("[threat-2] any bit of a token flipped gives the same image and no open",
          "[integration][threat-2]") {
  Post post;
  const std::string good = post.open_token("u-1");
  const auto answer = post.send("GET", "/pixel/track/" + good);

  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto other = post.send("GET", "/pixel/track/" + changed);
    CHECK(other.status == answer.status);
    CHECK(other.body == answer.body);
    CHECK(other.headers.size() == answer.headers.size());
  }
  CHECK(post.count("/total") == 1);
}

TEST_CASE("a click leads where its token says and is counted", "[integration]") {
  Post post;
  const std::string url = "https://shop.example.com/sale?a=1&b=2";
  const std::string token = post.click_token(url);

  const auto click = post.send("GET", "/pixel/click/" + token);
  const auto head = post.send("HEAD", "/pixel/click/" + token);
  const auto old = post.send("GET", "/pixel/click/" + post.click_token(url, 1'000'000, 60));

  for (const auto* answer : {&click, &head, &old}) {
    CHECK(answer->status == 302);
    CHECK(field(*answer, "Location") == url);
    CHECK(field(*answer, "Cache-Control") == "no-store");
    CHECK(field(*answer, "Referrer-Policy") == "no-referrer");
  }
  CHECK(post.count("/clicks/total") == 1);
  CHECK(post.count("/clicks/unique_human") == 1);
}

TEST_CASE("[threat-5] no token but one of ours makes the daemon lead anywhere",
          "[integration][threat-5]") {
  Post post("[pixel]\nexpired_links = \"gone\"\nlink_hosts = [\"Shop.example.com\"]\n");
  const std::string token = post.click_token("https://shop.example.com/");
  std::string changed = token;
  changed[30] = changed[30] == 'A' ? 'B' : 'A';

  CHECK(post.send("GET", "/pixel/click/" + token).status == 302);
  for (const std::string& target : {changed,
                                    std::string("IAAA"),
                                    post.open_token("u-1"),
                                    post.click_token("https://evil.example/"),
                                    post.click_token("https://shop.example.com.evil.example/"),
                                    std::string("https://evil.example/"),
                                    token + "?url=https://evil.example/&x=" + changed}) {
    const auto answer = post.send("GET", "/pixel/click/" + target);
    CAPTURE(target, answer.body);
    const bool is_ours = target.starts_with(token);
    CHECK(answer.status == (is_ours ? 302 : 404));
    CHECK(field(answer, "Location") == (is_ours ? "https://shop.example.com/" : ""));
  }
  const auto gone = post.send(
      "GET", "/pixel/click/" + post.click_token("https://shop.example.com/", 1'000'000, 60));
  CHECK(gone.status == 410);
  CHECK(field(gone, "Location").empty());
}

TEST_CASE("[threat-6] tokens are redacted in logs and sealed ones show no ids",
          "[integration][threat-6]") {
  Post post;
  const std::string sealed = pixels::seal({.issued_at = 1,
                                           .campaign_id = "secret-campaign",
                                           .email_id = "e",
                                           .recipient_id = "mia@example.org"},
                                          post.ring,
                                          {.sealed = true})
                                 .value();

  post.send("GET", "/pixel/track/" + sealed + "?r=mia@example.org");
  post.send("GET", "/pixel/click/" + post.click_token("https://x.example/"));
  REQUIRE(post.count("/total") == 0);
  REQUIRE(post.daemon.stop(SIGTERM) == 0);

  const std::string log = post.daemon.log();
  CHECK(log.find("/pixel/track/*token") != std::string::npos);
  CHECK(log.find(sealed.substr(0, 12)) == std::string::npos);
  CHECK(log.find("mia@example.org") == std::string::npos);
  CHECK(sealed.find("c2VjcmV0") == std::string::npos);  // "secret" in base64
}

TEST_CASE("[threat-8] fetching an unsubscribe link changes nothing, posting it does, once",
          "[integration][threat-8]") {
  Post post;
  const std::string token =
      post.token({.kind = pixels::TokenKind::Unsubscribe, .recipient_id = "u-1", .list_id = "<b>"});
  const std::string target = "/pixel/unsubscribe/" + token;
  const transport::Headers form{{"Content-Type", "application/x-www-form-urlencoded"}};

  const auto page = post.send("GET", target);
  const auto before = post.ask("GET", "/pixel/optouts?list=%3Cb%3E");
  const auto wrong = post.send("POST", target, form, "List-Unsubscribe=Two-Clicks");
  const auto large = post.send("POST", target, form, std::string(2'000, 'a'));
  const auto posted = post.send("POST", target, form, "List-Unsubscribe=One-Click");
  const auto multipart =
      post.send("POST",
                target,
                {{"Content-Type", "multipart/form-data; boundary=b"}},
                "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
                "One-Click\r\n--b--\r\n");
  const auto after = post.ask("GET", "/pixel/optouts?list=%3Cb%3E");

  CHECK(page.status == 200);
  CHECK(field(page, "Content-Type") == "text/html; charset=utf-8");
  CHECK(field(page, "Content-Security-Policy").find("form-action 'self'") != std::string::npos);
  CHECK(field(page, "Content-Security-Policy").find("default-src 'none'") != std::string::npos);
  CHECK(page.body.find("<form method=\"post\">") != std::string::npos);
  CHECK(page.body.find("&lt;b&gt;") != std::string::npos);
  CHECK(before.body == R"({"items":[],"next":null})");
  CHECK(wrong.status == 400);
  CHECK(large.status == 413);
  CHECK(posted.status == 200);
  CHECK(field(posted, "Set-Cookie").empty());
  CHECK(multipart.status == 200);
  CHECK(after.body.find(R"({"recipientId":"u-1","list":"<b>",)") != std::string::npos);
  CHECK(post.send("GET", "/pixel/unsubscribe/" + post.open_token("u-1")).status == 404);
  CHECK(post.send("POST", "/pixel/unsubscribe/IAAA", form, "List-Unsubscribe=One-Click").status ==
        404);
  const auto events = post.ask("GET", "/cdp/events?event=Unsubscribed");
  const auto first = events.body.find("\"Unsubscribed\"");
  CHECK(first != std::string::npos);
  CHECK(events.body.find("\"messageId\":\"unsubscribe-") ==
        events.body.rfind("\"messageId\":\"unsubscribe-"));

  // From now on opens carry no identity.
  post.send("GET", "/pixel/track/" + post.open_token("u-1"));
  CHECK(post.count("/total") == 1);
  CHECK(post.count("/unique") == 0);
}

TEST_CASE("[threat-9] the address of a pixel never comes from Host", "[integration][threat-9]") {
  Post post("[pixel]\nbase_url = \"https://t.example.com\"\n");
  const std::string body = R"({"campaignId":"c","emailId":"e","recipientId":"u"})";

  const auto made = post.ask("POST", "/pixel/generate", body);
  const std::string forged = raw_answer(
      post.daemon.url(),
      "POST /pixel/generate HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
      "Authorization: Bearer " +
          post.daemon.key() + "\r\nContent-Type: application/json\r\nConnection: close\r\n" +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto forwarded = post.send("POST",
                                   "/pixel/generate",
                                   {{"Authorization", "Bearer " + post.daemon.key()},
                                    {"Content-Type", "application/json"},
                                    {"X-Forwarded-Host", "evil.example"}},
                                   body);

  CHECK(made.status == 200);
  CHECK(made.body.find(R"("pixelUrl":"https://t.example.com/pixel/track/I)") != std::string::npos);
  CHECK(forged.starts_with("HTTP/1.1 421 "));
  CHECK(forged.find("/pixel/track/") == std::string::npos);
  CHECK(forwarded.body.find("evil.example") == std::string::npos);
}

TEST_CASE("opt-outs and counters are for those who may, and can be edited", "[integration]") {
  Post post;
  const std::string entry = "/pixel/optouts/mia%40example.org?list=news";

  CHECK(post.send("GET", "/pixel/stats").status == 401);
  CHECK(post.send("GET", "/pixel/optouts").status == 401);
  CHECK(post.send("PUT", entry).status == 401);
  CHECK(post.ask("PUT", entry).status == 201);
  CHECK(post.ask("PUT", entry).status == 200);
  CHECK(post.ask("GET", "/pixel/optouts?list=news").body.find("mia@example.org") !=
        std::string::npos);
  CHECK(post.ask("DELETE", entry).status == 204);
  CHECK(post.ask("DELETE", entry).status == 404);
  CHECK(post.ask("GET", "/pixel/optouts?limit=0").status == 400);
  CHECK(post.ask("GET", "/pixel/stats?by=week").status == 400);
  CHECK(post.ask("GET", "/pixel/stats?since=soon").status == 400);
  CHECK(post.ask("GET", "/pixel/stats?by=hour").body.find(R"("by":"hour")") != std::string::npos);
  CHECK(post.ask("GET", "/pixel/stats").body.find(R"({"campaigns":[],)") == 0);
  CHECK(post.send("GET", "/pixel/health").body == R"({"status":"ok","service":"pixel"})");
}

TEST_CASE("a signal reads keys, rules and lists again; what is broken leaves the old ones",
          "[integration]") {
  Post post("[pixel]\nlists = { self = [\"self.txt\"] }\n");
  const auto key_in_use = [&post] {
    const auto made = post.ask(
        "POST", "/pixel/generate", R"({"campaignId":"c","emailId":"e","recipientId":"u"})");
    return made.body.find(R"("keyId":2)") != std::string::npos ? 2 : 1;
  };
  const auto wait_for = [](const auto& reached) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!reached() && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return reached();
  };
  REQUIRE(key_in_use() == 1);

  post.write_ring("{\"keys\":{\"1\":\"short\"}}");
  ::kill(post.daemon.pid(), SIGHUP);
  REQUIRE(wait_for([&] {
    return post.daemon.log().find("pixel settings stay as they were") != std::string::npos;
  }));
  CHECK(post.daemon.log().find("short") == std::string::npos);
  CHECK(key_in_use() == 1);

  post.write_ring(ring_text(2));
  std::ofstream(post.daemon.path("self.txt")) << "127.0.0.0/8\n";
  ::kill(post.daemon.pid(), SIGHUP);
  REQUIRE(wait_for([&] { return key_in_use() == 2; }));
  post.send("GET", "/pixel/track/" + post.open_token("u-1"));
  CHECK(post.count("/total") == 0);  // our own now
}

TEST_CASE("counters of a killed daemon are those of its log", "[integration]") {
  Post post;
  for (int i = 0; i < 20; ++i) {
    post.send("GET", "/pixel/track/" + post.open_token("u-" + std::to_string(i)));
  }
  REQUIRE(post.count("/total") == 20);
  post.send("GET", "/pixel/track/" + post.open_token("u-0"));
  post.daemon.stop(SIGKILL);
  REQUIRE(post.daemon.start());

  const std::int64_t total = post.count("/total");
  const auto events = post.ask("GET", "/cdp/events?event=Email%20Opened&limit=100");
  std::int64_t stored = 0;
  for (std::size_t at = events.body.find("\"Email Opened\""); at != std::string::npos;
       at = events.body.find("\"Email Opened\"", at + 1)) {
    ++stored;
  }
  CHECK(total == stored);
  CHECK(post.count("/unique") == 20);
}

TEST_CASE("opens older than pixel.retention leave the log, others and counters stay",
          "[integration]") {
  Post post("pixel.retention = \"1s\"\n");
  REQUIRE(post.ask("POST", "/track/event", R"({"type":"track","event":"Bought","userId":"u-1"})")
              .status == 200);
  post.send("GET", "/pixel/track/" + post.open_token("u-1"));
  CHECK(post.count("/total") == 1);

  std::string metrics;
  for (int i = 0; i < 3'000 && metrics.find("edge_pixel_expired_total 1") == std::string::npos;
       ++i) {
    metrics = post.ask("GET", "/metrics").body;
  }

  CHECK(metrics.find("edge_pixel_expired_total 1") != std::string::npos);
  const std::string events = post.ask("GET", "/cdp/events").body;
  CHECK(events.find("Bought") != std::string::npos);
  CHECK(events.find("Email Opened") == std::string::npos);
  CHECK(post.count("/total") == 1);
}
