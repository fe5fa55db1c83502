// SPDX-License-Identifier: MIT
// user, apikey and auth: on the local store, and at a running daemon.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace {

const std::string kPassword = "correct horse battery";

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

/// Makes an account with a password from standard input; gives its id.
std::string add_user(const Sandbox& sandbox, const std::string& email, const std::string& role) {
  const Finished made = sandbox.edgectl({"user", "create", "--email", email, "--role", role},
                                        {.input = kPassword + "\n"});
  INFO(made.err);
  REQUIRE(made.exit == 0);
  return made.out.substr(0, made.out.find('\n'));
}

std::string write_private(const Sandbox& sandbox,
                          const std::string& name,
                          const std::string& text) {
  std::string path = sandbox.write(name, text);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  return path;
}

std::string selected(const Sandbox& sandbox, std::vector<std::string> arguments) {
  const Finished done = sandbox.edgectl(arguments);
  return done.exit == 0 ? done.out : "exit " + std::to_string(done.exit) + ": " + done.err;
}

/// A daemon of the sandbox's user, stopped at the end.
struct Running {
  const Sandbox& sandbox;
  explicit Running(const Sandbox& where) : sandbox(where) {
    const Finished up = sandbox.edgectl({"up", "--port", "0", "--wait", "60s"});
    INFO(up.err);
    REQUIRE(up.exit == 0);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&&) = delete;
  Running& operator=(Running&&) = delete;
  ~Running() { sandbox.edgectl({"down"}); }
};

}  // namespace

TEST_CASE("accounts are made, changed and deleted in the local store", "[cli][accounts]") {
  const Sandbox sandbox;
  const std::string id = add_user(sandbox, "Ada@Example.com", "admin");

  CHECK(selected(sandbox, {"user", "show", "ada@example.com", "--select", "/id"}) == id + "\n");
  CHECK(selected(sandbox, {"user", "update", id, "--role", "editor", "--select", "/roles/0"}) ==
        "editor\n");
  CHECK(selected(sandbox, {"user", "disable", id, "--select", "/disabled"}) == "true\n");
  CHECK(selected(sandbox, {"user", "update", id, "--enable", "--select", "/disabled"}) ==
        "false\n");
  CHECK(selected(sandbox, {"user", "list", "--format", "csv"}).find("ada@example.com") !=
        std::string::npos);
  CHECK(sandbox
            .edgectl({"user", "create", "--email", "ada@example.com"},
                     {.input = "correct horse battery"})
            .exit == 7);
  CHECK(sandbox.edgectl({"user", "update", id}).exit == 2);
  CHECK(sandbox.edgectl({"user", "update", id, "--role", "king"}).exit == 2);
  CHECK(sandbox.edgectl({"user", "show", "nobody@example.com"}).exit == 5);
  CHECK(sandbox.edgectl({"user", "delete", id, "-n"}).exit == 0);
  CHECK(sandbox.edgectl({"user", "delete", id}).exit == 0);
  CHECK(sandbox.edgectl({"user", "delete", id}).exit == 5);
  CHECK(
      sandbox.edgectl({"user", "create", "--email", "b@example.com"}, {.input = "password"}).exit ==
      3);
}

TEST_CASE("the file of a password must be its owner's alone", "[cli][accounts]") {
  const Sandbox sandbox;
  sandbox.write("open.txt", kPassword);

  const Finished refused = sandbox.edgectl(
      {"user", "create", "--email", "ada@example.com", "--password-file", "open.txt"});
  const Finished missing = sandbox.edgectl(
      {"user", "create", "--email", "ada@example.com", "--password-file", "nowhere.txt"});
  write_private(sandbox, "open.txt", kPassword);
  const Finished made = sandbox.edgectl(
      {"user", "create", "--email", "ada@example.com", "--password-file", "open.txt"});

  CHECK(refused.exit == 3);
  CHECK(refused.err.find("chmod 600") != std::string::npos);
  CHECK(missing.exit == 3);
  CHECK(missing.err.find("nowhere.txt") != std::string::npos);
  CHECK(made.exit == 0);
}

TEST_CASE("API keys of the local store are printed once", "[cli][accounts]") {
  const Sandbox sandbox;

  const Finished made = sandbox.edgectl(
      {"apikey", "create", "--name", "importer", "--scope", "track:write", "-o", "key.txt"});
  const std::string key = sandbox.read("key.txt");
  const std::string id = key.substr(4, 10);
  const Finished rotated = sandbox.edgectl({"apikey", "rotate", id});

  REQUIRE(made.exit == 0);
  CHECK(key.size() == 75);
  CHECK(mode_of(sandbox.path("key.txt")) == 0600);
  CHECK(made.out.empty());
  CHECK(rotated.out.substr(0, 14) == key.substr(0, 14));
  CHECK(rotated.out != key);
  const std::string list = selected(sandbox, {"apikey", "list", "--json"});
  CHECK(list.find("importer") != std::string::npos);
  CHECK(list.find(rotated.out.substr(15, 52)) == std::string::npos);
  CHECK(sandbox.edgectl({"apikey", "revoke", id}).exit == 0);
  CHECK(sandbox.edgectl({"apikey", "rotate", id}).exit == 7);
  CHECK(sandbox.edgectl({"apikey", "revoke", "zzzzzzzzzz"}).exit == 5);
  CHECK(sandbox.edgectl({"apikey", "create", "--name", "x", "--scope", "track:wrote"}).exit == 2);
}

