// SPDX-License-Identifier: MIT
// Accounts on the local store. The first administrator is made here: there is no default account.
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/prompt.h"
#include "cli/terminal.h"
#include "core/accounts/login.h"
#include "core/config/private_file.h"
#include "core/crypto/secret.h"
#include "core/edge.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

/// The password: from `--password-file`, else asked twice on a terminal, else a line of stdin.
Result<std::string> read_password(Call& call) {
  std::string password;
  if (call.has("password-file")) {
    const auto file = config::read_private_file(call["password-file"]);
    if (!file) {
      return Failure(file.error());
    }
    password = std::string(file->view());
  } else if (is_terminal(STDIN_FILENO)) {
    auto first = ask_secret(call, "password");
    auto second = first ? ask_secret(call, "the same again") : first;
    if (!second) {
      return Failure(second.error());
    }
    const bool same = *first == *second;
    crypto::wipe(*second);
    if (!same) {
      return Failure({ErrorCode::InvalidArgument, "the two passwords differ", "password"});
    }
    return std::move(*first);
  } else {
    auto input = call.read("-");
    if (!input) {
      return Failure(input.error());
    }
    password = std::move(*input);
  }
  if (password.ends_with('\n')) {
    password.pop_back();
    if (password.ends_with('\r')) {
      password.pop_back();
    }
  }
  return password;
}

/// `user_json` with what else a manager of accounts sees.
std::string record_of(const accounts::Account& account, bool with_schema) {
  json::Writer out;
  out.begin_object();
  if (with_schema) {
    out.member("schema", "edge.user/1");
  }
  out.member("id", account.id.text).member("email", account.email).member("name", account.name);
  out.key("roles").begin_array();
  for (const std::string& role : account.roles) {
    out.string(role);
  }
  out.end_array()
      .member("created", format_time(account.created))
      .member("disabled", account.disabled);
  return out.end_object().take();
}

Result<int> create(Call& call) {
  accounts::Registration wanted{
      .email = call["email"], .name = call["name"], .roles = call.all("role")};
  const auto address = accounts::normalise_address(wanted.email);
  if (!address) {
    return Failure(address.error());
  }
  if (wanted.name.empty()) {
    wanted.name = *address;
  }
  if (wanted.roles.empty()) {
    wanted.roles = {"viewer"};
  }
  if (const auto known = accounts::check_roles(wanted.roles); !known) {
    return Failure(usage_error(known.error().message));
  }
  auto password = read_password(call);
  if (!password) {
    return Failure(password.error());
  }
  wanted.password = std::move(*password);
  if (call.dry_run()) {
    call.note(fmt::format("would create {}", *address));
    return exit_code::kDone;
  }
  const auto made = call.edge().login.create(wanted);
  crypto::wipe(wanted.password);
  if (!made) {
    return Failure(made.error());
  }
  return call.print(Document{.json = record_of(*made, true), .human = made->id.text + "\n"});
}

Result<int> list(Call& call) {
  const auto all = call.edge(Call::Access::Read).login.accounts.list();
  if (!all) {
    return Failure(all.error());
  }
  Listing listing{.schema = "edge.users/1",
                  .name = "users",
                  .columns = {{"ID", "/id"},
                              {"EMAIL", "/email"},
                              {"NAME", "/name"},
                              {"ROLES", "/roles"},
                              {"DISABLED", "/disabled"}}};
  for (const accounts::Account& account : *all) {
    listing.records.push_back(record_of(account, false));
  }
  return call.print(listing);
}

Result<int> show(Call& call) {
  accounts::Accounts& all = call.edge(Call::Access::Read).login.accounts;
  const std::string name = call["ID"];
  const auto address = accounts::normalise_address(name);
  const auto found = address ? all.find_by_email(*address) : all.find({name});
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return call.fail({.error = {ErrorCode::NotFound,
                                fmt::format("no user \"{}\"", name),
                                "ID",
                                "user_not_found"},
                      .hint = "edgectl user list"});
  }
  return call.print(Document{.json = record_of(**found, true)});
}

constexpr std::string_view kUserSchema =
    R"({"type":"object","required":["schema","id","email","roles"],"properties":{)"
    R"("schema":{"const":"edge.user/1"},"id":{"type":"string"},"email":{"type":"string"},)"
    R"("name":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}},)"
    R"("created":{"type":"string"},"disabled":{"type":"boolean"}}})";

}  // namespace

void user(Tree& tree) {
  tree.noun("user", Section::Manage, "Accounts");
  tree.command("user create", "Create an account")
      .option({.name = "email", .value = "A", .help = "address to sign in with", .required = true})
      .option({.name = "name", .value = "N", .help = "name; default: the address"})
      .option({.name = "role",
               .value = "R",
               .help = "admin, editor or viewer; default: viewer",
               .repeatable = true})
      .option({.name = "password-file",
               .value = "FILE",
               .help = "file with the password; else it is asked for, or read from standard input",
               .complete = Complete::Files})
      .changes()
      .example("user create --email ada@example.com --role admin", "the first administrator")
      .exits(exit_code::kBadInput, "the address or the password is not allowed")
      .exits(exit_code::kRefused, "the address is taken")
      .exits(exit_code::kLocalResource, "a daemon holds the store")
      .see("user list")
      .output("user", kUserSchema)
      .runs(create);
  tree.command("user list", "List the accounts")
      .example("user list --json", "as JSON")
      .output(
          "users",
          R"({"type":"object","required":["schema","users"],"properties":{)"
          R"("schema":{"const":"edge.users/1"},"users":{"type":"array","items":{"type":"object"}}}})")
      .runs(list);
  tree.command("user show", "Show an account")
      .positional({.name = "ID", .help = "id or address", .required = true})
      .example("user show ada@example.com", "one account")
      .exits(exit_code::kNotFound, "no such account")
      .runs(show);
}

}  // namespace edge::cli::commands
