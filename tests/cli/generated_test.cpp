// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;
using edge::test::source_dir;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("the committed completions are what edgectl prints", "[cli]") {
  const Sandbox sandbox;
  const auto [shell, file] = GENERATE(table<std::string, std::string>(
      {{"bash", "edgectl.bash"}, {"zsh", "_edgectl"}, {"fish", "edgectl.fish"}}));

  INFO("stale: run .ci/generate");
  CHECK(content(source_dir() + "/completions/" + file) ==
        sandbox.edgectl({"completion", shell}).out);
}

TEST_CASE("the committed man pages are what the command table says", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("man/.keep", "");

  REQUIRE(sandbox.edgectl({"__man", "man"}).exit == 0);

  INFO("stale: run .ci/generate");
  for (const auto& page : std::filesystem::directory_iterator(sandbox.path("man"))) {
    const std::string name = page.path().filename().string();
    INFO(name);
    if (name != ".keep") {
      CHECK(content(source_dir() + "/man/" + name) == content(page.path()));
    }
  }
  for (const auto& page : std::filesystem::directory_iterator(source_dir() + "/man")) {
    const std::string name = page.path().filename().string();
    INFO(name);
    const bool is_generated = name.starts_with("edgectl");
    CHECK((!is_generated || std::filesystem::exists(sandbox.path("man/" + name))));
  }
}

TEST_CASE("quotes of an example stand in the man page", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("man/.keep", "");

  REQUIRE(sandbox.edgectl({"__man", "man"}).exit == 0);

  const std::string page = content(sandbox.path("man/edgectl-dlq.1"));
  CHECK(page.find(R"(--where 'reason ~ \(dq^http_5\(dq')") != std::string::npos);
  const Finished shown = sandbox.run(
      {"sh", "-c", "command -v mandoc >/dev/null && mandoc -T ascii man/edgectl-dlq.1"});
  CHECK((shown.exit != 0 || shown.out.find(R"('reason ~ "^http_5"')") != std::string::npos));
}

TEST_CASE("mandoc has nothing to say about the man pages", "[cli]") {
  const Sandbox sandbox;
  if (sandbox.run({"sh", "-c", "command -v mandoc"}).exit != 0) {
    WARN("mandoc is not installed");
    return;
  }
  const Finished lint = sandbox.run({"sh", "-c", "mandoc -T lint " + source_dir() + "/man/* 2>&1"});
  std::istringstream lines(lint.out);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t reference = line.find("referenced manual not found: Xr ");
    if (reference == std::string::npos) {
      FAIL_CHECK(line);
      continue;
    }
    std::istringstream words(
        line.substr(reference + 32));  // it need not be installed, but must be here
    std::string name;
    std::string section;
    words >> name >> section;
    INFO(line);
    CHECK(std::filesystem::exists(source_dir() + "/man/" + name + "." + section));
  }
}
