// SPDX-License-Identifier: MIT
// Keys: making them, showing their public halves. Private octets go to files of mode 0600 or, when
// asked for, stdout.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/commands/key_convert.h"
#include "cli/commands/key_pixel.h"
#include "cli/commands/key_rotation.h"
#include "cli/commands/token_key.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/config/config.h"
#include "core/config/private_file.h"
#include "core/crypto/pem.h"
#include "core/json/writer.h"
#include "core/tokens/keyring.h"

namespace edge::cli::commands {
namespace {

using crypto::Algorithm;
using crypto::KeyKind;

struct Kind {
  std::string_view name;
  KeyKind kind;
  Algorithm algorithm;
};
constexpr std::array<Kind, 13> kKinds = {{
    {"ed25519", KeyKind::Ed25519, Algorithm::EdDSA},
    {"es256", KeyKind::P256, Algorithm::ES256},
    {"es384", KeyKind::P384, Algorithm::ES384},
    {"es512", KeyKind::P521, Algorithm::ES512},
    {"rs256", KeyKind::Rsa, Algorithm::RS256},
    {"rs384", KeyKind::Rsa, Algorithm::RS384},
    {"rs512", KeyKind::Rsa, Algorithm::RS512},
    {"ps256", KeyKind::Rsa, Algorithm::PS256},
    {"ps384", KeyKind::Rsa, Algorithm::PS384},
    {"ps512", KeyKind::Rsa, Algorithm::PS512},
    {"hs256", KeyKind::Secret, Algorithm::HS256},
    {"hs384", KeyKind::Secret, Algorithm::HS384},
    {"hs512", KeyKind::Secret, Algorithm::HS512},
}};

bool wants_json(const Call& call) {
  return call.format() == Format::Json || call.format() == Format::JsonLines || call.has("select");
}

/// What was made, never the key itself.
Result<int> report(Call& call,
                   const std::string& kind,
                   const std::string& id,
                   const std::string& place) {
  json::Writer out;
  out.begin_object()
      .member("schema", "edge.key/1")
      .member("kind", kind)
      .member("kid", id)
      .member("file", place)
      .end_object();
  return call.print(Document{.json = out.take(), .human = id + "\n"});
}

Result<int> generate_pixel(Call& call) {
  for (const char* option : {"bits", "kid", "as", "public", "output"}) {
    if (call.has(option)) {
      return Failure(usage_error(fmt::format("--{} does not go with --kind pixel", option)));
    }
  }
  return add_pixel_key(call, false);
}

Result<tokens::TokenKey> new_key(Call& call, const Kind& kind) {
  if (call.has("bits") && kind.kind != KeyKind::Rsa) {
    return Failure(usage_error("--bits is for RSA keys"));
  }
  if (kind.kind == KeyKind::Rsa && (call.integer("bits") < 2048 || call.integer("bits") > 8192)) {
    return Failure(usage_error("--bits is 2048 to 8192"));
  }
  auto made =
      tokens::generate_key(kind.kind, kind.algorithm, static_cast<unsigned>(call.integer("bits")));
  if (!made) {
    return made;
  }
  if (call["kid"] != "auto") {
    made->id = call["kid"];
  }
  if (made->id->empty() || made->id->size() > 256) {
    return Failure(usage_error("--kid is 1 to 256 octets"));
  }
  return made;
}

Result<int> add_to_ring(Call& call, tokens::TokenKey key) {
  const std::filesystem::path path = call["ring"];
  auto ring = tokens::load_key_ring(path);
  if (!ring && ring.error().code != ErrorCode::NotFound) {
    return Failure(ring.error());
  }
  tokens::KeyRing keys = ring ? std::move(*ring) : tokens::KeyRing();
  const std::string id = *key.id;
  if (auto added = keys.add(std::move(key), call.clock().now()); !added) {
    return Failure(added.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would add key {} to {}", id, path.string()));
    return exit_code::kDone;
  }
  if (auto written = tokens::save_key_ring(path, keys); !written) {
    return Failure(written.error());
  }
  return report(call, call["kind"], id, path.string());
}

std::string public_text(const tokens::TokenKey& key, bool as_jwk) {
  return as_jwk ? tokens::write_jwk(key, false) + "\n" : crypto::write_public_pem(key.key);
}

Result<int> print_key(Call& call, const tokens::TokenKey& key) {
  const bool secret = key.key.kind() == KeyKind::Secret;
  if (secret && call["as"] == "pem") {
    return Failure(usage_error("a secret has no PEM form; use --as jwk"));
  }
  if (secret && call.has("public")) {
    return Failure(usage_error("a secret has no public half"));
  }
  const bool as_jwk = secret || call["as"] == "jwk";
  if (call.dry_run()) {
    call.note(fmt::format("would make a key of kind {}", call["kind"]));
    return exit_code::kDone;
  }
  if (call.has("public")) {
    Output file(-1, call["public"]);
    file.write(public_text(key, as_jwk));
    file.commit();
  }
  call.out().set_mode(0600);
  std::string text =
      as_jwk ? tokens::write_jwk(key, true) + "\n" : crypto::write_private_pem(key.key);
  call.out().write(text);
  crypto::wipe(text);
  return exit_code::kDone;
}

Result<int> generate(Call& call) {
  const std::string name = call["kind"];
  if (call.has("ring") && call.has("output")) {
    return Failure(usage_error("--ring and --output exclude each other"));
  }
  if (name == "pixel") {
    return generate_pixel(call);
  }
  const auto* const kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& row) { return row.name == name; });
  if (call.has("ring") && (call.has("as") || call.has("public"))) {
    return Failure(usage_error("--ring does not go with --as and --public"));
  }
  auto key = new_key(call, *kind);
  if (!key) {
    return Failure(key.error());
  }
  return call.has("ring") ? add_to_ring(call, std::move(*key)) : print_key(call, *key);
}

/// The one key of the positional FILE.
Result<tokens::TokenKey> read_one(Call& call) {
  const auto keys = read_key_file(call, call["FILE"], tokens::Purpose::Verify);
  if (!keys) {
    return Failure(keys.error());
  }
  if (keys->keys.size() != 1) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" holds {} keys, not one", call["FILE"], keys->keys.size()),
                    "FILE",
                    "key_invalid"});
  }
  return keys->keys.front();
}

