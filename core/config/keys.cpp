// SPDX-License-Identifier: MIT
#include "core/config/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/json/writer.h"

namespace edge::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 5> kUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

Error wrong(const Key& key, std::string_view value, std::string_view expected) {
  return {ErrorCode::InvalidArgument,
          fmt::format("{}: '{}' is not {}", key.name, value, expected),
          std::string(key.name)};
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "1") {
    return true;
  }
  if (text == "false" || text == "0") {
    return false;
  }
  return std::nullopt;
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    while (part.ends_with(' ')) {
      part.remove_suffix(1);
    }
    if (!part.empty()) {
      parts.emplace_back(part);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string toml_string(std::string_view text) {
  std::string out;
  json::append_string(out, text);  // a JSON string is a TOML basic string
  return out;
}

/// The setters of one type each, chosen by the slot's.
struct SetFromText {
  const Key& key;
  std::string_view text;

  Result<void> operator()(std::string* slot) const {
    if (const auto verdict = check_choice(key, text); !verdict) {
      return verdict;
    }
    *slot = text;
    return {};
  }
  Result<void> operator()(bool* slot) const {
    const auto value = parse_bool(text);
    if (!value) {
      return Failure(wrong(key, text, "true or false"));
    }
    *slot = *value;
    return {};
  }
  Result<void> operator()(std::optional<bool>* slot) const {
    bool value = false;
    const auto verdict = (*this)(&value);
    if (verdict) {
      *slot = value;
    }
    return verdict;
  }
  Result<void> operator()(std::int64_t* slot) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Failure(wrong(key, text, "a whole number"));
    }
    *slot = value;
    return {};
  }
  Result<void> operator()(std::chrono::milliseconds* slot) const {
    const auto span = parse_span(text);
    if (!span) {
      return Failure(wrong(key, text, "a duration such as 500ms, 10s or 15m"));
    }
    *slot = *span;
    return {};
  }
  Result<void> operator()(std::vector<std::string>* slot) const {
    *slot = split_commas(text);
    return {};
  }
};

