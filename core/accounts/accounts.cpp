// SPDX-License-Identifier: MIT
#include "core/accounts/accounts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::accounts {
namespace {

using storage::Deadline;
using storage::Key;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kCachedFor = std::chrono::seconds(1);
constexpr std::size_t kMaxCached = 10'000;

Key account_key(const AccountId& id) {
  return {"account", "", id.text};
}
Key email_key(std::string_view email) {
  return {"account_email", "", std::string(email)};
}

std::string to_json(const Account& account) {
  json::Writer out;
  out.begin_object()
      .member("id", account.id.text)
      .member("email", account.email)
      .member("name", account.name)
      .member("password", account.password)
      .member("created", to_ms(account.created))
      .member("disabled", account.disabled)
      .key("roles")
      .begin_array();
  for (const std::string& role : account.roles) {
    out.string(role);
  }
  return out.end_array().end_object().take();
}

Result<Account> from_json(std::string_view text) {
  const auto document = json::Document::parse(text, json::kStrict);
  if (!document) {
    return Failure({ErrorCode::Internal, "an account of the store is not readable"});
  }
  const json::Value root = document->root();
  const auto text_of = [&](const char* name) {
    const auto value = root.find(name);
    return std::string(value ? value->as_string().value_or("") : std::string_view());
  };
  const auto created = root.find("created");
  const auto disabled = root.find("disabled");
  Account account{.id = {text_of("id")},
                  .email = text_of("email"),
                  .name = text_of("name"),
                  .password = text_of("password"),
                  .created = from_ms(created ? created->as_int64().value_or(0) : 0),
                  .disabled = disabled && disabled->as_bool().value_or(false)};
  if (const auto roles = root.find("roles")) {
    for (const json::Value role : roles->elements()) {
      account.roles.emplace_back(role.as_string().value_or(""));
    }
  }
  return account;
}

Result<std::optional<Account>> from_entry(const Result<std::optional<storage::Entry>>& entry) {
  if (!entry) {
    return Failure(entry.error());
  }
  if (!*entry) {
    return std::optional<Account>();
  }
  return from_json((*entry)->value).map([](Account&& account) {
    return std::optional(std::move(account));
  });
}

Error not_found() {
  return {ErrorCode::NotFound, "no such account", {}, "user_not_found"};
}

Error in_use() {
  return {
      ErrorCode::Unavailable, "the account is in use, try again", {}, {}, std::chrono::seconds(1)};
}

}  // namespace

Accounts::Accounts(storage::Store& store, const Clock& clock, Ids& ids)
    : store_(store), clock_(clock), ids_(ids), audit_(store, clock, ids) {}

Result<Account> Accounts::add(Account account, const tokens::Actor* actor) {
  account.id = {ids_.uuid()};
  account.created = clock_.now();
  storage::Batch batch;
  batch.checks.push_back({email_key(account.email), 0});
  batch.checks.push_back({account_key(account.id), 0});
  batch.puts.push_back({email_key(account.email), account.id.text});
  batch.puts.push_back({account_key(account.id), to_json(account)});
  if (actor != nullptr) {
    audit_.note(batch, *actor, "user.created", account.id.text, user_json(account));
  }
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    if (done.error().reason == "conflict") {
      return Failure({ErrorCode::Conflict, "the address is taken", "/email", "email_taken"});
    }
    return Failure(std::move(done.error()));
  }
  return account;
}

Result<std::optional<Account>> Accounts::find(const AccountId& id) const {
  if (id.empty() || id.text.size() > 256) {
    return std::optional<Account>();
  }
  return from_entry(store_.get(account_key(id), Deadline::in(kPatience)));
}

Result<std::optional<Account>> Accounts::find_by_email(std::string_view email) const {
  const auto id = store_.get(email_key(email), Deadline::in(kPatience));
  if (!id) {
    return Failure(id.error());
  }
  // The second read happens for unknown addresses too, so that both take the same time.
  return find({*id ? (*id)->value : "none"});
}

Result<AccountPage> Accounts::list(const std::string& from, std::size_t limit) const {
  auto scan = storage::Scan::prefix("account_email", "", "");
  scan.from = from;
  scan.limit = limit;
  const auto page = store_.scan(scan, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  AccountPage listed{.next = page->next};
  for (const auto& item : page->items) {
    auto account = find({item.entry.value});
    if (!account) {
      return Failure(std::move(account.error()));
    }
    if (*account) {
      listed.accounts.push_back(std::move(**account));
    }
  }
  return listed;
}

Result<std::vector<Account>> Accounts::list() const {
  std::vector<Account> all;
  std::optional<std::string> from = "";
  while (from) {
    auto page = list(*from, storage::kMaxPageItems);
    if (!page) {
      return Failure(std::move(page.error()));
    }
    std::move(page->accounts.begin(), page->accounts.end(), std::back_inserter(all));
    from = std::move(page->next);
  }
  return all;
}

Result<Account> Accounts::change(const AccountId& id,
                                 const std::function<void(Account&)>& change,
                                 const AccountNote* note) {
  static constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto entry = store_.get(account_key(id), Deadline::in(kPatience));
    const auto found = from_entry(entry);
    if (!found) {
      return Failure(found.error());
    }
    if (!*found) {
      return Failure(not_found());
    }
    Account account = **found;
    change(account);
    storage::Batch batch;
    batch.checks.push_back({account_key(id), (*entry)->version});
    batch.puts.push_back({account_key(id), to_json(account)});
    if (note != nullptr) {
      audit_.note(batch, note->actor, note->action, id.text, note->details);
    }
    const auto done = store_.commit(std::move(batch), Deadline::in(kPatience));
    if (done) {
      remember(id, std::make_shared<const Account>(account));
      return account;
    }
    if (done.error().reason != "conflict") {
      return Failure(done.error());
    }
  }
  return Failure(in_use());
}

Result<Account> Accounts::erase(const AccountId& id, const tokens::Actor& actor) {
  const auto found = find(id);
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return Failure(not_found());
  }
  storage::Batch batch;
  batch.dels.push_back({account_key(id)});
  batch.dels.push_back({email_key((*found)->email)});
  audit_.note(batch, actor, "user.deleted", id.text, user_json(**found));
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  remember(id, nullptr);
  return **found;
}

Result<std::shared_ptr<const Account>> Accounts::current(const AccountId& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto cached = cache_.find(id.text);
    if (cached != cache_.end() && cached->second.until > clock_.now()) {
      return cached->second.account;
    }
  }
  auto found = find(id);
  if (!found) {
    return Failure(std::move(found.error()));
  }
  auto account = *found ? std::make_shared<const Account>(std::move(**found)) : nullptr;
  remember(id, account);
  return account;
}

void Accounts::remember(const AccountId& id, std::shared_ptr<const Account> account) {
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kMaxCached) {
    cache_.clear();  // all of it is read again within a second anyway
  }
  cache_[id.text] = {std::move(account), clock_.now() + kCachedFor};
}

}  // namespace edge::accounts
