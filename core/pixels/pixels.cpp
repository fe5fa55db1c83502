// SPDX-License-Identifier: MIT
#include "core/pixels/pixels.h"

#include <utility>

#include "core/pixels/ring_file.h"

namespace edge::pixels {
namespace {

/// Whether a reading counts as an open.
bool counts(const Reading& reading, Pixels::LegacyTokens legacy) {
  return reading.status == Status::Ok ||
         (reading.status == Status::LegacyV1 && legacy != Pixels::LegacyTokens::Reject);
}

}  // namespace

Pixels::Pixels(Settings settings,
               const config::Secrets& secrets,
               events::Ingest& ingest,
               const Clock& clock,
               Ids& ids,
               Random& random)
    : settings_(std::move(settings)),
      secrets_(secrets),
      ingest_(ingest),
      clock_(clock),
      ids_(ids),
      random_(random),
      ring_(std::make_shared<const KeyRing>()) {}

Result<void> Pixels::load() {
  auto ring = configured_ring(secrets_, settings_.data_dir);
  if (!ring && ring.error().reason == "key_missing") {
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

void Pixels::open(const Open& open, const Done& done) {
  const auto ring = ring_.get();
  const Reading reading = open_token(open.token, *ring, {.now_s = to_ms(open.received_at) / 1000});
  if (!counts(reading, settings_.legacy)) {
    return done(Fate::Rejected);
  }
  Open seen = open;
  seen.opted_out = settings_.privacy.respect_gpc && open.opted_out;
  // Hashed recipients are keyed with the active key: who reads the log cannot try addresses out.
  const KeyRing::Key* key = ring->find(ring->active());
  const crypto::HmacSha256 no_key{std::string_view{}};
  const std::string event = open_event(
      seen, reading, settings_.privacy, key == nullptr ? no_key : key->mac, EventId{ids_.uuid()});
  ingest_.accept(event,
                 {.source = "pixel", .received_at = open.received_at},
                 [done](Result<std::vector<events::Outcome>> outcomes) {
                   const bool stored =
                       outcomes && outcomes->front().status != events::Outcome::Status::Refused;
                   done(stored ? Fate::Taken : Fate::Dropped);
                 });
}

}  // namespace edge::pixels
