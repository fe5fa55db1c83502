// SPDX-License-Identifier: MIT
#include "cli/commands/pixel_records.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cli/batch.h"
#include "cli/commands/pixel_options.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/pixels/record.h"

namespace edge::cli::commands {
namespace {

std::int64_t now_s(Call& call) {
  return to_ms(call.has("now") ? call.time("now") : call.clock().now()) / 1000;
}

/// Key and sealing of a record of `--batch`.
Result<pixels::SealOptions> seal_options_in(json::Value line) {
  pixels::SealOptions options;
  if (const auto kid = line.find("kid"); kid && !kid->is_null()) {
    const auto number = kid->as_uint64();
    if (!number || *number > 255) {
      return Failure({ErrorCode::NotFound, "kid must be 0 to 255", "kid", "unknown_key"});
    }
    options.key_number = static_cast<unsigned>(*number);
  }
  if (const auto sealed = line.find("sealed")) {
    options.sealed = sealed->as_bool().value_or(false);
  }
  return options;
}

/// The token of a positional, or of stdin for `-`.
Result<std::string> token_of(Call& call) {
  std::string text = call["TOKEN"];
  if (text == "-") {
    auto input = call.read("-");
    if (!input) {
      return Failure(input.error());
    }
    text = std::move(*input);
    while (text.ends_with('\n') || text.ends_with('\r')) {
      text.pop_back();
    }
  }
  return pixels::token_in(text);
}

Result<int> decode(Call& call) {
  const auto token = token_of(call);
  if (!token) {
    return Failure(token.error());
  }
  auto ring = ring_of(call);
  if (!ring && call.has("keys")) {
    return Failure(ring.error());
  }
  const pixels::KeyRing keys = ring ? std::move(*ring) : pixels::KeyRing{};
  const auto reading = pixels::decode_unchecked(*token, keys);
  if (reading.status == pixels::Status::UnknownKey) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("the token is sealed with key {}, which the key ring does not hold",
                                reading.key_number),
                    "keys",
                    "unknown_key"});
  }
  if (!reading.has_claims()) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{:.60}\" is no token", *token),
                    {},
                    std::string(name_of(reading.status))});
  }
  call.note(reading.version == 1 ? "old layout: anybody can forge it" : "signature not checked");
  json::Writer out;
  out.begin_object().member("schema", "edge.pixel-contents/1");
  pixels::write_contents(out, reading);
  return call.print(Document{.json = out.end_object().take()});
}

pixels::ReadOptions read_options(Call& call) {
  pixels::ReadOptions options{.now_s = now_s(call)};
  if (call.has("max-age")) {
    options.max_age_s = call.duration("max-age").count() / 1000;
  }
  return options;
}

Result<int> verify_batch(Call& call) {
  const auto ring = ring_of(call);
  if (!ring) {
    return Failure(ring.error());
  }
  const auto defaults = read_options(call);
  return run_batch(
      call,
      call["batch"],
      json::kStrict,
      call.flag("fail-invalid"),
      [&](json::Value line, json::Writer& out) -> Result<bool> {
        const auto token = line.find("token");
        if (!token || !token->as_string()) {
          return Failure(
              {ErrorCode::InvalidArgument, "token is missing", "token", "missing_field"});
        }
        pixels::ReadOptions options = defaults;
        if (const auto given = line.find("options")) {
          const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
            const auto value = given->find(name);
            return value ? value->as_int64() : std::nullopt;
          };
          options.now_s = number("now").value_or(options.now_s);
          options.max_age_s = number("max_age") ? number("max_age") : options.max_age_s;
          options.max_future_s = number("max_future").value_or(options.max_future_s);
        }
        const auto reading =
            pixels::open_token(pixels::token_in(*token->as_string()), *ring, options);
        pixels::write_reading(out, reading);
        return reading.status == pixels::Status::Ok;
      });
}

