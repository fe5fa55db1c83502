// SPDX-License-Identifier: MIT
#include "core/edge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/accounts/login_settings.h"
#include "core/config/listeners.h"
#include "core/delivery/alerts.h"
#include "core/destinations/definition.h"
#include "core/destinations/webhook_endpoint.h"
#include "core/json/document.h"
#include "core/optimizely_destination.h"
#include "core/pixels/settings.h"
#include "core/profiles/segments.h"
#include "core/profiles/segments/definition_files.h"
#include "core/profiles/segments/filter.h"
#include "core/queues/configured.h"
#include "core/queues/queues.h"
#include "core/queues/waiting_pulls.h"
#include "core/segment_rooms.h"
#include "core/storage/open.h"
#include "core/transport/open.h"

namespace edge {
namespace {

/// How long the store may keep an event waiting whose person is looked up for.
constexpr std::chrono::milliseconds kSessionPatience{50};
constexpr std::size_t kSessionBytes = std::size_t{12} << 20U;  // of some 30,000 people

Result<transport::GuardRules> guard_rules(const config::Config& config) {
  transport::GuardRules rules{.allow_http = config.outbound.allow_http};
  for (const std::string& text : config.outbound.allow_private) {
    const auto network = transport::parse_network(text);
    if (!network) {
      return Failure(
          {ErrorCode::InvalidArgument,
           "outbound.allow_private: \"" + text + "\" is no address or network in CIDR form",
           "outbound.allow_private"});
    }
    rules.allow_private.push_back(*network);
  }
  if (config.auth.mode == "demo") {
    rules.add_loopback();
  }
  return rules;
}

std::string store_url(const config::Config& config) {
  return config.store.url == "sqlite:" ? "sqlite:" + config.data_dir.string() : config.store.url;
}

/// Adds the elements of a secret that holds a JSON list, as the original kept its destinations.
template <typename Read>
Result<void> add_listed(std::vector<destinations::Definition>& all,
                        const config::Secrets& secrets,
                        std::string_view name,
                        const Read& read) {
  const auto found = secrets.find(name);
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return {};
  }
  const auto document = json::Document::parse((*found)->value.view(), json::kApi);
  if (!document || !document->root().is_array()) {
    return Failure({ErrorCode::InvalidArgument,
                    std::string(name) + " must be a JSON list of objects",
                    std::string(name)});
  }
  std::size_t number = 0;
  for (const json::Value element : document->root().elements()) {
    ++number;
    auto definition = read(element);
    if (!definition) {
      Error error = definition.error();
      error.message = fmt::format("{}, element {}: {}", name, number, error.message);
      return Failure(std::move(error));
    }
    all.push_back(std::move(*definition));
  }
  return {};
}

Result<std::vector<destinations::Definition>> configured_destinations(
    const config::Config& config,
    const config::Secrets& secrets,
    const destinations::Catalogue& catalogue) {
  std::vector<destinations::Definition> all;
  for (const config::Item& item : config.destinations) {
    const auto document = json::Document::parse(item.json, json::kApi);
    auto definition = destinations::read_definition(document->root(), catalogue);
    if (!definition) {
      Error error = definition.error();
      error.message = item.where + ": " + error.message;
      return Failure(std::move(error));
    }
    all.push_back(std::move(*definition));
  }
  const auto endpoint = [&](json::Value json) {
    return destinations::read_definition(json, catalogue);
  };
  const auto webhook = [&](json::Value json) {
    return destinations::read_webhook_endpoint(json, catalogue);
  };
  if (auto done = add_listed(all, secrets, "CDP_ENDPOINTS", endpoint); !done) {
    return Failure(done.error());
  }
  if (auto done = add_listed(all, secrets, "WEBHOOK_ENDPOINTS", webhook); !done) {
    return Failure(done.error());
  }
  return all;
}

/// Filters of destinations are expressions over the event, from its root.
Result<destinations::EventFilter> event_filter(const std::string& expression) {
  auto made = profiles::ObjectFilter::parse(expression);
  if (!made) {
    return Failure(made.error());
  }
  const auto filter = std::make_shared<const profiles::ObjectFilter>(std::move(*made));
  return [filter](const events::Event& event) {
    return filter->takes(event.root(), event.received_at());
  };
}

/// Counts who enters and leaves segments.
std::function<void(const profiles::Transition&)> counting_transitions(metrics::Registry& registry) {
  auto& counter = registry.counter("edge_segment_transitions_total",
                                   "Profiles that entered (enter) or left (exit) a segment",
                                   {"segment", "change"});
  return [&counter](const profiles::Transition& transition) {
    counter.with({transition.segment, transition.entered ? "enter" : "exit"}).add();
  };
}

/// `start` refuses settings that are wrong.
profiles::Rules fold_rules(const config::Config& config) {
  return profiles::rules_of(config.identity, config.profiles).value_or(profiles::Rules{});
}

destinations::RouteRules route_rules(const config::Config& config) {
  return {.privacy_categories = config.privacy.categories,
          .forward_bots = config.ingest.bots != "no-forward",
          .max_hops = static_cast<std::uint32_t>(std::max<std::int64_t>(config.ingest.max_hops, 0)),
          .ip = events::ip_mode_of(config.privacy.ip).value_or(events::IpMode::Truncate)};
}

/// Appends who entered and left segments to the log. The ids make repetitions harmless.
Result<void> append_news(events::Ingest& ingest, const std::vector<std::string>& raw) {
  const auto list = json::Document::parse(fmt::format("[{}]", fmt::join(raw, ",")), json::kEvent);
  std::vector<json::Value> events;
  for (const json::Value event : list->root().elements()) {
    events.push_back(event);
  }
  const auto outcomes = ingest.accept_now(
      events, {}, {.source = profiles::kSegmentSource, .hops = 1, .is_own = true});
  return outcomes ? Result<void>{} : Failure(outcomes.error());
}

/// Values of secrets for destinations; a secret that cannot be read counts as absent and the
/// destination says so.
destinations::SecretFinder finder(const config::Secrets& secrets) {
  return [&secrets](const std::string& name) -> std::optional<std::string> {
    const auto found = secrets.find(name);
    return found && *found ? std::optional(std::string((*found)->value.view())) : std::nullopt;
  };
}

/// Numbers of the configuration that nobody else looks at before they are used.
Result<void> check_bounds(const config::Config& config) {
  using namespace std::chrono_literals;
  const config::Ingest& ingest = config.ingest;
  const std::chrono::milliseconds wait = config.profiles.read_wait;
  struct Bound {
    bool is_good;
    const char* key;
    const char* range;
  };
  const std::array bounds{
      Bound{ingest.max_body >= 1'024 && ingest.max_body <= std::int64_t{64} << 20U,
            "ingest.max_body",
            "from 1024 to 67108864"},
      Bound{ingest.max_events >= 0, "ingest.max_events", "0 or more"},
      Bound{ingest.max_future >= 0s && ingest.max_future <= 24h * 366,
            "ingest.max_future",
            "from 0s to 366d"},
      Bound{ingest.dedupe == 0s || (ingest.dedupe >= 1h && ingest.dedupe <= 24h * 7),
            "ingest.dedupe",
            "0s, or from 1h to 7d"},
      Bound{wait >= 100ms && wait <= 1min, "profiles.read_wait", "from 100ms to 1m"},
      Bound{config.outbound.dead_letters >= 1min, "outbound.dead_letters", "1m or more"},
      Bound{config.outbound.parked >= 1, "outbound.parked", "1 or more"},
      Bound{config.store.max_bytes >= 0, "store.max_bytes", "0 or more"},
  };
  for (const Bound& bound : bounds) {
    if (!bound.is_good) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{} must be {}", bound.key, bound.range),
                      bound.key});
    }
  }
  return {};
}

}  // namespace

