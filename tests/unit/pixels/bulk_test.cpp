// SPDX-License-Identifier: MIT
#include "core/pixels/bulk.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/encoding/csv.h"
#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace pixels = edge::pixels;
using edge::test::vector_text;

namespace {

struct Outcome {
  std::string text;
  std::vector<pixels::BadRow> bad;
  edge::Result<pixels::BulkCounts> counts = pixels::BulkCounts{};
};

pixels::KeyRing ring() {
  return pixels::KeyRing::parse(vector_text("identity", "pixel_keys.json").value()).value();
}

pixels::BulkPlan plan() {
  pixels::BulkPlan plan;
  plan.constants = {
      .issued_at = 1732369255, .campaign_id = "summer-sale-2024", .email_id = "email-123"};
  plan.seal.key_number = 1;
  plan.base_url = "https://t.example.com";
  return plan;
}

Outcome run(pixels::BulkPlan plan, std::string_view input, std::size_t piece = 7) {
  Outcome outcome;
  const auto keys = ring();
  pixels::Bulk bulk(
      std::move(plan),
      keys,
      [&](std::string_view text) { outcome.text += text; },
      [&](const pixels::BadRow& row) { outcome.bad.push_back(row); });
  for (std::size_t at = 0; at < input.size(); at += piece) {
    if (const auto fed = bulk.feed(input.substr(at, piece)); !fed) {
      outcome.counts = edge::Failure(fed.error());
      return outcome;
    }
  }
  outcome.counts = bulk.finish();
  return outcome;
}

std::vector<std::vector<std::string>> rows_of(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  edge::encoding::CsvReader reader(',', [&](auto& row) {
    rows.push_back(row.fields);
    return true;
  });
  reader.feed(text);
  reader.finish();
  return rows;
}

}  // namespace

TEST_CASE("a mailing list in CSV becomes the reference's list, with LF or CRLF", "[pixels]") {
  const auto expected = vector_text("identity", "pixel_bulk/expected.csv");
  for (const char* name : {"pixel_bulk/recipients.csv", "pixel_bulk/recipients.crlf.csv"}) {
    const auto input = vector_text("identity", name);
    if (!input || !expected) {
      return;
    }
    CAPTURE(name);

    const auto outcome = run(plan(), *input);

    REQUIRE(outcome.counts);
    CHECK(outcome.counts->made == 5);
    CHECK(rows_of(outcome.text) == rows_of(*expected));
    CHECK(outcome.text.find("\"\r\n") == std::string::npos);
  }
  edge::test::report_vectors("identity", "pixel_bulk/expected.csv", 10);
}

TEST_CASE("a mailing list in JSON lines becomes the reference's list", "[pixels]") {
  const auto expected = edge::test::vector_lines("identity", "pixel_bulk/expected.jsonl");
  const auto input = vector_text("identity", "pixel_bulk/recipients.jsonl");
  if (!expected || !input) {
    return;
  }
  auto json_plan = plan();
  json_plan.in = pixels::TableForm::JsonLines;
  json_plan.out = pixels::TableForm::JsonLines;

  const auto outcome = run(json_plan, *input);

  REQUIRE(outcome.counts);
  std::string_view rest = outcome.text;
  for (const auto& line : *expected) {
    const std::size_t end = rest.find('\n');
    REQUIRE(end != std::string_view::npos);
    const auto left = edge::json::Document::parse(rest.substr(0, end), edge::json::kStrict);
    const auto right = edge::json::Document::parse(line, edge::json::kStrict);
    CHECK(equal(left->root(), right->root()));
    rest.remove_prefix(end + 1);
  }
  CHECK(rest.empty());
  edge::test::report_vectors("identity", "pixel_bulk/expected.jsonl", expected->size());
}

TEST_CASE("bad rows are skipped, marked or end the run, by name and number", "[pixels]") {
  const auto input = vector_text("identity", "pixel_bulk/errors.csv");
  if (!input) {
    return;
  }
  auto skipping = plan();
  skipping.on_error = pixels::BulkPlan::OnError::Skip;
  auto marking = plan();
  marking.on_error = pixels::BulkPlan::OnError::Mark;
  marking.append = {"pixelId", "pixelError"};

  const auto skipped = run(skipping, *input);
  const auto marked = run(marking, *input);
  const auto failed = run(plan(), *input);

  REQUIRE(skipped.bad.size() == 2);
  CHECK(skipped.bad[0].row == 3);
  CHECK(skipped.bad[0].error.reason == "missing_field");
  CHECK(skipped.bad[1].row == 4);
  CHECK(skipped.bad[1].error.reason == "invalid_id");
  CHECK(skipped.counts->made == 2);
  CHECK(rows_of(skipped.text).size() == 3);
  CHECK(rows_of(marked.text).at(2).back() == "missing_field");
  CHECK(rows_of(marked.text).at(2).at(2).empty());
  CHECK_FALSE(failed.counts);
  CHECK(failed.counts.error().message.starts_with("row 3: "));
  CHECK(rows_of(failed.text).size() == 2);
  edge::test::report_vectors("identity", "pixel_bulk/errors.csv", 4);
}

TEST_CASE("columns can be named, metadata taken from them, and names must not clash", "[pixels]") {
  auto mapped = plan();
  mapped.columns = {{"recipientId", "who"}, {"meta.tier", "tier"}};
  mapped.append = {"pixelUrl"};

  const auto outcome = run(mapped, "who\ttier\n", 100);
  CHECK(outcome.counts.error().field == "who");  // a tab is no comma

  const auto fine = run(mapped, "tier,who\ngold,u-1\n");
  CHECK(fine.text.starts_with("tier,who,pixelUrl\ngold,u-1,https://t.example.com/pixel/track/"));
  const std::string token = pixels::token_in(fine.text.substr(fine.text.find("https")));
  CHECK(pixels::open_token(token, ring(), {.now_s = 1732369255}).claims.metadata ==
        R"({"tier":"gold"})");

  CHECK(run(mapped, "who,tier,pixelUrl\n").counts.error().message.find("pixelUrl already") !=
        std::string::npos);
  CHECK(run(mapped, "").counts.error().message.find("header row") != std::string::npos);
  const auto ragged = run(mapped, "who,tier\na\n");
  CHECK(ragged.bad.at(0).error.reason == "wrong_columns");
}
