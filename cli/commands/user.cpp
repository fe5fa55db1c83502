// SPDX-License-Identifier: MIT
// Accounts, at the running daemon or in the local store. The first administrator is made here:
// there is no default account.
#include <fmt/format.h>

#include <utility>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/prompt.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/accounts/administration.h"
#include "core/crypto/secret.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using accounts::Administration;

const tokens::Actor kHere{.id = "edgectl", .kind = "local"};

std::string path_of(const Call& call, std::string_view verb = {}) {
  return "/admin/users/" + encoding::percent_encode(call["ID"]) + std::string(verb);
}

/// The object below `user` of a daemon's answer.
Result<std::string> user_in(const Result<transport::IncomingResponse>& answer) {
  if (!answer) {
    return Failure(answer.error());
  }
  const auto document = json::Document::parse(answer->body, json::kStrict);
  const auto user = document ? document->root().find("user") : std::nullopt;
  return user ? Result<std::string>(user->raw())
              : Failure({ErrorCode::Internal, "the daemon's answer cannot be read"});
}

Result<std::string> json_of(const Result<accounts::Account>& account) {
  return account ? Result<std::string>(accounts::account_json(*account)) : Failure(account.error());
}

/// One account as a result; `human` empty = all members.
Result<int> print_user(Call& call, const Result<std::string>& user, bool only_id = false) {
  if (!user) {
    return user.error().code == ErrorCode::NotFound
               ? call.fail({.error = {ErrorCode::NotFound,
                                      fmt::format("no user \"{}\"", call["ID"]),
                                      "ID",
                                      "user_not_found"},
                            .hint = "edgectl user list"})
               : Result<int>(Failure(user.error()));
  }
  const auto document = json::Document::parse(*user, json::kStrict);
  const auto id = document ? document->root().find("id") : std::nullopt;
  return call.print(
      Document{.json = R"({"schema":"edge.user/1",)" + user->substr(1),
               .human = only_id && id ? std::string(id->as_string().value_or("")) + "\n" : ""});
}

void write_roles(json::Writer& out, const std::vector<std::string>& roles) {
  out.key("roles").begin_array();
  for (const std::string& role : roles) {
    out.string(role);
  }
  out.end_array();
}

Result<std::string> create_remotely(Remote& daemon, const accounts::Registration& wanted) {
  json::Writer body;
  body.begin_object().member("email", wanted.email).member("password", wanted.password);
  if (!wanted.name.empty()) {
    body.member("name", wanted.name);
  }
  if (!wanted.roles.empty()) {
    write_roles(body, wanted.roles);
  }
  return user_in(daemon.post("/admin/users", body.end_object().take()));
}

