// SPDX-License-Identifier: MIT
// The key-value store in Cloudflare's REST API over HTTP.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::member;

const std::string kAll = "/client/v4/accounts/local/storage/kv/namespaces";
const std::string kCacheId = "00000000000000000000000000000001";
const std::string kCache = kAll + "/" + kCacheId;

struct V4Daemon : test::AuthDaemon {
  V4Daemon() : AuthDaemon({.real = false}) {}

  [[nodiscard]] Answer call(const std::string& method,
                            const std::string& path,
                            const std::string& body = {},
                            const std::string& type = "application/json") const {
    const std::string fields = body.empty() ? "" : fmt::format("Content-Type: {}\r\n", type);
    return ask(method, path, fields + "Authorization: Bearer editor\r\n", body);
  }
  [[nodiscard]] Answer show(const std::string& path) const { return call("GET", path); }
  [[nodiscard]] Answer put(const std::string& key, const std::string& value) const {
    return call("PUT", kCache + "/values/" + key, value, "text/plain");
  }
  [[nodiscard]] std::int64_t seconds() const { return to_ms(clock.now()) / 1000; }
};

/// Status and code of a failure, which must have the form of the API.
std::string failure(const Answer& answer) {
  if (member(answer, "/success") != "false" || member(answer, "/result") != "null" ||
      member(answer, "/messages") != "[]" || member(answer, "/errors/0/message") == "(none)") {
    return answer.body;
  }
  return fmt::format("{} {}", answer.status, member(answer, "/errors/0/code"));
}

std::string result_of(const Answer& answer) {
  CHECK(answer.status == 200);
  CHECK(member(answer, "/success") == "true");
  CHECK(member(answer, "/errors") == "[]");
  CHECK(member(answer, "/messages") == "[]");
  return member(answer, "/result");
}

}  // namespace

TEST_CASE("unknown routes, methods and clients get the envelope of the API", "[kv][v4]") {
  const V4Daemon daemon;
  const Answer lost = daemon.show("/client/v4/zones");
  CHECK(failure(lost) == "404 7003");
  CHECK(member(lost, "/errors/0/message") == "No route for the URI");
  CHECK(failure(daemon.show("/client/v4")) == "404 7003");
  CHECK(failure(daemon.show("/client/v4/accounts/a%20b/storage/kv/namespaces")) == "404 7003");
  CHECK(failure(daemon.show("/client/v4/accounts/" + std::string(65, 'a') +
                            "/storage/kv/namespaces")) == "404 7003");
  CHECK(daemon.show("/client/v4/accounts/" + std::string(64, 'a') + "/storage/kv/namespaces")
            .status == 200);
  CHECK(failure(daemon.call("PATCH", kAll)) == "405 10405");
  CHECK(failure(daemon.ask("GET", kAll, "")) == "403 10000");
  CHECK(member(daemon.ask("GET", kAll, ""), "/errors/0/message") == "Authentication error");
  CHECK(failure(daemon.ask("GET", kAll, "Authorization: Bearer viewer\r\n")) == "403 10000");
  CHECK(failure(daemon.ask("PUT", kCache + "/values/k", "X-API-Key: kv:read\r\n", "v")) ==
        "403 10000");
  CHECK(failure(daemon.call("POST", kAll, "{")) == "400 10400");
  CHECK(failure(daemon.call("POST", kAll, "{}", "text/plain")) == "415 10415");
}

TEST_CASE("an api key is a bearer token of the API", "[kv][v4]") {
  const test::AuthDaemon daemon;
  const auto made = daemon.edge->api_keys.create({.name = "ci", .scopes = {"kv:read"}}, {});
  REQUIRE(made);
  const auto with = [&](const std::string& token) {
    return daemon.ask("GET", kAll, fmt::format("Authorization: Bearer {}\r\n", token));
  };
  CHECK(with(made->text).status == 200);
  CHECK(failure(with("edk_wrong")) == "403 10000");
}

