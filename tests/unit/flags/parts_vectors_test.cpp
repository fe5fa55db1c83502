// SPDX-License-Identifier: MIT
// Golden answers of the reference for the parts: hash and bucket, versions, conditions, what is
// accepted, and the older calls.
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "core/flags/audience.h"
#include "core/flags/bucketing.h"
#include "core/flags/datafile.h"
#include "core/flags/older_calls.h"
#include "core/json/semver.h"
#include "core/json/writer.h"
#include "tests/support/vectors.h"

namespace edge::flags {
namespace {

/// Calls `check(line as JSON)` for each line; it says whether the case passed.
template <typename Check>
void replay(const std::string& file, const Check& check) {
  const auto lines = test::vector_lines("decisions", file);
  if (!lines) {
    return;
  }
  std::size_t failed = 0;
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kDecision);
    REQUIRE(document.has_value());
    if (!check(document->root()) && ++failed <= 5) {
      UNSCOPED_INFO(line);
    }
  }
  CHECK(failed == 0);
  test::report_vectors("decisions", file, lines->size());
}

std::string_view text(json::Value object, std::string_view name) {
  return *object.find(name)->as_string();
}

}  // namespace

TEST_CASE("hashes and buckets are those of the reference", "[flags]") {
  replay("bucketing.jsonl", [](json::Value line) {
    const auto id = text(line, "bucketingId");
    const auto parent = text(line, "parentId");
    return line.find("hash")->as_uint64() == crypto::murmur3_32(id, parent, 1) &&
           line.find("bucket")->as_uint64() == bucket_of(id, parent);
  });
}

TEST_CASE("versions compare as in the reference", "[flags]") {
  replay("semver.jsonl", [](json::Value line) {
    const auto condition = json::parse_version(text(line, "condition"));
    const auto user = json::parse_version(text(line, "user"));
    const json::Value expected = *line.find("cmp");
    if (!condition || !user) {
      return expected.is_null();
    }
    return expected.as_int64() == json::compare_versions(*user, *condition);
  });
}

TEST_CASE("conditions give what the reference gives", "[flags]") {
  replay("conditions.jsonl", [](json::Value line) {
    Conditions conditions;
    const auto root = conditions.add_audience(*line.find("conditions"));
    const auto id = json::Document::parse("\"u\"", json::kDecision);
    const auto user = user_of(id->root(), line.find("attributes"), line.find("qualifiedSegments"));

    const Truth truth = Subject(conditions, *user).evaluate(root);

    const json::Value expected = *line.find("expect");
    return expected.is_null() ? truth == Truth::Unknown
                              : truth == (*expected.as_bool() ? Truth::True : Truth::False);
  });
}

TEST_CASE("datafiles and users are accepted as the reference does", "[flags]") {
  replay("errors.jsonl", [](json::Value line) {
    const auto expected = text(line, "expect");
    if (text(line, "kind") == "user") {
      const auto user = user_of(line.find("userId"), line.find("attributes"), std::nullopt);
      return expected == (user ? "ok" : user.error().reason);
    }
    const auto datafile = load_datafile(text(line, "text"));
    if (!datafile) {
      return expected == "invalid" && datafile.error().reason == "invalid_datafile";
    }
    return expected == ((*datafile)->is_ready ? "ok" : "not_ready");
  });
}

TEST_CASE("the older calls answer as in the reference", "[flags]") {
  std::map<std::string, std::shared_ptr<const Datafile>, std::less<>> datafiles;
  const auto datafile_named = [&datafiles](std::string_view name) {
    auto& datafile = datafiles[std::string(name)];
    if (!datafile) {
      datafile =
          load_datafile(*test::vector_text("decisions", std::string(name) + ".json")).value();
    }
    return datafile;
  };

  replay("experiments-features.jsonl", [&datafile_named](json::Value line) {
    const auto datafile = datafile_named(text(line, "datafile"));
    const auto user = user_of(line.find("userId"), line.find("userAttributes"), std::nullopt);
    const json::Value expected = *line.find("expect");
    for (const auto& [key, wanted] : expected.find("experiments")->members()) {
      if (variation_key(*datafile, *user, key) != wanted.as_string()) {
        return false;
      }
    }
    for (const auto& [key, wanted] : expected.find("features")->members()) {
      const Feature got = feature(*datafile, *user, key);
      const auto variables = json::Document::parse(got.variables.value_or("null"), json::kDecision);
      if (wanted.find("enabled")->as_bool() != got.is_enabled ||
          !json::equal(*wanted.find("variables"), variables->root())) {
        return false;
      }
    }
    return true;
  });
}

}  // namespace edge::flags
