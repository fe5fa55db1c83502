// SPDX-License-Identifier: MIT
#include "cli/setup.h"

#include <fmt/format.h>

#include <charconv>

#include "core/config/listeners.h"
#include "core/config/private_file.h"
#include "core/crypto/signature.h"
#include "core/json/document.h"
#include "core/kv/namespaces.h"
#include "core/pixels/ring_file.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/segments/definition_files.h"
#include "core/profiles/segments/rulebook.h"
#include "core/ratelimit/limit.h"
#include "core/tokens/jwk.h"
#include "core/tokens/keyring.h"
#include "core/transport/address.h"

namespace edge::cli {
namespace {

bool is_listen_address(std::string_view text) {
  if (text.starts_with("unix:/")) {
    return true;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return false;
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() &&
         (host == "localhost" || transport::parse_ip(host));
}

void examine_networks(std::string_view key,
                      const std::vector<std::string>& networks,
                      std::vector<Finding>& findings) {
  for (const std::string& network : networks) {
    if (!transport::parse_network(network)) {
      findings.push_back({std::string(key), fmt::format("'{}' is no address or network", network)});
    }
  }
}

void examine_url(std::string_view key, const std::string& url, std::vector<Finding>& findings) {
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    findings.push_back({std::string(key), fmt::format("'{}' is no http or https URL", url)});
  }
}

void examine_destinations(const config::Config& config, std::vector<Finding>& findings) {
  for (const config::Item& item : config.destinations) {
    const auto document = json::Document::parse(item.json, json::kStrict);
    for (const char* member : {"name", "type"}) {
      if (document && !document->root().find(member)) {
        findings.push_back(
            {"destinations", fmt::format("{}: '{}' is missing", item.where, member)});
      }
    }
  }
}

void examine_people(const config::Config& config, std::vector<Finding>& findings) {
  if (const auto rules = profiles::rules_of(config.identity, config.profiles); !rules) {
    findings.push_back({rules.error().field, rules.error().message});
  }
  auto definitions = profiles::configured_definitions(config);
  if (!definitions) {
    findings.push_back({"segments", definitions.error().message});
    return;
  }
  std::vector<profiles::Rulebook::Version> versions;
  for (profiles::Definition& definition : *definitions) {
    versions.push_back({.definition = std::move(definition)});
  }
  if (const auto book = profiles::Rulebook::compile(std::move(versions)); !book) {
    findings.push_back({"segments", book.error().message});
  }
}

Result<void> make_jwt_ring(const std::filesystem::path& file, Time now) {
  auto key = tokens::generate_key(crypto::KeyKind::Ed25519, crypto::Algorithm::EdDSA);
  if (!key) {
    return Failure(key.error());
  }
  tokens::KeyRing ring;
  if (const auto added = ring.add(std::move(*key), now); !added) {
    return added;
  }
  return config::write_private_file(file, ring.write());
}

}  // namespace

Result<std::vector<std::string>> make_keys(Call& call, const std::filesystem::path& data_dir) {
  std::vector<std::string> made;
  const std::filesystem::path ring_file = pixels::ring_path(data_dir);
  std::error_code ignored;  // a ring that cannot be looked at fails when it is written
  if (!std::filesystem::exists(ring_file, ignored)) {
    pixels::KeyRing fresh;
    if (const auto number = fresh.add(call.random()); !number) {
      return Failure(number.error());
    }
    if (const auto saved = pixels::save_ring(ring_file, fresh); !saved) {
      return Failure(saved.error());
    }
    made.emplace_back("pixel key");
  }
  const std::filesystem::path jwt_file = data_dir / "keys/jwt.json";
  if (!std::filesystem::exists(jwt_file, ignored)) {
    if (const auto saved = make_jwt_ring(jwt_file, call.clock().now()); !saved) {
      return Failure(saved.error());
    }
    made.emplace_back("JWT key");
  }
  return made;
}

std::vector<Finding> examine_config(const config::Config& config) {
  std::vector<Finding> findings;
  if (const auto places = config::listeners(config)) {
    for (const config::ListenAt& place : *places) {
      if (!is_listen_address(place.address)) {
        findings.push_back({place.where, fmt::format("'{}' is not address:port", place.address)});
      }
    }
  } else {
    findings.push_back({places.error().field, places.error().message});
  }
  if (const auto limits = ratelimit::read_limits(config.limits); !limits) {
    findings.push_back({limits.error().field, limits.error().message});
  }
  if (const auto builtin = kv::builtin_namespaces(config.kv); !builtin) {
    findings.push_back({builtin.error().field, builtin.error().message});
  }
  examine_networks("server.trusted_proxies", config.server.trusted_proxies, findings);
  examine_networks("outbound.allow_private", config.outbound.allow_private, findings);
  examine_url("server.public_url", config.server.public_url, findings);
  examine_url("pixel.base_url", config.pixel.base_url, findings);
  examine_destinations(config, findings);
  examine_people(config, findings);
  const bool is_url =
      config.flags.datafile.starts_with("http://") || config.flags.datafile.starts_with("https://");
  const bool is_default = config.flags.datafile == config::Flags{}.datafile;
  std::error_code ignored;  // what cannot be looked at is not there
  if (!config.flags.datafile.empty() && !is_url && !is_default &&
      !std::filesystem::is_regular_file(config.resolve(config.flags.datafile), ignored)) {
    findings.push_back({"flags.datafile", fmt::format("no file '{}'", config.flags.datafile)});
  }
  return findings;
}

}  // namespace edge::cli
