// SPDX-License-Identifier: MIT
#include "core/pixels/bulk.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/encoding/csv.h"
#include "core/json/document.h"
#include "core/pixels/token_mold.h"
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

TEST_CASE("JSON lines that are no objects are marked like other bad rows, in their place",
          "[pixels]") {
  const std::string input = R"({"recipientId":"u-1"})"
                            "\nno JSON\n\n[1]\n"
                            R"({"note":"x"})"
                            "\n{\"recipientId\":\"u-2\"}";
  auto marking = plan();
  marking.in = marking.out = pixels::TableForm::JsonLines;
  marking.on_error = pixels::BulkPlan::OnError::Mark;
  marking.append = {"pixelId", "pixelError"};
  auto skipping = marking;
  skipping.on_error = pixels::BulkPlan::OnError::Skip;

  const auto marked = run(marking, input);
  const auto skipped = run(skipping, input);

  REQUIRE(marked.counts);
  CHECK(marked.counts->made == 2);
  REQUIRE(marked.bad.size() == 3);
  CHECK(marked.bad[0].row == 2);
  CHECK(marked.bad[0].error.reason == "parse_error");
  CHECK(marked.bad[1].row == 4);
  const std::string nothing = R"({"pixelId":"","pixelError":"parse_error"})";
  const std::size_t first = marked.text.find('\n') + 1;
  CHECK(marked.text.starts_with(R"({"recipientId":"u-1","pixelId":")"));
  CHECK(marked.text.substr(first).starts_with(
      nothing + "\n" + nothing + "\n" +
      R"({"note":"x","pixelId":"","pixelError":"missing_field"})" + "\n" +
      R"({"recipientId":"u-2","pixelId":")"));
  CHECK(skipped.text.find("\"\"") != std::string::npos);
  CHECK(skipped.text.find("parse_error") == std::string::npos);
  CHECK(std::count(skipped.text.begin(), skipped.text.end(), '\n') == 2);
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

TEST_CASE("several threads give the same table as one, whatever the pieces", "[pixels]") {
  std::string input = "id,note\r\n";
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(i);
    input += i % 1000 == 7    ? "\"u-" + number + "\",\"a\nb, \"\"c\"\"\"\n"
             : i % 1000 == 9  ? "bad\x01" + number + ",x\n"
             : i % 1000 == 11 ? "\n"
             : i % 1000 == 13 ? "u-" + number + "\n"
                              : "u-" + number + ",quo\"te\r\n";
  }
  auto one = plan();
  one.on_error = pixels::BulkPlan::OnError::Mark;
  one.append = {"pixelUrl", "pixelError"};
  auto several = one;
  several.jobs = 3;

  const auto expected = run(one, input, 1'000'000);
  const auto parallel = run(several, input, 100'003);
  const auto small = run(one, input, 11);

  REQUIRE(expected.counts);
  CHECK(expected.counts->made == 20'000 - 60);
  CHECK(expected.bad.size() == 40);
  CHECK(parallel.text == expected.text);
  CHECK(small.text == expected.text);
  REQUIRE(parallel.bad.size() == expected.bad.size());
  for (std::size_t i = 0; i < expected.bad.size(); ++i) {
    CHECK(parallel.bad[i].row == expected.bad[i].row);
    CHECK(parallel.bad[i].error == expected.bad[i].error);
  }
  CHECK(rows_of(expected.text).size() == 20'000 - 20 + 1);
  CHECK(rows_of(expected.text).at(8).at(1) == "a\nb, \"c\"");
}

TEST_CASE("with several threads a bad row ends the run behind the rows before it", "[pixels]") {
  std::string input = "id\n";
  for (int i = 0; i < 30'000; ++i) {
    input += (i == 12'345 ? std::string("\x01") : "u-" + std::to_string(i)) + "\n";
  }
  auto several = plan();
  several.jobs = 2;
  several.append = {"pixelId"};

  const auto outcome = run(several, input, 65'536);

  REQUIRE_FALSE(outcome.counts);
  CHECK(outcome.counts.error().message.starts_with("row 12347: "));
  CHECK(rows_of(outcome.text).size() == 12'346);
  REQUIRE(outcome.bad.size() == 1);
  CHECK(outcome.bad[0].row == 12'347);
}

TEST_CASE("a table that is no table is refused: an open quote, a row without end", "[pixels]") {
  const std::string open_quote = "id\n\"u-1\nu-2\n";
  const auto unclosed = run(plan(), open_quote);
  auto several = plan();
  several.jobs = GENERATE(1U, 2U);
  const auto endless = run(several, "id\nu-1\n\"" + std::string(1'100'000, 'a'), 65'536);

  REQUIRE_FALSE(unclosed.counts);
  CHECK(unclosed.counts.error().message.starts_with("row 2: "));
  REQUIRE_FALSE(endless.counts);
  CHECK(endless.counts.error().message.starts_with("row 3 is longer than 1 MiB"));
  CHECK(rows_of(endless.text).size() == 2);
}

TEST_CASE("molded tokens equal sealed ones", "[pixels]") {
  const auto keys = ring();
  const pixels::Claims constants{.issued_at = 1732369255,
                                 .campaign_id = "0f8fad5b-d9cb-469f-a165-70867728950e",
                                 .email_id = "42",
                                 .metadata = R"({"a":1})",
                                 .ttl_s = 70'000};
  const bool sealed = GENERATE(false, true);
  pixels::TokenMold mold(constants, keys, {.key_number = 1, .sealed = sealed});
  for (const std::string& recipient : {std::string("u-1"),
                                       std::string("18446744073709551615"),
                                       std::string("0"),
                                       std::string("deadbeefdeadbeef"),
                                       std::string("0f8fad5b-d9cb-469f-a165-70867728950e"),
                                       std::string("\u00e4\u00f6\u00fc"),
                                       std::string(255, 'x'),
                                       std::string(),
                                       std::string(256, 'x'),
                                       std::string("\xC2\x80"),
                                       std::string("\xFF")}) {
    for (const std::string& email : {std::string(), std::string("mail-7")}) {
      pixels::Claims claims = constants;
      claims.recipient_id = recipient;
      claims.email_id = email.empty() ? claims.email_id : email;
      const auto expected = pixels::seal(claims, keys, {.key_number = 1, .sealed = sealed});
      std::string out = "before";

      const auto made = mold.append(out, {.email = email, .recipient = recipient});

      CAPTURE(recipient, email);
      REQUIRE(made.has_value() == expected.has_value());
      CHECK(out == (expected ? "before" + *expected : "before"));
      if (!expected) {
        CHECK(made.error() == expected.error());
      }
    }
  }
}
