// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <string>

#include "core/metrics/metrics.h"
#include "daemon/http/body_reader.h"
#include "daemon/http/gzip.h"
#include "daemon/http/listener.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/response.h"
#include "daemon/http/response_writer.h"
#include "daemon/http/router.h"
#include "daemon/log.h"
#include "daemon/server_config.h"

namespace edge::http {
namespace {

const SyncHandler kNothing = [](const Request&) -> Result<Response> { return no_content(); };

/// The pattern and parameters that a path leads to: `/a/:b b=1`, or the status of the refusal.
std::string find(const Router& router, std::string_view path, Method method = Method::Get) {
  Request request;
  request.parts().method = method;
  request.parts().head = path;
  request.parts().path = request.parts().head;
  const Match match = router.match(request);
  if (match.route == nullptr) {
    return request.parts().bad_path ? "400" : match.allowed == 0 ? "404" : "405";
  }
  std::string out = match.route->pattern;
  for (const Param& param : request.parts().params) {
    out.append(" ").append(param.name).append("=").append(param.value);
  }
  return out;
}

}  // namespace

TEST_CASE("the router prefers literals to parameters to rests and decodes once",
          "[http][threat-36]") {
  Router router;
  for (const char* pattern : {"/", "/a/b", "/a/:x", "/a/:x/c", "/kv/:ns/*key"}) {
    router.add({.method = Method::Get,
                .pattern = pattern,
                .options = {.needs = Public},
                .handler = kNothing});
  }
  router.add({.method = Method::Post,
              .pattern = "/a/:y",
              .options = {.needs = Public},
              .handler = kNothing});
  REQUIRE(router.check());
  const auto [path, found] = GENERATE(table<std::string, std::string>({
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/z", "/a/:x x=z"},
      {"/a/b/c", "/a/:x/c x=b"},
      {"/a/%62", "/a/b"},
      {"/a/x%2Fy", "/a/:x x=x/y"},
      {"/a/%252e", "/a/:x x=%2e"},
      {"/a/..", "400"},
      {"/a/%2e%2E", "400"},
      {"/a/%00", "400"},
      {"/a/%zz", "400"},
      {"/a/", "400"},
      {"/a/q/r", "404"},
      {"//a/b", "404"},
      {"/kv/n/../x/", "/kv/:ns/*key ns=n key=../x/"},
  }));

  INFO(path);
  CHECK(find(router, path) == found);
}

TEST_CASE("a method falls back from a literal to a parameter", "[http]") {
  Router router;
  router.add({.method = Method::Get,
              .pattern = "/a/b",
              .options = {.needs = Public},
              .handler = kNothing});
  router.add({.method = Method::Post,
              .pattern = "/a/:x",
              .options = {.needs = Public},
              .handler = kNothing});

  CHECK(find(router, "/a/b", Method::Post) == "/a/:x x=b");
  CHECK(find(router, "/a/b", Method::Put) == "405");
  CHECK(find(router, "/a/b", Method::Head) == "/a/b");
}

TEST_CASE("a route that does not say what it needs does not start", "[http]") {
  Router undeclared;
  undeclared.add({.method = Method::Get, .pattern = "/a", .options = {}, .handler = kNothing});
  Router twice;
  twice.add({.method = Method::Get,
             .pattern = "/a/:b",
             .options = {.needs = Public},
             .handler = kNothing});
  twice.add({.method = Method::Get,
             .pattern = "/a/:c",
             .options = {.needs = Public},
             .handler = kNothing});

  CHECK_FALSE(undeclared.check());
  CHECK_FALSE(twice.check());
}

TEST_CASE("a head that comes octet by octet reads as one that comes at once", "[http]") {
  const std::string head =
      "\r\nPOST http://edge.example/a?b=c HTTP/1.1\r\nHost: other\r\nX: \t y \t\r\nContent-Length: "
      "12\r\n\r\n";
  HeadParser parser;
  HeadParser::State state = HeadParser::State::NeedsMore;
  for (std::size_t size = 1; size <= head.size(); ++size) {
    REQUIRE(state == HeadParser::State::NeedsMore);
    state = parser.parse(std::string_view(head).substr(0, size));
  }
  REQUIRE(state == HeadParser::State::Complete);
  Request request;
  parser.fill(head, request.parts());

  CHECK(parser.size() == head.size());
  CHECK(parser.framing().length == 12);
  CHECK(request.method() == Method::Post);
  CHECK(request.path() == "/a");
  CHECK(request.query() == "b=c");
  CHECK(request.parts().host == "edge.example");
  CHECK(request.header("x") == "y");
}

TEST_CASE("chunks that come octet by octet make one body", "[http]") {
  const std::string octets = "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext";
  BodyReader reader;
  reader.start({.chunked = true}, 100, false);
  std::string body;
  BodyReader::State state = BodyReader::State::NeedsMore;
  std::size_t used = 0;
  while (state == BodyReader::State::NeedsMore && used < octets.size()) {
    std::string_view piece = std::string_view(octets).substr(used, 1);
    state = reader.feed(piece, body);
    ++used;
  }

  CHECK(state == BodyReader::State::Complete);
  CHECK(body == "abc0123456789");
  CHECK(octets.substr(used) == "next");
}

TEST_CASE("a gzip bomb is refused before it unfolds", "[http][threat-34]") {
  const std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0",
                           22);

