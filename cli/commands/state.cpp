// SPDX-License-Identifier: MIT
// Named state: JSON values with versions, by namespace. Asked of the running daemon, else of the
// local store.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/state_store.h"
#include "cli/exit_code.h"
#include "cli/paging.h"
#include "cli/problem.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/state/names.h"

namespace edge::cli::commands {
namespace {

Result<void> check_space(const Call& call) {
  if (!state::is_name(call["NAMESPACE"])) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("\"{}\" is no namespace: 1 to 128 of A-Z a-z 0-9 _ . : -", call["NAMESPACE"]),
         "NAMESPACE"});
  }
  return {};
}

Result<void> check_place(const Call& call) {
  if (call["KEY"].empty() || call["KEY"].size() > state::kMaxKeyBytes) {
    return Failure({ErrorCode::InvalidArgument, "a key has 1 to 2048 octets", "KEY"});
  }
  return check_space(call);
}

Result<std::optional<std::uint64_t>> if_version_of(Call& call) {
  if (!call.has("if-version")) {
    return std::optional<std::uint64_t>();
  }
  const std::int64_t version = call.integer("if-version");
  if (version < 0) {
    return Failure(usage_error("--if-version is a version from 0 on", "if-version"));
  }
  return std::optional(static_cast<std::uint64_t>(version));
}

Result<int> list(Call& call) {
  if (auto fits = check_limit(call); !fits) {
    return Failure(std::move(fits.error()));
  }
  if (auto fits = check_space(call); !fits) {
    return Failure(std::move(fits.error()));
  }
  const auto store = open_state(call, Call::Access::Read);
  state::StateQuery query{.prefix = call["prefix"], .reverse = call.flag("reverse")};
  return print_pages(
      call,
      Listing{.schema = "edge.state-entries/1",
              .name = "entries",
              .columns = {{"key", "/key"}, {"version", "/version"}, {"value", "/value"}}},
      state::kMaxListed,
      [&](std::size_t limit, const std::string& cursor) {
        query.limit = limit;
        query.cursor = cursor;
        return store->list(query);
      });
}

/// The entry of the call.
Result<std::string> found(Call& call) {
  if (auto fits = check_place(call); !fits) {
    return Failure(std::move(fits.error()));
  }
  auto entry = open_state(call, Call::Access::Read)->entry(call["KEY"]);
  if (!entry) {
    return Failure(std::move(entry.error()));
  }
  if (!*entry) {
    return Failure(
        {ErrorCode::NotFound,
         fmt::format(
             "there is no key \"{}\" in the namespace \"{}\"", call["KEY"], call["NAMESPACE"])});
  }
  return std::move(**entry);
}

Result<int> get(Call& call) {
  const auto entry = found(call);
  const auto document = entry ? json::Document::parse(*entry, json::kEvent)
                              : Result<json::Document>(Failure(entry.error()));
  if (!document) {
    return Failure(document.error());
  }
  const auto value = document->root().find("value");
  call.out().write(std::string(value ? value->raw() : "null") + "\n");
  return exit_code::kDone;
}

Result<int> show(Call& call) {
  const auto entry = found(call);
  return entry
             ? call.print(Document{.json = R"({"schema":"edge.state-entry/1",)" + entry->substr(1)})
             : Failure(entry.error());
}

Result<int> put(Call& call) {
  auto fits = check_place(call);
  const auto version = if_version_of(call);
  if (!fits || !version) {
    return Failure(fits ? version.error() : fits.error());
  }
  if (call.has("VALUE") && call.has("input")) {
    return Failure(usage_error("VALUE and --input are two values; give one"));
  }
  const auto value = call.has("VALUE") ? Result<std::string>(call["VALUE"]) : call.input();
  const auto document = value ? json::Document::parse(*value, json::kApi)
                              : Result<json::Document>(Failure(value.error()));
  if (!document) {
    Error error = document.error();
    if (value) {
      error.message += "; a text is written \"so\", with its quotes";
      error.field = "VALUE";
    }
    return Failure(std::move(error));
  }
  std::optional<std::int64_t> ttl;
  if (call.has("ttl")) {
    ttl = std::chrono::ceil<std::chrono::seconds>(call.duration("ttl")).count();
  }
  if (call.dry_run()) {
    call.note(
        fmt::format("would write \"{}\" in the namespace \"{}\"", call["KEY"], call["NAMESPACE"]));
    return exit_code::kDone;
  }
  const auto done = open_state(call, Call::Access::Write)
                        ->put(call["KEY"], std::string(document->root().raw()), ttl, *version);
  if (!done) {
    return Failure(done.error());
  }
  json::Writer out;
  out.begin_object()
      .member("schema", "edge.state-put/1")
      .member("key", call["KEY"])
      .member("version", *done)
      .end_object();
  return call.print(Document{.json = out.take()});
}

