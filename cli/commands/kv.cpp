// SPDX-License-Identifier: MIT
// The key-value store: values under keys, by namespace. Asked of the running daemon, else of the
// local store.
#include "core/kv/kv.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/kv_store.h"
#include "cli/commands/kv_transfer.h"
#include "cli/exit_code.h"
#include "cli/paging.h"
#include "cli/problem.h"
#include "core/events/event.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

std::string record_of(const kv::Listing::Key& key) {
  json::Writer out;
  out.begin_object().member("key", key.name);
  if (key.expires != 0) {
    out.member("expires", events::format_time(from_ms(key.expires / 1000 * 1000)));
  }
  if (!key.metadata.empty()) {
    out.key("metadata").raw(key.metadata);
  }
  return out.end_object().take();
}

Result<int> list(Call& call) {
  if (auto fits = check_limit(call); !fits) {
    return Failure(std::move(fits.error()));
  }
  const auto store = open_kv(call, Call::Access::Read, false);
  if (!store) {
    return Failure(store.error());
  }
  kv::ListQuery query{.prefix = call["prefix"]};
  return print_pages(
      call,
      Listing{.schema = "edge.kv-keys/1",
              .name = "keys",
              .columns = {{"key", "/key"}, {"expires", "/expires"}, {"metadata", "/metadata"}}},
      kv::kMaxPageKeys,
      [&](std::size_t limit, const std::string& cursor) -> Result<RecordPage> {
        query.limit = limit;
        query.cursor = cursor;
        const auto listed = (*store)->list(query);
        if (!listed) {
          return Failure(listed.error());
        }
        RecordPage page{.cursor = listed->cursor};
        for (const kv::Listing::Key& key : listed->keys) {
          page.records.push_back(record_of(key));
        }
        return page;
      });
}

Result<int> get(Call& call) {
  const auto store = open_kv(call, Call::Access::Read, false);
  const auto value = store ? (*store)->value(call["KEY"])
                           : Result<std::optional<std::string>>(Failure(store.error()));
  if (!value) {
    return Failure(value.error());
  }
  if (!*value) {
    return Failure(
        {ErrorCode::NotFound,
         fmt::format("there is no key \"{}\" in the namespace \"{}\"", call["KEY"], call["ns"])});
  }
  call.out().write(**value);
  return exit_code::kDone;
}

/// What is written, checked; an empty expiry never ends.
Result<kv::BulkEntry> entry_of(Call& call) {
  if (call.has("VALUE") && call.has("input")) {
    return Failure(usage_error("VALUE and --input are two values; give one"));
  }
  if (call.has("ttl") && call.has("expires")) {
    return Failure(usage_error("--ttl and --expires exclude each other"));
  }
  kv::BulkEntry entry{.key = call["KEY"]};
  auto metadata = kv::read_metadata(call["metadata"]);
  if (!metadata) {
    return Failure(std::move(metadata.error()));
  }
  entry.metadata = std::move(*metadata);
  if (call.has("ttl")) {
    entry.expiry.ttl = std::chrono::ceil<std::chrono::seconds>(call.duration("ttl")).count();
  } else if (call.has("expires")) {
    entry.expiry.at =
        std::chrono::ceil<std::chrono::seconds>(call.time("expires")).time_since_epoch().count();
  }
  if (auto fits = kv::write_of(entry, call.clock().now()); !fits) {
    return Failure(std::move(fits.error()));
  }
  auto value = call.has("VALUE") ? Result<std::string>(call["VALUE"]) : call.input();
  const auto fits = value ? kv::check_value(value->size()) : Failure(value.error());
  if (!fits) {
    return Failure(fits.error());
  }
  entry.value = std::move(*value);
  return entry;
}

Result<int> put(Call& call) {
  auto entry = entry_of(call);
  if (!entry) {
    return Failure(std::move(entry.error()));
  }
  if (call.dry_run()) {
    call.note(fmt::format("would write {} octets under \"{}\" in the namespace \"{}\"",
                          entry->value.size(),
                          entry->key,
                          call["ns"]));
    return exit_code::kDone;
  }
  const auto store = open_kv(call, Call::Access::Write, true);
  std::vector<kv::BulkEntry> entries;
  entries.push_back(std::move(*entry));
  const auto done = store ? (*store)->write(entries) : Failure(store.error());
  return done ? Result<int>(exit_code::kDone) : Failure(done.error());
}

