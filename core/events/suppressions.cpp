// SPDX-License-Identifier: MIT
#include "core/events/suppressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/events/external_ids.h"

namespace edge::events {
namespace {

constexpr const char* kSpace = "suppressed";

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

std::string lower_trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kBlanks);
  std::string name(first == std::string_view::npos
                       ? std::string_view{}
                       : text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

std::string_view email_in(const std::optional<json::Value>& traits) {
  const auto email = traits ? traits->find("email") : std::nullopt;
  return email ? email->as_string().value_or("") : std::string_view{};
}

}  // namespace

Result<void> Suppressions::load(bool read_only) {
  const storage::Key key{kSpace, "salt", "salt"};
  const auto stored = store_.get(key, soon());
  if (!stored) {
    return Failure(stored.error());
  }
  if (*stored) {
    salt_ = (*stored)->value;
  } else if (!read_only) {
    std::array<std::uint8_t, 32> octets{};
    random_.fill(octets);
    salt_ = encoding::hex_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
    storage::Batch batch;
    batch.puts.push_back({key, salt_});
    if (auto done = store_.commit(std::move(batch), soon()); !done) {
      return Failure(done.error());
    }
  }
  Hashes hashes;
  storage::Scan scan{.space = kSpace};
  for (;;) {
    const auto page = store_.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      hashes.insert(item.key);
    }
    if (!page->next) {
      break;
    }
    scan.resume(*page->next);
  }
  hashes_.publish(std::make_shared<const Hashes>(std::move(hashes)));
  return {};
}

Result<void> Suppressions::change(NameKind kind,
                                  const std::vector<std::string>& names,
                                  bool is_suppressed) {
  const std::lock_guard lock(changing_);
  Hashes next = *hashes_.get();
  storage::Batch batch;
  for (const std::string& name : names) {
    const std::string hash = hash_of(kind, name);
    if (is_suppressed) {
      next.insert(hash);
      batch.puts.push_back({{kSpace, "", hash}, fmt::format("{{\"at\":{}}}", to_ms(clock_.now()))});
    } else {
      next.erase(hash);
      batch.dels.push_back({{kSpace, "", hash}});
    }
  }
  if (auto done = store_.commit(std::move(batch), soon()); !done) {
    return Failure(done.error());
  }
  hashes_.publish(std::make_shared<const Hashes>(std::move(next)));
  return {};
}

std::string Suppressions::hash_of(NameKind kind, std::string_view name) const {
  const std::string text = std::string(1, static_cast<char>('0' + static_cast<int>(kind))) +
                           (kind == NameKind::Email ? lower_trimmed(name) : std::string(name));
  return encoding::hex_encode(crypto::hmac(crypto::Hash::Sha256, salt_, text));
}

bool Suppressions::has(NameKind kind, std::string_view name) const {
  const auto hashes = hashes_.get();
  return !hashes->empty() && !name.empty() && hashes->contains(hash_of(kind, name));
}

bool Suppressions::names(const Draft& draft) const {
  return has_any(
      {draft.user_id, draft.anonymous_id, draft.previous_id, draft.traits, draft.context});
}

bool Suppressions::names(const Event& event) const {
  return has_any({event.user_id(),
                  event.anonymous_id(),
                  event.previous_id(),
                  event.traits(),
                  event.context()});
}

bool Suppressions::has_any(const Named& named) const {
  if (hashes_.get()->empty()) {
    return false;
  }
  bool is_named = false;
  each_external_id(named.context, [&](std::string_view type, std::string_view value) {
    is_named = is_named || (type == "email" && has(NameKind::Email, value)) ||
               (type == "anonymous_id" && has(NameKind::AnonymousId, value));
  });
  if (is_named) {
    return true;
  }
  const auto context_traits = named.context ? named.context->find("traits") : std::nullopt;
  return has(NameKind::UserId, named.user_id) || has(NameKind::AnonymousId, named.anonymous_id) ||
         has(NameKind::UserId, named.previous_id) ||
         has(NameKind::AnonymousId, named.previous_id) ||
         has(NameKind::Email, email_in(named.traits)) ||
         has(NameKind::Email, email_in(context_traits));
}

}  // namespace edge::events
