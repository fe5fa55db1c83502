// SPDX-License-Identifier: MIT
#include "core/tokens/keyring.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::tokens {
namespace {

constexpr std::array<const char*, 3> kStates = {"next", "active", "verify"};

Error invalid(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, "key_invalid"};
}

std::optional<KeyState> state_named(std::string_view name) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (name == kStates.at(i)) {
      return static_cast<KeyState>(i);
    }
  }
  return std::nullopt;
}

std::optional<Time> read_time(json::Value entry, const char* name) {
  const auto value = entry.find(name);
  const auto ms = value ? value->as_int64() : std::nullopt;
  return ms ? std::optional(from_ms(*ms)) : std::nullopt;
}

Result<RingKey> read_entry(json::Value entry) {
  const auto jwk = entry.find("jwk");
  const auto state = entry.find("state");
  const auto named = state ? state_named(state->as_string().value_or("")) : std::nullopt;
  const auto created = read_time(entry, "created");
  if (!jwk || !named || !created) {
    return Failure(invalid("a key of the ring has no proper jwk, state or created"));
  }
  auto key = read_jwk(*jwk, Purpose::Sign);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  if (!key->id || !key->algorithm || !key->key.is_private()) {
    return Failure(invalid("a key of the ring is no private key with kid and alg"));
  }
  return RingKey{.key = std::move(*key),
                 .state = *named,
                 .created = *created,
                 .until = read_time(entry, "until")};
}

bool is_secret(const TokenKey& key) {
  return key.key.kind() == crypto::KeyKind::Secret;
}

Error mixed() {
  return {ErrorCode::InvalidArgument,
          "a ring holds secrets or key pairs, not both",
          {},
          "keyset_mixed"};
}

/// A fresh key that could stand in for `model`.
Result<TokenKey> another(const TokenKey& model) {
  const crypto::KeyKind kind = model.key.kind();
  const unsigned bits =
      kind == crypto::KeyKind::Rsa ? static_cast<unsigned>(model.key.numbers().n.size() * 8) : 2048;
  return generate_key(kind, *model.algorithm, bits);
}

}  // namespace

Result<TokenKey> generate_key(crypto::KeyKind kind, crypto::Algorithm algorithm, unsigned bits) {
  while (true) {
    auto key = crypto::Key::generate(kind, bits, crypto::shortest_secret(algorithm));
    if (!key) {
      return Failure(std::move(key.error()));
    }
    if (std::string id = thumbprint(*key); !id.starts_with('-')) {
      return TokenKey{.key = std::move(*key), .id = std::move(id), .algorithm = algorithm};
    }
  }
}

const char* name_of(KeyState state) {
  return kStates.at(static_cast<std::size_t>(state));
}

Result<KeyRing> KeyRing::parse(std::string_view text) {
  const auto document = json::Document::parse(text, json::kStrict);
  const auto keys = document ? document->root().find("keys") : std::nullopt;
  if (!keys || !keys->is_array()) {
    return Failure(invalid("the key ring is no JSON object with a list \"keys\""));
  }
  KeyRing ring;
  for (const json::Value entry : keys->elements()) {
    auto key = read_entry(entry);
    if (!key) {
      return Failure(std::move(key.error()));
    }
    const bool taken = std::any_of(ring.keys_.begin(), ring.keys_.end(), [&](const RingKey& other) {
      return other.key.id == key->key.id;
    });
    if (taken || (key->state == KeyState::Active && ring.active() != nullptr)) {
      return Failure(invalid("the key ring has a kid twice or two active keys"));
    }
    if (!ring.keys_.empty() && is_secret(ring.keys_.front().key) != is_secret(key->key)) {
      return Failure(mixed());
    }
    ring.keys_.push_back(std::move(*key));
  }
  return ring;
}

Result<void> KeyRing::add(TokenKey key, Time now) {
  if (!key.algorithm || !key.key.is_private()) {
    return Failure(invalid("a ring takes private keys with an algorithm"));
  }
  if (!keys_.empty() && is_secret(keys_.front().key) != is_secret(key)) {
    return Failure(mixed());
  }
  if (!key.id) {
    key.id = thumbprint(key.key);
  }
  for (const RingKey& other : keys_) {
    if (other.key.id == key.id) {
      return Failure(
          {ErrorCode::Conflict, "the ring has a key \"" + *key.id + "\" already", "kid"});
    }
  }
  const KeyState state = active() == nullptr ? KeyState::Active : KeyState::Next;
  keys_.push_back({.key = std::move(key), .state = state, .created = now});
  return {};
}

RingKey* KeyRing::oldest_next() {
  RingKey* oldest = nullptr;
  for (RingKey& key : keys_) {
    if (key.state == KeyState::Next && (oldest == nullptr || key.created < oldest->created)) {
      oldest = &key;
    }
  }
  return oldest;
}

