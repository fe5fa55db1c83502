// SPDX-License-Identifier: MIT
// `edgectl token mint`: claims come from `--payload`, the named flags and `--claim`. A claim given
// twice is misuse; what nobody gave gets its default (iss, aud, sub, iat, exp, jti).
#include "cli/commands/token_mint.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cli/commands/token_key.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/base/id.h"
#include "core/config/config.h"
#include "core/config/secrets.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/tokens/jwt.h"
#include "core/tokens/roles.h"

namespace edge::cli::commands {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;  // name, JSON text

bool holds(const Members& members, std::string_view name) {
  return std::any_of(
      members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
}

Result<void> put(Members& members, std::string name, std::string json) {
  if (holds(members, name)) {
    return Failure(usage_error(fmt::format("the claim \"{}\" is given twice", name)));
  }
  members.emplace_back(std::move(name), std::move(json));
  return {};
}

std::string json_text(std::string_view text) {
  std::string json;
  json::append_string(json, text);
  return json;
}

std::string list_of(const std::vector<std::string>& texts) {
  json::Writer out;
  out.begin_array();
  for (const std::string& text : texts) {
    out.string(text);
  }
  return out.end_array().take();
}

/// Seconds of `--now`, else SOURCE_DATE_EPOCH, else the clock.
Result<std::int64_t> seconds_now(Call& call) {
  const auto epoch = config::process_environment()("SOURCE_DATE_EPOCH");
  Time now = call.clock().now();
  if (call.has("now")) {
    now = call.time("now");
  } else if (epoch && !epoch->empty()) {
    const auto seconds = parse_integer(*epoch);
    if (!seconds || *seconds < 0 || *seconds > tokens::kMaxClaimTime) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("SOURCE_DATE_EPOCH \"{}\" must be Unix seconds", *epoch),
                      "SOURCE_DATE_EPOCH"});
    }
    return *seconds;
  }
  return to_ms(now) / 1000;
}

Result<void> add_payload(Call& call, Members& claims) {
  if (!call.has("payload")) {
    return {};
  }
  const auto text = call.read(call["payload"]);
  if (!text) {
    return Failure(text.error());
  }
  const auto document = json::Document::parse(*text, json::kStrict);
  if (!document || !document->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no JSON object{}",
                                call["payload"],
                                document ? "" : ": " + document.error().message),
                    "payload",
                    "payload_invalid"});
  }
  for (const auto& [name, value] : document->root().members()) {
    claims.emplace_back(std::string(name), std::string(value.raw()));
  }
  return {};
}

/// The claims that have a flag of their own and were given.
Result<void> add_flags(Call& call, Members& claims) {
  const auto text = [&](const char* option, const char* claim) -> Result<void> {
    return call.has(option) ? put(claims, claim, json_text(call[option])) : Result<void>();
  };
  for (const auto& [option, claim] :
       {std::pair{"iss", "iss"}, {"sub", "sub"}, {"email", "email"}}) {
    if (auto added = text(option, claim); !added) {
      return added;
    }
  }
  Result<void> added;
  if (const auto audiences = call.all("aud"); !audiences.empty()) {
    added =
        put(claims, "aud", audiences.size() == 1 ? json_text(audiences[0]) : list_of(audiences));
  }
  if (const auto roles = call.all("role"); added && !roles.empty()) {
    added = put(claims, "roles", list_of(roles));
  }
  if (const auto permissions = call.all("permission"); added && !permissions.empty()) {
    added = put(claims, "permissions", list_of(permissions));
  }
  if (added && call.has("nbf")) {
    added = put(claims, "nbf", std::to_string(to_ms(call.time("nbf")) / 1000));
  }
  if (added && call.has("exp")) {
    added = put(claims, "exp", std::to_string(to_ms(call.time("exp")) / 1000));
  }
  if (added && call.has("jti") && call["jti"] != "auto" && call["jti"] != "none") {
    added = put(claims, "jti", json_text(call["jti"]));
  }
  const auto pairs = call.pairs("claim");
  if (added && !pairs) {
    return Failure(pairs.error());
  }
  for (std::size_t i = 0; added && i < pairs->size(); ++i) {
    added = put(claims, (*pairs)[i].key, (*pairs)[i].json);
  }
  return added;
}

