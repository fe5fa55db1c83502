// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/vectors.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

std::vector<std::string> decide(std::vector<std::string> more) {
  std::vector<std::string> arguments{
      "decide", "--datafile", edge::test::source_dir() + "/cli/examples/flags.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("decide checks expectations and says which one failed", "[cli]") {
  const Sandbox sandbox;

  const Finished met = sandbox.edgectl(decide(
      {"new_checkout", "-u", "u-42", "--attr", "plan=pro", "--expect", "new_checkout=treatment"}));
  const Finished failed = sandbox.edgectl(decide({"-u",
                                                  "u-42",
                                                  "--attr",
                                                  "plan=pro",
                                                  "--expect",
                                                  "new_checkout.var.steps=2",
                                                  "--expect",
                                                  "!vip_offer"}));

  CHECK(met.exit == 0);
  CHECK(holds(met.out, "new_checkout=treatment\ttreatment\tok\n"));
  CHECK(met.err.empty());
  CHECK(failed.exit == 1);
  CHECK(holds(failed.out, "new_checkout.var.steps=2\t1\tFAIL\n"));
  CHECK(holds(failed.out, "!vip_offer\tfalse\tok\n"));
}

TEST_CASE("decide prints the document for programs", "[cli]") {
  const Sandbox sandbox;

  const Finished done = sandbox.edgectl(decide({"--all",
                                                "-u",
                                                "u-42",
                                                "--attrs",
                                                R"({"plan":"free","age":1})",
                                                "--attr",
                                                "plan=pro",
                                                "--segment",
                                                "high_value",
                                                "--json"}));

  REQUIRE(done.exit == 0);
  const auto document = edge::json::Document::parse(done.out, edge::json::kStrict);
  REQUIRE(document);
  const auto at = [&document](std::string_view pointer) {
    const auto value = document->root().at_pointer(pointer);
    return value ? std::string(value->as_string().value_or(value->raw())) : std::string("(none)");
  };
  CHECK(at("/schema") == "edge.decide/1");
  CHECK(at("/attributes/plan") == "pro");
  CHECK(at("/attributes/age") == "1");
  CHECK(at("/source/kind") == "file");
  CHECK(at("/source/revision") == "1");
  CHECK(at("/source/sha256").size() == 64);
  CHECK(at("/decisions/0/flagKey") == "new_checkout");
  CHECK(at("/decisions/0/variationKey") == "treatment");
  CHECK(at("/decisions/0/variables/theme/color") == "green");
  CHECK(at("/decisions/1/flagKey") == "vip_offer");
  CHECK(at("/decisions/1/enabled") == "true");
  CHECK(at("/decisions/2/flagKey") == "dark_mode");
}

TEST_CASE("decide obeys what bends a decision", "[cli]") {
  const Sandbox sandbox;

  const Finished forced = sandbox.edgectl(decide({"new_checkout",
                                                  "-u",
                                                  "u-1",
                                                  "--force",
                                                  "new_checkout=treatment",
                                                  "--expect",
                                                  "new_checkout"}));
  const Finished rule = sandbox.edgectl(decide({"vip_offer",
                                                "-u",
                                                "u-1",
                                                "--force",
                                                "vip_offer/vip_offer_high_value=on",
                                                "--expect",
                                                "vip_offer.rule=vip_offer_high_value"}));
  const Finished plain = sandbox.edgectl(decide(
      {"new_checkout", "vip_offer", "-u", "u-1", "--enabled-only", "--no-variables", "--json"}));

  CHECK(forced.exit == 0);
  CHECK(rule.exit == 0);
  CHECK(plain.exit == 0);
  CHECK(holds(plain.out, "\"decisions\": []"));
}

TEST_CASE("decide remembers variations in a file of profiles", "[cli]") {
  const Sandbox sandbox;
  const std::string profiles = sandbox.write(
      "profiles.json",
      R"({"u-42":{"user_id":"u-42","experiment_bucket_map":{"401":{"variation_id":"601"}}}})");

  const Finished old = sandbox.edgectl(decide(
      {"-u", "u-42", "--attr", "plan=pro", "--ups", profiles, "--expect", "new_checkout=control"}));
  const Finished ignoring = sandbox.edgectl(decide({"-u",
                                                    "u-42",
                                                    "--attr",
                                                    "plan=pro",
                                                    "--ups",
                                                    profiles,
                                                    "--ignore-ups",
                                                    "--expect",
                                                    "new_checkout=treatment"}));
  const Finished fresh = sandbox.edgectl(
      decide({"new_checkout", "-u", "u-1", "--attr", "plan=pro", "--ups", profiles}));

  CHECK(old.exit == 0);
  CHECK(ignoring.exit == 0);
  CHECK(fresh.exit == 0);
  CHECK(holds(sandbox.read("profiles.json"), R"("u-1":{"user_id":"u-1")"));
  CHECK(holds(sandbox.read("profiles.json"), R"({"401":{"variation_id":"601"}})"));
}

TEST_CASE("decide --test prints nothing and says whether all flags are on", "[cli]") {
  const Sandbox sandbox;

  const Finished on =
      sandbox.edgectl(decide({"vip_offer", "-u", "u", "--segment", "high_value", "--test"}));
  const Finished off = sandbox.edgectl(decide({"vip_offer", "-u", "u", "--test"}));

  CHECK(on.exit == 0);
  CHECK(on.out.empty());
  CHECK(off.exit == 1);
  CHECK(off.out.empty());
}

TEST_CASE("decide names what is wrong", "[cli]") {
  const Sandbox sandbox;
  const std::string broken = sandbox.write("broken.json", R"({"version":4})");
  const std::string unready = sandbox.write("unready.json", R"({"version":"4"})");

  const Finished unknown = sandbox.edgectl(decide({"new_chekout", "-u", "u"}));
  const Finished unusable = sandbox.edgectl({"decide", "a", "-u", "u", "--datafile", broken});
  const Finished not_ready = sandbox.edgectl({"decide", "a", "-u", "u", "--datafile", unready});
  const Finished nobody = sandbox.edgectl(decide({"new_checkout"}));
  const Finished nothing = sandbox.edgectl(decide({"-u", "u"}));
  const Finished attributes = sandbox.edgectl(decide({"new_checkout", "-u", "u", "--attrs", "{]"}));
  const Finished force = sandbox.edgectl(decide({"new_checkout", "-u", "u", "--force", "x"}));
  const Finished option =
      sandbox.edgectl(decide({"new_checkout", "-u", "u", "--option", "include_reasons"}));
  const Finished expect = sandbox.edgectl(decide({"-u", "u", "--expect", "a~["}));

  CHECK(unknown.exit == 5);
  CHECK(holds(unknown.err, "no flag \"new_chekout\" in "));
  CHECK(holds(unknown.err, "(revision 1, 3 flags)\n  did you mean: new_checkout\n"));
  CHECK(unusable.exit == 3);
  CHECK(holds(unusable.err, "version must be"));
  CHECK(not_ready.exit == 3);
  CHECK(holds(not_ready.err, "has no revision"));
  CHECK(nobody.exit == 2);
  CHECK(nothing.exit == 2);
  CHECK(attributes.exit == 3);
  CHECK(force.exit == 2);
  CHECK(option.exit == 2);
  CHECK(expect.exit == 2);
}

TEST_CASE("decide answers every line of a batch", "[cli]") {
  const Sandbox sandbox;
  const std::string records =
      R"({"id":7,"userId":"u-42","attributes":{"plan":"pro"},"key":"new_checkout"})"
      "\n"
      "not json\n"
      R"({"id":"x","userId":5})"
      "\n"
      R"({"userId":"u","keys":["ghost"]})"
      "\n";

  const Finished done = sandbox.edgectl(decide({"--batch", "-"}), {.input = records});
  const Finished strict =
      sandbox.edgectl(decide({"--batch", "-", "--fail-invalid"}), {.input = records});
  const std::string broken = sandbox.write("broken.json", "[]");
  const Finished refused =
      sandbox.edgectl({"decide", "--batch", "-", "--datafile", broken}, {.input = records});

  CHECK(done.exit == 0);
  CHECK(holds(done.out, R"({"id":7,"decisions":{"new_checkout":{"flagKey":"new_checkout")"));
  CHECK(holds(done.out, R"({"id":null,"line":2,"error":"parse_error")"));
  CHECK(holds(done.out, R"({"id":"x","error":"invalid_input")"));
  CHECK(holds(done.out, R"(No flag was found for key \"ghost\".)"));
  CHECK(strict.exit == 1);
  CHECK(refused.exit == 3);
  CHECK(refused.out.empty());
}

TEST_CASE("the batch gives the decisions of the reference", "[cli]") {
  const auto datafile = edge::test::vector_text("decisions", "starter.json");
  const auto lines = edge::test::vector_lines("decisions", "starter.jsonl");
  if (!datafile || !lines) {
    return;
  }
  const Sandbox sandbox;
  std::string records;
  for (const std::string& line : *lines) {
    records += line + "\n";
  }

  const Finished done = sandbox.edgectl({"decide",
                                         "--batch",
                                         sandbox.write("records.jsonl", records),
                                         "--datafile",
                                         sandbox.write("starter.json", *datafile)});

  REQUIRE(done.exit == 0);
  CHECK(static_cast<std::size_t>(std::count(done.out.begin(), done.out.end(), '\n')) ==
        lines->size());
}

TEST_CASE("decide --explain shows the walk with the values seen", "[cli]") {
  const Sandbox sandbox;

  const Finished done =
      sandbox.edgectl(decide({"new_checkout", "-u", "u-42", "--attr", "plan=free", "--explain"}));
  const Finished ascii = sandbox.edgectl(
      decide({"vip_offer", "-u", "u-42", "--segment", "high_value", "--explain", "--ascii"}));
  const Finished document = sandbox.edgectl(decide({"new_checkout",
                                                    "-u",
                                                    "u-42",
                                                    "--explain",
                                                    "--select",
                                                    "/decisions/0/explanation/steps/0/finding"}));

  CHECK(done.exit == 0);
  CHECK(holds(done.out, "  ✗ experiment checkout_test: the audience does not match\n"));
  CHECK(holds(done.out, "✗ plan exact \"pro\"   seen \"free\"\n"));
  CHECK(holds(done.out, "  ✓ delivery checkout_everyone: bucketed into off\n"));
  CHECK(holds(done.out, " of 10 000: [0 to 10 000 off]\n"));
  CHECK(holds(ascii.out, "  + delivery vip_offer_high_value: bucketed into on\n"));
  CHECK(holds(ascii.out, "+ segment \"high_value\"\n"));
  CHECK(document.out == "wrong_audience\n");
}

TEST_CASE("decide reports its expectations to CI systems", "[cli]") {
  const Sandbox sandbox;
  const std::vector<std::string> asked = {
      "-u", "u-42", "--expect", "new_checkout", "--expect", "!vip_offer"};
  auto with_junit = asked;
  with_junit.insert(with_junit.end(), {"--report", "junit:report.xml"});
  auto with_nonsense = asked;
  with_nonsense.insert(with_nonsense.end(), {"--report", "tap"});

  const Finished junit = sandbox.edgectl(decide(with_junit));
  const Finished github = sandbox.edgectl(
      decide(asked),
      {.env = {{"GITHUB_ACTIONS", "true"}, {"GITHUB_STEP_SUMMARY", sandbox.path("summary.md")}}});
  const Finished nonsense = sandbox.edgectl(decide(with_nonsense));

  CHECK(junit.exit == 1);
  CHECK(holds(sandbox.read("report.xml"), "tests=\"2\" failures=\"1\""));
  CHECK(holds(sandbox.read("report.xml"), "name=\"new_checkout\">\n      <failure message="));
  CHECK(github.exit == 1);
  CHECK(holds(github.err, "::error title=new_checkout::new_checkout is not met: got false\n"));
  CHECK(holds(sandbox.read("summary.md"), "1 of 2 checks passed\n"));
  CHECK(nonsense.exit == 2);
}

TEST_CASE("a batch with workers gives the answers of one without, in order", "[cli]") {
  const auto datafile = edge::test::vector_text("decisions", "starter.json");
  const auto lines = edge::test::vector_lines("decisions", "starter.jsonl");
  if (!datafile || !lines) {
    return;
  }
  const Sandbox sandbox;
  std::string records;
  for (const std::string& line : *lines) {
    records += line + "\n" + (line.size() % 7 == 0 ? "\nnot json\n" : "");
  }
  const std::vector<std::string> command = {"decide",
                                            "--batch",
                                            sandbox.write("records.jsonl", records),
                                            "--datafile",
                                            sandbox.write("starter.json", *datafile)};
  auto with_workers = command;
  with_workers.insert(with_workers.end(), {"--workers", "3"});
  auto with_none = command;
  with_none.insert(with_none.end(), {"--workers", "0"});

  const Finished one = sandbox.edgectl(command);
  const Finished three = sandbox.edgectl(with_workers);

  REQUIRE(one.exit == 0);
  CHECK(three.exit == 0);
  CHECK((three.out == one.out));
  CHECK(sandbox.edgectl(with_none).exit == 2);
}

TEST_CASE("a batch on a datafile that is not ready is answered with error decisions", "[cli]") {
  const Sandbox sandbox;
  const std::string unready = sandbox.write("unready.json", R"({"version":"4"})");

  const Finished done = sandbox.edgectl({"decide", "--batch", "-", "--datafile", unready},
                                        {.input = R"({"id":1,"userId":"u","key":"f"})"
                                                  "\n"});

  CHECK(done.exit == 0);
  CHECK(holds(done.out, "Optimizely SDK not configured properly yet."));
}

TEST_CASE("decide leaves out flags that are off only when there are several", "[cli]") {
  const Sandbox sandbox;

  const Finished one =
      sandbox.edgectl(decide({"vip_offer", "-u", "u", "--option", "ENABLED_FLAGS_ONLY", "--json"}));
  const Finished expected = sandbox.edgectl(
      decide({"new_checkout", "-u", "u", "--enabled-only", "--expect", "!vip_offer"}));

  CHECK(holds(one.out, "\"flagKey\": \"vip_offer\""));
  CHECK(expected.exit == 0);
}
