// SPDX-License-Identifier: MIT
// What keeps daemon and commands from starting (identity spec 7, rows 14 and 40), and the list of
// rows that have tests.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;
namespace fs = std::filesystem;

namespace {

/// A configuration with keys of its own.
struct Place {
  Sandbox sandbox;
  std::string data = sandbox.path("data");
  std::string pixel_ring = data + "/keys/pixel.json";
  std::string token_ring = data + "/keys/jwt.json";

  Place() {
    sandbox.write("edge.toml", "[server]\nlisten = [\"127.0.0.1:0\"]\n");
    REQUIRE(edgectl({"key", "generate", "--kind", "pixel", "--ring", pixel_ring}).exit == 0);
    REQUIRE(edgectl({"key", "generate", "--kind", "ed25519", "--ring", token_ring}).exit == 0);
    fs::permissions(data, fs::perms::owner_all);
  }

  [[nodiscard]] Finished edgectl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", sandbox.path("edge.toml")});
    return sandbox.edgectl(arguments, {.env = {{"EDGE_DATA_DIR", data}}});
  }
  /// Ends by itself only when it refuses; `timeout` turns a start into 124.
  [[nodiscard]] Finished edged(std::map<std::string, std::string> variables = {}) const {
    variables.emplace("EDGE_DATA_DIR", data);
    return sandbox.run({"timeout",
                        "-s",
                        "TERM",
                        "30",
                        edge::test::bin_dir() + "/edged",
                        "--config",
                        sandbox.path("edge.toml")},
                       {.env = std::move(variables)});
  }
  [[nodiscard]] Finished pixel() const {
    return edgectl({"pixel",
                    "generate",
                    "--campaign",
                    "c",
                    "--recipient",
                    "u",
                    "--base-url",
                    "https://t.example.com"});
  }
  [[nodiscard]] Finished token() const { return edgectl({"token", "mint", "--role", "viewer"}); }
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void replace_in(const std::string& path, const std::string& from, const std::string& to) {
  std::string text = text_of(path);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  std::ofstream(path, std::ios::trunc) << text;
}

}  // namespace

TEST_CASE("[threat-14] a guessed or sample JWT secret keeps the daemon from starting",
          "[integration][threat-14]") {
  const Place place;
  for (const char* weak : {"development-secret-key-change-in-production",
                           "your-super-secret-jwt-key-change-in-production",
                           "PASSWORD",
                           "changeme",
                           "0123456789abcdef0123456789abcde"}) {
    CAPTURE(weak);
    const Finished refused = place.edged({{"JWT_SECRET", weak}});

    CHECK(refused.exit == 3);
    CHECK(refused.err.find("JWT_SECRET") != std::string::npos);
    CHECK(refused.err.find(weak) == std::string::npos);
  }
}

TEST_CASE("[threat-40] a tampered key ring stops the daemon and the commands",
          "[integration][threat-40]") {
  const Place place;
  REQUIRE(place.pixel().exit == 0);
  REQUIRE(place.token().exit == 0);
  const bool pixel = GENERATE(true, false);
  const std::string& ring = pixel ? place.pixel_ring : place.token_ring;
  const std::string what = GENERATE("cut", "number", "key");
  if (what == "cut") {
    fs::resize_file(ring, fs::file_size(ring) / 2);
  } else if (what == "number") {
    replace_in(ring, pixel ? "\"active\": 1" : "\"active\"", pixel ? "\"active\": 9" : "\"used\"");
  } else {
    replace_in(ring, pixel ? "\"1\": \"" : "\"x\": \"", pixel ? "\"1\": \"*" : "\"x\": \"AAAA");
  }

  const Finished daemon = place.edged();
  const Finished command = pixel ? place.pixel() : place.token();

  CAPTURE(what, text_of(ring));
  for (const Finished& refused : {daemon, command}) {
    CHECK(refused.exit == 3);
    CHECK(refused.err.find(fs::path(ring).filename().string()) != std::string::npos);
    CHECK(refused.out.empty());
  }
}

TEST_CASE("[threat-40] key files that others can read stop the daemon and the commands",
          "[integration][threat-40]") {
  const Place place;
  const bool pixel = GENERATE(true, false);
  const std::string& ring = pixel ? place.pixel_ring : place.token_ring;
  fs::permissions(ring, fs::perms::group_read, fs::perm_options::add);

  const Finished daemon = place.edged();
  const Finished command = pixel ? place.pixel() : place.token();

  for (const Finished& refused : {daemon, command}) {
    CAPTURE(refused.err);
    CHECK(refused.exit == 3);
    CHECK(refused.err.find("chmod 600") != std::string::npos);
  }
}

TEST_CASE("every row of the threat table has a test that its tag finds", "[integration]") {
  constexpr int kRows = 40;
  std::set<int> rows;
  constexpr std::string_view kTag = "][threat-";  // behind another tag, not in a name
  for (const auto& entry : fs::recursive_directory_iterator(edge::test::source_dir() + "/tests")) {
    if (entry.path().extension() != ".cpp") {
      continue;
    }
    const std::string text = text_of(entry.path());
    for (std::size_t at = text.find(kTag); at != std::string::npos; at = text.find(kTag, at + 1)) {
      rows.insert(std::atoi(text.c_str() + at + kTag.size()));
    }
  }
  for (int row = 1; row <= kRows; ++row) {
    CAPTURE(row);
    CHECK(rows.contains(row));
  }
}