  CHECK(gunzip(packed, 100).value() == "{}");
  CHECK(gunzip(packed, 1).error().code == ErrorCode::TooLarge);
  CHECK(gunzip(packed + "x", 100).error().reason == "bad_encoding");
  CHECK(gunzip("", 100).error().reason == "bad_encoding");
}

TEST_CASE("a response field cannot hold a line end", "[http][threat-31]") {
  Response response;

  CHECK_THROWS(response.set("X-A", "b\r\nSet-Cookie: c"));
  CHECK_THROWS(response.set("X-A", std::string("b\0c", 3)));
  CHECK_THROWS(response.set("X\n", "b"));
}

TEST_CASE("a problem names the wrong member and keeps the fault's text inside", "[http]") {
  const Problem wrong =
      problem_of({.code = ErrorCode::InvalidArgument, .message = "no address", .field = "email"});
  const Problem fault =
      problem_of({.code = ErrorCode::Unavailable, .message = "disk /dev/x is full"});

  CHECK(wrong.status == 400);
  CHECK(wrong.pointer == "email");
  CHECK(fault.status == 503);
  CHECK(fault.retry_after == 1);
}

TEST_CASE("dates are written as RFC 9110 asks", "[http]") {
  CHECK(date_line(from_ms(784'111'777'000)) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

TEST_CASE("addresses to listen at are read, wrong ones are named", "[http]") {
  CHECK(Endpoint::parse("127.0.0.1:80")->text() == "127.0.0.1:80");
  CHECK(Endpoint::parse("localhost:0")->text() == "127.0.0.1:0");
  CHECK(Endpoint::parse("[::1]:9100")->text() == "[::1]:9100");
  for (const char* wrong : {"", "9100", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "host:1"}) {
    INFO(wrong);
    CHECK(Endpoint::parse(wrong).error().message.find(wrong) != std::string::npos);
  }
}

TEST_CASE("api keys never hold everything nor anything administrative", "[http]") {
  const Principal key{.kind = Principal::Kind::ApiKey,
                      .permissions = {"*", "admin:users", "kv:read"}};
  const Principal admin{.permissions = {"*"}};

  CHECK(allows(key, "kv:read"));
  CHECK_FALSE(allows(key, "kv:write"));
  CHECK_FALSE(allows(key, "admin:users"));
  CHECK(allows(admin, "admin:users"));
  CHECK_FALSE(allows(Principal{.permissions = {"kv:*"}}, "kv:read"));
}

TEST_CASE("cross-origin rules that give everything away are refused", "[http]") {
  CHECK(CorsRule{.origins = {"https://a.example", "https://*.b.example"}, .credentials = true}
            .check());
  CHECK_FALSE(CorsRule{.origins = {"*"}, .credentials = true}.check());
  CHECK_FALSE(CorsRule{.origins = {"http://*.b.example"}}.check());
  CHECK_FALSE(CorsRule{.origins = {"a.example"}}.check());
  CHECK_FALSE(CorsRule{.origins = {}, .max_age = 100'000}.check());
}

TEST_CASE("log texts cannot forge lines", "[http][threat-38]") {
  std::string out;
  append_escaped(out, "a\r\nb\x1b[0m\"\\\xff");
  std::string time;
  append_time(time, from_ms(784'111'777'042));

  CHECK(out == "a\\u000d\\u000ab\\u001b[0m\\\"\\\\?");
  CHECK(time == "1994-11-06T08:49:37.042Z");
}

}  // namespace edge::http

namespace edge::metrics {

TEST_CASE("metrics print as Prometheus text", "[metrics]") {
  Registry registry;
  registry.counter("edge_events_total", "Events", {"type"}).with({"a\"b"}).add(2);
  registry.gauge("edge_head", "Head").with({}).set(-3);
  constexpr std::array<double, 2> kBounds = {1, 2};
  auto& times = registry.histogram("edge_time", "Time", {}, kBounds).with({});
  times.observe(1);
  times.observe(1.5);
  times.observe(9);
  registry.observed("edge_size", "Size", [] { return 7; });

  CHECK(registry.text() ==
        "# HELP edge_events_total Events\n# TYPE edge_events_total "
        "counter\nedge_events_total{type=\"a\\\"b\"} 2\n"
        "# HELP edge_head Head\n# TYPE edge_head gauge\nedge_head -3\n"
        "# HELP edge_size Size\n# TYPE edge_size gauge\nedge_size 7\n"
        "# HELP edge_time Time\n# TYPE edge_time histogram\n"
        "edge_time_bucket{le=\"1\"} 1\nedge_time_bucket{le=\"2\"} 2\nedge_time_bucket{le=\"+Inf\"} "
        "3\n"
        "edge_time_sum 11.5\nedge_time_count 3\n");
}

}  // namespace edge::metrics
