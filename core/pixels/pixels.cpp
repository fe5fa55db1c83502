// SPDX-License-Identifier: MIT
#include "core/pixels/pixels.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "core/pixels/ring_file.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxWaiting = 16'384;

Error no_such_token(std::string_view reason) {
  return {ErrorCode::NotFound, "no such link", {}, std::string(reason)};
}

/// The host of an http or https address, in lower case.
std::string host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("//") + 2);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (!rest.ends_with(']')) {
    rest = rest.substr(0, rest.rfind(':'));
  }
  std::string host(rest);
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return host;
}

}  // namespace

Pixels::Pixels(Settings settings,
               const config::Secrets& secrets,
               storage::Store& store,
               events::Ingest& ingest,
               const Clock& clock,
               Ids& ids,
               Random& random,
               metrics::Registry& registry)
    : opt_outs(store, clock),
      counts(store),
      settings_(std::move(settings)),
      secrets_(secrets),
      ingest_(ingest),
      clock_(clock),
      random_(random),
      ring_(std::make_shared<const KeyRing>()),
      judgement_(std::make_shared<const Judgement>(Judgement{OpenRules::defaults(), {}})),
      queue_(kMaxWaiting),
      collector_(settings_.collector, store, ingest, opt_outs, clock, ids, registry) {}

Pixels::~Pixels() {
  queue_.close();
  while (auto item = queue_.try_pop()) {
    if (auto* done = std::get_if<Done>(&*item)) {
      (*done)(Failure({.code = ErrorCode::Unavailable,
                       .message = "stopping",
                       .retry_after = std::chrono::seconds{1}}));
    }
  }
}

Result<void> Pixels::load() {
  if (auto loaded = load_ring(); !loaded) {
    return loaded;
  }
  return load_judgement();
}

std::vector<Error> Pixels::reload() {
  std::vector<Error> problems;
  if (auto loaded = load_ring(); !loaded) {
    problems.push_back(loaded.error());
  }
  if (auto loaded = load_judgement(); !loaded) {
    problems.push_back(loaded.error());
  }
  return problems;
}

Result<void> Pixels::load_ring() {
  auto ring = configured_ring(secrets_, settings_.data_dir);
  if (!ring && ring.error().reason == "key_missing") {
    if (!ring_.get()->empty()) {
      return Failure(ring.error());  // a ring that has gone is no reason to forget it
    }
    KeyRing made;
    if (settings_.make_missing_ring) {
      if (auto added = made.add(random_); !added) {
        return Failure(added.error());
      }
      if (auto saved = save_ring(ring_path(settings_.data_dir), made); !saved) {
        return saved;
      }
    }
    ring = std::move(made);
  }
  if (!ring) {
    return Failure(ring.error());
  }
  ring_.publish(std::make_shared<const KeyRing>(std::move(*ring)));
  return {};
}

Result<void> Pixels::load_judgement() {
  OpenRules rules = OpenRules::defaults();
  if (!settings_.rules.empty()) {
    std::ifstream stream(settings_.rules, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) {
      return Failure({ErrorCode::InvalidArgument,
                      "cannot read the rules " + settings_.rules.string(),
                      "pixel.rules"});
    }
    auto parsed = OpenRules::parse(text);
    if (!parsed) {
      return Failure(parsed.error());
    }
    rules = std::move(*parsed);
  }
  auto lists = AddressLists::load(settings_.lists);
  if (!lists) {
    return Failure(lists.error());
  }
  judgement_.publish(
      std::make_shared<const Judgement>(Judgement{std::move(rules), std::move(*lists)}));
  return {};
}

Result<Generated> Pixels::generate(json::Value record) const {
  const auto ring = ring_.get();
  if (ring->empty()) {
    return Failure({ErrorCode::Unavailable,
                    "there is no pixel key ring; make one with: edgectl key generate --kind pixel",
                    {},
                    "key_missing"});
  }
  auto claims =
      claims_of(record, TokenKind::Open, static_cast<std::uint32_t>(to_ms(clock_.now()) / 1000));
  if (!claims) {
    return Failure(claims.error());
  }
  if (claims->kind != TokenKind::Open) {
    return Failure({ErrorCode::InvalidArgument, "kind must be open", "kind", "invalid_kind"});
  }
  auto token = seal(*claims, *ring);
  if (!token) {
    return Failure(token.error());
  }
  std::string url = pixel_url(settings_.base_url, *token);
  return Generated{.claims = std::move(*claims),
                   .token = std::move(*token),
                   .url = std::move(url),
                   .key_number = ring->active()};
}

