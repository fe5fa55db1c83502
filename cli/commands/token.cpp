// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/commands/token_key.h"
#include "cli/commands/token_mint.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/config/config.h"
#include "core/encoding/base64.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"
#include "core/tokens/jwt.h"
#include "core/tokens/roles.h"
#include "core/tokens/verify_record.h"

namespace edge::cli::commands {
namespace {

/// `--iss` or `--no-iss` (likewise aud): the values to accept, empty for none. Without either, the
/// configured one, when the key is the configured one too.
Result<std::vector<std::string>> demanded(Call& call,
                                          const char* name,
                                          const std::string& configured) {
  const std::string off = fmt::format("no-{}", name);
  const auto values = call.all(name);
  if (call.flag(off) && !values.empty()) {
    return Failure(usage_error(fmt::format("--{} and --{} exclude each other", name, off)));
  }
  if (call.flag(off) || !values.empty()) {
    return values;
  }
  if (names_key(call)) {
    return Failure(usage_error(
        fmt::format("say which {} the token must have: --{} VALUE, or --{}", name, name, off)));
  }
  return std::vector<std::string>{configured};
}

Result<tokens::JwtRules> rules_of(Call& call) {
  const config::Config& config = call.config();
  auto issuers = demanded(call, "iss", config.auth.issuer);
  auto audiences = issuers ? demanded(call, "aud", config.auth.audience) : issuers;
  if (!audiences) {
    return Failure(audiences.error());
  }
  tokens::JwtRules rules{.issuers = std::move(*issuers),
                         .audiences = std::move(*audiences),
                         .type = call["typ"],
                         .leeway = call.duration("leeway").count() / 1000,
                         .required = call.all("require"),
                         .any_payload = call.flag("jws")};
  rules.now = to_ms(call.has("now") ? call.time("now") : call.clock().now()) / 1000;
  rules.jws.strict_header = call.flag("strict-header");
  rules.jws.max_bytes = call.size("max-size");
  if (rules.leeway > tokens::kMaxLeewaySeconds) {
    return Failure(usage_error("--leeway is at most 5m"));
  }
  if (rules.jws.max_bytes > tokens::kMaxTokenBytesEver) {
    return Failure(usage_error("--max-size is at most 1MiB"));
  }
  if (call.has("max-age")) {
    rules.max_age = call.duration("max-age").count() / 1000;
  }
  if (call.has("sub")) {
    rules.subject = call["sub"];
  }
  if (const auto names = call.all("alg"); !names.empty()) {
    rules.jws.algorithms.emplace();
    for (const std::string& name : names) {
      rules.jws.algorithms->push_back(*crypto::algorithm_named(name));
    }
  }
  return rules;
}

std::vector<std::string> texts_of(json::Value claims, const char* name) {
  std::vector<std::string> texts;
  if (const auto list = claims.find(name)) {
    for (const json::Value member : list->elements()) {
      texts.emplace_back(member.as_string().value_or(""));
    }
  }
  return texts;
}

/// All `--role` and `--permission` are held. A role brings its permissions.
Result<void> check_rights(Call& call, const tokens::VerifiedToken& verified) {
  if (!verified.claims) {
    return {};
  }
  const auto roles = texts_of(verified.claims->root(), "roles");
  auto held = texts_of(verified.claims->root(), "permissions");
  for (std::string& permission : tokens::permissions_of(roles)) {
    held.push_back(std::move(permission));
  }
  const auto has = [](const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  for (const std::string& role : call.all("role")) {
    if (!has(roles, role)) {
      return Failure(
          tokens::token_error("missing_role", fmt::format("the role {} is missing", role)));
    }
  }
  for (const std::string& permission : call.all("permission")) {
    if (!has(held, permission) && !has(held, "*")) {
      return Failure(tokens::token_error("missing_permission",
                                         fmt::format("the permission {} is missing", permission)));
    }
  }
  return {};
}

/// The verdict as a document; a refusal also goes to stderr unless the format is for programs.
Result<int> print_refusal(Call& call, const Error& error) {
  if (call.format() == Format::Table) {
    const bool is_open = error.reason == "alg_not_pinned";
    call.fail({.error = {error.code,
                         fmt::format("{} ({})", error.message, error.reason),
                         {},
                         error.reason},
               .hint = is_open ? "--alg HS256, or whichever the issuer uses" : ""});
    return exit_code::kNo;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.verification/1").member("valid", false);
  out.member("code", error.reason).end_object();
  const auto printed = call.print(Document{.json = out.take()});
  return printed ? Result<int>(exit_code::kNo) : printed;
}

Result<int> print_verified(Call& call, const tokens::VerifiedToken& verified) {
  json::Writer out;
  out.begin_object()
      .member("schema", "edge.verification/1")
      .member("valid", true)
      .member("code", "ok");
  out.key("header").value(verified.jws.header.root());
  std::string human;
  if (verified.claims) {
    out.key("claims").value(verified.claims->root());
    human = json::pretty(verified.claims->root()) + "\n";
  } else if (call.format() == Format::Table && !call.has("select")) {
    call.out().write(verified.jws.payload);
    return exit_code::kDone;
  } else if (encoding::is_utf8(verified.jws.payload)) {
    out.key("payload").string(verified.jws.payload);
  } else {
    out.member("payload_b64", encoding::base64_encode(verified.jws.payload));
  }
  return call.print(Document{.json = out.end_object().take(), .human = human});
}

Result<int> verify_batch(Call& call) {
  static constexpr json::Profile kLine{.refuse_duplicates = true, .max_depth = 40};
  return run_batch(call,
                   call["batch"],
                   kLine,
                   call.flag("fail-invalid"),
                   [&](json::Value record, json::Writer& out) {
                     return tokens::answer_verify_record(record, call.clock().now(), out);
                   });
}

Result<int> verify(Call& call) {
  if (call.has("batch")) {
    return call.has("TOKEN") ? Failure(usage_error("--batch takes no TOKEN")) : verify_batch(call);
  }
  if (!call.has("TOKEN")) {
    return Failure(usage_error("a TOKEN is missing"));
  }
  const auto rules = rules_of(call);
  if (!rules) {
    return Failure(rules.error());
  }
  const auto token = token_text(call);
  if (!token) {
    return Failure(token.error());
  }
  Result<tokens::KeySet> keys = Failure({});
  if (names_key(call)) {
    keys = named_key(call, tokens::Purpose::Verify);
  } else {
    keys = configured_key(call).map([](const tokens::SigningKeys& own) { return own.verifiers; });
  }
  if (!keys) {
    return Failure(keys.error());
  }
  const auto verified = tokens::verify_token(*token, *keys, *rules);
  if (!verified) {
    return print_refusal(call, verified.error());
  }
  if (const auto allowed = check_rights(call, *verified); !allowed) {
    return print_refusal(call, allowed.error());
  }
  return print_verified(call, *verified);
}

/// `iat 2026-01-31T08:00:00.000Z` lines for the claims that are times.
std::string human_times(json::Value claims) {
  std::string lines;
  for (const char* name : {"iat", "nbf", "exp"}) {
    const auto value = claims.find(name);
    const auto time = value ? value->as_double() : std::nullopt;
    if (time && *time >= 0 && *time <= static_cast<double>(tokens::kMaxClaimTime)) {
      lines += fmt::format(
          "{} {}\n", name, format_time(from_ms(static_cast<std::int64_t>(*time * 1000))));
    }
  }
  return lines;
}

Result<int> inspect(Call& call) {
  const auto token = token_text(call);
  if (!token) {
    return Failure(token.error());
  }
  const auto malformed = [](const Error& error) {
    return Failure({ErrorCode::InvalidArgument, error.message, "TOKEN", error.reason});
  };
  const auto parts = tokens::split_token(*token, tokens::kMaxTokenBytesEver);
  if (!parts) {
    return malformed(parts.error());
  }
  const auto header = json::Document::parse(parts->header, json::kStrict);
  const auto claims = json::Document::parse(parts->payload, json::kStrict);
  if (!header || !header->root().is_object()) {
    return malformed(tokens::token_error("header_invalid", "the header is no JSON object"));
  }
  if (!claims || !claims->root().is_object()) {
    return malformed(tokens::token_error("payload_invalid", "the claims are no JSON object"));
  }
  call.note("nothing was checked: neither signature nor times");
  json::Writer out;
  out.begin_object().member("schema", "edge.token/1");
  out.key("header").value(header->root()).key("claims").value(claims->root()).end_object();
  return call.print(Document{.json = out.take(),
                             .human = json::pretty(header->root()) + "\n" +
                                      json::pretty(claims->root()) + "\n" +
                                      human_times(claims->root())});
}

void verify_options(Command& command) {
  command
      .option({.name = "iss", .value = "I", .help = "issuer that is accepted", .repeatable = true})
      .flag("no-iss", "any issuer")
      .option(
          {.name = "aud", .value = "A", .help = "audience that is accepted", .repeatable = true})
      .flag("no-aud", "any audience")
      .option({.name = "sub", .value = "S", .help = "subject it must have"})
      .option({.name = "typ", .value = "T", .help = "media type it must have"})
      .option({.name = "alg",
               .value = "A",
               .help = "algorithm that is accepted",
               .repeatable = true,
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
      .option({.name = "role", .value = "R", .help = "role it must give", .repeatable = true})
      .option({.name = "permission",
               .value = "P",
               .help = "permission it must give",
               .repeatable = true})
      .option(
          {.name = "require", .value = "CLAIM", .help = "claim it must have", .repeatable = true})
      .option({.name = "leeway",
               .value = "DUR",
               .help = "how far clocks may differ, at most 5m",
               .type = Type::Duration,
               .fallback = "0s"})
      .option({.name = "max-age", .value = "DUR", .help = "age since iat", .type = Type::Duration})
      .option({.name = "now", .value = "TIME", .help = "time to judge at", .type = Type::Time})
      .flag("jws", "any signed octets, not only claims")
      .flag("strict-header", "refuse headers that bring or name a key")
      .option({.name = "max-size",
               .value = "SIZE",
               .help = "longest token, at most 1MiB",
               .type = Type::Size,
               .fallback = "16KiB"})
      .option({.name = "batch",
               .value = "FILE",
               .help = "verify records of a file, - is standard input",
               .complete = Complete::Files})
      .flag("fail-invalid", "with --batch: exit 1 when any answer is no");
}

}  // namespace

void token(Tree& tree) {
  tree.noun("token", Section::Build, "Signed tokens (JWT)");
  token_mint(tree);
  Command& check = tree.command("token verify", "Check a token and print its claims");
  check.positional({.name = "TOKEN", .help = "the token, - or @FILE"});
  verify_options(check);
  key_options(check)
      .about(
          "Without --iss and --aud the configured issuer and audience are wanted when the key is "
          "the configured one; else say what is wanted, or --no-iss and --no-aud. The algorithm "
          "is the key's or one of --alg, never the token's choice, and keys inside a token are "
          "not used. Secrets are read from files, variables or the secret store only.")
      .example("token verify @token.txt", "against the configured key, issuer and audience")
      .example("token verify - --key public.pem --iss https://id.example --no-aud",
               "of another issuer")
      .exits(exit_code::kNo, "the token is not valid")
      .exits(exit_code::kBadInput, "the key cannot be used")
      .see("token inspect")
      .output(
          "verification",
          R"({"type":"object","required":["schema","valid","code"],"properties":{)"
          R"("schema":{"const":"edge.verification/1"},"valid":{"type":"boolean"},"code":{"type":"string"},)"
          R"("header":{"type":"object"},"claims":{"type":"object"},"payload":{"type":"string"},)"
          R"("payload_b64":{"type":"string"}}})")
      .runs(verify);
  tree.command("token inspect", "Show what a token says, without checking it")
      .positional({.name = "TOKEN", .help = "the token, - or @FILE", .required = true})
      .example("token inspect @token.txt", "header, claims and times")
      .about("Anybody can write what it shows: a token counts only once it is verified.")
      .exits(exit_code::kBadInput, "the text is no token")
      .see("token verify")
      .output("token", kTokenSchema)
      .runs(inspect);
}

}  // namespace edge::cli::commands