TEST_CASE("at a daemon the same commands work by its local key", "[cli][accounts]") {
  const Sandbox sandbox;
  const Running running(sandbox);

  const std::string id = add_user(sandbox, "ada@example.com", "viewer");
  CHECK(selected(sandbox, {"user", "update", id, "--name", "Ada", "--select", "/name"}) == "Ada\n");
  CHECK(selected(sandbox, {"user", "list", "--select", "/users/0/email"}) == "ada@example.com\n");
  CHECK(sandbox.edgectl({"user", "list", "--local"}).exit == 0);
  CHECK(sandbox.edgectl({"user", "disable", id, "--local"}).exit == 9);
  CHECK(sandbox.edgectl({"user", "disable", id}).exit == 0);
  CHECK(sandbox.edgectl({"user", "delete", "ada@example.com"}).exit == 0);
  CHECK(sandbox.edgectl({"user", "show", id}).exit == 5);
  const Finished key =
      sandbox.edgectl({"apikey", "create", "--name", "importer", "--scope", "track:write"});
  CHECK(key.out.size() == 75);
  CHECK(sandbox.edgectl({"apikey", "revoke", key.out.substr(4, 10)}).exit == 0);
  CHECK(sandbox.edgectl({"apikey", "rotate", key.out.substr(4, 10)}).exit == 7);
}

TEST_CASE("lists of a daemon are read to their last page", "[cli][accounts]") {
  const Sandbox sandbox;
  const Receiver daemon([](const Received& request) {
    const bool is_second = request.path.find("cursor=b%40x") != std::string::npos;
    return Reaction{.body = is_second ? R"({"users":[{"id":"2","email":"c@x"}]})"
                                      : R"({"users":[{"id":"1","email":"b@x"}],"cursor":"b@x"})"};
  });

  const Finished list = sandbox.edgectl(
      {"user", "list", "--url", daemon.url(""), "--format", "jsonl", "--select", "/email"});

  CHECK(list.exit == 0);
  CHECK(list.out == "b@x\nc@x\n");
  CHECK(daemon.count() == 2);
}

TEST_CASE("a login is kept, refreshed when it is old, and ended by logout", "[cli][accounts]") {
  const Sandbox sandbox;
  add_user(sandbox, "ada@example.com", "viewer");
  const Running running(sandbox);
  CHECK(selected(sandbox, {"auth", "status", "--select", "/source"}) == "local-key\n");
  const std::string file = write_private(sandbox, "password", kPassword + "\n");
  const auto login = [&](const std::string& password_file) {
    return sandbox.edgectl(
        {"auth", "login", "--email", "ada@example.com", "--password-file", password_file});
  };
  CHECK(login(write_private(sandbox, "wrong", "another password\n")).exit == 4);

  const Finished signed_in = login(file);

  REQUIRE(signed_in.exit == 0);
  CHECK(signed_in.out.find("ada@example.com at http://127.0.0.1:") == 0);
  CHECK(mode_of(sandbox.path("state/edgectl/auth.json")) == 0600);
  CHECK(selected(sandbox, {"auth", "status", "--select", "/source"}) == "login\n");
  CHECK(sandbox.edgectl({"user", "list"}).exit == 4);  // a viewer now, not the local key
  std::string saved = sandbox.read("state/edgectl/auth.json");
  const std::size_t expires = saved.find("\"expires\": ") + 11;
  saved.replace(expires, saved.find_first_not_of("0123456789", expires) - expires, "1");
  write_private(sandbox, "state/edgectl/auth.json", saved);
  CHECK(selected(sandbox, {"auth", "status", "--select", "/email"}) == "ada@example.com\n");
  CHECK(sandbox.read("state/edgectl/auth.json") != saved);
  CHECK(sandbox.edgectl({"auth", "logout"}).exit == 0);
  CHECK(selected(sandbox, {"auth", "status", "--select", "/source"}) == "local-key\n");
  CHECK(sandbox.edgectl({"auth", "logout"}).exit == 0);
  write_private(sandbox, "state/edgectl/auth.json", saved);  // its session has ended
  const Finished ended = sandbox.edgectl({"auth", "status"});
  CHECK(ended.exit == 4);
  CHECK(ended.err.find("edgectl auth login") != std::string::npos);
}

TEST_CASE("a token file goes before a login and the local key", "[cli][accounts]") {
  const Sandbox sandbox;
  const Running running(sandbox);
  REQUIRE(sandbox.edgectl({"token", "mint", "--role", "viewer", "-o", "token.txt"}).exit == 0);

  CHECK(sandbox.edgectl({"user", "list", "--token-file", "token.txt"}).exit == 4);
  CHECK(selected(sandbox,
                 {"auth", "status", "--token-file", "token.txt", "--select", "/user/roles/0"}) ==
        "viewer\n");
  sandbox.write("token.txt", "edl_nonsense");
  const Finished refused =
      sandbox.edgectl({"auth", "status", "--token-file", "token.txt", "--json"});
  CHECK(refused.exit == 1);
  CHECK(refused.out.find(R"("signedIn": false)") != std::string::npos);
}
