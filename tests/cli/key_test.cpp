// SPDX-License-Identifier: MIT
// key: one key in all its forms, and rings that move on.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/vectors.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

void write_private(const Sandbox& sandbox, const std::string& name, const std::string& text) {
  REQUIRE(::chmod(sandbox.write(name, text).c_str(), 0600) == 0);
}

std::string pointer_of(const std::string& text, std::string_view pointer) {
  const auto document = edge::json::Document::parse(text, edge::json::kStrict);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  return value ? std::string(value->as_string().value_or(value->raw())) : "(none)";
}

std::string thumbprint_of(const std::string& list, const std::string& kid) {
  const auto document = edge::json::Document::parse(list, edge::json::kStrict);
  REQUIRE(document);
  for (const edge::json::Value entry : document->root().elements()) {
    if (entry.find("kid")->as_string() == kid) {
      return std::string(*entry.find("sha256")->as_string());
    }
  }
  return "(none)";
}

}  // namespace

TEST_CASE("every key form is read, and converted into each other without loss", "[cli][key]") {
  const Sandbox sandbox;
  const auto thumbprints = edge::test::vector_text("identity", "keys/thumbprints.json");
  if (!thumbprints) {
    return;
  }
  struct Form {
    std::string file;
    std::string kid;
  };
  const std::vector<Form> forms = {{"RS256.encrypted.pem", "RS256"},
                                   {"RS256.pkcs1.pem", "RS256"},
                                   {"RS256.pkcs1pub.pem", "RS256"},
                                   {"RS256.pkcs8.pem", "RS256"},
                                   {"RS256.spki.pem", "RS256"},
                                   {"PS512.pkcs8.pem", "PS512"},
                                   {"ES256.sec1.pem", "ES256"},
                                   {"ES384.spki.pem", "ES384"},
                                   {"ES512.pkcs8.pem", "ES512"},
                                   {"EdDSA.pkcs8.pem", "EdDSA"}};
  for (const Form& form : forms) {
    const auto text = edge::test::vector_text("identity", "keys/" + form.file);
    REQUIRE(text);
    INFO(form.file);
    write_private(sandbox, "in", *text);
    const auto run = [&](std::vector<std::string> arguments) {
      return sandbox.edgectl(arguments, {.env = {{"EDGE_KEY_PASSPHRASE", "test-only-passphrase"}}});
    };
    const std::string expected = thumbprint_of(*thumbprints, "TEST-ONLY-" + form.kid);

    const Finished jwk = run({"key", "convert", "in", "--as", "jwk", "-o", "in.jwk"});
    const Finished pem = run({"key", "convert", "in.jwk", "--as", "pem", "-o", "in.pem"});
    const Finished set = run({"key", "convert", "in.pem", "--as", "jwks"});

    CHECK(jwk.exit == 0);
    CHECK(pem.exit == 0);
    CHECK(run({"key", "thumbprint", "in"}).out == expected + "\n");
    CHECK(run({"key", "thumbprint", "in.pem"}).out == expected + "\n");
    CHECK(pointer_of(set.out, "/keys/0/kid") == expected);
    const bool is_private =
        form.file.find("pub") == std::string::npos && form.file.find("spki") == std::string::npos;
    CHECK((pointer_of(set.out, "/keys/0/d") != "(none)") == is_private);
    CHECK(pointer_of(run({"key", "jwks", "in"}).out, "/keys/0/d") == "(none)");
  }
}

TEST_CASE("secrets are converted from their encodings and have no PEM form", "[cli][key]") {
  const Sandbox sandbox;
  write_private(
      sandbox, "key.hex", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");

  const Finished jwk =
      sandbox.edgectl({"key", "convert", "key.hex", "--secret-encoding", "hex", "--as", "jwk"});
  const Finished pem =
      sandbox.edgectl({"key", "convert", "key.hex", "--secret-encoding", "hex", "--as", "pem"});
  write_private(sandbox, "key.txt", "no hex at all");
  const Finished wrong =
      sandbox.edgectl({"key", "convert", "key.txt", "--secret-encoding", "hex", "--as", "jwk"});

  CHECK(pointer_of(jwk.out, "/k") == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  CHECK(pem.exit == 2);
  CHECK(wrong.exit == 3);
  CHECK(wrong.err.find("no hex") == std::string::npos);
}

TEST_CASE("a ring of signing keys moves on and its old tokens stay good", "[cli][key]") {
  const Sandbox sandbox;
  const std::string ring = sandbox.path("data/edgectl/keys/jwt.json");
  const auto run = [&](std::vector<std::string> arguments) { return sandbox.edgectl(arguments); };
  CHECK(run({"key", "rotate"}).exit == 5);
  REQUIRE(run({"key", "generate", "--kind", "es256", "--ring", ring}).exit == 0);
  const std::string token = run({"token", "mint"}).out;

  const Finished first = run({"key", "rotate", "--json"});
  const Finished early = run({"key", "rotate"});

  REQUIRE(first.exit == 0);
  CHECK(pointer_of(first.out, "/kid") == pointer_of(first.out, "/active"));
  CHECK(early.exit == 7);
  CHECK(early.err.find("published a moment ago") != std::string::npos);
  CHECK(run({"key", "list"}).out.find("next") != std::string::npos);
  CHECK(pointer_of(run({"key", "jwks"}).out, "/keys/1/kid") == pointer_of(first.out, "/next"));
  CHECK(sandbox.edgectl({"token", "verify", "-"}, {.input = token}).exit == 0);
  const std::string active = pointer_of(first.out, "/active");
  CHECK(run({"key", "retire", "--kind", "jwt", active}).exit == 0);
  CHECK(sandbox.edgectl({"token", "verify", "-"}, {.input = token}).exit == 1);
  CHECK(run({"key", "retire", "--kind", "jwt", active}).exit == 5);
  CHECK(run({"key", "retire", "--kind", "jwt", pointer_of(first.out, "/next")}).exit == 7);
}

TEST_CASE("a ring that others can read is refused with what to do", "[cli][key]") {
  const Sandbox sandbox;
  const std::string ring = sandbox.path("data/edgectl/keys/jwt.json");
  REQUIRE(sandbox.edgectl({"key", "generate", "--kind", "ed25519", "--ring", ring}).exit == 0);

  REQUIRE(::chmod(ring.c_str(), 0640) == 0);
  const Finished open = sandbox.edgectl({"token", "mint"});
  REQUIRE(::chmod(ring.c_str(), 0600) == 0);
  std::string text = sandbox.read("data/edgectl/keys/jwt.json");
  text.replace(text.find("\"x\":") + 8, 1, text[text.find("\"x\":") + 8] == 'A' ? "B" : "A");
  write_private(sandbox, "data/edgectl/keys/jwt.json", text);
  const Finished tampered = sandbox.edgectl({"token", "mint"});

  CHECK(open.exit == 3);
  CHECK(open.err.find("chmod 600") != std::string::npos);
  CHECK(tampered.exit == 3);
}

TEST_CASE("an id that begins with - is told how to be given", "[cli][key]") {
  const Sandbox sandbox;

  const Finished flag = sandbox.edgectl({"key", "retire", "--kind", "jwt", "-Zq"});
  const Finished value = sandbox.edgectl({"key", "retire", "--kind", "jwt", "--", "-Zq"});

  CHECK(flag.exit == 2);
  CHECK(flag.err.find("unknown flag '-Z'") != std::string::npos);
  CHECK(flag.err.find("-- in front of a value that begins with -") != std::string::npos);
  CHECK(value.exit == 5);
}