TEST_CASE("namespaces are made, shown, renamed, listed and removed", "[kv][v4]") {
  const V4Daemon daemon;
  const Answer made = daemon.call("POST", kAll, R"({"title":"shop"})");
  const std::string id = member(made, "/result/id");
  const std::string wanted =
      fmt::format(R"({{"id":"{}","title":"shop","supports_url_encoding":true}})", id);
  CHECK(result_of(made) == wanted);
  CHECK(result_of(daemon.show(kAll + "/" + id)) == wanted);
  CHECK(failure(daemon.call("POST", kAll, R"({"title":"shop"})")) == "400 10014");
  CHECK(failure(daemon.call("POST", kAll, R"({"title":""})")) == "400 10400");
  CHECK(failure(daemon.call("POST", kAll, R"({"title":7})")) == "400 10400");
  CHECK(failure(daemon.call("PUT", kAll + "/" + id, R"({"title":"cache"})")) == "400 10014");
  CHECK(member(daemon.call("PUT", kAll + "/" + id, R"({"title":"a"})"), "/result/title") == "a");

  const Answer list = daemon.show(kAll + "?order=title&direction=desc&per_page=2");
  CHECK(member(list, "/result/0/title") == "sessions");
  CHECK(member(list, "/result/1/title") == "cache");
  CHECK(member(list, "/result_info") ==
        R"({"page":1,"per_page":2,"count":2,"total_count":3,"total_pages":2})");
  CHECK(member(daemon.show(kAll + "?order=title&direction=desc&per_page=2&page=2"),
               "/result/0/title") == "a");
  CHECK(member(daemon.show(kAll), "/result/0/title") == "cache");
  CHECK(member(daemon.show(kAll + "?page=9"), "/result") == "[]");
  for (const char* query :
       {"page=0", "page=x", "per_page=0", "per_page=1001", "order=name", "direction=up"}) {
    CHECK(failure(daemon.show(kAll + "?" + query)) == "400 10400");
  }

  CHECK(result_of(daemon.call("DELETE", kAll + "/" + id)) == "{}");
  CHECK(failure(daemon.show(kAll + "/" + id)) == "404 10013");
  CHECK(failure(daemon.call("DELETE", kAll + "/" + id)) == "404 10013");
  CHECK(failure(daemon.call("PUT", kAll + "/" + id, R"({"title":"a"})")) == "404 10013");
  CHECK(failure(daemon.show(kAll + "/" + id + "/keys")) == "404 10013");
  CHECK(failure(daemon.show(kAll + "/" + id + "/values/k")) == "404 10013");
  CHECK(failure(daemon.call("PUT", kAll + "/" + id + "/values/k", "v")) == "404 10013");
  CHECK(failure(daemon.call("DELETE", kCache)) == "400 10400");
}

TEST_CASE("a value is octets with an expiry", "[kv][v4]") {
  V4Daemon daemon;
  const std::string octets("\0\xFF\r\n", 4);
  const std::string at = std::to_string(daemon.seconds() + 60);
  CHECK(result_of(daemon.put("k?expiration=" + at, octets)) == "{}");
  const Answer value = daemon.show(kCache + "/values/k");
  CHECK(value.body == octets);
  CHECK(value.field("Content-Type") == "application/octet-stream");
  CHECK(value.field("expiration") == at);
  CHECK(result_of(daemon.show(kCache + "/metadata/k")) == "null");
  daemon.clock.advance(std::chrono::seconds(60));
  const Answer gone = daemon.show(kCache + "/values/k");
  CHECK(failure(gone) == "404 10009");
  CHECK(member(gone, "/errors/0/message") == "get: 'key not found'");
  CHECK(failure(daemon.show(kCache + "/metadata/k")) == "404 10009");

  CHECK(result_of(daemon.put("k?expiration_ttl=100&expiration=1", "v")) == "{}");
  CHECK(daemon.show(kCache + "/values/k").field("expiration") ==
        std::to_string(daemon.seconds() + 100));
  CHECK(result_of(daemon.put("k", "v2")) == "{}");
  CHECK(daemon.show(kCache + "/values/k").field("expiration").empty());
  CHECK(result_of(daemon.call("DELETE", kCache + "/values/k")) == "{}");
  CHECK(result_of(daemon.call("DELETE", kCache + "/values/k")) == "{}");
  for (const char* bad : {"expiration_ttl=59",
                          "expiration=1",
                          "expiration_ttl=1.5",
                          "expiration=soon",
                          "expiration_ttl="}) {
    CHECK(failure(daemon.put(std::string("k?") + bad, "v")) == "400 10034");
  }
}

