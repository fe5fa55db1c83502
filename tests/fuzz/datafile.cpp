// SPDX-License-Identifier: MIT
// Any text is a datafile or refused; with one, any flag can be decided, explained, listed, checked,
// compared with itself and reported, and a decision is the same with and without reasons.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/flags/configuration.h"
#include "core/flags/decide.h"
#include "core/flags/diff.h"
#include "core/flags/lint.h"
#include "core/flags/older_calls.h"
#include "core/flags/view.h"
#include "core/flags/visitor_event.h"
#include "core/flags/walk.h"
#include "core/json/document.h"

namespace {

using edge::json::Document;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void require_json(std::string_view text) {
  require(Document::parse(text, edge::json::kDecision).has_value());
}

edge::flags::User some_user() {
  using Kind = edge::flags::Scalar::Kind;
  edge::flags::User user = edge::flags::User::named("user-1");
  user.attributes = {{"plan", {.kind = Kind::Text, .text = "pro"}},
                     {"age", {.kind = Kind::Number, .number = 18}},
                     {"__proto__", {.kind = Kind::Bool, .boolean = true}}};
  user.segments = {"s1", "constructor"};
  return user;
}

void decide_all(const edge::flags::Datafile& datafile, const edge::flags::User& user) {
  std::vector<edge::flags::Exposure> exposures;
  edge::flags::Circumstances plain{.exposures = &exposures};
  edge::flags::Circumstances told{.options = {.include_reasons = true}, .explains = true};
  const auto decisions = edge::flags::Decider(datafile, user, plain).decide_all();
  const auto explained = edge::flags::Decider(datafile, user, told).decide_all();
  require(decisions.size() == explained.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    require(decisions[i].variation == explained[i].variation);
    require(decisions[i].rule == explained[i].rule);
    require_json(decisions[i].variables);
    edge::json::Writer out;
    edge::flags::write_walk(out, datafile, user, explained[i].steps);
    require_json(out.text());
  }
  edge::SeededRandom random(1);
  edge::Ids ids(random);
  edge::flags::EventWriter writer(datafile, user, {.name = "fuzz", .version = "1"}, ids);
  std::vector<edge::flags::VisitorEvent> events;
  for (const auto& exposure : exposures) {
    events.push_back(writer.impression(exposure, edge::from_ms(0)));
  }
  for (const auto& request : edge::flags::requests_of(events, 10)) {
    require_json(request.body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto problems = edge::flags::lint(text);
  const auto datafile = edge::flags::load_datafile(text);
  if (!datafile) {
    require(!problems.empty());
    return 0;
  }
  const edge::flags::User user = some_user();
  decide_all(**datafile, user);
  edge::flags::segments_of(**datafile, user);
  require_json(edge::flags::configuration_object(**datafile));
  require_json(edge::flags::flag_list_document(**datafile));
  for (const auto& flag : (*datafile)->flags) {
    if (const auto document = edge::flags::flag_document(**datafile, flag.key)) {
      require_json(*document);
    }
  }
  require(edge::flags::compare(**datafile, **datafile, {}).empty());
  return 0;
}
