// SPDX-License-Identifier: MIT
#include "core/tokens/sessions.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/tokens/audit.h"
#include "core/tokens/jws.h"

namespace edge::tokens {
namespace {

using storage::Deadline;
using storage::Key;

constexpr std::string_view kTokenPrefix = "ert_";
constexpr std::size_t kTokenBytes = 4 + 43;
constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kRetryWindow = std::chrono::seconds(2);
/// The longest life of an access token and the longest leeway.
constexpr auto kRevokedFor = std::chrono::seconds(3600 + 300);

Key session_key(const AccountId& account, const SessionId& session) {
  return {"session", "", account.text + "/" + session.text};
}
Key refresh_key(const std::string& hash) {
  return {"refresh", "", hash};
}
Key revoked_key(const SessionId& session) {
  return {"revoked_session", "", session.text};
}

std::string hash_of(std::string_view token) {
  return encoding::base64url_encode(crypto::sha256(token));
}

Error revoked() {
  return token_error("session_revoked", "the refresh token is not valid");
}

std::int64_t number_of(json::Value object, const char* name) {
  const auto value = object.find(name);
  return value ? value->as_int64().value_or(0) : 0;
}

std::string text_of(json::Value object, const char* name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : std::string_view());
}

std::string session_json(Time created, Time used, Time until) {
  json::Writer out;
  out.begin_object()
      .member("created", to_ms(created))
      .member("used", to_ms(used))
      .member("until", to_ms(until));
  return out.end_object().take();
}

}  // namespace

/// What the store knows of a refresh token.
struct Sessions::Spendable {
  AccountId account = {};
  SessionId session = {};
  std::optional<Time> spent = {};
  std::string next = {};  // hash of the successor
  Time until = {};        // absolute end of the session
  std::uint64_t version = 0;

  [[nodiscard]] std::string json() const {
    json::Writer out;
    out.begin_object()
        .member("account", account.text)
        .member("session", session.text)
        .member("until", to_ms(until));
    if (spent) {
      out.member("spent", to_ms(*spent)).member("next", next);
    }
    return out.end_object().take();
  }
};

Sessions::Sessions(
    storage::Store& store, const Clock& clock, Random& random, Ids& ids, SessionLives lives)
    : store_(store), clock_(clock), random_(random), ids_(ids), lives_(lives) {}