TEST_CASE("forms bring a value and metadata, as field or file", "[kv][v4]") {
  const V4Daemon daemon;
  const auto form = [&](const std::string& parts) {
    return daemon.call(
        "PUT", kCache + "/values/k", parts + "--b--\r\n", "multipart/form-data; boundary=b");
  };
  const auto part = [](const std::string& name, const std::string& content) {
    return fmt::format(
        "--b\r\nContent-Disposition: form-data; name={}\r\n\r\n{}\r\n", name, content);
  };
  const std::string octets("\0\r\n--bx\xFF", 8);
  const std::string file = part("\"value\"; filename=\"x.bin\"\r\nContent-Type: image/png", octets);

  CHECK(result_of(form(file + part("\"metadata\"", " {\"a\": [1, 2]} "))) == "{}");
  CHECK(daemon.show(kCache + "/values/k").body == octets);
  CHECK(result_of(daemon.show(kCache + "/metadata/k")) == R"({"a":[1,2]})");
  CHECK(result_of(form(part("\"metadata\"", "null") + part("\"value\"", "text"))) == "{}");
  CHECK(daemon.show(kCache + "/values/k").body == "text");
  CHECK(result_of(daemon.show(kCache + "/metadata/k")) == "null");

  CHECK(failure(form(part("\"metadata\"", "{}"))) == "400 10400");
  CHECK(failure(form(part("\"value\"", "v") + part("\"metadata\"", "{a}"))) == "400 10400");
  CHECK(failure(form(part("\"value\"", "v") + part("\"metadata[a]\"", "1"))) == "400 10400");
  const std::string most = '"' + std::string(1'022, 'm') + '"';
  CHECK(result_of(form(part("\"value\"", "v") + part("\"metadata\"", most))) == "{}");
  CHECK(failure(form(part("\"value\"", "v") + part("\"metadata\"", "\"m" + most.substr(1)))) ==
        "400 10036");
  CHECK(failure(daemon.call("PUT", kCache + "/values/k", "--b", "multipart/form-data")) ==
        "400 10400");
}

TEST_CASE("everything behind /values/ is the key, decoded once", "[kv][v4][threat-36]") {
  const V4Daemon daemon;
  CHECK(result_of(daemon.put("a%2Fb/c%252F", "v")) == "{}");
  CHECK(daemon.show(kCache + "/values/a/b%2Fc%252F").body == "v");
  CHECK(member(daemon.show(kCache + "/keys"), "/result/0/name") == "a/b/c%2F");
  CHECK(result_of(daemon.put("../../etc/passwd", "v")) == "{}");
  CHECK(result_of(daemon.put(std::string(512, 'k'), "v")) == "{}");
  for (const std::string& bad : {std::string("."),
                                 std::string(".."),
                                 std::string("%2E%2e"),
                                 std::string("%FF"),
                                 std::string("%00"),
                                 std::string("%zz"),
                                 std::string(),
                                 std::string(513, 'k')}) {
    INFO(bad);
    CHECK(failure(daemon.put(bad, "v")) == "400 10033");
    CHECK(failure(daemon.show(kCache + "/values/" + bad)) == "400 10033");
    CHECK(failure(daemon.call("DELETE", kCache + "/values/" + bad)) == "400 10033");
  }
}

TEST_CASE("values above 25 MiB are refused while they are read", "[kv][v4]") {
  const V4Daemon daemon;
  const std::string most(kv::kMaxValueBytes, 'v');
  CHECK(result_of(daemon.put("k", most)) == "{}");
  CHECK(daemon.show(kCache + "/values/k").body == most);
  CHECK(failure(daemon.put("k", most + "v")) == "413 10035");
  const std::string declared = "Authorization: Bearer editor\r\nContent-Length: 30000000\r\n";
  CHECK(failure(daemon.ask("PUT", kCache + "/values/k", declared)) == "413 10035");
  CHECK(failure(daemon.ask("PUT",
                           kCache + "/bulk",
                           "Authorization: Bearer editor\r\n"
                           "Content-Length: 100000001\r\n")) == "413 10413");
}

TEST_CASE("keys are listed page by page", "[kv][v4]") {
  const V4Daemon daemon;
  std::vector<kv::Write> writes;
  const std::int64_t at = to_ms(daemon.clock.now()) + 60'000;
  for (int i = 0; i < 25; ++i) {
    writes.push_back(
        {fmt::format("a{:02}", i), {"v", i == 0 ? R"({"n":0})" : "", i == 0 ? at : 0}});
  }
  writes.push_back({"b", {"v"}});
  REQUIRE(daemon.edge->kv.write(kCacheId, std::move(writes)));

  const Answer first = daemon.show(kCache + "/keys?prefix=a&limit=10");
  CHECK(member(first, "/result/0") ==
        fmt::format(R"({{"name":"a00","expiration":{},"metadata":{{"n":0}}}})", at / 1000));
  CHECK(member(first, "/result/1") == R"({"name":"a01"})");
  CHECK(member(first, "/result_info/count") == "10");
  const std::string cursor = member(first, "/result_info/cursor");
  const Answer second = daemon.show(kCache + "/keys?prefix=a&limit=1000&cursor=" + cursor);
  CHECK(member(second, "/result/0/name") == "a10");
  CHECK(member(second, "/result_info") == R"({"count":15,"cursor":""})");
  CHECK(member(daemon.show(kCache + "/keys"), "/result_info/count") == "26");
  for (const char* bad : {"limit=9", "limit=1001", "limit=x", "cursor=%21"}) {
    CHECK(failure(daemon.show(kCache + "/keys?" + bad)) == "400 10400");
  }
}

TEST_CASE("bulks are written, read and removed as one", "[kv][v4]") {
  const V4Daemon daemon;
  const auto bulk = [&](const std::string& body) {
    return daemon.call("PUT", kCache + "/bulk", body);
  };
  CHECK(result_of(bulk(R"([{"key":"a","value":"1","metadata":{"m":1}},
                           {"key":"b","value":"/wA=","base64":true,"expiration_ttl":60},
                           {"key":"c","value":"old"},{"key":"c","value":"{\"x\":[1]}"}])")) ==
        R"({"successful_key_count":4,"unsuccessful_keys":[]})");
  CHECK(daemon.show(kCache + "/values/b").body == std::string("\xFF\0", 2));

  const auto get = [&](const std::string& body) {
    return daemon.call("POST", kCache + "/bulk/get", body);
  };
  CHECK(result_of(get(R"({"keys":["a","none","c","a"]})")) ==
        R"({"values":{"a":"1","none":null,"c":"{\"x\":[1]}"}})");
  CHECK(
      result_of(get(R"({"keys":["a","c"],"type":"json","withMetadata":true})")) ==
      R"({"values":{"a":{"value":1,"metadata":{"m":1}},"c":{"value":{"x":[1]},"metadata":null}}})");
  CHECK(failure(get(R"({"keys":["b"]})")) == "400 10400");
  CHECK(failure(get(R"({"keys":["b"],"type":"json"})")) == "400 10400");
  CHECK(failure(get(R"({"keys":["a"],"type":"blob"})")) == "400 10400");
  CHECK(failure(get(R"({"keys":["a"],"withMetadata":1})")) == "400 10400");
  CHECK(failure(get(R"({"keys":"a"})")) == "400 10400");
  CHECK(failure(get(R"({"keys":[1]})")) == "400 10400");
  CHECK(failure(get(R"({"keys":[".."]})")) == "400 10033");
  std::string many = R"({"keys":["a")";
  for (int i = 0; i < 100; ++i) {
    many += ",\"a\"";
  }
  CHECK(failure(get(many + "]}")) == "400 10400");

  const std::string bad_second = R"([{"key":"a","value":"2"},{"key":"d",)";
  for (const auto& [rest, wanted] : std::vector<std::pair<std::string, std::string>>{
           {R"("value":1}])", "400 10400"},
           {R"("value":"!","base64":true}])", "400 10400"},
           {R"("value":"v","base64":"yes"}])", "400 10400"},
           {R"("value":"v","expiration_ttl":59}])", "400 10034"},
           {R"("value":"v","expiration":"soon"}])", "400 10034"},
           {R"("value":"v"},{"key":"..","value":"v"}])", "400 10033"},
           {R"("value":"v"},{"value":"v"}])", "400 10400"},
           {"\"value\":\"v\",\"metadata\":\"" + std::string(1'023, 'm') + "\"}]", "400 10036"}}) {
    const Answer refused = bulk(bad_second + rest);
    CHECK(failure(refused) == wanted);
    CHECK(member(refused, "/errors/0/message").starts_with("entry "));
  }
  CHECK(failure(bulk("{}")) == "400 10400");
  CHECK(daemon.show(kCache + "/values/a").body == "1");

  CHECK(result_of(daemon.call("POST", kCache + "/bulk/delete", R"(["a","none"])")) ==
        R"({"successful_key_count":2,"unsuccessful_keys":[]})");
  CHECK(result_of(daemon.call("DELETE", kCache + "/bulk", R"(["b"])")) ==
        R"({"successful_key_count":1,"unsuccessful_keys":[]})");
  CHECK(failure(daemon.call("POST", kCache + "/bulk/delete", R"(["c",".."])")) == "400 10033");
  CHECK(failure(daemon.call("POST", kCache + "/bulk/delete", R"(["c",1])")) == "400 10400");
  CHECK(member(daemon.show(kCache + "/keys"), "/result") == R"([{"name":"c"}])");
}

TEST_CASE("a store that is full answers 503 and says when to come back", "[kv][v4]") {
  const V4Daemon daemon;
  static_cast<test::MemoryStore&>(daemon.edge->store)
      .refuse_commits(Error{ErrorCode::Unavailable, "full", {}, "unavailable"});
  const Answer refused = daemon.put("k", "v");
  CHECK(failure(refused) == "503 10503");
  CHECK(refused.field("Retry-After") == "1");
}

}  // namespace edge
