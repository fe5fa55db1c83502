// SPDX-License-Identifier: MIT
#include "core/accounts/administration.h"

#include <utility>

#include "core/encoding/rfc3339.h"
#include "core/json/writer.h"

namespace edge::accounts {
namespace {

void write_texts(json::Writer& out, const char* name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) {
    out.string(text);
  }
  out.end_array();
}

/// What the trail says of a change: the new values, of a password only that there is a new one.
std::string details_of(const AccountChange& change) {
  json::Writer out;
  out.begin_object();
  if (change.name) {
    out.member("name", *change.name);
  }
  if (change.roles) {
    write_texts(out, "roles", *change.roles);
  }
  if (change.disabled) {
    out.member("disabled", *change.disabled);
  }
  if (change.password) {
    out.member("password", "changed");
  }
  return out.end_object().take();
}

std::string action_of(const AccountChange& change) {
  const bool only_state = change.disabled && !change.name && !change.roles && !change.password;
  return !only_state ? "user.updated" : *change.disabled ? "user.disabled" : "user.enabled";
}

}  // namespace

std::string account_json(const Account& account) {
  json::Writer out;
  out.begin_object()
      .member("id", account.id.text)
      .member("email", account.email)
      .member("name", account.name);
  write_texts(out, "roles", account.roles);
  out.member("created", encoding::rfc3339(account.created)).member("disabled", account.disabled);
  return out.end_object().take();
}

Result<Account> Administration::create(Registration wanted, const tokens::Actor& actor) {
  if (wanted.roles.empty()) {
    wanted.roles = {"viewer"};
  }
  if (wanted.name.empty()) {
    auto address = normalise_address(wanted.email);
    if (!address) {
      return Failure(std::move(address.error()));
    }
    wanted.name = std::move(*address);
  }
  return login_.create(wanted, &actor);
}

Result<Account> Administration::find(const std::string& id_or_email) const {
  const auto address = normalise_address(id_or_email);
  auto found =
      address ? login_.accounts.find_by_email(*address) : login_.accounts.find({id_or_email});
  if (!found) {
    return Failure(std::move(found.error()));
  }
  if (!*found) {
    return Failure({ErrorCode::NotFound, "no such account", {}, "user_not_found"});
  }
  return std::move(**found);
}

Result<Account> Administration::update(const AccountId& id,
                                       const AccountChange& change,
                                       const tokens::Actor& actor) {
  auto account = find(id.text);
  if (!account) {
    return account;
  }
  if (auto named = change.name ? check_name(*change.name) : Result<void>(); !named) {
    return Failure(std::move(named.error()));
  }
  if (auto known = change.roles ? check_roles(*change.roles) : Result<void>(); !known) {
    return Failure(std::move(known.error()));
  }
  std::string hash;
  if (change.password) {
    auto made = login_.hash_new_password(*change.password, account->email);
    if (!made) {
      return Failure(std::move(made.error()));
    }
    hash = std::move(*made);
  }
  const AccountNote note{
      .actor = actor, .action = action_of(change), .details = details_of(change)};
  auto changed = login_.accounts.change(
      account->id,
      [&](Account& a) {
        a.name = change.name.value_or(a.name);
        a.roles = change.roles.value_or(a.roles);
        a.disabled = change.disabled.value_or(a.disabled);
        a.password = change.password ? hash : a.password;
      },
      &note);
  if (changed && (change.password || change.disabled.value_or(false))) {
    if (auto ended = login_.sessions.revoke_all(account->id); !ended) {
      return Failure(std::move(ended.error()));
    }
  }
  return changed;
}

Result<Account> Administration::erase(const AccountId& id, const tokens::Actor& actor) {
  const auto account = find(id.text);
  if (!account) {
    return account;
  }
  auto erased = login_.accounts.erase(account->id, actor);
  if (erased) {
    if (auto ended = login_.sessions.revoke_all(erased->id); !ended) {
      return Failure(std::move(ended.error()));
    }
  }
  return erased;
}

}  // namespace edge::accounts
