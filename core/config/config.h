// SPDX-License-Identifier: MIT
// The settings of an installation, typed. Every scalar key is one row of the table in keys.cpp,
// which names its member here; its default is the member's initialiser. A new key is one member and
// one row.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace edge::config {

/// The certificate of listeners that speak TLS: both files, or neither.
struct Tls {
  std::string certificate = {};  ///< PEM, the chain behind it
  std::string key = {};          ///< PEM, readable by its owner only
};

/// The bounds of identity spec 6.2.
struct HttpLimits {
  std::chrono::milliseconds first_octet = std::chrono::seconds(15);
  std::chrono::milliseconds head_time = std::chrono::seconds(10);
  std::chrono::milliseconds handshake_time = std::chrono::seconds(10);
  std::chrono::milliseconds body_time_per_mib = std::chrono::seconds(30);
  std::chrono::milliseconds body_grace = std::chrono::seconds(5);
  std::int64_t body_rate = 1024;  ///< octets a second
  std::int64_t body = 1'048'576;  ///< octets, as are the next two
  std::int64_t auth_body = 16'384;
  std::int64_t unsubscribe_body = 1024;
  std::chrono::milliseconds idle = std::chrono::seconds(15);
  std::int64_t requests_per_connection = 1000;
  std::chrono::milliseconds write_stall = std::chrono::seconds(30);
  std::int64_t connections = 4096;
  std::int64_t connections_per_address = 256;
  std::int64_t pool_queue = 1024;
  std::chrono::milliseconds drain = std::chrono::seconds(10);
};

struct Server {
  /// `address:port` or `unix:PATH`; port 0 = any free one
  std::vector<std::string> listen = {"127.0.0.1:9100"};
  std::vector<std::string> allowed_hosts = {};
  std::vector<std::string> trusted_proxies = {};  ///< addresses or networks in CIDR form
  std::string proxy_header = "X-Forwarded-For";   ///< the one field of theirs that is believed
  std::string public_url = {};                    ///< needed for any bind but loopback
  Tls tls = {};
  HttpLimits limits = {};
};

struct Store {
  std::string url = "sqlite:";      ///< `sqlite:` is the data directory, `sqlite:DIR` another one
  std::string durability = "full";  ///< or `normal`
  /// The log lets go of its oldest parts above so many octets, however young; 0 = no bound.
  std::int64_t max_bytes = 0;
};

struct Pixel {
  std::string base_url = "http://localhost:9100";  ///< default: server.public_url when that is set
  std::string user_agent = "family";               ///< what of it an open keeps: or `none`, `full`
  std::string recipients = "id";                   ///< how they are kept: or `hash`, `none`
  std::string accept_v1 = "flag";            ///< tokens of the old layout: or `reject`, `count`
  bool respect_gpc = true;                   ///< Sec-GPC and DNT: count without identity
  std::string expired_links = "follow";      ///< or `gone`
  std::vector<std::string> link_hosts = {};  ///< click links lead to these only; empty = all
  std::string rules = {};                    ///< rule file of open classes; empty = built in
  std::vector<std::string> lists_self = {};  ///< files of networks, as the three below
  std::vector<std::string> lists_prefetch = {};
  std::vector<std::string> lists_proxy = {};
  std::vector<std::string> lists_scanner = {};
  std::int64_t min_human_seconds = 0;  ///< opens sooner after sending are prefetches; 0 = off
  bool iat_is_sent = false;            ///< the token's time is when the mail was sent
  std::chrono::milliseconds max_future = std::chrono::hours(24);  ///< of a token's time
  std::chrono::milliseconds repeat_window = std::chrono::seconds(2);
  std::chrono::milliseconds burst_window = std::chrono::seconds(2);
  std::chrono::milliseconds retention = std::chrono::hours(24) * 400;  ///< 0 = for ever
};

struct Flags {
  std::string datafile = "flags.json";  ///< path (`Config::resolve`) or URL
  std::string sdk_key = {};
  std::string url = "https://cdn.optimizely.com/datafiles/%s.json";  ///< `%s` = an SDK key
  std::chrono::milliseconds interval = std::chrono::minutes(1);      ///< between fetches
  std::optional<bool> any_key = {};  ///< unset: true when no SDK key is configured
  bool sticky = true;                ///< users keep the variation they got
};

