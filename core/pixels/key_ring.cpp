// SPDX-License-Identifier: MIT
#include "core/pixels/key_ring.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMasterBytes = 32;
constexpr unsigned kMaxNumber = 255;

tl::unexpected<Error> broken(std::string message, std::string_view reason = "key_invalid") {
  return Failure({ErrorCode::InvalidArgument,
                  "pixel key ring: " + std::move(message),
                  "keys",
                  std::string(reason)});
}

}  // namespace

std::optional<unsigned> key_number(std::string_view text) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc{} && end == text.data() + text.size() &&
                     number <= kMaxNumber && (text.size() == 1 || text.front() != '0');
  return whole ? std::optional(number) : std::nullopt;
}

void KeyRing::put(unsigned number, std::string master) {
  crypto::HmacSha256 mac(crypto::hkdf_sha256(master, "edge-pixel/2 mac"));
  std::string encryption = crypto::hkdf_sha256(master, "edge-pixel/2 enc");
  keys_.insert_or_assign(number, Key{std::move(master), std::move(mac), std::move(encryption)});
}

Result<KeyRing> KeyRing::parse(std::string_view text) {
  const auto document = json::Document::parse(text, json::kStrict);
  if (!document) {
    return broken(document.error().message);
  }
  const auto keys = document->root().find("keys");
  if (!keys || !keys->is_object() || keys->size() == 0) {
    return broken("\"keys\" must be an object with at least one key");
  }
  KeyRing ring;
  for (const auto& [name, value] : keys->members()) {
    const auto number = key_number(name);
    const auto encoded = value.as_string();
    auto master = encoded ? encoding::base64url_decode(*encoded) : std::nullopt;
    if (!number || !master || master->size() > kMasterBytes) {
      return broken(
          fmt::format("key \"{}\" must be a number 0..255 with 32 octets of base64url", name));
    }
    if (master->size() < kMasterBytes) {
      return broken(fmt::format("key {} is shorter than 32 octets", *number), "key_too_small");
    }
    ring.put(*number, std::move(*master));
  }
  if (const auto retired = document->root().find("retired")) {
    for (const auto& [name, value] : retired->members()) {
      if (const auto number = key_number(name)) {
        ring.retired_.emplace(*number, value.as_string().value_or(""));
      }
    }
  }
  const auto active = document->root().find("active");
  ring.active_ = active ? static_cast<unsigned>(active->as_uint64().value_or(kMaxNumber + 1))
                        : ring.keys_.rbegin()->first;
  if (ring.find(ring.active_) == nullptr) {
    return broken("\"active\" names no key of the ring");
  }
  return ring;
}

std::string KeyRing::text() const {
  json::Writer out(json::Writer::Layout::Pretty);
  out.begin_object().member("active", std::uint64_t{active_}).key("keys").begin_object();
  for (const auto& [number, key] : keys_) {
    out.member(std::to_string(number), encoding::base64url_encode(key.master));
  }
  out.end_object().key("retired").begin_object();
  for (const auto& [number, date] : retired_) {
    out.member(std::to_string(number), date);
  }
  out.end_object().end_object();
  return out.take() + "\n";
}

const KeyRing::Key* KeyRing::find(unsigned number) const {
  const auto found = keys_.find(number);
  return found == keys_.end() ? nullptr : &found->second;
}

const KeyRing::Key* KeyRing::oldest() const {
  if (keys_.empty()) {
    return nullptr;
  }
  const auto first = keys_.upper_bound(0);
  return first == keys_.end() ? &keys_.begin()->second : &first->second;
}

std::vector<unsigned> KeyRing::numbers() const {
  std::vector<unsigned> numbers;
  for (const auto& [number, key] : keys_) {
    numbers.push_back(number);
  }
  return numbers;
}

Result<unsigned> KeyRing::add(Random& random) {
  for (unsigned i = 1; i <= kMaxNumber + 1; ++i) {
    const unsigned number = i % (kMaxNumber + 1);
    if (keys_.contains(number) || retired_.contains(number)) {
      continue;
    }
    std::string master(kMasterBytes, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(master.data()), master.size()});
    put(number, std::move(master));
    active_ = number;
    return number;
  }
  return Failure({ErrorCode::Conflict, "pixel key ring: all 256 key numbers are taken", "keys"});
}

Result<void> KeyRing::retire(unsigned number, Time now) {
  if (!keys_.contains(number)) {
    return Failure({ErrorCode::NotFound, fmt::format("pixel key ring: no key {}", number), "keys"});
  }
  if (number == active_) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("pixel key ring: key {} is active; add another first", number)});
  }
  keys_.erase(number);
  retired_.emplace(number,
                   fmt::format("{:%F}", std::chrono::time_point_cast<std::chrono::seconds>(now)));
  return {};
}

}  // namespace edge::pixels