void Pixels::visit(Visit visit) {
  if (!queue_.try_push(std::move(visit))) {
    collector_.count_dropped();
  }
}

Reading Pixels::read(std::string_view token) const {
  return open_token(
      token,
      *ring_.get(),
      {.now_s = to_ms(clock_.now()) / 1000, .max_future_s = settings_.collector.max_future_s});
}

Result<std::string> Pixels::target_of(std::string_view token) const {
  Reading reading = read(token);
  const bool expired = reading.status == Status::Expired;
  if ((reading.status != Status::Ok && !expired) || reading.claims.kind != TokenKind::Click) {
    return Failure(no_such_token("not_found"));
  }
  if (expired && !settings_.follow_expired) {
    return Failure(no_such_token("expired"));
  }
  const auto& hosts = settings_.link_hosts;
  if (!hosts.empty() && std::ranges::find(hosts, host_of(reading.claims.url)) == hosts.end()) {
    return Failure(no_such_token("host_not_allowed"));
  }
  return std::move(reading.claims.url);
}

Result<Claims> Pixels::unsubscribe_claims(std::string_view token) const {
  Reading reading = read(token);
  const bool good = reading.status == Status::Ok || reading.status == Status::Expired;
  if (!good || reading.claims.kind != TokenKind::Unsubscribe) {
    return Failure(no_such_token("not_found"));
  }
  return std::move(reading.claims);
}

Result<void> Pixels::unsubscribe(const std::string& token) {
  const auto claims = unsubscribe_claims(token);
  if (!claims) {
    return Failure(claims.error());
  }
  if (auto added = opt_outs.add(claims->recipient_id, claims->list_id, "unsubscribe"); !added) {
    return Failure(added.error());
  }
  const auto ring = ring_.get();
  const KeyRing::Key* key = ring->oldest();
  const std::string recipient =
      key == nullptr ? std::string()
                     : kept_recipient(claims->recipient_id, settings_.collector.privacy, key->mac);
  const auto stored =
      ingest_.accept_now(unsubscribed_event(*claims, recipient, token, clock_.now()),
                         {.source = kSource, .ip = settings_.collector.privacy.ip});
  return stored ? Result<void>{} : Failure(stored.error());
}

void Pixels::turn(const std::stop_token& stop, std::chrono::milliseconds patience) {
  std::vector<Visit> visits;
  std::vector<Done> waiters;
  auto item = patience.count() == 0 ? queue_.try_pop() : queue_.pop_for(stop, patience);
  while (item) {
    if (auto* visit = std::get_if<Visit>(&*item)) {
      visits.push_back(std::move(*visit));
    } else {
      waiters.push_back(std::get<Done>(std::move(*item)));
    }
    item = visits.size() < Collector::kMaxVisits ? queue_.try_pop() : std::nullopt;
  }
  if (!visits.empty()) {
    const auto ring = ring_.get();
    const auto judgement = judgement_.get();
    collector_.take(visits, {*ring, judgement->rules, judgement->lists});
  }
  collector_.settle(!waiters.empty());
  const auto flushed = waiters.empty() ? collector_.flush_if_due() : collector_.flush();
  for (const Done& done : waiters) {
    done(flushed);
  }
}

void Pixels::run(const std::stop_token& stop) {
  // What cannot be counted now is counted by the first turn that can read the log.
  static_cast<void>(collector_.start(stop));
  while (!stop.stop_requested()) {
    turn(stop, collector_.idle_time());
  }
  // Best effort: what is not written is counted again from the log at the next start.
  static_cast<void>(drain());
}

Result<void> Pixels::drain() {
  while (queue_.size() > 0) {
    turn({}, std::chrono::milliseconds{0});
  }
  collector_.finish();
  return collector_.flush();
}

void Pixels::when_counted(Done done) {
  Item item(std::move(done));
  if (!queue_.try_push(std::move(item))) {
    std::get<Done>(item)(Failure({.code = ErrorCode::Unavailable,
                                  .message = "opens are still being stored",
                                  .retry_after = std::chrono::seconds{1}}));
  }
}

}  // namespace edge::pixels
