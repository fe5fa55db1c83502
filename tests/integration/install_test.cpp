// SPDX-License-Identifier: MIT
// What `cmake --install` puts where, and the service units (first-run spec 3).
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

namespace fs = std::filesystem;

std::set<std::string> files_below(const fs::path& directory) {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      out.insert(fs::relative(entry.path(), directory).string());
    }
  }
  return out;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("an installation holds the programs, pages, completions and the user unit, no more",
          "[integration]") {
  const Sandbox sandbox;
  const std::string build = fs::path(edge::test::bin_dir()).parent_path().string();
  const std::string prefix = sandbox.path("prefix");

  const Finished pages = sandbox.run({"cmake", "--build", build, "--target", "man_pages"});
  const Finished installed = sandbox.run({"cmake", "--install", build, "--prefix", prefix});

  INFO(pages.out << pages.err << installed.err);
  REQUIRE(installed.exit == 0);
  std::set<std::string> expected = {"bin/edgectl",
                                    "bin/edged",
                                    "lib/systemd/user/edged.service",
                                    "share/bash-completion/completions/edgectl",
                                    "share/doc/edgectl/LICENSE",
                                    "share/doc/edgectl/README.md",
                                    "share/fish/vendor_completions.d/edgectl.fish",
                                    "share/zsh/vendor-completions/_edgectl"};
  for (const auto& page : fs::directory_iterator(edge::test::source_dir() + "/man")) {
    const std::string name = page.path().filename().string();
    expected.insert("share/man/man" + name.substr(name.size() - 1) + "/" + name + ".gz");
  }
  CHECK(files_below(prefix) == expected);
}

TEST_CASE("both units tell systemd when the daemon is ready", "[integration]") {
  const fs::path source = edge::test::source_dir();
  for (const char* unit : {"daemon/edged.service.in", ".debian/edged.service"}) {
    INFO(unit);
    const std::string text = read_file(source / unit);
    CHECK(text.find("\nType=notify\n") != std::string::npos);
    CHECK(text.find("/edged --config %E/edgectl/edge.toml\n") != std::string::npos);
    CHECK(text.find("\nExecReload=kill -HUP $MAINPID\n") != std::string::npos);
    CHECK(text.find("\nRuntimeDirectory=edgectl\n") != std::string::npos);
  }
}

TEST_CASE("the system unit is exposed little", "[integration]") {
  const Sandbox sandbox;
  const std::string unit = edge::test::source_dir() + "/.debian/edged.service";

  const Finished rated =
      sandbox.run({"systemd-analyze", "security", "--offline=yes", "--threshold=20", unit});

  if (rated.exit == 127) {
    std::puts("systemd-analyze is not here: the exposure of the unit was not rated");
    return;
  }
  INFO(rated.out << rated.err);
  CHECK(rated.exit == 0);
}
