// SPDX-License-Identifier: MIT
// Whose news of segments are stored.
#include <algorithm>

#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using namespace std::chrono_literals;

namespace {

/// Somebody who is in a segment for an hour, of which a destination is told.
void enter(Installation& there, const std::string& more = {}) {
  there.take(R"({"type":"track","event":"Order","userId":"u")" + more + "}");
  there.fold();
}

void add_segment(config::Config& config) {
  config.segments.push_back(
      {.json = R"j({"name":"buyers","when":"did(\"Order\", 1h)","send":[{"destination":"crm"}]})j",
       .where = "edge.toml:1"});
}

std::size_t stored(Installation& there, const std::string& event) {
  return static_cast<std::size_t>(std::ranges::count_if(there.events(), [&](const std::string& id) {
    return there.body_of(id).find("\"" + event + "\"") != std::string::npos;
  }));
}

}  // namespace

TEST_CASE("nobody is told of a suppressed person who leaves a segment", "[privacy]") {
  Installation there(add_segment);
  enter(there);
  REQUIRE(stored(there, "Audience Entered") == 1);
  REQUIRE(there.edge->suppressions.change(events::NameKind::UserId, {"u"}, true));

  there.clock.advance(2h);
  there.fold();

  CHECK(stored(there, "Audience Exited") == 0);
}

TEST_CASE("news of segments need no consent of their own", "[privacy]") {
  Installation there([](config::Config& config) {
    add_segment(config);
    config.privacy.require_consent = "analytics";
  });
  enter(there, R"(,"context":{"consent":{"categoryPreferences":{"analytics":true}}})");

  there.clock.advance(2h);
  there.fold();

  CHECK(stored(there, "Audience Entered") == 1);
  CHECK(stored(there, "Audience Exited") == 1);
}