Result<int> show_public(Call& call) {
  const auto key = read_one(call);
  if (!key) {
    return Failure(key.error());
  }
  if (key->key.kind() == KeyKind::Secret) {
    return Failure(
        {ErrorCode::InvalidArgument, "a secret has no public half", "FILE", "key_invalid"});
  }
  call.out().write(public_text(*key, call["as"] == "jwk" || wants_json(call)));
  return exit_code::kDone;
}

Result<int> show_thumbprint(Call& call) {
  const auto key = read_one(call);
  if (!key) {
    return Failure(key.error());
  }
  const std::string print = tokens::thumbprint(key->key);
  json::Writer out;
  out.begin_object().member("schema", "edge.thumbprint/1").member("thumbprint", print).end_object();
  return call.print(Document{.json = out.take(), .human = print + "\n"});
}

Result<int> show_jwks(Call& call) {
  tokens::KeySet all{.is_set = true};
  auto files = call.all("FILE");
  if (files.empty()) {
    files.push_back((call.config().data_dir / "keys" / "jwt.json").string());
  }
  for (const std::string& file : files) {
    auto keys = read_key_file(call, file, tokens::Purpose::Verify);
    if (!keys) {
      return Failure(keys.error());
    }
    for (tokens::TokenKey& key : keys->keys) {
      if (!key.id && key.key.kind() != KeyKind::Secret) {
        key.id = tokens::thumbprint(key.key);
      }
      all.keys.push_back(std::move(key));
    }
  }
  call.out().line(tokens::public_jwks(all));
  return exit_code::kDone;
}

