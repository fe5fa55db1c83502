// SPDX-License-Identifier: MIT
#include "core/flags/expectation.h"

#include <catch2/catch.hpp>

namespace edge::flags {
namespace {

const Decision kDecision{
    .flag_key = "checkout",
    .variation_key = "treatment",
    .rule_key = "rule_1",
    .is_enabled = true,
    .variables = R"({"columns":2,"title":"Buy now","theme":{"sizes":[1,20]}})"};

}  // namespace

TEST_CASE("every form of an expectation is compared with the decision", "[flags]") {
  const auto [text, is_met] = GENERATE(table<std::string, bool>({
      {"checkout", true},
      {"!checkout", false},
      {"checkout=treatment", true},
      {"checkout=control", false},
      {"checkout!=control", true},
      {"checkout!=treatment", false},
      {"checkout~^treat", true},
      {"checkout~^control$", false},
      {"checkout.enabled=true", true},
      {"checkout.enabled!=true", false},
      {"checkout.rule=rule_1", true},
      {"checkout.rule=rule_2", false},
      {"checkout.var.columns=2", true},
      {"checkout.var.columns=2.0", true},
      {"checkout.var.columns=3", false},
      {"checkout.var.title=Buy now", true},
      {"checkout.var.title~now", true},
      {"checkout.var.theme.sizes.1=20", true},
      {"checkout.var.theme={\"sizes\": [1, 20]}", true},
      {"checkout.var.ghost=1", false},
      {"checkout.var.ghost!=1", true},
  }));

  const auto expectation = parse_expectation(text);
  REQUIRE(expectation.has_value());
  const Verdict verdict = judge(*expectation, kDecision);

  INFO(text << " got " << verdict.got);
  CHECK(expectation->flag_key == "checkout");
  CHECK(verdict.is_met == is_met);
}

TEST_CASE("an expectation without flag, variable or valid expression is refused", "[flags]") {
  const std::string text = GENERATE("", "!", "=on", ".enabled=true", "a.var.=1", "a~[");

  const auto expectation = parse_expectation(text);

  REQUIRE_FALSE(expectation.has_value());
  CHECK(expectation.error().reason == "invalid_expectation");
}

}  // namespace edge::flags