Result<void> Sessions::load() {
  auto scan = storage::Scan::prefix("revoked_session", "", "");
  while (true) {
    const auto page = store_.scan(scan, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    for (const auto& item : page->items) {
      remember_revoked({item.key}, from_ms(item.entry.expires));
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

std::string Sessions::new_token() {
  std::array<std::uint8_t, 32> octets{};
  random_.fill(octets);
  return std::string(kTokenPrefix) +
         encoding::base64url_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

Result<OpenSession> Sessions::open(const AccountId& account) {
  const Time now = clock_.now();
  const Time until = now + lives_.absolute;
  const SessionId session{ids_.uuid()};
  std::string token = new_token();
  const Spendable fresh{.account = account, .session = session, .until = until};
  storage::Batch batch;
  batch.puts.push_back(
      {session_key(account, session), session_json(now, now, until), to_ms(until)});
  batch.puts.push_back(
      {refresh_key(hash_of(token)), fresh.json(), to_ms(std::min(now + lives_.idle, until))});
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  return OpenSession{.id = session, .account = account, .refresh_token = std::move(token)};
}

Result<std::optional<Sessions::Spendable>> Sessions::find(const std::string& hash) const {
  const auto entry = store_.get(refresh_key(hash), Deadline::in(kPatience));
  if (!entry) {
    return Failure(entry.error());
  }
  if (!*entry) {
    return std::optional<Spendable>();
  }
  const auto document = json::Document::parse((*entry)->value, json::kStrict);
  if (!document) {
    return Failure({ErrorCode::Internal, "a refresh token entry of the store is not readable"});
  }
  const json::Value root = document->root();
  Spendable found{.account = {text_of(root, "account")},
                  .session = {text_of(root, "session")},
                  .next = text_of(root, "next"),
                  .until = from_ms(number_of(root, "until")),
                  .version = (*entry)->version};
  if (root.find("spent")) {
    found.spent = from_ms(number_of(root, "spent"));
  }
  return std::optional(std::move(found));
}

Result<OpenSession> Sessions::refresh(std::string_view refresh_token) {
  if (refresh_token.size() != kTokenBytes || !refresh_token.starts_with(kTokenPrefix)) {
    return Failure(revoked());
  }
  const std::string hash = hash_of(refresh_token);
  static constexpr int kAttempts = 4;  // each conflict means that another use got through
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto token = find(hash);
    if (!token) {
      return Failure(token.error());
    }
    if (!*token) {
      return Failure(revoked());
    }
    if ((*token)->spent) {
      return refuse_spent(**token);
    }
    auto spent = spend(hash, **token);
    if (spent || spent.error().reason != "conflict") {
      return spent;
    }
  }
  return Failure({ErrorCode::Unavailable,
                  "the session is in use, try again",
                  {},
                  {},
                  std::chrono::seconds(1)});
}

Result<OpenSession> Sessions::spend(const std::string& hash, const Spendable& token) {
  const Time now = clock_.now();
  const Key key = session_key(token.account, token.session);
  const auto session = store_.get(key, Deadline::in(kPatience));
  if (!session) {
    return Failure(session.error());
  }
  if (!*session || now >= token.until) {
    return Failure(revoked());
  }
  std::string successor = new_token();
  Spendable spent = token;
  spent.spent = now;
  spent.next = hash_of(successor);
  const Spendable fresh{.account = token.account, .session = token.session, .until = token.until};
  storage::Batch batch;
  batch.checks.push_back({refresh_key(hash), token.version});
  batch.checks.push_back({key, (*session)->version});
  batch.puts.push_back({refresh_key(hash), spent.json(), to_ms(token.until)});
  batch.puts.push_back(
      {refresh_key(spent.next), fresh.json(), to_ms(std::min(now + lives_.idle, token.until))});
  const auto document = json::Document::parse((*session)->value, json::kStrict);
  const Time created = document ? from_ms(number_of(document->root(), "created")) : now;
  batch.puts.push_back({key, session_json(created, now, token.until), to_ms(token.until)});
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  return OpenSession{
      .id = token.session, .account = token.account, .refresh_token = std::move(successor)};
}

Result<OpenSession> Sessions::refuse_spent(const Spendable& token) {
  const auto session =
      store_.get(session_key(token.account, token.session), Deadline::in(kPatience));
  if (!session) {
    return Failure(session.error());
  }
  if (!*session) {  // it has ended already
    return Failure(revoked());
  }
  const auto successor = find(token.next);
  if (!successor) {
    return Failure(successor.error());
  }
  if (*successor && !(*successor)->spent && clock_.now() - *token.spent < kRetryWindow) {
    return Failure({ErrorCode::Conflict,
                    "the refresh token was used a moment ago, take the answer of that use",
                    {},
                    "refresh_conflict"});
  }
  storage::Batch batch;
  put_revoked(batch, token.account, token.session);
  json::Writer out;
  out.begin_object().member("session", token.session.text).end_object();
  Audit(store_, clock_, ids_)
      .note(batch,
            {.id = token.account.text, .kind = "user"},
            "session.refresh_token_reused",
            token.account.text,
            out.text());
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  remember_revoked(token.session, clock_.now() + kRevokedFor);
  return Failure(revoked());
}

void Sessions::put_revoked(storage::Batch& batch,
                           const AccountId& account,
                           const SessionId& session) const {
  batch.dels.push_back({session_key(account, session)});
  batch.puts.push_back(
      {revoked_key(session), account.text, to_ms(clock_.store_now() + kRevokedFor)});
}

Result<void> Sessions::revoke(const AccountId& account, const SessionId& session) {
  storage::Batch batch;
  put_revoked(batch, account, session);
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  remember_revoked(session, clock_.now() + kRevokedFor);
  return {};
}

Result<void> Sessions::revoke_all(const AccountId& account, const std::optional<SessionId>& kept) {
  const std::string prefix = account.text + "/";
  while (true) {
    auto scan = storage::Scan::prefix("session", "", prefix);
    const auto page = store_.scan(scan, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    std::size_t ended = 0;
    for (const auto& item : page->items) {
      const SessionId session{item.key.substr(prefix.size())};
      if (kept && session == *kept) {
        continue;
      }
      if (auto done = revoke(account, session); !done) {
        return done;
      }
      ++ended;
    }
    if (!page->next || ended == 0) {
      return {};
    }
  }
}

bool Sessions::is_revoked(const SessionId& session) const {
  const std::lock_guard lock(mutex_);
  return revoked_.contains(session.text);
}

void Sessions::remember_revoked(const SessionId& session, Time until) {
  const std::lock_guard lock(mutex_);
  std::erase_if(revoked_, [now = clock_.now()](const auto& entry) { return entry.second <= now; });
  revoked_[session.text] = until;
}

}  // namespace edge::tokens