Edge::Edge(Parts parts, const Clock& borrowed_clock, Random& borrowed_random)
    : store_(std::move(parts.store)),
      http_(std::move(parts.http)),
      config(std::move(parts.config)),
      secrets(std::move(parts.secrets)),
      read_only(parts.read_only),
      clock(borrowed_clock),
      random(borrowed_random),
      ids(random),
      store(*store_),
      http(*http_),
      destinations(store, catalogue, finder(secrets), route_rules(config), event_filter),
      suppressions(store, clock, random),
      privacy(events::privacy_rules_of(config).value_or(events::PrivacyRules{})),
      open_sessions(
          fold_rules(config),
          clock,
          metrics,
          [this](std::span<const profiles::Identifier> names) {
            return profiles.owners_of(names, kSessionPatience);
          },
          kSessionBytes),
      ingest(store,
             clock,
             ids,
             metrics,
             {.limits = {.max_future = config.ingest.max_future},
              .dedupes = config.ingest.dedupe.count() > 0,
              .router =
                  [this](std::string& body) {
                    const auto routes = destinations.table().get()->route(body);
                    routes.list_in(body);
                    return routes.mask();
                  },
              .screen =
                  [this](const events::Draft& draft) {
                    return suppressions.names(draft) ? events::kSuppressed
                                                     : events::reason_to_drop(draft, privacy);
                  },
              .placing = [this](events::Draft& draft) { return open_sessions.place(draft); },
              .redact = redactor()}),
      pixels(pixels::settings_of(config), secrets, store, ingest, clock, ids, random, metrics),
      segments(store, {config.profiles.segments_off.begin(), config.profiles.segments_off.end()}),
      projector(store,
                segments,
                clock,
                {.rules = fold_rules(config),
                 .patience = config.profiles.read_wait,
                 .announce = [this](const auto& raw) { return append_news(ingest, raw); },
                 .noted = counting_transitions(metrics),
                 .is_watched = [this](const auto& profile) { return is_watched(rooms, profile); },
                 .changed = [this](const auto& news) { tell_rooms(rooms, news); }}),
      profiles(store, segments),
      login(store, clock, random, ids, accounts::login_settings(config.auth)),
      api_keys(store, clock, random, ids),
      flags(clock, &http),
      user_records(store, clock, metrics),
      reports(store, destinations, suppressions, clock, ids, metrics),
      forwarders(store,
                 destinations,
                 http,
                 clock,
                 random,
                 metrics,
                 {.letters_kept = config.outbound.dead_letters,
                  .events_kept = is_demo() ? std::chrono::hours{0} : config.events.retention,
                  .parked = config.outbound.parked,
                  .drain = config.server.limits.drain}),
      limits(store, clock, random),
      kv(store, random, kv::builtin_namespaces(config.kv).value_or(std::vector<kv::Namespace>{})),
      queues_(std::make_unique<queues::Queues>(store, clock, random, metrics)),
      waiting_pulls_(std::make_unique<queues::WaitingPulls>(*queues_, clock)),
      queues(*queues_),
      waiting_pulls(*waiting_pulls_),
      rooms(store, clock, metrics, config.rooms.memory),
      regulations(*this) {}