/// The API of Optimizely's Agent.
struct Agent {
  bool notifications = true;
  std::optional<bool> overrides = {};          ///< unset: true when every bind is loopback
  std::int64_t max_batch = 500;                ///< operations in one batch
  std::vector<std::string> auth_secrets = {};  ///< names of secrets: base64 keys of HS256
  std::string jwks_url = {};
  std::chrono::milliseconds token_ttl = std::chrono::minutes(30);
};

/// OpenFeature's remote evaluation.
struct Ofrep {
  std::optional<bool> open = {};  ///< key `ofrep.public`; unset: true when every bind is loopback
  bool variables = true;          ///< evaluating all flags lists their variables too
  bool notifications = true;      ///< clients hear of a new datafile
  std::string decision_events = "single";  ///< key `ofrep.decisionEvents`: or `none`, `all`
};

struct Auth {
  std::string mode = "enforced";  ///< or `demo`
  std::string issuer = "edge-platform";
  std::string audience = "edge-platform-api";
  std::chrono::milliseconds access_ttl = std::chrono::minutes(15);
  std::string registration = "closed";  ///< or `open`; demo mode is open in any case
  std::chrono::milliseconds session_idle = std::chrono::hours(24 * 7);   ///< 1 minute to 365 days
  std::chrono::milliseconds session_life = std::chrono::hours(24 * 30);  ///< 1 minute to 365 days
  std::int64_t password_memory_kib = 19456;                              ///< 19456 to 262144
  std::int64_t password_passes = 2;                                      ///< 1 to 10
  std::int64_t client_failures = 100;        ///< wrong logins of a client in 15 minutes
  std::int64_t registrations_per_hour = 10;  ///< of a client, as the next two
  std::int64_t refreshes_per_minute = 60;
  std::int64_t password_changes_per_hour = 5;
  std::vector<std::string> api_keys_scopes = {"pixel:generate", "track:write"};  ///< of API_KEYS
};

struct Privacy {
  std::string ip = "truncate";  ///< or `full`, `none`
  /// Of destinations: `Sec-GPC` and `DNT` of the visitor switch them off
  std::vector<std::string> categories = {"advertising", "targeting", "datasharing", "sale_of_data"};
  std::string require_consent = {};  ///< consent category that storing needs; empty: none
  std::vector<std::string> drop_properties = {};  ///< paths that are not kept
  std::vector<std::string> hash_properties = {};  ///< paths that are kept as a keyed hash
};

struct Events {
  std::chrono::milliseconds retention = std::chrono::hours(24) * 400;  ///< 0 = for ever
};

/// What is taken in.
struct Ingest {
  std::string bots = "flag";  ///< or `drop`, `no-forward`
  std::int64_t max_hops = 5;  ///< events that came through as many daemons are not forwarded
  std::int64_t max_body = 4'096'000;  ///< octets of a request, unpacked; 1 KiB to 64 MiB
  std::int64_t max_events = 0;        ///< in one batch; 0 = no limit
  std::chrono::milliseconds max_future = std::chrono::hours(1);  ///< of an event's time; to 366 d
  /// Within which a message id is known; 0 = never, 1 hour to 7 days.
  std::chrono::milliseconds dedupe = std::chrono::hours(24);
};

/// When a webhook is told that destinations do not keep up; a limit of 0 is not watched.
struct Alerts {
  std::string url = {};     ///< empty = nobody is told
  std::string secret = {};  ///< name of the secret that signs
  std::int64_t backlog = 10'000;
  std::chrono::milliseconds backlog_age = std::chrono::minutes(15);
  std::int64_t dead_percent = 5;
  std::int64_t dead_least = 10;
  std::chrono::milliseconds window = std::chrono::minutes(5);
  std::chrono::milliseconds hold = std::chrono::minutes(1);
  std::chrono::milliseconds repeat = std::chrono::hours(4);  ///< 0 = never
};

