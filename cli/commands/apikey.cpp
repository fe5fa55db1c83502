// SPDX-License-Identifier: MIT
// Keys of programs, at the running daemon or in the local store. The text of a key is printed by
// the command that makes it, and never again.
#include <fmt/format.h>

#include <utility>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/encoding/rfc3339.h"
#include "core/json/writer.h"
#include "core/tokens/roles.h"

namespace edge::cli::commands {
namespace {

const tokens::Actor kHere{.id = "edgectl", .kind = "local"};

/// A key that was just made: its text and its record.
struct Made {
  std::string text = {};
  std::string record = {};
};

Result<Made> made_in(const Result<transport::IncomingResponse>& answer) {
  if (!answer) {
    return Failure(answer.error());
  }
  const auto document = json::Document::parse(answer->body, json::kStrict);
  const auto key = document ? document->root().find("key") : std::nullopt;
  const auto record = document ? document->root().find("apiKey") : std::nullopt;
  if (!key || !record) {
    return Failure({ErrorCode::Internal, "the daemon's answer cannot be read"});
  }
  return Made{.text = std::string(key->as_string().value_or("")),
              .record = std::string(record->raw())};
}

Result<Made> made_of(const Result<accounts::NewApiKey>& made) {
  return made ? Result<Made>(Made{made->text, accounts::api_key_json(made->key)})
              : Failure(made.error());
}

Result<int> unknown(Call& call) {
  return call.fail({.error = {ErrorCode::NotFound,
                              fmt::format("no api key \"{}\"", call["ID"]),
                              "ID",
                              "api_key_not_found"},
                    .hint = "edgectl apikey list"});
}

Result<int> print_made(Call& call, const Result<Made>& made) {
  if (!made) {
    return made.error().code == ErrorCode::NotFound ? unknown(call) : Failure(made.error());
  }
  call.out().set_mode(0600);
  call.note("the key is shown this once; keep it in a private file");
  json::Writer key;
  key.string(made->text);
  return call.print(
      Document{.json = fmt::format(
                   R"({{"schema":"edge.apikey/1","key":{},{})", key.text(), made->record.substr(1)),
               .human = made->text + "\n"});
}

Result<void> check_scopes(Call& call, const std::vector<std::string>& scopes) {
  for (const std::string& scope : scopes) {
    if (!tokens::is_permission(scope)) {
      return Failure(usage_error(
          fmt::format("\"{}\" is no permission, such as track:write or cdp:read", scope)));
    }
    if (scope.starts_with("admin:")) {
      call.note(fmt::format("{} is for people only; a key with it may do no more", scope));
    }
  }
  return {};
}

Result<int> create(Call& call) {
  accounts::ApiKeyWish wish{.name = call["name"], .scopes = call.all("scope")};
  if (auto known = check_scopes(call, wish.scopes); !known) {
    return Failure(known.error());
  }
  if (call.has("expires")) {
    wish.expires = call.clock().now() + call.duration("expires");
  }
  if (call.dry_run()) {
    call.note(fmt::format("would create an api key \"{}\"", wish.name));
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  if (daemon == nullptr) {
    return print_made(call, made_of(call.edge().api_keys.create(wish, kHere)));
  }
  json::Writer body;
  body.begin_object().member("name", wish.name).key("scopes").begin_array();
  for (const std::string& scope : wish.scopes) {
    body.string(scope);
  }
  body.end_array();
  if (wish.expires) {
    body.member("expires", encoding::rfc3339(*wish.expires));
  }
  return print_made(call, made_in(daemon->post("/admin/apikeys", body.end_object().take())));
}

Result<std::vector<std::string>> records(Call& call) {
  if (Remote* daemon = call.running_daemon()) {
    return list_of(*daemon, "/admin/apikeys", "apiKeys");
  }
  const auto keys = call.edge(Call::Access::Read).api_keys.list();
  if (!keys) {
    return Failure(keys.error());
  }
  std::vector<std::string> all;
  for (const accounts::ApiKey& key : *keys) {
    all.push_back(accounts::api_key_json(key));
  }
  return all;
}

Result<int> list(Call& call) {
  auto all = records(call);
  if (!all) {
    return Failure(all.error());
  }
  return call.print(Listing{.schema = "edge.apikeys/1",
                            .name = "apiKeys",
                            .columns = {{"ID", "/id"},
                                        {"NAME", "/name"},
                                        {"SCOPES", "/scopes"},
                                        {"CREATED", "/created"},
                                        {"EXPIRES", "/expires"},
                                        {"LAST USED", "/lastUsed"},
                                        {"REVOKED", "/revoked"}},
                            .records = std::move(*all)});
}

std::string path_of(const Call& call) {
  return "/admin/apikeys/" + encoding::percent_encode(call["ID"]);
}

Result<int> revoke(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would revoke {}", call["ID"]));
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  Error refused;
  bool done = false;
  if (daemon != nullptr) {
    const auto answer = daemon->send("DELETE", path_of(call));
    done = answer.has_value();
    refused = done ? Error{} : answer.error();
  } else {
    const auto revoked = call.edge().api_keys.revoke(call["ID"], kHere);
    done = revoked.has_value();
    refused = done ? Error{} : revoked.error();
  }
  if (!done) {
    return refused.code == ErrorCode::NotFound ? unknown(call) : Failure(refused);
  }
  call.note(fmt::format("revoked {}", call["ID"]));
  return exit_code::kDone;
}

Result<int> rotate(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would give {} a new text", call["ID"]));
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  return print_made(call,
                    daemon != nullptr ? made_in(daemon->post(path_of(call) + "/rotate", "{}"))
                                      : made_of(call.edge().api_keys.rotate(call["ID"], kHere)));
}

constexpr std::string_view kKeySchema =
    R"({"type":"object","required":["schema","key","id","name","scopes"],"properties":{)"
    R"("schema":{"const":"edge.apikey/1"},"key":{"type":"string"},"id":{"type":"string"},)"
    R"("name":{"type":"string"},"role":{"const":"service"},"scopes":{"type":"array",)"
    R"("items":{"type":"string"}},"created":{"type":"string"},"expires":{"type":"string"}}})";

constexpr Option kId{.name = "ID", .help = "from apikey list", .required = true};

}  // namespace

void apikey(Tree& tree) {
  tree.noun("apikey", Section::Manage, "Keys of programs");
  tree.command("apikey create", "Make a key and print it, this once")
      .option({.name = "name", .value = "N", .help = "what it is for", .required = true})
      .option({.name = "scope",
               .value = "P",
               .help = "permission it gives, such as track:write",
               .required = true,
               .repeatable = true})
      .option({.name = "expires",
               .value = "DUR",
               .help = "when it ends; default: never",
               .type = Type::Duration})
      .changes()
      .about(
          "A program sends the key in the field X-API-Key. It may do exactly what its scopes name, "
          "nothing in the area admin. The store keeps a hash: a key that is lost is made anew.")
      .example("apikey create --name importer --scope track:write -o importer.key",
               "into a file of mode 0600")
      .exits(exit_code::kBadInput, "the name is not allowed")
      .see("apikey rotate")
      .output("apikey", kKeySchema)
      .runs(create);
  tree.command("apikey list", "Keys with their scopes and last use, never their texts")
      .example("apikey list --json", "for a script")
      .output(
          "apikeys",
          R"({"type":"object","required":["schema","apiKeys"],"properties":{)"
          R"("schema":{"const":"edge.apikeys/1"},"apiKeys":{"type":"array","items":{"type":"object"}}}})")
      .runs(list);
  tree.command("apikey revoke", "End a key at once")
      .positional(kId)
      .changes()
      .example("apikey revoke fqngiqi76k", "it stays listed for 90 days")
      .exits(exit_code::kNotFound, "no such key")
      .see("apikey list")
      .runs(revoke);
  tree.command("apikey rotate", "Give a key a new text; the old one ends at once")
      .positional(kId)
      .changes()
      .example("apikey rotate fqngiqi76k", "name, scopes and end stay")
      .exits(exit_code::kNotFound, "no such key")
      .exits(exit_code::kRefused, "it has been revoked")
      .see("apikey create")
      .output("apikey", kKeySchema)
      .runs(rotate);
}

}  // namespace edge::cli::commands