Result<int> erase(Call& call) {
  auto fits = check_place(call);
  const auto version = if_version_of(call);
  if (!fits || !version) {
    return Failure(fits ? version.error() : fits.error());
  }
  if (call.dry_run()) {
    call.note(
        fmt::format("would delete \"{}\" of the namespace \"{}\"", call["KEY"], call["NAMESPACE"]));
    return exit_code::kDone;
  }
  const auto done = open_state(call, Call::Access::Write)->erase(call["KEY"], *version);
  if (done && !*done) {
    call.note(fmt::format("there was no key \"{}\"", call["KEY"]));
  }
  return done ? Result<int>(exit_code::kDone) : Failure(done.error());
}

Option space_option() {
  return {.name = "NAMESPACE", .help = "1 to 128 of A-Z a-z 0-9 _ . : -", .required = true};
}

Option key_option() {
  return {.name = "KEY", .help = "1 to 2048 octets", .required = true};
}

Option version_option() {
  return {.name = "if-version",
          .value = "N",
          .help = "only when the key has this version; 0 = only when it is absent",
          .type = Type::Integer};
}

}  // namespace

void state(Tree& tree) {
  tree.noun("state", Section::Manage, "Named state: JSON values with versions");
  tree.command("state list", "List keys in order of their octets")
      .positional(space_option())
      .option({.name = "prefix", .value = "P", .help = "only keys that begin with it"})
      .option({.name = "limit",
               .value = "N",
               .help = "at most so many",
               .type = Type::Integer,
               .fallback = "100"})
      .option({.name = "cursor", .value = "C", .help = "go on where a list ended"})
      .flag("reverse", "from the last key to the first")
      .flag("all", "to the end, whatever --limit says")
      .example("state list session --prefix user:", "sessions of users")
      .output("state-entries",
              R"({"type":"object","required":["schema","entries","cursor"],"properties":{)"
              R"("schema":{"const":"edge.state-entries/1"},"entries":{"type":"array"},)"
              R"("cursor":{"type":["string","null"]}}})")
      .runs(list);
  tree.command("state get", "Print the value of a key as JSON")
      .positional(space_option())
      .positional(key_option())
      .example("state get session user:42", "what is kept of a session")
      .exits(exit_code::kNotFound, "no such key")
      .runs(get);
  tree.command("state show", "Show a key with its version and when it ends")
      .positional(space_option())
      .positional(key_option())
      .example("state show session user:42", "to write it back with --if-version")
      .output("state-entry",
              R"({"type":"object","required":["schema","key","value","version"],"properties":{)"
              R"("schema":{"const":"edge.state-entry/1"},"key":{"type":"string"},)"
              R"("version":{"type":"integer"},"expiresAt":{"type":"integer"}}})")
      .exits(exit_code::kNotFound, "no such key")
      .runs(show);
  tree.command("state put", "Write a JSON value")
      .about("Key and value have at most 2,000,000 octets together.")
      .positional(space_option())
      .positional(key_option())
      .positional({.name = "VALUE", .help = "JSON; else --input, else standard input"})
      .option({.name = "ttl",
               .value = "DUR",
               .help = "for how long; without one, for good",
               .type = Type::Duration})
      .option(version_option())
      .reads_input()
      .changes()
      .example("state put shop open true --if-version 0", "unless somebody did before")
      .output("state-put",
              R"({"type":"object","required":["schema","key","version"],"properties":{)"
              R"("schema":{"const":"edge.state-put/1"},"key":{"type":"string"},)"
              R"("version":{"type":"integer"}}})")
      .runs(put);
  tree.command("state delete", "Delete a key; an absent one is no error")
      .positional(space_option())
      .positional(key_option())
      .option(version_option())
      .changes()
      .example("state delete session user:42", "ends a session")
      .runs(erase);
}

}  // namespace edge::cli::commands
