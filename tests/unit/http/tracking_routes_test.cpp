// SPDX-License-Identifier: MIT
// The public tracking protocol in a whole server: where it is mounted, how it is limited, and what
// its pixels answer (events spec 2.1 to 2.5).
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/ingest_daemon.h"

using edge::test::Answer;
using edge::test::IngestDaemon;

TEST_CASE("every tracking route also exists below /segment", "[http][events]") {
  IngestDaemon daemon;
  const std::string event = R"({"event":"E","userId":"u","groupId":"g","previousId":"v"})";
  const std::string batch = R"({"batch":[{"type":"page","userId":"u"}]})";
  std::size_t stored = 0;

  for (const std::string root : {"", "/segment"}) {
    for (const char* path :
         {"track", "t", "page", "p", "screen", "s", "identify", "i", "group", "g", "alias", "a"}) {
      INFO(root << path);
      CHECK(daemon.post(root + "/v1/" + path, event).body == R"({"success":true})");
      CHECK(daemon.log().size() == ++stored);
    }
    for (const char* path :
         {"/v1/batch", "/v1/import", "/v1/b", "/v1/batch/b", "/beacon/v1/batch"}) {
      INFO(root << path);
      CHECK(daemon.post(root + path, batch).body == R"({"success":true})");
      CHECK(daemon.log().size() == ++stored);
    }
    for (const char* path :
         {"/v1/pixel/track", "/v1/pixel/alias", "/pixel/v1/track", "/pixel/v1/page"}) {
      INFO(root << path);
      const Answer answer =
          daemon.ask("GET", root + path + "?event=E&userId=u&previousId=v", "", "");
      CHECK(answer.field("Content-Type") == "image/gif");
      CHECK(daemon.log().size() == ++stored);
    }
    CHECK(daemon.post(root + "/v1/m", "{}").body == R"({"success":true})");
    for (const char* path : {"/v1/projects/K/settings",
                             "/v1/projects/projects/K/settings",
                             "/projects/K/settings",
                             "/sourceConfig",
                             "/sourceConfig/"}) {
      INFO(root << path);
      const Answer answer = daemon.ask("GET", root + path + "?writeKey=K", "", "");
      CHECK(answer.status == 200);
      CHECK(answer.body.find("\"K\"") != std::string::npos);
    }
  }
}

TEST_CASE("a batch to an unknown path of the tracking protocol is no batch of decisions",
          "[http][events]") {
  IngestDaemon daemon;
  const std::string batch = R"({"batch":[{"type":"page","userId":"u"}]})";

  for (const char* path : {"/v1/v1/batch", "/segment/batch", "/segment/v1/v1/batch", "/v3/batch"}) {
    INFO(path);
    const Answer answer = daemon.post(path, batch);
    CHECK(answer.status == 404);
    CHECK(answer.body.find("errorCount") == std::string::npos);
  }
  CHECK(daemon.post("/some/where/BATCH", R"({"operations":[]})").body.find("errorCount") !=
        std::string::npos);
}
