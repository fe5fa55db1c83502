// SPDX-License-Identifier: MIT
#include "cli/commands/pixel_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "cli/problem.h"
#include "core/config/config.h"
#include "core/config/secrets.h"
#include "core/json/writer.h"
#include "core/pixels/ring_file.h"

namespace edge::cli {
namespace {

constexpr std::array<std::string_view, 5> kUtm{
    "utm-source", "utm-medium", "utm-campaign", "utm-term", "utm-content"};

std::string member_name(std::string_view option) {
  std::string name(option);
  name[3] = '_';  // utm-source is the metadata member utm_source
  return name;
}

/// `--metadata`, over it `--utm-…`, over it `--meta`, as one canonical text.
Result<std::string> metadata_of(Call& call) {
  std::string base = call["metadata"].empty() ? "{}" : call["metadata"];
  if (base.starts_with('@')) {
    auto content = call.read(base.substr(1));
    if (!content) {
      return Failure(content.error());
    }
    base = std::move(*content);
  }
  auto canonical = pixels::canonical_metadata(base);
  const auto pairs = call.pairs("meta");
  if (!canonical || !pairs) {
    return Failure(canonical ? pairs.error() : canonical.error());
  }
  std::string members;
  const auto add = [&members](std::string_view name, std::string_view value) {
    members += members.empty() ? "" : ",";
    json::append_string(members, name);
    members += ':';
    members += value;
  };
  for (const std::string_view option : kUtm) {
    if (call.has(option)) {
      std::string text;
      json::append_string(text, call[option]);
      add(member_name(option), text);
    }
  }
  for (const auto& [key, value] : *pairs) {
    add(key, value);
  }
  if (members.empty()) {
    return canonical;
  }
  const std::string_view inside =
      canonical->empty() ? std::string_view{}
                         : std::string_view(*canonical).substr(1, canonical->size() - 2);
  return pixels::canonical_metadata(
      fmt::format("{{{}{}{}}}", inside, inside.empty() ? "" : ",", members));
}

}  // namespace

Command& with_key_option(Command& command) {
  return command.option({.name = "keys",
                         .value = "FILE",
                         .help = "key ring; default: the configured one",
                         .complete = Complete::Files});
}

Command& with_claim_options(Command& command) {
  command.option({.name = "campaign", .value = "ID", .help = "campaign that the mail belongs to"})
      .option({.name = "email", .value = "ID", .help = "the mail; default: the campaign's id"})
      .option({.name = "meta",
               .value = "KV",
               .help = "a member of the metadata",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "metadata",
               .value = "JSON|@FILE",
               .help = "metadata as a JSON object, at most 1024 octets"});
  for (const std::string_view name : kUtm) {
    command.option({.name = name,
                    .value = "V",
                    .help = "the same as --meta with that name and an underscore"});
  }
  command
      .option({.name = "ttl",
               .value = "DUR",
               .help = "how long opens count; default: for ever",
               .type = Type::Duration})
      .flag("sealed", "hide ids and metadata from who reads the address")
      .option({.name = "timestamp",
               .value = "TIME",
               .help = "time of issue; default: SOURCE_DATE_EPOCH, else now",
               .type = Type::Time})
      .option({.name = "base-url",
               .value = "URL",
               .help = "where the daemon is reached; default: pixel.base_url"})
      .option({.name = "kid",
               .value = "N",
               .help = "key number; default: the active key",
               .type = Type::Integer});
  return with_key_option(command);
}

Result<std::uint32_t> issued_at_of(Call& call) {
  std::int64_t seconds = to_ms(call.clock().now()) / 1000;
  if (call.has("timestamp")) {
    seconds = to_ms(call.time("timestamp")) / 1000;
  } else if (const auto epoch = config::process_environment()("SOURCE_DATE_EPOCH");
             epoch && !epoch->empty()) {
    const auto [end, failure] =
        std::from_chars(epoch->data(), epoch->data() + epoch->size(), seconds);
    if (failure != std::errc{} || end != epoch->data() + epoch->size()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("SOURCE_DATE_EPOCH \"{}\" must be Unix seconds", *epoch),
                      "SOURCE_DATE_EPOCH",
                      "invalid_timestamp"});
    }
  }
  if (seconds < 0 || seconds > std::numeric_limits<std::uint32_t>::max()) {
    return Failure({ErrorCode::InvalidArgument,
                    "the time of issue must lie between 1970 and 2106",
                    "timestamp",
                    "invalid_timestamp"});
  }
  return static_cast<std::uint32_t>(seconds);
}

Result<pixels::Claims> claims_of(Call& call) {
  if (!call.has("campaign")) {
    return Failure(usage_error("--campaign ID is missing", "campaign"));
  }
  const auto issued_at = issued_at_of(call);
  auto metadata = metadata_of(call);
  if (!issued_at || !metadata) {
    return Failure(issued_at ? metadata.error() : issued_at.error());
  }
  pixels::Claims claims{
      .issued_at = *issued_at, .campaign_id = call["campaign"], .email_id = call["email"]};
  if (claims.email_id.empty()) {
    claims.email_id = claims.campaign_id;
  }
  claims.metadata = std::move(*metadata);
  if (call.has("ttl")) {
    const std::int64_t seconds = call.duration("ttl").count() / 1000;
    if (seconds < 1 || seconds > std::numeric_limits<std::uint32_t>::max()) {
      return Failure(
          {ErrorCode::InvalidArgument, "--ttl must be at least one second", "ttl", "invalid_ttl"});
    }
    claims.ttl_s = static_cast<std::uint32_t>(seconds);
  }
  return claims;
}

pixels::SealOptions seal_options_of(Call& call) {
  pixels::SealOptions options{.sealed = call.flag("sealed")};
  if (call.has("kid")) {
    options.key_number = static_cast<unsigned>(call.integer("kid"));
  }
  return options;
}

Result<pixels::KeyRing> ring_of(Call& call) {
  if (call.has("keys")) {
    return pixels::load_ring(call["keys"]);
  }
  const auto& data_dir = call.config().data_dir;
  return pixels::configured_ring(config::Secrets({.store = data_dir / "secrets"}), data_dir);
}

std::string base_url_of(Call& call) {
  return call.has("base-url") ? call["base-url"] : call.config().pixel.base_url;
}

}  // namespace edge::cli