constexpr std::string_view kKeySchema =
    R"({"type":"object","required":["schema","kind","kid","file"],"properties":{)"
    R"("schema":{"const":"edge.key/1"},"kind":{"type":"string"},"kid":{"type":"string"},"file":{"type":"string"}}})";

void declare_generate(Tree& tree) {
  tree.command("key generate", "Make a key")
      .option({.name = "kind",
               .value = "KIND",
               .help = "what it is for",
               .required = true,
               .choices = {"ed25519",
                           "es256",
                           "es384",
                           "es512",
                           "rs256",
                           "rs384",
                           "rs512",
                           "ps256",
                           "ps384",
                           "ps512",
                           "hs256",
                           "hs384",
                           "hs512",
                           "pixel"}})
      .option({.name = "bits",
               .value = "N",
               .help = "length of an RSA modulus",
               .type = Type::Integer,
               .fallback = "2048"})
      .option({.name = "kid",
               .value = "ID",
               .help = "key id; auto is the thumbprint",
               .fallback = "auto"})
      .option({.name = "as",
               .value = "FORM",
               .help = "form of the key; PEM unless it is a secret",
               .choices = {"pem", "jwk"}})
      .option({.name = "public",
               .value = "FILE",
               .help = "write the public half there",
               .complete = Complete::Files})
      .option({.name = "ring",
               .value = "FILE",
               .help = "add it to this key ring; for pixel keys the default is the configured one",
               .complete = Complete::Files})
      .changes()
      .about(
          "Files are made with mode 0600, and commands and daemon refuse those that others can "
          "read. A pixel key gets the next free number of its ring and becomes the active one; old "
          "ones stay, because mail with their tokens may still be opened.")
      .example("key generate --kind ed25519 -o signing.pem --public public.pem", "a key pair")
      .example("key generate --kind pixel", "a new pixel key, which becomes the active one")
      .exits(exit_code::kBadInput, "the ring cannot be used")
      .see("key list")
      .output("key", kKeySchema)
      .runs(generate);
}

}  // namespace

void key(Tree& tree) {
  tree.noun("key", Section::Build, "Keys of tokens and pixels");
  declare_generate(tree);
  key_rotation(tree, kKeySchema);
  key_convert(tree);
  tree.command("key public", "Public half of a key")
      .positional(
          {.name = "FILE", .help = "key file", .required = true, .complete = Complete::Files})
      .option({.name = "as",
               .value = "FORM",
               .help = "form",
               .fallback = "pem",
               .choices = {"pem", "jwk"}})
      .example("key public signing.pem --as jwk", "as a JWK")
      .exits(exit_code::kBadInput, "the key cannot be used")
      .runs(show_public);
  tree.command("key thumbprint", "RFC 7638 thumbprint of a key")
      .positional(
          {.name = "FILE", .help = "key file", .required = true, .complete = Complete::Files})
      .example("key thumbprint signing.pem", "the default key id")
      .exits(exit_code::kBadInput, "the key cannot be used")
      .output("thumbprint",
              R"({"type":"object","required":["schema","thumbprint"],"properties":{)"
              R"("schema":{"const":"edge.thumbprint/1"},"thumbprint":{"type":"string"}}})")
      .runs(show_thumbprint);
  tree.command("key jwks", "Public key set of key files or of the signing keys")
      .positional({.name = "FILE",
                   .help = "key files and rings",
                   .repeatable = true,
                   .complete = Complete::Files})
      .about(
          "Private members and secrets are never printed. Without files: what the daemon answers "
          "at "
          "/.well-known/jwks.json.")
      .example("key jwks signing.pem", "as a JWK set")
      .exits(exit_code::kBadInput, "a key cannot be used")
      .runs(show_jwks);
}

}  // namespace edge::cli::commands