void add_defaults(Call& call, Members& claims, std::int64_t now) {
  const auto fill = [&](const char* name, std::string json) {
    if (!holds(claims, name)) {
      claims.emplace_back(name, std::move(json));
    }
  };
  const config::Config& config = call.config();
  fill("iss", json_text(config.auth.issuer));
  fill("aud", json_text(config.auth.audience));
  fill("sub", json_text("edgectl"));
  if (!call.flag("no-iat")) {
    fill("iat", std::to_string(now));
  }
  if (!call.flag("no-exp")) {
    fill("exp", std::to_string(now + call.duration("ttl").count() / 1000));
  }
  if (call["jti"] != "none") {
    fill("jti", json_text(uuid_v4(call.random())));
  }
}

std::string object_of(const Members& members) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, json] : members) {
    out.key(name).raw(json);
  }
  return out.end_object().take();
}

/// Times of the finished claims make sense: `exp` not past, after `nbf`.
Result<void> check_times(json::Value claims, std::int64_t now) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    const auto value = claims.find(name);
    const auto time = value ? value->as_double() : std::nullopt;
    if (value && (!time || *time < 0 || *time > static_cast<double>(tokens::kMaxClaimTime))) {
      return Failure(usage_error(fmt::format("the claim \"{}\" is no Unix time", name)));
    }
  }
  const auto exp = claims.find("exp");
  if (!exp) {
    return {};
  }
  if (*exp->as_double() <= static_cast<double>(now)) {
    return Failure(usage_error("the token would have expired already"));
  }
  const auto nbf = claims.find("nbf");
  if (nbf && *exp->as_double() <= *nbf->as_double()) {
    return Failure(usage_error("the token would expire before it becomes valid"));
  }
  return {};
}

struct Signer {
  tokens::TokenKey key;
  crypto::Algorithm algorithm = crypto::Algorithm::EdDSA;
};

Result<tokens::TokenKey> pick(Call& call, const tokens::KeySet& set) {
  for (const tokens::TokenKey& key : set.keys) {
    if (set.keys.size() == 1 || (call.has("kid") && key.id == call["kid"])) {
      return key;
    }
  }
  return Failure(usage_error("the key set has several keys; name one with --kid"));
}

Result<Signer> signer_of(Call& call) {
  Result<tokens::TokenKey> key = Failure({});
  if (names_key(call)) {
    const auto set = named_key(call, tokens::Purpose::Sign);
    key = set ? pick(call, *set) : Failure(set.error());
  } else {
    const auto keys = configured_key(call);
    key = keys ? Result<tokens::TokenKey>(keys->signer) : Failure(keys.error());
  }
  if (!key) {
    return Failure(key.error());
  }
  auto algorithm = key->algorithm;
  if (call.has("alg")) {
    algorithm = crypto::algorithm_named(call["alg"]);
    if (key->algorithm && *key->algorithm != *algorithm) {
      return Failure(
          {ErrorCode::InvalidArgument,
           fmt::format(
               "the key is for {}, not for {}", crypto::name_of(*key->algorithm), call["alg"]),
           "alg",
           "alg_key_mismatch"});
    }
  } else if (!algorithm && key->key.kind() == crypto::KeyKind::Secret) {
    algorithm = crypto::Algorithm::HS256;
  }
  if (!algorithm) {
    return Failure({ErrorCode::InvalidArgument,
                    "the key fits several algorithms; name one with --alg",
                    "alg",
                    "alg_not_pinned"});
  }
  return Signer{.key = std::move(*key), .algorithm = *algorithm};
}

Result<std::string> header_of(Call& call, const Signer& signer) {
  Members members = {{"alg", json_text(crypto::name_of(signer.algorithm))}};
  if (call.flag("no-kid")) {
    // none
  } else if (call.has("kid")) {
    members.emplace_back("kid", json_text(call["kid"]));
  } else if (signer.key.id) {
    members.emplace_back("kid", json_text(*signer.key.id));
  } else if (signer.key.key.kind() != crypto::KeyKind::Secret) {
    members.emplace_back("kid", json_text(tokens::thumbprint(signer.key.key)));
  }
  members.emplace_back("typ", json_text(call["typ"]));
  const auto pairs = call.pairs("header");
  if (!pairs) {
    return Failure(pairs.error());
  }
  for (const KeyValue& pair : *pairs) {
    if (auto added = put(members, pair.key, pair.json); !added) {
      return Failure(usage_error(fmt::format("the header \"{}\" has its own flag", pair.key)));
    }
  }
  return object_of(members);
}

