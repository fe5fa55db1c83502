// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

}  // namespace

TEST_CASE("config init makes the file and the keys, and never overwrites", "[cli]") {
  const Sandbox sandbox;

  const Finished first = sandbox.edgectl({"config", "init"});
  const std::string ring = sandbox.read("data/edgectl/keys/pixel.json");
  sandbox.write("edge.toml", "# mine\n");
  const Finished second = sandbox.edgectl({"config", "init"});
  const std::string kept = sandbox.read("edge.toml");
  const Finished forced = sandbox.edgectl({"config", "init", "--force"});

  CHECK(first.exit == 0);
  CHECK(first.out.find("wrote edge.toml, pixel key") == 0);
  CHECK(mode_of(sandbox.path("data/edgectl/keys/pixel.json")) == 0600);
  CHECK(second.exit == 9);
  CHECK(second.err.find("try: edgectl config init --force") != std::string::npos);
  CHECK(kept == "# mine\n");
  CHECK(forced.exit == 0);
  CHECK(sandbox.read("data/edgectl/keys/pixel.json") == ring);
}

TEST_CASE("config init --dry-run changes nothing", "[cli]") {
  const Sandbox sandbox;

  const Finished dry = sandbox.edgectl({"config", "init", "-n"});

  CHECK(dry.exit == 0);
  CHECK(sandbox.read("edge.toml").empty());
  CHECK(sandbox.read("data/edgectl/keys/pixel.json").empty());
}

TEST_CASE("config set changes one line and config get reads it back", "[cli]") {
  const Sandbox sandbox;
  sandbox.edgectl({"config", "init"});

  const Finished set = sandbox.edgectl({"config", "set", "auth.issuer", "me"});
  const Finished get = sandbox.edgectl({"config", "get", "auth.issuer"});
  const Finished variable =
      sandbox.edgectl({"config", "get", "auth.issuer"}, {.env = {{"EDGE_AUTH_ISSUER", "env"}}});
  const Finished wrong = sandbox.edgectl({"config", "set", "auth.mode", "half"});
  const Finished unknown = sandbox.edgectl({"config", "set", "auth.mod", "demo"});

  CHECK(set.exit == 0);
  CHECK(get.out == "me\n");
  CHECK(variable.out == "env\n");
  CHECK(wrong.exit == 3);
  CHECK(unknown.exit == 3);
}

TEST_CASE("config path says which file counts", "[cli]") {
  const Sandbox sandbox;

  const Finished none = sandbox.edgectl({"config", "path"});
  const std::string user = sandbox.write("config/edgectl/edge.toml", "");
  const Finished found = sandbox.edgectl({"config", "path"});
  const std::string here = sandbox.write("edge.toml", "");
  const Finished nearer = sandbox.edgectl({"config", "path"});

  CHECK(none.exit == 5);
  CHECK(found.out == user + "\n");
  CHECK(nearer.out == here + "\n");
}

TEST_CASE("config validate tells a file that cannot be read from one that cannot work", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("good.toml", "[auth]\nissuer = \"x\"\n");
  sandbox.write("unknown.toml", "[auth]\nissuerr = \"x\"\n");
  sandbox.write("useless.toml",
                "[server]\nlisten = [\"nowhere\"]\ntrusted_proxies = [\"10.0.0.0/99\"]\n"
                "[flags]\ndatafile = \"absent.json\"\n[[destinations]]\nname = \"x\"\n");

  const Finished good = sandbox.edgectl({"config", "validate", "good.toml"});
  const Finished unknown = sandbox.edgectl({"config", "validate", "unknown.toml"});
  const Finished useless = sandbox.edgectl({"config", "validate", "useless.toml"});
  const Finished missing = sandbox.edgectl({"config", "validate", "missing.toml"});

  CHECK(good.exit == 0);
  CHECK(unknown.exit == 3);
  CHECK(unknown.err.find("unknown.toml:2:1: unknown key 'auth.issuerr', did you mean") !=
        std::string::npos);
  CHECK(useless.exit == 1);
  CHECK(useless.out.find("server.listen: 'nowhere' is not address:port") != std::string::npos);
  CHECK(useless.out.find("'10.0.0.0/99' is no address or network") != std::string::npos);
  CHECK(useless.out.find("no file 'absent.json'") != std::string::npos);
  CHECK(useless.out.find("'type' is missing") != std::string::npos);
  CHECK(missing.exit == 3);
}

TEST_CASE("secrets go into the store and only their state comes out", "[cli]") {
  const Sandbox sandbox;

  const Finished set = sandbox.edgectl({"secret", "set", "CRM"}, {.input = "s3cret-value\n"});
  const Finished list = sandbox.edgectl({"secret", "list"});
  const Finished show = sandbox.edgectl({"config", "show"});
  const Finished variable = sandbox.edgectl({"secret", "list"}, {.env = {{"JWT_SECRET", "x"}}});
  const Finished gone = sandbox.edgectl({"secret", "delete", "CRM"});
  const Finished again = sandbox.edgectl({"secret", "delete", "CRM"});
  const Finished empty = sandbox.edgectl({"secret", "set", "CRM"}, {.input = "\n"});

  CHECK(set.exit == 0);
  CHECK(mode_of(sandbox.path("data/edgectl/secrets")) == 0600);
  CHECK(list.out.find("CRM\t(set: store)") != std::string::npos);
  CHECK(show.out.find("secret CRM\t(set: store)") != std::string::npos);
  CHECK((list.out + show.out + set.out + set.err).find("s3cret") == std::string::npos);
  CHECK(variable.out.find("JWT_SECRET\t(set: env)") != std::string::npos);
  CHECK(gone.exit == 0);
  CHECK(again.exit == 5);
  CHECK(empty.exit == 3);
}

TEST_CASE("help knows commands, nouns and topics, and nothing else", "[cli]") {
  const Sandbox sandbox;

  CHECK(sandbox.edgectl({"help", "config", "set"}).out ==
        sandbox.edgectl({"config", "set", "--help"}).out);
  CHECK(sandbox.edgectl({"help", "config"}).out == sandbox.edgectl({"config", "--help"}).out);
  CHECK(sandbox.edgectl({"help", "exit-codes"}).out.find("   70  a bug") != std::string::npos);
  CHECK(sandbox.edgectl({"help", "environment"}).out.find("EDGE_SERVER_LISTEN") !=
        std::string::npos);
  CHECK(sandbox.edgectl({"help", "nothing"}).exit == 5);
  CHECK(sandbox.edgectl({"schema", "nothing"}).exit == 5);
}