Edge::~Edge() {
  rooms.stop();
  // What the store has accepted is finished while those are alive that are told of it.
  store_.reset();
}

events::Redact Edge::redactor() const {
  if (!privacy.changes_events()) {
    return {};
  }
  return [this](events::Draft& draft, const events::Internals& internals) {
    return events::redacted(draft, internals, privacy, suppressions.salt());
  };
}

bool Edge::is_loopback() const {
  const auto places = config::listeners(config);
  return places && std::all_of(places->begin(), places->end(), [](const auto& place) {
           if (place.address.starts_with("unix:")) {
             return true;
           }
           const std::string host = place.address.substr(0, place.address.rfind(':'));
           const auto address = events::parse_address(host);
           return host == "localhost" ||
                  (address && (address->is_v6 ? transport::to_text(*address) == "::1"
                                              : address->octets[0] == 127));
         });
}

Result<void> Edge::start() {
  add_optimizely(catalogue);
  if (auto sound = accounts::check_settings(config.auth); !sound) {
    return sound;
  }
  if (auto sound = check_bounds(config); !sound) {
    return sound;
  }
  if (const auto builtin = kv::builtin_namespaces(config.kv); !builtin) {
    return Failure(builtin.error());
  }
  const auto ip = events::ip_mode_of(config.privacy.ip);
  if (!ip) {
    return Failure(
        {ErrorCode::InvalidArgument, "privacy.ip must be full, truncate or none", "privacy.ip"});
  }
  if (const auto rules = events::privacy_rules_of(config); !rules) {
    return Failure(rules.error());
  }
  if (auto loaded = suppressions.load(read_only); !loaded) {
    return loaded;
  }
  if (const auto places = config::listeners(config); !places) {
    return Failure(places.error());
  }
  auto configured_limits = ratelimit::read_limits(config.limits);
  if (!configured_limits) {
    return Failure(configured_limits.error());
  }
  limits.configure(std::move(*configured_limits));
  const auto configured_queues = queues::read_configured(config.queues);
  if (!configured_queues) {
    return Failure(configured_queues.error());
  }
  const auto has_alerts = [](const queues::ConfiguredQueue& queue) {
    return !queue.alerts.empty();
  };
  if (config.alerts.url.empty() && std::ranges::any_of(*configured_queues, has_alerts)) {
    return Failure({ErrorCode::InvalidArgument,
                    "queues have alerts, but alerts.url does not say who is told",
                    "alerts.url"});
  }
  auto configured_sources = events::Sources::read(config.sources, is_loopback(), *ip);
  if (!configured_sources) {
    return Failure(configured_sources.error());
  }
  sources = std::move(*configured_sources);
  if (const auto rules = profiles::rules_of(config.identity, config.profiles); !rules) {
    return Failure(rules.error());
  }
  if (auto known = profiles::check_switched_off(config.profiles.segments_off); !known) {
    return known;
  }
  auto definitions = profiles::configured_definitions(config);
  auto loaded_segments = definitions ? segments.load(std::move(*definitions), read_only)
                                     : Failure(definitions.error());
  if (!loaded_segments) {
    return loaded_segments;
  }
  auto configured_webhooks = webhooks::read_inbound(config.webhooks, finder(secrets));
  if (!configured_webhooks) {
    return Failure(configured_webhooks.error());
  }
  inbound = std::move(*configured_webhooks);
  auto flag_settings = flags::read_settings(config, secrets);
  if (!flag_settings) {
    return Failure(flag_settings.error());
  }
  if (auto opened = flags.open(*std::move(flag_settings)); !opened) {
    return opened;
  }
  if (auto checked = pixels::check_settings(config); !checked) {
    return checked;
  }
  if (auto loaded = pixels.load(); !loaded) {
    return loaded;
  }
  if (const auto alerts = delivery::read_alerts(config.alerts, finder(secrets)); !alerts) {
    return Failure(alerts.error());
  }
  auto configured = configured_destinations(config, secrets, catalogue);
  if (!configured) {
    return Failure(configured.error());
  }
  return destinations.load(std::move(*configured), read_only);
}

Result<std::unique_ptr<Edge>> Edge::build(Parts parts, const Clock& clock, Random& random) {
  std::unique_ptr<Edge> edge(new Edge(std::move(parts), clock, random));
  if (auto started = edge->start(); !started) {
    return Failure(started.error());
  }
  return edge;
}

Result<std::unique_ptr<Edge>> Edge::open(config::Config config,
                                         config::Secrets secrets,
                                         const Options& options,
                                         const Clock& clock,
                                         Random& random) {
  auto rules = guard_rules(config);
  if (!rules) {
    return Failure(rules.error());
  }
  storage::Options storage_options{.read_only = options.read_only};
  storage_options.durability =
      config.store.durability == "normal" ? storage::Durability::Normal : storage::Durability::Full;
  if (config.ingest.dedupe.count() > 0) {
    storage_options.dedupe_window = config.ingest.dedupe;
  }
  auto store = storage::open(store_url(config), storage_options, clock, random);
  if (!store) {
    return Failure(store.error());
  }
  auto http = transport::open_client(std::move(*rules), clock);
  return build({.config = std::move(config),
                .secrets = std::move(secrets),
                .store = std::move(*store),
                .http = std::move(http),
                .read_only = options.read_only},
               clock,
               random);
}

}  // namespace edge