Result<std::string> claims_of(Call& call, std::int64_t now) {
  Members claims;
  if (auto added = add_payload(call, claims); !added) {
    return Failure(added.error());
  }
  if (auto added = add_flags(call, claims); !added) {
    return Failure(added.error());
  }
  add_defaults(call, claims, now);
  std::string text = object_of(claims);
  const auto document = json::Document::parse(text, json::kStrict);
  if (!document) {
    return Failure({ErrorCode::InvalidArgument, document.error().message, "claim"});
  }
  if (auto sensible = check_times(document->root(), now); !sensible) {
    return Failure(sensible.error());
  }
  if (!document->root().find("exp")) {
    call.note("the token never expires");
  }
  return text;
}

Result<int> mint(Call& call) {
  const int ends = static_cast<int>(call.has("ttl")) + static_cast<int>(call.has("exp")) +
                   static_cast<int>(call.flag("no-exp"));
  if (ends > 1) {
    return Failure(usage_error("--ttl, --exp and --no-exp exclude each other"));
  }
  const auto now = seconds_now(call);
  if (!now) {
    return Failure(now.error());
  }
  const auto claims = claims_of(call, *now);
  if (!claims) {
    return Failure(claims.error());
  }
  const auto signer = signer_of(call);
  if (!signer) {
    return Failure(signer.error());
  }
  const auto header = header_of(call, *signer);
  if (!header) {
    return Failure(header.error());
  }
  const auto token = tokens::make_jws(*header, *claims, signer->key.key, signer->algorithm);
  if (!token) {
    return Failure(token.error());
  }
  if (call.format() == Format::Json || call.format() == Format::JsonLines || call.has("select")) {
    json::Writer out;
    out.begin_object().member("schema", "edge.token/1").member("token", *token);
    out.key("header").raw(*header).key("claims").raw(*claims).end_object();
    return call.print(Document{.json = out.take()});
  }
  call.out().set_mode(0600);
  call.out().line(*token);
  return exit_code::kDone;
}

void claim_options(Command& command) {
  command.option({.name = "sub", .value = "ID", .help = "subject; edgectl when not given"})
      .option({.name = "role", .value = "R", .help = "role in the claim roles", .repeatable = true})
      .option({.name = "permission",
               .value = "P",
               .help = "permission in the claim permissions",
               .repeatable = true})
      .option({.name = "email", .value = "A", .help = "address of the subject"})
      .option({.name = "iss", .value = "I", .help = "issuer; default: auth.issuer"})
      .option({.name = "aud",
               .value = "A",
               .help = "audience; default: auth.audience",
               .repeatable = true})
      .option({.name = "ttl",
               .value = "DUR",
               .help = "how long it is good",
               .type = Type::Duration,
               .fallback = "1h"})
      .option({.name = "exp", .value = "TIME", .help = "when it expires", .type = Type::Time})
      .flag("no-exp", "never expires")
      .option({.name = "nbf", .value = "TIME", .help = "not before", .type = Type::Time})
      .flag("no-iat", "without the time of issue")
      .option(
          {.name = "jti", .value = "auto|none|ID", .help = "id of the token", .fallback = "auto"})
      .option({.name = "claim",
               .value = "KV",
               .help = "another claim",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "payload",
               .value = "FILE",
               .help = "claims as a JSON object",
               .complete = Complete::Files});
}

}  // namespace

void token_mint(Tree& tree) {
  Command& command = tree.command("token mint", "Make a signed token (JWT)");
  claim_options(command);
  command
      .option(
          {.name = "typ", .value = "T", .help = "media type in the header", .fallback = "at+jwt"})
      .option({.name = "header",
               .value = "KV",
               .help = "another member of the header",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "alg",
               .value = "A",
               .help = "algorithm; default: that of the key, HS256 for a secret",
               .choices = {"HS256",
                           "HS384",
                           "HS512",
                           "RS256",
                           "RS384",
                           "RS512",
                           "PS256",
                           "PS384",
                           "PS512",
                           "ES256",
                           "ES384",
                           "ES512",
                           "EdDSA",
                           "Ed25519"}})
      .option({.name = "kid", .value = "K", .help = "key id in the header; picks the key of a set"})
      .flag("no-kid", "without a key id")
      .option({.name = "now",
               .value = "TIME",
               .help = "time of issue; default: SOURCE_DATE_EPOCH, else now",
               .type = Type::Time});
  key_options(command)
      .example("token mint --sub ci --role admin --ttl 5m", "with the configured signing key")
      .example("token mint --sub u-1 --claim plan=pro --secret-file hs256.key", "with a secret")
      .exits(exit_code::kBadInput, "the key or the claims cannot be used")
      .see("token verify")
      .output("token", kTokenSchema)
      .runs(mint);
}

}  // namespace edge::cli::commands
