// SPDX-License-Identifier: MIT
#include "core/accounts/api_keys.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/accounts/account.h"
#include "core/accounts/api_key_text.h"
#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/encoding/rfc3339.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/tokens/jws.h"
#include "core/tokens/roles.h"

namespace edge::accounts {
namespace {

using storage::Deadline;
using storage::Key;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kCachedFor = std::chrono::seconds(1);
constexpr auto kUseWrittenEvery = std::chrono::minutes(1);
constexpr auto kRevokedKept = std::chrono::hours(24 * 90);
constexpr std::size_t kMaxCached = 10'000;
constexpr std::size_t kMaxScopes = 100;

Key entry_key(const std::string& id) {
  return {"api_key", "", id};
}
Key used_key(const std::string& id) {
  return {"api_key_used", "", id};
}

Error refused() {
  return tokens::token_error("invalid_api_key", "the api key is not valid");
}

Error not_found() {
  return {ErrorCode::NotFound, "no such api key", {}, "api_key_not_found"};
}

/// Times as RFC 3339 when shown, as milliseconds when stored.
void write_members(json::Writer& out, const ApiKey& key, bool shown) {
  const auto time = [&](const char* name, const std::optional<Time>& at) {
    if (!at) {
      return;
    }
    if (shown) {
      out.member(name, encoding::rfc3339(*at));
    } else {
      out.member(name, to_ms(*at));
    }
  };
  out.member("id", key.id).member("name", key.name).member("role", "service");
  out.key("scopes").begin_array();
  for (const std::string& scope : key.scopes) {
    out.string(scope);
  }
  out.end_array();
  time("created", key.created);
  time("expires", key.expires);
  time("lastUsed", key.used);
  time("revoked", key.revoked);
}

std::string to_json(const ApiKey& key) {
  json::Writer out;
  out.begin_object().member("hash", encoding::hex_encode(key.hash));
  write_members(out, key, false);
  return out.end_object().take();
}

Result<ApiKey> from_json(std::string_view text) {
  const auto document = json::Document::parse(text, json::kStrict);
  const auto hash = document ? document->root().find("hash") : std::nullopt;
  const auto octets = hash ? encoding::hex_decode(hash->as_string().value_or("")) : std::nullopt;
  if (!octets) {
    return Failure({ErrorCode::Internal, "an api key of the store is not readable"});
  }
  const json::Value root = document->root();
  const auto text_of = [&](const char* name) {
    const auto value = root.find(name);
    return std::string(value ? value->as_string().value_or("") : std::string_view());
  };
  const auto time_of = [&](const char* name) {
    const auto value = root.find(name);
    const auto ms = value ? value->as_int64() : std::nullopt;
    return ms ? std::optional(from_ms(*ms)) : std::nullopt;
  };
  ApiKey key{.id = text_of("id"),
             .hash = *octets,
             .name = text_of("name"),
             .created = time_of("created").value_or(Time{}),
             .expires = time_of("expires"),
             .revoked = time_of("revoked")};
  if (const auto scopes = root.find("scopes")) {
    for (const json::Value scope : scopes->elements()) {
      key.scopes.emplace_back(scope.as_string().value_or(""));
    }
  }
  return key;
}

Result<void> check_wish(const ApiKeyWish& wish, Time now) {
  if (auto named = check_name(wish.name); !named) {
    return named;
  }
  if (wish.scopes.empty() || wish.scopes.size() > kMaxScopes) {
    return Failure(
        {ErrorCode::InvalidArgument, "an api key has 1 to 100 scopes", "/scopes", "unknown_scope"});
  }
  for (const std::string& scope : wish.scopes) {
    const bool ignored = scope == "*" || scope == "admin" || scope.starts_with("admin:");
    if (!ignored && !tokens::is_permission(scope)) {
      return Failure({ErrorCode::InvalidArgument,
                      "\"" + scope + "\" is no permission, such as track:write",
                      "/scopes",
                      "unknown_scope"});
    }
  }
  if (wish.expires && *wish.expires <= now) {
    return Failure({ErrorCode::InvalidArgument,
                    "the end of an api key lies in the future",
                    "/expires",
                    "invalid_argument"});
  }
  return {};
}

std::string details_of(const ApiKey& key) {
  json::Writer out;
  out.begin_object().member("name", key.name).key("scopes").begin_array();
  for (const std::string& scope : key.scopes) {
    out.string(scope);
  }
  return out.end_array().end_object().take();
}

/// Keeps entries of revoked keys for a while, others for good.
std::int64_t kept_until(const ApiKey& key, const Clock& clock) {
  return key.revoked ? to_ms(clock.store_now() + kRevokedKept) : 0;
}

}  // namespace

std::string api_key_json(const ApiKey& key) {
  json::Writer out;
  out.begin_object();
  write_members(out, key, true);
  return out.end_object().take();
}

ApiKeys::ApiKeys(storage::Store& store, const Clock& clock, Random& random, Ids& ids)
    : store_(store), clock_(clock), random_(random), audit_(store, clock, ids) {}

Result<NewApiKey> ApiKeys::create(const ApiKeyWish& wish, const tokens::Actor& actor) {
  if (auto fit = check_wish(wish, clock_.now()); !fit) {
    return Failure(std::move(fit.error()));
  }
  std::string text = make_api_key(random_);
  auto parts = *read_api_key(text);
  ApiKey key{.id = std::move(parts.id),
             .hash = std::move(parts.hash),
             .name = wish.name,
             .scopes = wish.scopes,
             .created = clock_.now(),
             .expires = wish.expires};
  storage::Batch batch;
  batch.checks.push_back({entry_key(key.id), 0});
  batch.puts.push_back({entry_key(key.id), to_json(key)});
  audit_.note(batch, actor, "apikey.created", key.id, details_of(key));
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  remember(key.id, std::make_shared<const ApiKey>(key));
  return NewApiKey{.key = std::move(key), .text = std::move(text)};
}

Result<ApiKey> ApiKeys::change(const std::string& id,
                               const std::function<Result<void>(ApiKey&)>& change,
                               const tokens::Actor& actor,
                               std::string_view action) {
  static constexpr int kAttempts = 5;
  if (id.empty() || id.size() > 64) {
    return Failure(not_found());
  }
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto entry = store_.get(entry_key(id), Deadline::in(kPatience));
    if (!entry) {
      return Failure(entry.error());
    }
    auto key = *entry ? from_json((*entry)->value) : Result<ApiKey>(Failure(not_found()));
    if (!key) {
      return key;
    }
    if (auto changed = change(*key); !changed) {
      return Failure(std::move(changed.error()));
    }
    storage::Batch batch;
    batch.checks.push_back({entry_key(id), (*entry)->version});
    batch.puts.push_back({entry_key(id), to_json(*key), kept_until(*key, clock_)});
    audit_.note(batch, actor, action, id, details_of(*key));
    const auto done = store_.commit(std::move(batch), Deadline::in(kPatience));
    if (done) {
      remember(id, std::make_shared<const ApiKey>(*key));
      return key;
    }
    if (done.error().reason != "conflict") {
      return Failure(done.error());
    }
  }
  return Failure({ErrorCode::Unavailable,
                  "the api key is in use, try again",
                  {},
                  {},
                  std::chrono::seconds(1)});
}