struct ToText {
  std::string operator()(const std::string* slot) const { return toml_string(*slot); }
  std::string operator()(const bool* slot) const { return *slot ? "true" : "false"; }
  std::string operator()(const std::optional<bool>* slot) const {
    return !slot->has_value() ? "" : **slot ? "true" : "false";
  }
  std::string operator()(const std::int64_t* slot) const { return std::to_string(*slot); }
  std::string operator()(const std::chrono::milliseconds* slot) const {
    return toml_string(span_text(*slot));
  }
  std::string operator()(const std::vector<std::string>* slot) const {
    std::vector<std::string> texts;
    std::transform(slot->begin(), slot->end(), std::back_inserter(texts), toml_string);
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
};

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> kKeys = {
      {"server.listen",
       "addresses to serve on, or unix:PATH; port 0 = any free port",
       [](Config& c) -> Slot { return &c.server.listen; }},
      {"server.allowed_hosts",
       "further host names a request may name",
       [](Config& c) -> Slot { return &c.server.allowed_hosts; }},
      {"server.trusted_proxies",
       "networks whose forwarding fields are believed",
       [](Config& c) -> Slot { return &c.server.trusted_proxies; }},
      {"server.proxy_header",
       "the one field that trusted proxies name the client in",
       [](Config& c) -> Slot { return &c.server.proxy_header; }},
      {"server.public_url",
       "how the world reaches the daemon; needed for any bind but loopback",
       [](Config& c) -> Slot { return &c.server.public_url; }},
      {"server.tls.certificate",
       "PEM file of the certificate and its chain; with it every TCP listener speaks TLS",
       [](Config& c) -> Slot { return &c.server.tls.certificate; }},
      {"server.tls.key",
       "PEM file of the private key, readable by its owner only",
       [](Config& c) -> Slot { return &c.server.tls.key; }},
      {"server.limits.first_octet",
       "how long a new connection may be silent",
       [](Config& c) -> Slot { return &c.server.limits.first_octet; }},
      {"server.limits.head_time",
       "how long the head of a request may take",
       [](Config& c) -> Slot { return &c.server.limits.head_time; }},
      {"server.limits.handshake_time",
       "how long a TLS handshake may take",
       [](Config& c) -> Slot { return &c.server.limits.handshake_time; }},
      {"server.limits.body_time_per_mib",
       "how long a body may take, for each MiB begun",
       [](Config& c) -> Slot { return &c.server.limits.body_time_per_mib; }},
      {"server.limits.body_rate",
       "octets a second that a body must bring after 5 s",
       [](Config& c) -> Slot { return &c.server.limits.body_rate; }},
      {"server.limits.idle",
       "how long a connection may wait for its next request",
       [](Config& c) -> Slot { return &c.server.limits.idle; }},
      {"server.limits.requests_per_connection",
       "then it is closed",
       [](Config& c) -> Slot { return &c.server.limits.requests_per_connection; }},
      {"server.limits.write_stall",
       "how long a client may take nothing of its answer",
       [](Config& c) -> Slot { return &c.server.limits.write_stall; }},
      {"server.limits.connections",
       "open at once; the file limit less 64 when that is smaller",
       [](Config& c) -> Slot { return &c.server.limits.connections; }},
      {"server.limits.connections_per_address",
       "for each client; this machine and trusted proxies are exempt",
       [](Config& c) -> Slot { return &c.server.limits.connections_per_address; }},
      {"server.limits.pool_queue",
       "jobs that may wait for a thread; further ones are answered 503",
       [](Config& c) -> Slot { return &c.server.limits.pool_queue; }},
      {"server.limits.drain",
       "how long running requests may take at the stop",
       [](Config& c) -> Slot { return &c.server.limits.drain; }},
      {"store.url",
       "sqlite: is the data directory, sqlite:DIR another one",
       [](Config& c) -> Slot { return &c.store.url; }},
      {"store.durability",
       "full: an answered event survives a power cut; normal: it survives a crash of the daemon",
       [](Config& c) -> Slot { return &c.store.durability; },
       {"full", "normal"}},
      {"pixel.base_url",
       "start of the URLs in mails; server.public_url when that is set and this is not",
       [](Config& c) -> Slot { return &c.pixel.base_url; }},
      {"pixel.user_agent",
       "what an open keeps of who read the mail: the program's family, none or full",
       [](Config& c) -> Slot { return &c.pixel.user_agent; },
       {"family", "none", "full"}},
      {"pixel.recipients",
       "how an open keeps the recipient: id, keyed hash or none",
       [](Config& c) -> Slot { return &c.pixel.recipients; },
       {"id", "hash", "none"}},
      {"pixel.accept_v1",
       "tokens of the original platform, which anybody can forge: flag, reject or count",
       [](Config& c) -> Slot { return &c.pixel.accept_v1; },
       {"flag", "reject", "count"}},
      {"pixel.respect_gpc",
       "count opens with Sec-GPC or DNT without identity",
       [](Config& c) -> Slot { return &c.pixel.respect_gpc; }},
      {"pixel.expired_links",
       "click links whose time is over: follow them, or answer that they are gone",
       [](Config& c) -> Slot { return &c.pixel.expired_links; },
       {"follow", "gone"}},
      {"pixel.link_hosts",
       "the only hosts that click links lead to; without any, all",
       [](Config& c) -> Slot { return &c.pixel.link_hosts; }},
      {"pixel.rules",
       "file with the rules that tell people from machines; without one, the built-in rules",
       [](Config& c) -> Slot { return &c.pixel.rules; }},
      {"pixel.min_human_seconds",
       "opens sooner after sending count as prefetched; 0 is off",
       [](Config& c) -> Slot { return &c.pixel.min_human_seconds; }},
      {"pixel.iat_is_sent",
       "take a token's time for the time of sending when its metadata has no sentAt",
       [](Config& c) -> Slot { return &c.pixel.iat_is_sent; }},
      {"pixel.max_future",
       "how far ahead of the clock a token's time may lie, at most 7d",
       [](Config& c) -> Slot { return &c.pixel.max_future; }},
      {"pixel.repeat_window",
       "the same visit within this time is stored once",
       [](Config& c) -> Slot { return &c.pixel.repeat_window; }},
      {"pixel.burst_window",
       "three different links of one mail followed within this time are a scanner's",
       [](Config& c) -> Slot { return &c.pixel.burst_window; }},
      {"pixel.retention",
       "how long hourly counts and who was counted as unique are kept; 0s is for ever",
       [](Config& c) -> Slot { return &c.pixel.retention; }},
      {"pixel.lists.self",
       "files of networks, one per line, whose opens are your own and are not counted",
       [](Config& c) -> Slot { return &c.pixel.lists_self; }},
      {"pixel.lists.prefetch",
       "files of networks of services that fetch images before anybody reads",
       [](Config& c) -> Slot { return &c.pixel.lists_prefetch; }},
      {"pixel.lists.proxy",
       "files of networks of image proxies, whose opens count as human",
       [](Config& c) -> Slot { return &c.pixel.lists_proxy; }},
      {"pixel.lists.scanner",
       "files of networks of mail scanners",
       [](Config& c) -> Slot { return &c.pixel.lists_scanner; }},
      {"flags.datafile",
       "feature flags: a file (relative to this one) or a URL",
       [](Config& c) -> Slot { return &c.flags.datafile; }},
      {"flags.sdk_key",
       "the SDK key of that datafile; alone, it is fetched from flags.url. Also the secret "
       "OPTIMIZELY_SDK_KEY",
       [](Config& c) -> Slot { return &c.flags.sdk_key; }},
      {"flags.url",
       "where the datafile of an SDK key is; %s is the key",
       [](Config& c) -> Slot { return &c.flags.url; }},
      {"flags.interval",
       "how often datafiles are fetched",
       [](Config& c) -> Slot { return &c.flags.interval; }},
      {"flags.any_key",
       "whether unknown SDK keys get the datafile too; when unset, yes unless keys are configured",
       [](Config& c) -> Slot { return &c.flags.any_key; }},
      {"flags.sticky",
       "users keep the variation of an experiment that they got first",
       [](Config& c) -> Slot { return &c.flags.sticky; }},
      {"agent.notifications",
       "streams of decisions and conversions at /v1/notifications/event-stream",
       [](Config& c) -> Slot { return &c.agent.notifications; }},
      {"agent.overrides",
       "whether /v1/override sets variations of users; when unset, yes on loopback and no "
       "elsewhere",
       [](Config& c) -> Slot { return &c.agent.overrides; }},
      {"agent.max_batch",
       "operations in one request to a path that ends in /batch",
       [](Config& c) -> Slot { return &c.agent.max_batch; }},
      {"agent.auth_secrets",
       "names of secrets (base64) that sign access tokens; with any, every request needs one",
       [](Config& c) -> Slot { return &c.agent.auth_secrets; }},
      {"agent.jwks_url",
       "keys of another issuer of access tokens; then every request needs one",
       [](Config& c) -> Slot { return &c.agent.jwks_url; }},
      {"agent.token_ttl",
       "how long a token of /oauth/token is good",
       [](Config& c) -> Slot { return &c.agent.token_ttl; }},
      {"ofrep.public",
       "whether OpenFeature clients need no credentials; when unset, yes on loopback and no "
       "elsewhere",
       [](Config& c) -> Slot { return &c.ofrep.open; }},
      {"ofrep.variables",
       "whether all flags are evaluated with an entry FLAG.VARIABLE for each variable",
       [](Config& c) -> Slot { return &c.ofrep.variables; }},
      {"ofrep.notifications",
       "whether OpenFeature clients are offered a stream that tells of new datafiles",
       [](Config& c) -> Slot { return &c.ofrep.notifications; }},
      {"ofrep.decisionEvents",
       "which evaluations are reported to Optimizely: those of single flags, none, or all",
       [](Config& c) -> Slot { return &c.ofrep.decision_events; },
       {"none", "single", "all"}},
      {"auth.mode",
       "enforced; or demo, on loopback only",
       [](Config& c) -> Slot { return &c.auth.mode; },
       {"enforced", "demo"}},
      {"auth.issuer", "iss of tokens", [](Config& c) -> Slot { return &c.auth.issuer; }},
      {"auth.audience", "aud of tokens", [](Config& c) -> Slot { return &c.auth.audience; }},
      {"auth.access_ttl",
       "how long an access token is good",
       [](Config& c) -> Slot { return &c.auth.access_ttl; }},
      {"auth.registration",
       "open: anybody may register as a viewer",
       [](Config& c) -> Slot { return &c.auth.registration; },
       {"closed", "open"}},
      {"auth.session_idle",
       "how long a session lives without a refresh",
       [](Config& c) -> Slot { return &c.auth.session_idle; }},
      {"auth.session_life",
       "how long a session lives at all",
       [](Config& c) -> Slot { return &c.auth.session_life; }},
      {"auth.password_memory_kib",
       "memory of one password hash (argon2id): 19456 to 262144",
       [](Config& c) -> Slot { return &c.auth.password_memory_kib; }},
      {"auth.password_passes",
       "passes of one password hash: 1 to 10",
       [](Config& c) -> Slot { return &c.auth.password_passes; }},
      {"auth.client_failures",
       "wrong logins of one client in 15 minutes before it has to wait",
       [](Config& c) -> Slot { return &c.auth.client_failures; }},
      {"auth.registrations_per_hour",
       "registrations of one client",
       [](Config& c) -> Slot { return &c.auth.registrations_per_hour; }},
      {"auth.refreshes_per_minute",
       "refreshed tokens of one client",
       [](Config& c) -> Slot { return &c.auth.refreshes_per_minute; }},
      {"auth.password_changes_per_hour",
       "changes of password of one client",
       [](Config& c) -> Slot { return &c.auth.password_changes_per_hour; }},
      {"auth.api_keys_scopes",
       "what the keys of the list API_KEYS may do",
       [](Config& c) -> Slot { return &c.auth.api_keys_scopes; }},
      {"track.public",
       "whether events need no key; when unset, yes on loopback and no elsewhere",
       [](Config& c) -> Slot { return &c.track.open; }},
      {"privacy.ip",
       "what is kept of addresses: truncate, full or none",
       [](Config& c) -> Slot { return &c.privacy.ip; },
       {"truncate", "full", "none"}},
      {"identity.alias",
       "whether alias events join an old name and a new one",
       [](Config& c) -> Slot { return &c.identity.alias; },
       {"allow", "deny"}},
      {"identity.blocked",
       "values that never identify a person, besides the usual placeholders",
       [](Config& c) -> Slot { return &c.identity.blocked; }},
      {"identity.limits",
       "most identifiers of one type per profile, as type=number",
       [](Config& c) -> Slot { return &c.identity.limits; }},
      {"identity.max_identifiers",
       "most identifiers per profile",
       [](Config& c) -> Slot { return &c.identity.max_identifiers; }},
      {"identity.max_merges",
       "most profiles that one profile can take in",
       [](Config& c) -> Slot { return &c.identity.max_merges; }},
      {"profiles.segments_off",
       "built-in segments that are not given",
       [](Config& c) -> Slot { return &c.profiles.segments_off; }},
      {"outbound.allow_http",
       "let destinations be reached without TLS",
       [](Config& c) -> Slot { return &c.outbound.allow_http; }},
      {"outbound.allow_private",
       "private networks that destinations may be in",
       [](Config& c) -> Slot { return &c.outbound.allow_private; }},
  };
  return kKeys;
}

