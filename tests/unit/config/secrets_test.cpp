// SPDX-License-Identifier: MIT
#include "core/config/secrets.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/config/env_file.h"
#include "tests/support/fakes.h"

namespace edge::config {
namespace {

void put_file(const std::string& path, const std::string& content, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << content;
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

struct Fixture {
  test::TempDir dir;
  std::map<std::string, std::string> variables;
  SecretSources sources{
      .environment = [this](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      .store = dir / "secrets"};

  std::string value_of(const std::string& name, const std::string& flag_file = {}) {
    const auto found = Secrets(sources).find(name, flag_file);
    REQUIRE(found);
    return *found ? std::string((*found)->value.view()) : "(none)";
  }
};

TEST_CASE("secret sources are asked in the documented order", "[config]") {
  Fixture f;
  CHECK(f.value_of("JWT_SECRET") == "(none)");

  REQUIRE(Secrets(f.sources).set("JWT_SECRET", "from store"));
  CHECK(f.value_of("JWT_SECRET") == "from store");
  f.sources.env_file = {{"JWT_SECRET", "from env file"}};
  CHECK(f.value_of("JWT_SECRET") == "from env file");
  f.variables["JWT_SECRET"] = "from environment";
  CHECK(f.value_of("JWT_SECRET") == "from environment");
  f.variables["CREDENTIALS_DIRECTORY"] = f.dir.path().string();
  CHECK(f.value_of("JWT_SECRET") == "from environment");
  put_file(f.dir / "JWT_SECRET", "from credentials");
  CHECK(f.value_of("JWT_SECRET") == "from credentials");
  put_file(f.dir / "other", "from file\n");
  f.variables["JWT_SECRET_FILE"] = f.dir / "other";
  CHECK(f.value_of("JWT_SECRET") == "from file");
  put_file(f.dir / "flag", "from flag\n\n");
  CHECK(f.value_of("JWT_SECRET", f.dir / "flag") == "from flag\n");
}

TEST_CASE("a secret of our own name is looked up under EDGE_SECRET_", "[config]") {
  CHECK(environment_name("API_KEYS") == "API_KEYS");
  CHECK(environment_name("EDGE_PIXEL_KEYS") == "EDGE_PIXEL_KEYS");
  CHECK(environment_name("crm-token") == "EDGE_SECRET_CRM_TOKEN");
  Fixture f;
  f.variables["EDGE_SECRET_CRM_TOKEN"] = "abc";
  CHECK(f.value_of("crm-token") == "abc");
}

TEST_CASE("a source that cannot be used is an error and not skipped", "[config]") {
  Fixture f;
  f.variables["JWT_SECRET"] = "from environment";
  f.variables["JWT_SECRET_FILE"] = f.dir / "absent";
  const auto absent = Secrets(f.sources).find("JWT_SECRET");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::InvalidArgument);
  CHECK(absent.error().message.find("absent") != std::string::npos);

  put_file(f.dir / "open", "value", 0640);
  f.variables["JWT_SECRET_FILE"] = f.dir / "open";
  const auto open = Secrets(f.sources).find("JWT_SECRET");
  REQUIRE_FALSE(open);
  CHECK(open.error().reason == "insecure_permissions");
  CHECK(open.error().message.find("chmod 600") != std::string::npos);
  f.sources.files.allow_insecure_permissions = true;
  CHECK(f.value_of("JWT_SECRET") == "value");

  std::filesystem::create_symlink(f.dir / "open", f.dir / "link");
  f.variables["JWT_SECRET_FILE"] = f.dir / "link";
  const auto link = Secrets(f.sources).find("JWT_SECRET");
  REQUIRE_FALSE(link);
  CHECK(link.error().reason == "not_a_file");

  f.variables["JWT_SECRET_FILE"] = f.dir.path().string();
  const auto folder = Secrets(f.sources).find("JWT_SECRET");
  REQUIRE_FALSE(folder);
  CHECK(folder.error().reason == "not_a_file");
}

TEST_CASE("a missing secret is named with every way to set it", "[config]") {
  Fixture f;

  const auto missing = Secrets(f.sources).require("crm");

  REQUIRE_FALSE(missing);
  CHECK(missing.error().reason == "secret_missing");
  CHECK(missing.error().message.find("edgectl secret set crm") != std::string::npos);
  CHECK(missing.error().message.find("EDGE_SECRET_CRM_FILE") != std::string::npos);
}

TEST_CASE("the secret store keeps any octets, readable by its owner only", "[config]") {
  Fixture f;
  f.sources.store = f.dir / "data/secrets";
  Secrets secrets(f.sources);
  const std::string octets("\x00\xff\n", 3);

  REQUIRE(secrets.set("A", octets));
  REQUIRE(secrets.set("B", "b"));
  REQUIRE(secrets.set("B", "b2"));

  CHECK(f.value_of("A") == octets);
  CHECK(f.value_of("B") == "b2");
  CHECK(*secrets.names() == std::vector<std::string>{"A", "B"});
  CHECK(*secrets.erase("A"));
  CHECK_FALSE(*secrets.erase("A"));
  CHECK(f.value_of("A") == "(none)");
  struct stat found {};
  REQUIRE(stat((f.dir / "data/secrets").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
  REQUIRE(stat((f.dir / "data").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0700U);
}

TEST_CASE("names, values and stores that make no sense are refused", "[config]") {
  Fixture f;
  Secrets secrets(f.sources);
  const std::vector<std::string> names{
      "", "../etc/passwd", "a/b", "1A", "A B", std::string(65, 'A')};
  for (const std::string& name : names) {
    CHECK_FALSE(secrets.find(name));
    CHECK_FALSE(secrets.set(name, "value"));
  }
  CHECK_FALSE(secrets.set("A", ""));
  CHECK_FALSE(secrets.set("A", std::string(70'000, 'x')));

  for (const char* text :
       {"", "[]", "{}", R"({"secrets":1})", R"({"secrets":{"A":1}})", R"({"secrets":{"A":"="}})"}) {
    put_file(f.dir / "secrets", text);
    const auto found = secrets.find("A");
    REQUIRE_FALSE(found);
    CHECK(found.error().reason == "secret_store_invalid");
  }
}

TEST_CASE("weak and sample JWT secrets are refused", "[config]") {
  CHECK(check_jwt_secret("0123456789abcdef0123456789abcdef"));
  for (const char* weak : {"",
                           "secret",
                           "0123456789abcdef0123456789abcde",
                           "development-secret-key-change-in-production",
                           "Development-Secret-Key-Change-In-Production"}) {
    const auto checked = check_jwt_secret(weak);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().reason == "weak_secret");
  }
}

TEST_CASE("an env file is read line by line", "[config]") {
  const auto values = parse_env_file("# note\n\nA=1\nexport B = \"two words\"\r\nC='x=y'\nD=\n");
  REQUIRE(values);
  CHECK(*values == std::vector<std::pair<std::string, std::string>>{
                       {"A", "1"}, {"B", "two words"}, {"C", "x=y"}, {"D", ""}});
  for (const char* bad : {"A=1\nnonsense", "=1", "A B=1"}) {
    CHECK_FALSE(parse_env_file(bad));
  }
  CHECK(parse_env_file("A=1\nnonsense").error().message.find("line 2") != std::string::npos);
}

}  // namespace
}  // namespace edge::config
