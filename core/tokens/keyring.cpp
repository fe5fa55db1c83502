// SPDX-License-Identifier: MIT
#include "core/tokens/keyring.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/config/private_file.h"
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
  if (!key->id || !key->algorithm || !key->key.is_private() ||
      key->key.kind() == crypto::KeyKind::Secret) {
    return Failure(invalid("a key of the ring is no private key with kid and alg"));
  }
  return RingKey{.key = std::move(*key),
                 .state = *named,
                 .created = *created,
                 .until = read_time(entry, "until")};
}

}  // namespace

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
    ring.keys_.push_back(std::move(*key));
  }
  return ring;
}

Result<void> KeyRing::add(TokenKey key, Time now) {
  if (!key.algorithm || !key.key.is_private() || key.key.kind() == crypto::KeyKind::Secret) {
    return Failure(invalid("a ring takes private keys with an algorithm, no secrets"));
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

Result<KeyRing> load_key_ring(const std::filesystem::path& path) {
  const auto content = config::read_private_file(path);
  if (!content) {
    return Failure(content.error());
  }
  auto ring = KeyRing::parse(content->view());
  if (!ring) {
    ring.error().message = "\"" + path.string() + "\": " + ring.error().message;
  }
  return ring;
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