const std::vector<List>& lists() {
  static const std::vector<List> kLists = {
      {"server.listeners",
       "further places to listen at, each for all surfaces or some",
       [](Config& c) -> std::vector<Item>* { return &c.listeners; }},
      {"cors",
       "which pages of other origins may read answers of the seed API",
       [](Config& c) -> std::vector<Item>* { return &c.cors; }},
      {"limits",
       "how many requests clients may make",
       [](Config& c) -> std::vector<Item>* { return &c.limits; }},
      {"destinations",
       "where events are forwarded to",
       [](Config& c) -> std::vector<Item>* { return &c.destinations; }},
      {"sources",
       "who may send events, with which write key",
       [](Config& c) -> std::vector<Item>* { return &c.sources; }},
      {"segments",
       "groups of profiles by rule",
       [](Config& c) -> std::vector<Item>* { return &c.segments; }},
      {"webhooks",
       "who may report events at /webhook/NAME: name, kind, scheme, secret (its name) or unsigned",
       [](Config& c) -> std::vector<Item>* { return &c.webhooks; }},
      {"flags.projects",
       "further SDK keys: sdk_key, and datafile when it is not at flags.url",
       [](Config& c) -> std::vector<Item>* { return &c.projects; }},
      {"flags.webhooks",
       "whose word that datafiles changed is taken: project (its number), secret (name of the "
       "secret that signs) or unsigned = true, sdk_keys (default: all of that project)",
       [](Config& c) -> std::vector<Item>* { return &c.flag_webhooks; }},
      {"agent.clients",
       "who gets tokens at /oauth/token: id, secret_hash (base64 of bcrypt), sdk_keys",
       [](Config& c) -> std::vector<Item>* { return &c.agent_clients; }},
      {"auth.issuers",
       "other issuers whose tokens count, by a key set file",
       [](Config& c) -> std::vector<Item>* { return &c.issuers; }},
  };
  return kLists;
}