struct Outbound {
  bool allow_http = false;
  std::vector<std::string> allow_private = {};  ///< addresses or networks in CIDR form
  std::chrono::milliseconds dead_letters = std::chrono::hours(24) * 14;  ///< kept; 1 minute or more
  std::int64_t parked = 1'000'000;  ///< events that wait for one destination beside the log
};

/// Which names of people belong together (events spec 5).
struct Identity {
  std::string alias = "allow";            ///< or `deny`: alias events link nothing
  std::vector<std::string> blocked = {};  ///< further values that never identify
  std::vector<std::string> limits = {};   ///< `type=number`: identifiers of one type per profile
  std::int64_t max_identifiers = 1'000;   ///< per profile
  std::int64_t max_merges = 100;          ///< per profile
};

struct Profiles {
  std::vector<std::string> segments_off = {};  ///< built-in segments that are not given
  /// How long after they were last seen visitors without a user id are kept; 0 = for ever.
  std::chrono::milliseconds anonymous_retention = std::chrono::hours(24) * 180;
  std::chrono::milliseconds session_gap = std::chrono::minutes(30);  ///< 1 second to 24 hours
  /// How long a read waits for the effect of events answered before it; 100 ms to 1 minute.
  std::chrono::milliseconds read_wait = std::chrono::seconds(5);
  std::int64_t history = 100;  ///< changes of traits kept per profile; 0 to 1,000
};

struct Track {
  std::optional<bool> open = {};  ///< key `track.public`; unset: true when every bind is loopback
  std::vector<std::string> redirects = {};  ///< origins that forms may lead to, besides ours
};

/// The key-value store. Ids are 32 lower-case hexadecimal digits.
struct Kv {
  std::string cache_id = "00000000000000000000000000000001";     ///< of the namespace `cache`
  std::string sessions_id = "00000000000000000000000000000002";  ///< of the namespace `sessions`
};

struct Rooms {
  /// Names or `prefix*` of rooms whose events are kept in memory only.
  std::vector<std::string> memory = {};
};

/// One element of a list of tables whose members its subject defines: `[[destinations]]`.
struct Item {
  std::string json = "{}";  ///< the whole table as a JSON object text
  std::string where = {};   ///< `edge.toml:12`, for messages
};

/// Immutable once loaded.
struct Config {
  Server server = {};
  Store store = {};
  Pixel pixel = {};
  Flags flags = {};
  Agent agent = {};
  Ofrep ofrep = {};
  Auth auth = {};
  Privacy privacy = {};
  Ingest ingest = {};
  Alerts alerts = {};
  Events events = {};
  Outbound outbound = {};
  Track track = {};
  Identity identity = {};
  Profiles profiles = {};
  Kv kv = {};
  Rooms rooms = {};

  std::vector<Item> listeners = {};      ///< `[[server.listeners]]`, see listeners.h
  std::vector<Item> cors = {};           ///< identity spec 4.3
  std::vector<Item> limits = {};         ///< platform spec 7
  std::vector<Item> destinations = {};   ///< events spec 7.1
  std::vector<Item> sources = {};        ///< events spec 2.2
  std::vector<Item> segments = {};       ///< events spec 6
  std::vector<Item> webhooks = {};       ///< events spec 9
  std::vector<Item> queues = {};         ///< platform spec 3
  std::vector<Item> projects = {};       ///< `[[flags.projects]]`: further SDK keys
  std::vector<Item> flag_webhooks = {};  ///< `[[flags.webhooks]]`
  std::vector<Item> agent_clients = {};  ///< `[[agent.clients]]`: who may ask for tokens
  std::vector<Item> issuers = {};        ///< `auth.issuers`, identity spec 2.6

  std::filesystem::path file = {};       ///< the file read; empty when there was none
  std::filesystem::path data_dir = {};   ///< absolute
  std::filesystem::path cache_dir = {};  ///< absolute; empty: nothing is kept
  std::string overlay = {};              ///< name of `[env.NAME]`, or empty
  bool is_protected = false;             ///< the overlay says `protected = true`

  /// A path that a setting names: relative ones are below the directory of the file.
  [[nodiscard]] std::filesystem::path resolve(const std::string& path) const;
};

}  // namespace edge::config