Result<NewApiKey> ApiKeys::rotate(const std::string& id, const tokens::Actor& actor) {
  std::string text;
  auto key = change(
      id,
      [&](ApiKey& changed) -> Result<void> {
        if (changed.revoked) {
          return Failure(
              {ErrorCode::Conflict, "the api key has been revoked", {}, "api_key_revoked"});
        }
        text = make_api_key(random_, changed.id);
        changed.hash = read_api_key(text)->hash;
        return {};
      },
      actor,
      "apikey.rotated");
  if (!key) {
    return Failure(std::move(key.error()));
  }
  return NewApiKey{.key = std::move(*key), .text = std::move(text)};
}

Result<ApiKey> ApiKeys::revoke(const std::string& id, const tokens::Actor& actor) {
  return change(
      id,
      [&](ApiKey& changed) -> Result<void> {
        changed.revoked = changed.revoked.value_or(clock_.now());
        return {};
      },
      actor,
      "apikey.revoked");
}

Result<std::vector<ApiKey>> ApiKeys::list() const {
  std::vector<ApiKey> all;
  auto scan = storage::Scan::prefix("api_key", "", "");
  while (true) {
    const auto page = store_.scan(scan, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    for (const auto& item : page->items) {
      auto key = from_json(item.entry.value);
      const auto used = store_.get(used_key(item.key), Deadline::in(kPatience));
      if (!key || !used) {
        return Failure(key ? used.error() : key.error());
      }
      std::int64_t ms = 0;
      if (*used &&
          std::from_chars((*used)->value.data(), (*used)->value.data() + (*used)->value.size(), ms)
                  .ec == std::errc{}) {
        key->used = from_ms(ms);
      }
      all.push_back(std::move(*key));
    }
    if (!page->next) {
      return all;
    }
    scan.resume(*page->next);
  }
}

Result<std::shared_ptr<const ApiKey>> ApiKeys::authenticate(std::string_view text) {
  const auto parts = read_api_key(text);
  if (!parts) {
    return Failure(refused());
  }
  auto key = current(parts->id);
  if (!key) {
    return key;
  }
  if (!*key || !crypto::constant_time_equal((*key)->hash, parts->hash) || (*key)->revoked ||
      ((*key)->expires && *(*key)->expires <= clock_.now())) {
    return Failure(refused());
  }
  note_use(parts->id);
  return key;
}

Result<std::shared_ptr<const ApiKey>> ApiKeys::current(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto cached = cache_.find(id);
    if (cached != cache_.end() && cached->second.until > clock_.now()) {
      return cached->second.key;
    }
  }
  const auto entry = store_.get(entry_key(id), Deadline::in(kPatience));
  if (!entry) {
    return Failure(entry.error());
  }
  std::shared_ptr<const ApiKey> key;
  if (*entry) {
    auto read = from_json((*entry)->value);
    if (!read) {
      return Failure(std::move(read.error()));
    }
    key = std::make_shared<const ApiKey>(std::move(*read));
  }
  remember(id, key);
  return key;
}

void ApiKeys::remember(const std::string& id, std::shared_ptr<const ApiKey> key) {
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kMaxCached) {
    cache_.clear();  // all of it is read again within a second anyway
  }
  cache_[id] = {std::move(key), clock_.now() + kCachedFor};
}

void ApiKeys::note_use(const std::string& id) {
  const Time now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    Time& written = used_[id];
    if (now - written < kUseWrittenEvery) {
      return;
    }
    written = now;
  }
  storage::Batch batch;
  batch.puts.push_back({used_key(id), std::to_string(to_ms(now))});
  // Best effort: the next use is written again.
  store_.commit(std::move(batch), Deadline::in(kPatience), [](const auto& /*outcome*/) {});
}

}  // namespace edge::accounts