Result<Rotation> KeyRing::rotate(Time now) {
  const auto active_key = std::find_if(
      keys_.begin(), keys_.end(), [](const RingKey& key) { return key.state == KeyState::Active; });
  if (active_key == keys_.end()) {
    return Failure({ErrorCode::InvalidArgument, "the ring has no active key", {}, "key_missing"});
  }
  Rotation done{.active = *active_key->key.id};
  auto fresh = another(active_key->key);
  if (!fresh) {
    return Failure(std::move(fresh.error()));
  }
  if (RingKey* next = oldest_next()) {
    const auto left = next->created + kKeySetCached - now;
    if (left.count() > 0) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
      return Failure({ErrorCode::Conflict,
                      "the next key was published a moment ago; rotate again in " +
                          std::to_string(seconds.count()) +
                          " s, when nobody has the old key set any more",
                      {},
                      "key_not_ripe",
                      seconds});
    }
    done.retiring = done.active;
    done.active = *next->key.id;
    active_key->state = KeyState::Verify;
    active_key->until = now + kVerifiedFor;
    next->state = KeyState::Active;
  }
  std::erase_if(keys_, [&](const RingKey& key) { return key.until && *key.until <= now; });
  if (auto added = add(std::move(*fresh), now); !added) {
    return Failure(std::move(added.error()));
  }
  done.next = *keys_.back().key.id;
  return done;
}

Result<Rotation> KeyRing::retire(const std::string& id, Time now) {
  const auto found = std::find_if(
      keys_.begin(), keys_.end(), [&](const RingKey& key) { return key.key.id == id; });
  if (found == keys_.end()) {
    return Failure(
        {ErrorCode::NotFound, "the ring has no key \"" + id + "\"", {}, "key_not_found"});
  }
  if (found->state == KeyState::Active) {
    RingKey* next = oldest_next();
    if (next == nullptr) {
      return Failure({ErrorCode::Conflict,
                      "the active key is the only one that can sign; rotate first",
                      {},
                      "key_needed"});
    }
    next->state = KeyState::Active;
  }
  keys_.erase(found);
  std::erase_if(keys_, [&](const RingKey& key) { return key.until && *key.until <= now; });
  Rotation done{.retiring = id};
  if (const RingKey* signer = active()) {
    done.active = *signer->key.id;
  }
  if (const RingKey* next = oldest_next()) {
    done.next = *next->key.id;
  }
  return done;
}

std::optional<Time> KeyRing::next_end(Time now) const {
  std::optional<Time> first;
  for (const RingKey& key : keys_) {
    if (key.until && *key.until > now && (!first || *key.until < *first)) {
      first = key.until;
    }
  }
  return first;
}

const RingKey* KeyRing::active() const {
  const auto found = std::find_if(
      keys_.begin(), keys_.end(), [](const RingKey& key) { return key.state == KeyState::Active; });
  return found == keys_.end() ? nullptr : &*found;
}

KeySet KeyRing::verification(Time now) const {
  KeySet set{.is_set = true};
  for (const RingKey& key : keys_) {
    if (key.state != KeyState::Verify || !key.until || *key.until > now) {
      set.keys.push_back(key.key);
    }
  }
  return set;
}

std::string KeyRing::write() const {
  json::Writer out(json::Writer::Layout::Pretty);
  out.begin_object().key("keys").begin_array();
  for (const RingKey& key : keys_) {
    const auto jwk = json::Document::parse(write_jwk(key.key, true), json::kStrict);
    out.begin_object().member("state", name_of(key.state)).member("created", to_ms(key.created));
    if (key.until) {
      out.member("until", to_ms(*key.until));
    }
    out.key("jwk").value(jwk->root()).end_object();
  }
  out.end_array().end_object();
  return out.take() + "\n";
}

Result<KeyRing> load_key_ring(const std::filesystem::path& path,
                              const config::PrivateFileRules& rules) {
  const auto content = config::read_private_file(path, rules);
  if (!content) {
    return Failure(content.error());
  }
  auto ring = KeyRing::parse(content->view());
  if (!ring) {
    ring.error().message = "\"" + path.string() + "\": " + ring.error().message;
  }
  return ring;
}

Result<void> save_key_ring(const std::filesystem::path& path, const KeyRing& ring) {
  std::string text = ring.write();
  auto written = config::write_private_file(path, text);
  crypto::wipe(text);
  return written;
}

std::string public_jwks(const KeySet& keys) {
  json::Writer out;
  out.begin_object().key("keys").begin_array();
  for (const TokenKey& key : keys.keys) {
    if (key.key.kind() != crypto::KeyKind::Secret) {
      out.raw(write_jwk(key, false));
    }
  }
  return out.end_array().end_object().take();
}

Result<SigningKeys> SigningKeys::of_secret(std::string_view secret) {
  crypto::KeyNumbers numbers;
  numbers.k = std::string(secret);
  auto key = crypto::Key::make(numbers);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  if (auto sized = key->check_size(crypto::Algorithm::HS256); !sized) {
    return Failure(std::move(sized.error()));
  }
  const TokenKey signer{.key = std::move(*key), .algorithm = crypto::Algorithm::HS256};
  return SigningKeys{
      .signer = signer, .algorithm = crypto::Algorithm::HS256, .verifiers = {.keys = {signer}}};
}

Result<SigningKeys> SigningKeys::of_ring(const KeyRing& ring, Time now) {
  const RingKey* active = ring.active();
  if (active == nullptr) {
    return Failure({ErrorCode::InvalidArgument,
                    "the key ring has no active key; make one with: edgectl key generate --kind "
                    "ed25519 --ring FILE",
                    {},
                    "key_missing"});
  }
  return SigningKeys{.signer = active->key,
                     .algorithm = *active->key.algorithm,
                     .verifiers = ring.verification(now)};
}

}  // namespace edge::tokens