const Key* find_key(std::string_view name) {
  for (const Key& key : keys()) {
    if (key.name == name) {
      return &key;
    }
  }
  return nullptr;
}

std::string variable_of(const Key& key) {
  std::string variable = "EDGE_";
  for (const char c : key.name) {
    variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::string value_text(const Key& key, const Config& config) {
  Config copy = config;
  return std::visit(ToText{}, key.slot(copy));
}

Result<void> set_from_text(const Key& key, std::string_view text, Config& config) {
  return std::visit(SetFromText{key, text}, key.slot(config));
}

Result<void> check_choice(const Key& key, std::string_view value) {
  if (key.choices.empty() ||
      std::find(key.choices.begin(), key.choices.end(), value) != key.choices.end()) {
    return {};
  }
  return Failure(wrong(key, value, fmt::format("one of {}", fmt::join(key.choices, ", "))));
}

Result<std::chrono::milliseconds> parse_span(std::string_view text) {
  const Error refused{ErrorCode::InvalidArgument, fmt::format("'{}' is no duration", text)};
  std::int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t unit_end = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& one) {
      return one.name == rest.substr(0, unit_end);
    });
    std::int64_t part = 0;
    if (error != std::errc() || number < 0 || unit == kUnits.end() ||
        __builtin_mul_overflow(number, unit->ms, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return Failure(refused);
    }
    rest.remove_prefix(unit_end);
  }
  if (text.empty()) {
    return Failure(refused);
  }
  return std::chrono::milliseconds(total);
}

std::string span_text(std::chrono::milliseconds span) {
  for (const Unit& unit : kUnits) {
    if (span.count() % unit.ms == 0 && span.count() >= unit.ms) {
      return fmt::format("{}{}", span.count() / unit.ms, unit.name);
    }
  }
  return "0s";
}

}  // namespace edge::config