Result<int> create(Call& call) {
  accounts::Registration wanted{
      .email = call["email"], .name = call["name"], .roles = call.all("role")};
  const auto address = accounts::normalise_address(wanted.email);
  if (!address) {
    return Failure(address.error());
  }
  if (const auto known = accounts::check_roles(wanted.roles); !known) {
    return Failure(usage_error(known.error().message));
  }
  auto password = read_password(call, true);
  if (!password) {
    return Failure(password.error());
  }
  wanted.password = std::move(*password);
  if (call.dry_run()) {
    call.note(fmt::format("would create {}", *address));
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  const auto made = daemon != nullptr
                        ? create_remotely(*daemon, wanted)
                        : json_of(Administration(call.edge().login).create(wanted, kHere));
  crypto::wipe(wanted.password);
  return made ? print_user(call, made, true) : Failure(made.error());
}

Result<std::vector<std::string>> all_locally(Call& call) {
  const auto all = call.edge(Call::Access::Read).login.accounts.list();
  if (!all) {
    return Failure(all.error());
  }
  std::vector<std::string> records;
  for (const accounts::Account& account : *all) {
    records.push_back(accounts::account_json(account));
  }
  return records;
}

Result<int> list(Call& call) {
  Remote* const daemon = call.running_daemon();
  auto records =
      daemon != nullptr ? list_of(*daemon, "/admin/users?limit=1000", "users") : all_locally(call);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(Listing{.schema = "edge.users/1",
                            .name = "users",
                            .columns = {{"ID", "/id"},
                                        {"EMAIL", "/email"},
                                        {"NAME", "/name"},
                                        {"ROLES", "/roles"},
                                        {"DISABLED", "/disabled"}},
                            .records = std::move(*records)});
}

Result<int> show(Call& call) {
  Remote* const daemon = call.running_daemon();
  return print_user(
      call,
      daemon != nullptr
          ? user_in(daemon->get(path_of(call)))
          : json_of(Administration(call.edge(Call::Access::Read).login).find(call["ID"])));
}

/// What the flags of `user update` ask for.
Result<accounts::AccountChange> change_of(Call& call) {
  accounts::AccountChange change;
  if (call.has("name")) {
    change.name = call["name"];
  }
  if (call.has("role")) {
    change.roles = call.all("role");
    if (const auto known = accounts::check_roles(*change.roles); !known) {
      return Failure(usage_error(known.error().message));
    }
  }
  if (call.flag("enable")) {
    change.disabled = false;
  }
  if (call.has("password-file")) {
    auto password = read_password(call, true);
    if (!password) {
      return Failure(password.error());
    }
    change.password = std::move(*password);
  }
  if (!change.name && !change.roles && !change.disabled && !change.password) {
    return Failure(
        usage_error("nothing to change: give --name, --role, --password-file or --enable"));
  }
  return change;
}

std::string body_of(const accounts::AccountChange& change) {
  json::Writer body;
  body.begin_object();
  if (change.name) {
    body.member("name", *change.name);
  }
  if (change.roles) {
    write_roles(body, *change.roles);
  }
  if (change.password) {
    body.member("password", *change.password);
  }
  if (change.disabled) {
    body.member("disabled", *change.disabled);
  }
  return body.end_object().take();
}

Result<int> update(Call& call) {
  const auto change = change_of(call);
  if (!change) {
    return Failure(change.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would change {}", call["ID"]));
    return exit_code::kDone;
  }
  if (Remote* daemon = call.running_daemon()) {
    return print_user(call, user_in(daemon->send("PATCH", path_of(call), body_of(*change))));
  }
  return print_user(
      call, json_of(Administration(call.edge().login).update({call["ID"]}, *change, kHere)));
}

Result<int> disable(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would disable {}", call["ID"]));
    return exit_code::kDone;
  }
  if (Remote* daemon = call.running_daemon()) {
    return print_user(call, user_in(daemon->post(path_of(call, "/disable"), "{}")));
  }
  return print_user(
      call,
      json_of(Administration(call.edge().login).update({call["ID"]}, {.disabled = true}, kHere)));
}

Result<int> erase(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would delete {}", call["ID"]));
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  Result<void> done;
  if (daemon != nullptr) {
    if (const auto answer = daemon->send("DELETE", path_of(call)); !answer) {
      done = Failure(answer.error());
    }
  } else {
    const auto erased = Administration(call.edge().login).erase({call["ID"]}, kHere);
    done = erased ? Result<void>() : Failure(erased.error());
  }
  if (!done) {
    return print_user(call, Failure(done.error()));
  }
  call.note(fmt::format("deleted {}", call["ID"]));
  return exit_code::kDone;
}

constexpr std::string_view kUserSchema =
    R"({"type":"object","required":["schema","id","email","roles"],"properties":{)"
    R"("schema":{"const":"edge.user/1"},"id":{"type":"string"},"email":{"type":"string"},)"
    R"("name":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}},)"
    R"("created":{"type":"string"},"disabled":{"type":"boolean"}}})";

constexpr Option kId{.name = "ID", .help = "id or address", .required = true};

Option password_file(std::string_view help) {
  return {.name = "password-file", .value = "FILE", .help = help, .complete = Complete::Files};
}

void declare_create(Tree& tree) {
  tree.command("user create", "Create an account")
      .option({.name = "email", .value = "A", .help = "address to sign in with", .required = true})
      .option({.name = "name", .value = "N", .help = "name; default: the address"})
      .option({.name = "role",
               .value = "R",
               .help = "admin, editor or viewer; default: viewer",
               .repeatable = true})
      .option(password_file(
          "file with the password; else it is asked for, or read from standard input"))
      .changes()
      .about(
          "At the running daemon, else in the local store, where the first administrator is made. "
          "The file of a password must be readable by its owner only.")
      .example("user create --email ada@example.com --role admin", "the first administrator")
      .exits(exit_code::kBadInput, "the address or the password is not allowed")
      .exits(exit_code::kRefused, "the address is taken")
      .exits(exit_code::kLocalResource, "--local, and a daemon holds the store")
      .see("user list")
      .output("user", kUserSchema)
      .runs(create);
}

void declare_changes(Tree& tree) {
  tree.command("user update", "Change an account")
      .positional(kId)
      .option({.name = "name", .value = "N", .help = "new name"})
      .option({.name = "role",
               .value = "R",
               .help = "new roles instead of all old ones",
               .repeatable = true})
      .option(password_file("file with the new password, which ends all sessions"))
      .flag("enable", "let a disabled account sign in again")
      .changes()
      .about(
          "Roles count from the next request on, also for tokens that are out. Every change is in "
          "the audit trail (GET /admin/audit).")
      .example("user update ada@example.com --role editor", "counts from the next request on")
      .exits(exit_code::kBadInput, "the name or the password is not allowed")
      .exits(exit_code::kNotFound, "no such account")
      .see("user disable")
      .output("user", kUserSchema)
      .runs(update);
  tree.command("user disable", "Shut an account out and end its sessions")
      .positional(kId)
      .changes()
      .example("user disable ada@example.com", "until user update --enable")
      .exits(exit_code::kNotFound, "no such account")
      .see("user update")
      .output("user", kUserSchema)
      .runs(disable);
  tree.command("user delete", "Delete an account and end its sessions")
      .positional(kId)
      .changes()
      .example("user delete ada@example.com", "its address is free again")
      .exits(exit_code::kNotFound, "no such account")
      .see("user disable")
      .runs(erase);
}

}  // namespace

void user(Tree& tree) {
  tree.noun("user", Section::Manage, "Accounts");
  declare_create(tree);
  tree.command("user list", "List the accounts")
      .example("user list --json", "as JSON")
      .output(
          "users",
          R"({"type":"object","required":["schema","users"],"properties":{)"
          R"("schema":{"const":"edge.users/1"},"users":{"type":"array","items":{"type":"object"}}}})")
      .runs(list);
  tree.command("user show", "Show an account")
      .positional(kId)
      .example("user show ada@example.com", "one account")
      .exits(exit_code::kNotFound, "no such account")
      .output("user", kUserSchema)
      .runs(show);
  declare_changes(tree);
}

}  // namespace edge::cli::commands
