// SPDX-License-Identifier: MIT
// Replays what Optimizely's JavaScript SDK 6.6.1 decided. The cases have the form of batch records,
// so that reading these is tested along.
#include <catch2/catch.hpp>
#include <string>

#include "core/flags/datafile.h"
#include "core/flags/record.h"
#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::flags {
namespace {

struct Tally {
  std::size_t cases = 0;
  std::size_t failed = 0;
  std::size_t explained = 0;  // with reasons
  std::size_t same_words = 0;
};

bool holds_option(json::Value record, std::string_view name) {
  const auto options = record.find("options");
  if (options) {
    for (const json::Value option : options->elements()) {
      if (option.as_string() == name) {
        return true;
      }
    }
  }
  return false;
}

/// Absent members of the expectation mean an empty object or list.
bool same_member(json::Value expected, json::Value got, std::string_view name) {
  const auto wanted = expected.find(name);
  const auto present = got.find(name);
  return wanted ? json::equal(*wanted, *present) : present->size() == 0;
}

bool same_decision(json::Value expected, json::Value got) {
  return json::equal(*expected.find("variationKey"), *got.find("variationKey")) &&
         json::equal(*expected.find("enabled"), *got.find("enabled")) &&
         json::equal(*expected.find("ruleKey"), *got.find("ruleKey")) &&
         same_member(expected, got, "variables");
}

bool check_case(json::Value record, json::Value answer, Tally& tally) {
  const auto decisions = answer.find("decisions");
  const json::Value expected = *record.find("expect");
  if (!decisions || decisions->size() != expected.size()) {
    return false;
  }
  const bool is_explained = holds_option(record, "INCLUDE_REASONS");
  for (const auto& [key, wanted] : expected.members()) {
    const auto got = decisions->find(key);
    if (!got || !same_decision(wanted, *got)) {
      return false;
    }
    const bool same_reasons = same_member(wanted, *got, "reasons");
    tally.explained += is_explained ? 1 : 0;
    tally.same_words += is_explained && same_reasons ? 1 : 0;
    if (!is_explained && !same_reasons) {
      return false;
    }
    if (is_explained && !same_reasons) {
      UNSCOPED_INFO("other words: " << got->raw() << " instead of " << wanted.raw());
    }
  }
  if (!record.find("userProfile")) {
    return true;
  }
  const auto saved = answer.find("savedProfile");
  const json::Value wanted = *record.find("expectSaved");
  return wanted.is_null() ? !saved : saved && json::equal(*saved, wanted);
}

Tally replay(const std::string& name) {
  Tally tally;
  const auto text = test::vector_text("decisions", name + ".json");
  const auto lines = test::vector_lines("decisions", name + ".jsonl");
  if (!text || !lines) {
    return tally;
  }
  const auto datafile = load_datafile(*text);
  REQUIRE(datafile.has_value());
  for (const std::string& line : *lines) {
    ++tally.cases;
    const auto record = json::Document::parse(line, json::kDecision);
    REQUIRE(record.has_value());
    json::Writer answer;
    answer.begin_object();
    REQUIRE(answer_record(**datafile, record->root(), answer).has_value());
    const auto got = json::Document::parse(answer.end_object().text(), json::kDecision);
    REQUIRE(got.has_value());
    if (!check_case(record->root(), got->root(), tally) && ++tally.failed <= 5) {
      UNSCOPED_INFO("case " << line.substr(0, 2000) << "\n  got " << answer.text());
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("every decision is the one of the reference", "[flags]") {
  const std::string name = GENERATE("starter",
                                    "audiences",
                                    "groups",
                                    "delivery",
                                    "holdouts",
                                    "variables",
                                    "sticky",
                                    "large",
                                    "legacy");

  const Tally tally = replay(name);

  CHECK(tally.failed == 0);
  CHECK(tally.same_words == tally.explained);
  if (tally.cases > 0) {
    test::report_vectors("decisions", name + ".jsonl", tally.cases);
  }
}

}  // namespace edge::flags
