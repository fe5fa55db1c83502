// SPDX-License-Identifier: MIT
#include "cli/commands/key_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/commands/token_key.h"
#include "cli/exit_code.h"
#include "cli/private_input.h"
#include "cli/problem.h"
#include "core/crypto/pem.h"

namespace edge::cli::commands {
namespace {

using crypto::KeyKind;

/// The keys of the positional FILE; with `--secret-encoding` it is a secret in that encoding.
Result<tokens::KeySet> read_file(Call& call) {
  if (!call.has("secret-encoding")) {
    return read_key_file(call, call["FILE"], tokens::Purpose::Verify);
  }
  const auto content = read_named_private(call["FILE"]);
  if (!content) {
    return Failure(content.error());
  }
  return tokens::read_key_text(content->view(), {.secret = secret_encoding(call)});
}

/// The same key in another form; private stays private.
Result<int> convert(Call& call) {
  auto keys = read_file(call);
  if (!keys) {
    return Failure(keys.error());
  }
  const std::string form = call["as"];
  if (form != "jwks" && keys->keys.size() != 1) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" holds {} keys; only --as jwks takes them all",
                                call["FILE"],
                                keys->keys.size()),
                    "FILE",
                    "key_invalid"});
  }
  std::vector<std::string> jwks;
  std::string text;
  for (tokens::TokenKey& key : keys->keys) {
    const bool secret = key.key.kind() == KeyKind::Secret;
    if (form == "pem" && secret) {
      return Failure(usage_error("a secret has no PEM form; use --as jwk"));
    }
    if (form == "pem") {
      text = key.key.is_private() ? crypto::write_private_pem(key.key)
                                  : crypto::write_public_pem(key.key);
      continue;
    }
    if (!key.id && !secret) {
      key.id = tokens::thumbprint(key.key);
    }
    jwks.push_back(tokens::write_jwk(key, key.key.is_private()));
  }
  if (form == "jwk") {
    text = jwks.front() + "\n";
  } else if (form == "jwks") {
    text = fmt::format("{{\"keys\":[{}]}}\n", fmt::join(jwks, ","));
  }
  const bool any_private = std::ranges::any_of(
      keys->keys, [](const tokens::TokenKey& key) { return key.key.is_private(); });
  call.out().set_mode(any_private ? 0600 : 0644);
  call.out().write(text);
  crypto::wipe(text);
  std::ranges::for_each(jwks, crypto::wipe);
  return exit_code::kDone;
}

}  // namespace

void key_convert(Tree& tree) {
  tree.command("key convert", "The same key in another form")
      .positional({.name = "FILE",
                   .help = "PEM, JWK, JWK set, ring or secret",
                   .required = true,
                   .complete = Complete::Files})
      .option({.name = "as",
               .value = "FORM",
               .help = "form",
               .required = true,
               .choices = {"pem", "jwk", "jwks"}})
      .option({.name = "secret-encoding",
               .value = "ENCODING",
               .help = "the file is a secret written like that",
               .choices = {"hex", "base64", "base64url"}})
      .about(
          "A private key stays private: the result is for a file of mode 0600, which -o makes. "
          "Encrypted PEM files are opened with EDGE_KEY_PASSPHRASE.")
      .example("key convert signing.pem --as jwk -o signing.jwk", "a private key as JWK")
      .example("key convert hs256.hex --secret-encoding hex --as jwk", "a secret as JWK")
      .exits(exit_code::kBadInput, "the key cannot be used")
      .see("key public")
      .runs(convert);
}

}  // namespace edge::cli::commands