Result<int> erase(Call& call) {
  const std::vector<std::string> keys = call.all("KEY");
  for (const std::string& key : keys) {
    if (auto fits = kv::check_key(key); !fits) {
      return Failure(std::move(fits.error()));
    }
  }
  if (call.dry_run()) {
    call.note(fmt::format("would delete {} keys of the namespace \"{}\"", keys.size(), call["ns"]));
    return exit_code::kDone;
  }
  const auto store = open_kv(call, Call::Access::Write, false);
  const auto done = store ? (*store)->erase(keys) : Failure(store.error());
  return done ? Result<int>(exit_code::kDone) : Failure(done.error());
}

Option ns_option() {
  return {
      .name = "ns", .value = "NAME", .help = "title or id of the namespace", .fallback = "cache"};
}

Option key_option() {
  return {.name = "KEY", .help = "1 to 512 octets of UTF-8", .required = true};
}

Option create_flag() {
  return {.name = "create", .help = "make the namespace when there is none of that title"};
}

Option prefix_option() {
  return {.name = "prefix", .value = "P", .help = "only keys that begin with it"};
}

void declare_transfer(Tree& tree) {
  tree.command("kv import", "Write many entries")
      .about(
          "The input holds one JSON object per line, or one list of them: {\"key\", \"value\", "
          "\"base64\"?: true, \"expiration\"?: SECONDS, \"expiration_ttl\"?: SECONDS, "
          "\"metadata\"?}, as kv export and wrangler write them. Entries whose time is over are "
          "left out. What stands before a wrong line is written.")
      .option(ns_option())
      .flag(create_flag())
      .reads_input()
      .changes()
      .example("kv import -i backup.jsonl --ns shop --create", "into a namespace of its own")
      .output("kv-import",
              R"({"type":"object","required":["schema","imported","ended"],"properties":{)"
              R"("schema":{"const":"edge.kv-import/1"},"imported":{"type":"integer"},)"
              R"("ended":{"type":"integer"}}})")
      .exits(exit_code::kBadInput, "a line is no entry; its number is told")
      .exits(exit_code::kNotFound, "no such namespace")
      .runs(kv_import);
  tree.command("kv export", "Print all entries as JSON lines")
      .option(ns_option())
      .option(prefix_option())
      .example("kv export --ns shop -o backup.jsonl", "to read with kv import")
      .exits(exit_code::kNotFound, "no such namespace")
      .runs(kv_export);
}

}  // namespace

void kv(Tree& tree) {
  tree.noun("kv", Section::Manage, "Values under keys: the key-value store");
  tree.command("kv list", "List keys in order of their octets")
      .option(ns_option())
      .option(prefix_option())
      .option({.name = "limit",
               .value = "N",
               .help = "at most so many",
               .type = Type::Integer,
               .fallback = "1000"})
      .option({.name = "cursor", .value = "C", .help = "go on where a list ended"})
      .flag("all", "to the end, whatever --limit says")
      .example("kv list --prefix user/", "the keys that begin with user/")
      .example("kv list --ns sessions --all --format jsonl", "every key, for a script")
      .output("kv-keys",
              R"({"type":"object","required":["schema","keys","cursor"],"properties":{"schema":)"
              R"({"const":"edge.kv-keys/1"},"keys":{"type":"array"},)"
              R"("cursor":{"type":["string","null"]}}})")
      .exits(exit_code::kNotFound, "no such namespace")
      .runs(list);
  tree.command("kv get", "Print a value as it is")
      .positional(key_option())
      .option(ns_option())
      .example("kv get logo -o logo.png", "into a file")
      .exits(exit_code::kNotFound, "no such key or namespace")
      .runs(get);
  tree.command("kv put", "Write a value of at most 25 MiB")
      .about("It replaces value, metadata and time to live of the key together.")
      .positional(key_option())
      .positional({.name = "VALUE", .help = "else --input, else standard input"})
      .option(ns_option())
      .option({.name = "ttl",
               .value = "DUR",
               .help = "for how long, 60s or more; without one, for good",
               .type = Type::Duration})
      .option({.name = "expires", .value = "TIME", .help = "until when", .type = Type::Time})
      .option({.name = "metadata",
               .value = "JSON",
               .help = "kept beside it, 1024 octets at most; lists show it"})
      .flag(create_flag())
      .reads_input()
      .changes()
      .example("kv put greeting hello --ttl 1h", "a text for an hour")
      .example("kv put logo -i logo.png --metadata '{\"type\":\"image/png\"}'", "a file")
      .exits(exit_code::kNotFound, "no such namespace")
      .runs(put);
  tree.command("kv delete", "Delete keys; those that are absent are no error")
      .positional({.name = "KEY", .help = "what to delete", .required = true, .repeatable = true})
      .option(ns_option())
      .changes()
      .example("kv delete greeting logo", "two keys")
      .exits(exit_code::kNotFound, "no such namespace")
      .runs(erase);
  declare_transfer(tree);
}

}  // namespace edge::cli::commands
