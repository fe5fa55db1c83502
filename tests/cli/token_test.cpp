// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/process.h"
#include "tests/support/vectors.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

void make_private(const Sandbox& sandbox, const std::string& name, mode_t mode = 0600) {
  REQUIRE(::chmod(sandbox.path(name).c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("a token minted with the ring is verified with it, and refused when altered", "[cli]") {
  const Sandbox sandbox;
  const std::string ring = sandbox.path("data/edgectl/keys/jwt.json");
  REQUIRE(sandbox.edgectl({"key", "generate", "--kind", "ed25519", "--ring", ring}).exit == 0);

  const Finished minted = sandbox.edgectl({"token", "mint", "--sub", "ci", "--role", "viewer"});
  const std::string token = without_line_end(minted.out);
  const Finished good =
      sandbox.edgectl({"token", "verify", "-", "--select", "/claims/sub"}, {.input = minted.out});
  const Finished altered = sandbox.edgectl({"token", "verify", token + "AAAA", "--json"});
  const Finished role = sandbox.edgectl({"token", "verify", token, "--role", "admin"});
  const Finished permission =
      sandbox.edgectl({"token", "verify", token, "--permission", "pixel:read"});

  REQUIRE(minted.exit == 0);
  CHECK(good.exit == 0);
  CHECK(good.out == "ci\n");
  CHECK(altered.exit == 1);
  CHECK(altered.out.find(R"("code": "signature_invalid")") != std::string::npos);
  CHECK(role.exit == 1);
  CHECK(role.err.find("missing_role") != std::string::npos);
  CHECK(permission.exit == 0);
}

TEST_CASE("token verify asks what issuer and audience are wanted, and pins the algorithm",
          "[cli]") {
  const Sandbox sandbox;
  const auto run = [&](std::vector<std::string> arguments) {
    return sandbox.edgectl(std::move(arguments), {.env = {{"KEY", kSecret}}});
  };
  const std::string token = without_line_end(run({"token", "mint", "--secret-env", "KEY"}).out);

  CHECK(run({"token", "verify", token, "--secret-env", "KEY", "--alg", "HS256"}).exit == 2);
  const Finished open =
      run({"token", "verify", token, "--secret-env", "KEY", "--no-iss", "--no-aud"});
  CHECK(open.exit == 1);
  CHECK(open.err.find("try: --alg HS256") != std::string::npos);
  CHECK(run({"token",
             "verify",
             token,
             "--secret-env",
             "KEY",
             "--no-iss",
             "--no-aud",
             "--alg",
             "HS256"})
            .exit == 0);
  CHECK(run({"token", "verify", token, "--secret-env", "NONE", "--no-iss", "--no-aud"}).exit == 3);
  CHECK(run({"token",
             "verify",
             "Bearer " + token,
             "--secret-env",
             "KEY",
             "--no-iss",
             "--no-aud",
             "--alg",
             "HS256"})
            .exit == 1);
  CHECK(run({"token", "inspect", token}).exit == 0);
  CHECK(run({"token", "inspect", "nonsense"}).exit == 3);
}

TEST_CASE("token mint refuses times and claims that make no sense", "[cli]") {
  const Sandbox sandbox;
  const auto exit_of = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"token", "mint", "--secret-env", "KEY"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sandbox.edgectl(arguments, {.env = {{"KEY", kSecret}}}).exit;
  };
  CHECK(exit_of({"--exp", "-1h"}) == 2);
  CHECK(exit_of({"--exp", "2030-01-01T00:00:00Z", "--nbf", "2031-01-01T00:00:00Z"}) == 2);
  CHECK(exit_of({"--sub", "a", "--claim", "sub=b"}) == 2);
  CHECK(exit_of({"--alg", "none"}) == 2);
  CHECK(exit_of({"--alg", "ES256"}) == 3);
  CHECK(exit_of({"--ttl", "1m", "--no-exp"}) == 2);
  CHECK(exit_of({"--no-exp"}) == 0);
}

TEST_CASE("a key file that holds a private key must be its owner's alone", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(
      sandbox.edgectl({"key", "generate", "--kind", "es256", "-o", "k.pem", "--public", "p.pem"})
          .exit == 0);
  const std::string token =
      without_line_end(sandbox.edgectl({"token", "mint", "--key", "k.pem"}).out);

  CHECK(
      sandbox.edgectl({"token", "verify", token, "--key", "p.pem", "--no-iss", "--no-aud"}).exit ==
      0);
  make_private(sandbox, "k.pem", 0644);
  const Finished open = sandbox.edgectl({"token", "mint", "--key", "k.pem"});
  CHECK(open.exit == 3);
  CHECK(open.err.find("chmod 600") != std::string::npos);
  CHECK(sandbox.edgectl({"token", "mint", "--secret-file", "nowhere.key"}).exit == 3);
}

TEST_CASE("user create makes the first administrator and keeps the rules", "[cli]") {
  const Sandbox sandbox;
  const auto create = [&](const std::string& email, const std::string& password) {
    return sandbox.edgectl({"user", "create", "--email", email, "--role", "admin"},
                           {.input = password + "\n"});
  };

  CHECK(create("Ada@Example.com", "correct horse battery").exit == 0);
  CHECK(create("ada@example.com", "correct horse battery").exit == 7);
  CHECK(create("bob@example.com", "password1").exit == 3);
  CHECK(create("nonsense", "correct horse battery").exit == 3);
  const Finished shown = sandbox.edgectl({"user", "show", "ada@example.com", "--json"});
  CHECK(shown.exit == 0);
  CHECK(shown.out.find("argon2") == std::string::npos);
  CHECK(sandbox.edgectl({"user", "show", "eve@example.com"}).exit == 5);
}

TEST_CASE("token verify --batch answers every line of the vectors", "[cli]") {
  const auto text = edge::test::vector_text("identity", "jwt_cases.jsonl");
  if (!text) {
    return;
  }
  const Sandbox sandbox;

  const Finished done = sandbox.edgectl({"token", "verify", "--batch", "-"}, {.input = *text});

  CHECK(done.exit == 0);
  CHECK(std::count(done.out.begin(), done.out.end(), '\n') ==
        std::count(text->begin(), text->end(), '\n'));
  CHECK(done.out.find("\"error\"") == std::string::npos);
}

TEST_CASE("token verify gives octets that are no text in base64", "[cli]") {
  const Sandbox sandbox;
  const auto run = [&](const std::string& token) {
    return sandbox.edgectl({"token",
                            "verify",
                            token,
                            "--jws",
                            "--no-iss",
                            "--no-aud",
                            "--alg",
                            "HS256",
                            "--secret-env",
                            "KEY",
                            "--json"},
                           {.env = {{"KEY", kSecret}}});
  };
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.__4A.uPqjoa3ILh7QJoxEJt4F0mnQUeqRSGpWhDGiNyJLbE8";

  const Finished verified = run(token);

  CHECK(verified.exit == 0);
  CHECK(verified.out.find(R"("payload_b64": "//4A")") != std::string::npos);
}
