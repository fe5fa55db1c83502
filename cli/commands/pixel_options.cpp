// SPDX-License-Identifier: MIT
#include "cli/commands/pixel_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "cli/problem.h"
#include "core/config/config.h"
#include "core/config/secrets.h"
#include "core/json/document.h"
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
  std::map<std::string, std::string> members;  // name -> JSON text; later ones win
  if (!canonical->empty()) {
    const auto document = json::Document::parse(*canonical, json::kStrict);
    for (const auto& [name, value] : document->root().members()) {
      members[std::string(name)] = value.raw();
    }
  }
  for (const std::string_view option : kUtm) {
    if (call.has(option)) {
      json::append_string(members[member_name(option)] = "", call[option]);
    }
  }
  for (const auto& [key, value] : *pairs) {
    members[key] = value;
  }
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : members) {
    out.key(name).raw(value);
  }
  return pixels::canonical_metadata(out.end_object().take());
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
               .help = "how long it counts; default: for ever",
               .type = Type::Duration})
      .flag("sealed", "hide ids and metadata from who reads the address");
  return with_sealing_options(command);
}

Command& with_recipient_options(Command& command) {
  return command.option({.name = "recipient", .value = "ID", .help = "who gets the mail"})
      .option({.name = "merge-tag",
               .value = "TAG",
               .help = "the mail service's placeholder for the recipient"});
}

Command& with_sealing_options(Command& command) {
  command
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
  return link_claims_of(call);
}

Result<pixels::Claims> link_claims_of(Call& call) {
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

Result<std::string> recipient_of(Call& call, std::string otherwise) {
  if (call.has("recipient") && call.has("merge-tag")) {
    return Failure(usage_error("--recipient and --merge-tag exclude each other", "merge-tag"));
  }
  if (call.has("recipient")) {
    return call["recipient"];
  }
  return call.has("merge-tag") ? "*" : std::move(otherwise);
}

Result<pixels::SealOptions> seal_options_of(Call& call) {
  constexpr std::int64_t kMaxKeyNumber = 255;
  pixels::SealOptions options;
  options.sealed = call.command().find_option("sealed") != nullptr && call.flag("sealed");
  if (call.has("kid")) {
    const std::int64_t number = call.integer("kid");
    if (number < 0 || number > kMaxKeyNumber) {
      return Failure(usage_error(fmt::format("--kid \"{}\" must be 0 to 255", call["kid"]), "kid"));
    }
    options.key_number = static_cast<unsigned>(number);
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

Result<std::string> base_url_of(Call& call) {
  std::string url = call.has("base-url") ? call["base-url"] : call.config().pixel.base_url;
  if (!pixels::is_target_url(url) || url.find_first_of("?#\"'<>") != std::string::npos) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no base address such as https://t.example.com", url),
                    call.has("base-url") ? "base-url" : "pixel.base_url",
                    "invalid_url"});
  }
  return url;
}

}  // namespace edge::cli
