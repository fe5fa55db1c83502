// SPDX-License-Identifier: MIT
#include "cli/commands/token_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/private_input.h"
#include "cli/problem.h"
#include "cli/secret_sources.h"
#include "core/config/config.h"
#include "core/config/private_file.h"
#include "core/config/secrets.h"
#include "core/tokens/signing_source.h"
#include "core/transport/guard.h"
#include "core/transport/open.h"

namespace edge::cli::commands {
namespace {

constexpr std::array<const char*, 5> kSources = {
    "key", "jwks", "secret", "secret-file", "secret-env"};

Result<std::string> fetch(Call& call, const std::string& url) {
  const auto client = transport::open_client(transport::GuardRules::trusted(), call.clock());
  const auto answer = client->send({.url = url,
                                    .timeout = call.duration("timeout"),
                                    .max_response_bytes = std::size_t{1} << 20U});
  if (!answer) {
    return Failure(answer.error());
  }
  if (answer->status != 200) {
    return Failure({ErrorCode::NotFound,
                    fmt::format("\"{}\" answered {} instead of a key set", url, answer->status),
                    "jwks"});
  }
  return answer->body;
}

/// The passphrase of encrypted key files, empty when there is none.
Result<std::string> passphrase(Call& call) {
  const auto found = open_secrets(call).find("EDGE_KEY_PASSPHRASE");
  if (!found) {
    return Failure(found.error());
  }
  return *found ? std::string((*found)->value.view()) : std::string();
}

Result<tokens::KeySet> read_set(Call& call, const std::string& text, tokens::Purpose purpose) {
  auto word = passphrase(call);
  if (!word) {
    return Failure(word.error());
  }
  if (const auto ring = tokens::KeyRing::parse(text)) {
    return ring->verification(call.clock().now());
  }
  auto set = tokens::read_key_text(text, {.purpose = purpose, .passphrase = *word});
  crypto::wipe(*word);
  return set;
}

bool holds_private(const tokens::KeySet& set) {
  return std::any_of(set.keys.begin(), set.keys.end(), [](const tokens::TokenKey& key) {
    return key.key.is_private();
  });
}

/// The octets of `--secret`, `--secret-file` or `--secret-env`.
Result<crypto::Secret> secret_octets(Call& call) {
  if (call.has("secret-file")) {
    return read_named_private(call["secret-file"]);
  }
  if (call.has("secret-env")) {
    auto value = config::process_environment()(call["secret-env"]);
    if (!value || value->empty()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("the variable {} is not set", call["secret-env"]),
                      "secret-env",
                      "secret_missing"});
    }
    return crypto::Secret::take(std::move(*value));
  }
  auto found = open_secrets(call).require(call["secret"]);
  if (!found) {
    return Failure(found.error());
  }
  return std::move(found->value);
}

}  // namespace

std::optional<tokens::SecretEncoding> secret_encoding(const Call& call) {
  const std::string name = call["secret-encoding"];
  return name == "hex"         ? tokens::SecretEncoding::Hex
         : name == "base64"    ? tokens::SecretEncoding::Base64
         : name == "base64url" ? tokens::SecretEncoding::Base64Url
                               : tokens::SecretEncoding::Raw;
}

Command& key_options(Command& command) {
  static constexpr std::string_view kGroup = "Key";
  return command
      .option({.name = "key",
               .value = "FILE",
               .help = "key file: PEM, JWK, JWK set",
               .complete = Complete::Files,
               .group = kGroup})
      .option({.name = "jwks",
               .value = "FILE|URL",
               .help = "key set: a file or an address to fetch it from",
               .complete = Complete::Files,
               .group = kGroup})
      .option({.name = "secret",
               .value = "NAME",
               .help = "name of a secret that is the HMAC key",
               .group = kGroup})
      .option({.name = "secret-file",
               .value = "FILE",
               .help = "file whose octets are the HMAC key",
               .complete = Complete::Files,
               .group = kGroup})
      .option({.name = "secret-env",
               .value = "VAR",
               .help = "environment variable that holds the HMAC key",
               .group = kGroup})
      .option({.name = "secret-encoding",
               .value = "ENCODING",
               .help = "how the HMAC key is written; else its octets are taken as they are",
               .choices = {"hex", "base64", "base64url"},
               .group = kGroup});
}

bool names_key(const Call& call) {
  return std::any_of(
      kSources.begin(), kSources.end(), [&](const char* name) { return call.has(name); });
}

Result<tokens::KeySet> named_key(Call& call, tokens::Purpose purpose) {
  const auto given = std::count_if(
      kSources.begin(), kSources.end(), [&](const char* name) { return call.has(name); });
  if (given != 1) {
    return Failure(
        usage_error("give one of --key, --jwks, --secret, --secret-file and --secret-env"));
  }
  if (call.has("key")) {
    return read_key_file(call, call["key"], purpose);
  }
  if (call.has("jwks")) {
    const std::string place = call["jwks"];
    const bool remote = place.starts_with("https://") || place.starts_with("http://");
    const auto text = remote ? fetch(call, place) : call.read(place);
    return text ? read_set(call, *text, purpose) : Failure(text.error());
  }
  const auto octets = secret_octets(call);
  if (!octets) {
    return Failure(octets.error());
  }
  return tokens::read_key_text(octets->view(),
                               {.purpose = purpose, .secret = secret_encoding(call)});
}

Result<tokens::KeySet> read_key_file(Call& call, const std::string& path, tokens::Purpose purpose) {
  auto text = call.read(path);
  if (!text) {
    return Failure(text.error());
  }
  auto set = read_set(call, *text, purpose);
  crypto::wipe(*text);
  if (!set || path == "-" || !holds_private(*set)) {
    return set;
  }
  if (const auto guarded = config::read_private_file(path); !guarded) {
    return Failure(guarded.error());
  }
  return set;
}

Result<tokens::SigningKeys> configured_key(Call& call) {
  const config::Config& config = call.config();
  return tokens::load_signing_keys(
      open_secrets(call),
      {.ring = config.data_dir / "keys" / "jwt.json", .any_secret = config.auth.mode == "demo"},
      call.clock());
}

Result<std::string> token_text(Call& call) {
  std::string token = call["TOKEN"];
  if (token != "-" && !token.starts_with('@')) {
    return token;
  }
  auto text = call.read(token == "-" ? token : token.substr(1));
  if (!text) {
    return Failure(text.error());
  }
  if (text->ends_with('\n')) {
    text->pop_back();
    if (text->ends_with('\r')) {
      text->pop_back();
    }
  }
  return std::move(*text);
}

}  // namespace edge::cli::commands
