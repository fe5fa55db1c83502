// SPDX-License-Identifier: MIT
// An outsider must not learn which addresses have accounts. So an unknown address, a wrong password
// and a disabled account take the same way: two reads, one verification (of a decoy hash when there
// is no account), one count, one answer.
#include "core/accounts/login.h"

#include <array>
#include <utility>

#include "core/encoding/base64.h"
#include "core/tokens/jws.h"
#include "core/tokens/roles.h"

namespace edge::accounts {
namespace {

Error wrong_credentials() {
  return tokens::token_error("invalid_credentials", "the address or the password is wrong");
}

Error denied(const char* reason, const char* message) {
  return {ErrorCode::PermissionDenied, message, {}, reason};
}

Result<void> check_login_password(std::string_view password, const char* field) {
  if (password.size() > kMaxPasswordBytes) {
    return Failure({ErrorCode::InvalidArgument,
                    "a password has at most 1024 octets",
                    field,
                    "invalid_password"});
  }
  return {};
}

}  // namespace

Login::Login(
    storage::Store& store, const Clock& clock, Random& random, Ids& ids, LoginSettings settings)
    : accounts(store, clock, ids),
      sessions(store, clock, random, ids, settings.lives),
      hashes(clock),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      ids_(ids),
      throttle_(store, clock, settings_.limits),
      revocations_(store, clock) {}

Result<void> Login::start(tokens::SigningKeys keys) {
  rekey(std::move(keys));
  for (const auto& loaded : {sessions.load(), revocations_.load(), throttle_.load()}) {
    if (!loaded) {
      return loaded;
    }
  }
  return {};
}

void Login::rekey(tokens::SigningKeys keys) {
  issuer_.publish(
      std::make_shared<const tokens::Issuer>(std::move(keys), settings_.issuer, clock_, ids_));
}

void Login::trust(tokens::ForeignIssuers others) {
  others_.publish(std::make_shared<const tokens::ForeignIssuers>(std::move(others)));
}

const std::string& Login::decoy() {
  std::call_once(decoy_made_, [this] {
    std::array<std::uint8_t, 32> octets{};
    random_.fill(octets);
    const std::string_view password(reinterpret_cast<const char*>(octets.data()), octets.size());
    decoy_ = crypto::hash_password(password, settings_.cost);
  });
  return decoy_;
}

Result<Account> Login::check_password(std::string_view email,
                                      std::string_view password,
                                      std::string_view client) {
  const std::string& spare = decoy();
  auto found = accounts.find_by_email(email);
  if (!found) {
    return Failure(std::move(found.error()));
  }
  const bool known = found->has_value();
  const bool fits = crypto::verify_password(known ? (*found)->password : spare, password);
  if (!known || !fits || (*found)->disabled) {
    throttle_.login_failed(email, client);
    return Failure(wrong_credentials());
  }
  throttle_.login_succeeded(email);
  return std::move(**found);
}

Result<SignedIn> Login::signed_in(Account account, tokens::OpenSession session) const {
  SignedIn done{.account = std::move(account),
                .refresh_token = std::move(session.refresh_token),
                .expires_in = settings_.issuer.access_ttl};
  done.access_token = issuer()->mint({.account = done.account.id,
                                      .session = std::move(session.id),
                                      .email = done.account.email,
                                      .name = done.account.name,
                                      .roles = done.account.roles});
  return done;
}

Result<SignedIn> Login::login(std::string_view email,
                              std::string_view password,
                              std::string_view client) {
  const auto address = normalise_address(email);
  if (!address) {
    return Failure(address.error());
  }
  if (auto fit = check_login_password(password, "/password"); !fit) {
    return Failure(std::move(fit.error()));
  }
  if (auto open = throttle_.check_login(*address, client); !open) {
    return Failure(std::move(open.error()));
  }
  auto account = check_password(*address, password, client);
  if (!account) {
    return Failure(std::move(account.error()));
  }
  if (crypto::needs_rehash(account->password, settings_.cost)) {
    const std::string renewed = crypto::hash_password(password, settings_.cost);
    // When this fails the old hash stays good; the next login tries again.
    if (auto changed = accounts.change(account->id, [&](Account& a) { a.password = renewed; })) {
      account = std::move(changed);
    }
  }
  auto session = sessions.open(account->id);
  if (!session) {
    return Failure(std::move(session.error()));
  }
  return signed_in(std::move(*account), std::move(*session));
}

Result<std::string> Login::hash_new_password(std::string_view password,
                                             std::string_view email) const {
  return check_new_password(password, email).map([&] {
    return crypto::hash_password(password, settings_.cost);
  });
}

Result<Account> Login::create(const Registration& wanted, const tokens::Actor* actor) {
  auto address = normalise_address(wanted.email);
  if (!address) {
    return Failure(std::move(address.error()));
  }
  for (const auto& checked : {check_name(wanted.name), check_roles(wanted.roles)}) {
    if (!checked) {
      return Failure(checked.error());
    }
  }
  auto hash = hash_new_password(wanted.password, *address);
  if (!hash) {
    return Failure(std::move(hash.error()));
  }
  return accounts.add({.email = std::move(*address),
                       .name = wanted.name,
                       .roles = wanted.roles,
                       .password = std::move(*hash)},
                      actor);
}

Result<Account> Login::enroll(const Registration& wanted, std::string_view client) {
  if (!settings_.open_registration) {
    return Failure(denied("registration_closed", "accounts are made by an administrator"));
  }
  if (wanted.roles.size() > 1 ||
      (wanted.roles.size() == 1 && wanted.roles[0] != "user" && wanted.roles[0] != "viewer")) {
    return Failure(denied("roles_not_allowed", "roles are given by an administrator"));
  }
  if (auto open = throttle_.count(Action::Register, client); !open) {
    return Failure(std::move(open.error()));
  }
  Registration granted = wanted;
  granted.roles = {"viewer"};
  return create(granted);
}

Result<SignedIn> Login::refresh(std::string_view refresh_token, std::string_view client) {
  if (auto open = throttle_.count(Action::Refresh, client); !open) {
    return Failure(std::move(open.error()));
  }
  auto session = sessions.refresh(refresh_token);
  if (!session) {
    return Failure(std::move(session.error()));
  }
  auto account = accounts.find(session->account);
  if (!account) {
    return Failure(std::move(account.error()));
  }
  if (!*account || (*account)->disabled) {
    if (auto ended = sessions.revoke(session->account, session->id); !ended) {
      return Failure(std::move(ended.error()));
    }
    return Failure(tokens::token_error("user_disabled", "the account is disabled"));
  }
  return signed_in(std::move(**account), std::move(*session));
}

Result<void> Login::logout(const Access& access, bool all) {
  if (all) {
    return sessions.revoke_all(access.account);
  }
  return access.session.empty() ? Result<void>() : sessions.revoke(access.account, access.session);
}

Result<void> Login::change_password(const Access& access,
                                    std::string_view current,
                                    std::string_view wanted,
                                    std::string_view client) {
  if (auto open = throttle_.count(Action::ChangePassword, client); !open) {
    return open;
  }
  if (auto fit = check_login_password(current, "/currentPassword"); !fit) {
    return fit;
  }
  const auto account = accounts.find(access.account);
  if (!account) {
    return Failure(account.error());
  }
  if (!*account) {
    return Failure(wrong_credentials());
  }
  if (auto fit = check_new_password(wanted, (*account)->email); !fit) {
    fit.error().field = "/newPassword";
    return fit;
  }
  if (auto open = throttle_.check_login((*account)->email, client); !open) {
    return open;
  }
  if (auto checked = check_password((*account)->email, current, client); !checked) {
    return Failure(std::move(checked.error()));
  }
  const std::string hash = crypto::hash_password(wanted, settings_.cost);
  if (auto changed = accounts.change(access.account, [&](Account& a) { a.password = hash; });
      !changed) {
    return Failure(std::move(changed.error()));
  }
  return sessions.revoke_all(access.account, access.session);
}

Result<void> Login::revoke_token(std::string_view token) {
  const auto claims = verify(token);
  if (!claims) {
    return Failure(claims.error());
  }
  return claims->token_id.empty()
             ? Result<void>()
             : revocations_.add(claims->issuer, claims->token_id, claims->expires);
}

/// Of our own issuer, or of one that is trusted. What the client learns is the same anyway; the log
/// gets the refusal of the issuer whose signature was right, else our own.
Result<tokens::AccessClaims> Login::verify(std::string_view token) const {
  auto claims = issuer()->verify(token);
  const auto others = others_.get();
  if (claims || others->empty()) {
    return claims;
  }
  auto foreign = others->verify(token, clock_.now());
  return foreign || foreign.error().reason != "iss_mismatch" ? foreign : claims;
}

Result<Access> Login::check_access(std::string_view token) {
  auto claims = verify(token);
  if (!claims) {
    return Failure(std::move(claims.error()));
  }
  if (!claims->token_id.empty() && revocations_.contains(claims->issuer, claims->token_id)) {
    return Failure(tokens::token_error("token_revoked", "the token has been revoked"));
  }
  if (!claims->issuer.empty()) {
    Access access{.account = {claims->issuer + "#" + claims->account.text},
                  .roles = std::move(claims->roles),
                  .expires = claims->expires,
                  .issued = claims->issued,
                  .rooms = std::move(claims->rooms)};
    access.permissions = tokens::permissions_of(access.roles);
    return access;
  }
  return judge(std::move(*claims));
}

/// A token of our own: its session and its account have the last word.
Result<Access> Login::judge(tokens::AccessClaims claims) {
  if (!claims.session.empty() && sessions.is_revoked(claims.session)) {
    return Failure(tokens::token_error("session_revoked", "the session has ended"));
  }
  const auto account = accounts.current(claims.account);
  if (!account) {
    return Failure(account.error());
  }
  if (*account && (*account)->disabled) {
    return Failure(tokens::token_error("user_disabled", "the account is disabled"));
  }
  if (!claims.session.empty() && !*account) {
    return Failure(tokens::token_error("user_disabled", "the account is gone"));
  }
  Access access{.account = std::move(claims.account),
                .session = std::move(claims.session),
                .expires = claims.expires,
                .issued = claims.issued,
                .rooms = std::move(claims.rooms)};
  if (access.session.empty()) {  // minted with the key itself: it says what it allows
    access.roles = std::move(claims.roles);
    access.permissions = tokens::permissions_of(access.roles);
    for (std::string& permission : claims.permissions) {
      access.permissions.push_back(std::move(permission));
    }
    return access;
  }
  access.roles = (*account)->roles;
  access.permissions = tokens::permissions_of(access.roles);
  return access;
}

}  // namespace edge::accounts