Result<int> verify(Call& call) {
  if (call.has("batch")) {
    return verify_batch(call);
  }
  if (!call.has("TOKEN")) {
    return Failure(usage_error("TOKEN or --batch FILE is missing", "TOKEN"));
  }
  const auto token = token_of(call);
  const auto ring = ring_of(call);
  if (!token || !ring) {
    return Failure(token ? ring.error() : token.error());
  }
  const auto reading = pixels::open_token(*token, *ring, read_options(call));
  json::Writer out;
  out.begin_object().member("schema", "edge.pixel-reading/1");
  pixels::write_reading(out, reading);
  const auto printed = call.print(Document{.json = out.end_object().take()});
  if (!printed) {
    return printed;
  }
  return reading.status == pixels::Status::Ok ? exit_code::kDone : exit_code::kNo;
}

constexpr std::string_view kReadingSchema =
    R"({"type":"object","required":["schema","status"],"properties":{"schema":{"const":"edge.pixel-reading/1"},)"
    R"("status":{"type":"string"},"version":{"type":"integer"},"kind":{"type":"string"},"keyId":{"type":"integer"},)"
    R"("sealed":{"type":"boolean"},"issuedAt":{"type":"integer"},"expiresAt":{"type":["integer","null"]},)"
    R"("campaignId":{"type":"string"},"emailId":{"type":"string"},"recipientId":{"type":"string"},"metadata":{"type":"object"}}})";
constexpr std::string_view kContentsSchema =
    R"({"type":"object","required":["schema","version"],"properties":{"schema":{"const":"edge.pixel-contents/1"},)"
    R"("version":{"type":"integer"},"kind":{"type":"string"},"campaignId":{"type":"string"},"emailId":{"type":"string"},)"
    R"("recipientId":{"type":"string"},"metadata":{"type":"object"}}})";

}  // namespace

Command& with_batch(Command& command) {
  return command
      .option({.name = "batch",
               .value = "FILE|-",
               .help = "JSON lines of records in, JSON lines of answers out",
               .complete = Complete::Files})
      .flag("fail-invalid", "with --batch: exit 1 when any answer is an error or negative");
}

Result<int> generate_batch(Call& call, pixels::TokenKind kind) {
  const auto ring = ring_of(call);
  const auto issued_at = issued_at_of(call);
  if (!ring || !issued_at) {
    return Failure(ring ? issued_at.error() : ring.error());
  }
  return run_batch(
      call,
      call["batch"],
      json::kStrict,
      call.flag("fail-invalid"),
      [&](json::Value line, json::Writer& out) -> Result<bool> {
        const auto record = line.find("record");
        if (!record) {
          return Failure(
              {ErrorCode::InvalidArgument, "record is missing", "record", "missing_field"});
        }
        const auto claims = pixels::claims_of(*record, kind, *issued_at);
        if (!claims) {
          return Failure(claims.error());
        }
        const auto options = seal_options_in(line);
        if (!options) {
          return Failure(options.error());
        }
        const auto token = pixels::seal(*claims, *ring, *options);
        if (!token) {
          return Failure(token.error());
        }
        out.member("token", *token);
        return true;
      });
}

void declare_decode(Command& command) {
  with_key_option(command)
      .positional({.name = "TOKEN",
                   .value = "TOKEN|URL|HTML|-",
                   .help = "a token, or text that holds one",
                   .required = true})
      .about(
          "Whatever stands in a token that was not checked may be forged. Ids of the original "
          "platform can be read; keys are only needed for sealed tokens.")
      .exits(exit_code::kBadInput, "no token, or sealed with a key that is not there")
      .output("pixel-contents", kContentsSchema)
      .runs(decode);
}

void declare_verify(Command& command) {
  with_batch(with_key_option(command))
      .positional(
          {.name = "TOKEN", .value = "TOKEN|URL|HTML|-", .help = "a token, or text that holds one"})
      .option({.name = "max-age",
               .value = "DUR",
               .help = "older ones count as expired",
               .type = Type::Duration})
      .option({.name = "now", .value = "TIME", .help = "judge as of then", .type = Type::Time})
      .about(
          "The status is ok, expired, future (issued by a clock more than a day ahead), "
          "bad_signature, unknown_key, malformed, unsupported_version or unsupported_field. Ids of "
          "the original platform are legacy_v1 or legacy_v1_bad_hash, never ok: anybody can make "
          "them.")
      .exits(exit_code::kNo, "not valid; the status says why")
      .output("pixel-reading", kReadingSchema)
      .runs(verify);
}

}  // namespace edge::cli::commands
