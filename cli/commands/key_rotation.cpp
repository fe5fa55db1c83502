// SPDX-License-Identifier: MIT
#include "cli/commands/key_rotation.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "cli/commands/key_pixel.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/config/config.h"
#include "core/json/writer.h"
#include "core/tokens/keyring.h"

namespace edge::cli::commands {
namespace {

std::filesystem::path ring_path(Call& call) {
  return call.has("ring") ? std::filesystem::path(call["ring"])
                          : call.config().data_dir / "keys" / "jwt.json";
}

Result<int> list(Call& call) {
  if (call["kind"] == "pixel") {
    return list_pixel_keys(call);
  }
  const auto ring = tokens::load_key_ring(ring_path(call));
  if (!ring) {
    return Failure(ring.error());
  }
  Listing listing{.schema = "edge.keys/1",
                  .name = "keys",
                  .columns = {{"KID", "/kid"},
                              {"KIND", "/kind"},
                              {"STATE", "/state"},
                              {"CREATED", "/created"},
                              {"UNTIL", "/until"}}};
  for (const tokens::RingKey& key : ring->keys()) {
    json::Writer out;
    out.begin_object().member("kid", *key.key.id);
    out.member("kind", crypto::name_of(*key.key.algorithm))
        .member("state", tokens::name_of(key.state));
    out.member("created", format_time(key.created));
    if (key.until) {
      out.member("until", format_time(*key.until));
    }
    listing.records.push_back(out.end_object().take());
  }
  return call.print(listing);
}

/// What became of the ring.
Result<int> report(Call& call, const tokens::Rotation& done, const std::filesystem::path& path) {
  json::Writer out;
  out.begin_object()
      .member("schema", "edge.key/1")
      .member("kind", "jwt")
      .member("kid", call.command().verb() == "retire" ? done.retiring : done.active)
      .member("file", path.string());
  std::string human;
  const char* const old = call.command().verb() == "retire" ? "retired" : "verify";
  for (const auto& [name, id] :
       {std::pair{"active", &done.active}, {"next", &done.next}, {old, &done.retiring}}) {
    if (!id->empty()) {
      out.member(name, *id);
      human += fmt::format("{:<8}{}\n", name, *id);
    }
  }
  return call.print(Document{.json = out.end_object().take(), .human = std::move(human)});
}

template <typename Change>
Result<int> change_ring(Call& call, const Change& change) {
  const auto path = ring_path(call);
  auto ring = tokens::load_key_ring(path);
  auto done = ring ? change(*ring) : Result<tokens::Rotation>(Failure(ring.error()));
  if (!done) {
    return Failure(done.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would change {}", path.string()));
    return exit_code::kDone;
  }
  if (auto saved = tokens::save_key_ring(path, *ring); !saved) {
    return Failure(saved.error());
  }
  return report(call, *done, path);
}

Result<int> rotate(Call& call) {
  if (call["kind"] == "pixel") {
    return add_pixel_key(call, true);
  }
  return change_ring(call, [&](tokens::KeyRing& ring) { return ring.rotate(call.clock().now()); });
}

Result<int> retire(Call& call) {
  if (call["kind"] == "pixel") {
    return retire_pixel_key(call);
  }
  return change_ring(
      call, [&](tokens::KeyRing& ring) { return ring.retire(call["ID"], call.clock().now()); });
}

constexpr Option kRing{
    .name = "ring", .value = "FILE", .help = "this ring", .complete = Complete::Files};

}  // namespace

void key_rotation(Tree& tree, std::string_view key_schema) {
  tree.command("key list", "Keys of a ring, never the keys themselves")
      .option({.name = "kind",
               .value = "KIND",
               .help = "which ring",
               .fallback = "jwt",
               .choices = {"jwt", "pixel"}})
      .option(kRing)
      .about(
          "A jwt key is next (published, not used yet), active (signs) or verify (signs no more, "
          "and is published until its tokens have expired).")
      .example("key list --kind pixel", "the pixel keys")
      .exits(exit_code::kNotFound, "there is no ring")
      .see("key rotate")
      .output(
          "keys",
          R"({"type":"object","required":["schema","keys"],"properties":{"schema":{"const":"edge.keys/1"},)"
          R"("keys":{"type":"array","items":{"type":"object","required":["kid","kind","state"]}}}})")
      .runs(list);
  tree.command("key rotate", "Move the keys of a ring on: a new one signs, old ones verify")
      .option({.name = "kind",
               .value = "KIND",
               .help = "which ring",
               .fallback = "jwt",
               .choices = {"jwt", "pixel"}})
      .option(kRing)
      .changes()
      .about(
          "A jwt ring: the next key becomes active, the active one goes on verifying until its "
          "tokens have expired, and a new next key is made. The first rotation only makes a next "
          "key, because others must have seen it for five minutes before it signs. A running "
          "daemon takes the changed ring by itself.")
      .about("A pixel ring: a new key becomes active, all others stay for reading.")
      .example("key rotate", "the signing keys of tokens")
      .example("key rotate --kind pixel", "then reload the daemon with SIGHUP")
      .exits(exit_code::kBadInput, "the ring cannot be used")
      .exits(exit_code::kNotFound, "there is no ring")
      .exits(exit_code::kRefused, "the next key was published less than five minutes ago")
      .see("key retire")
      .output("key", key_schema)
      .runs(rotate);
  tree.command("key retire", "Take a key away; what it signed is no longer good")
      .positional({.name = "ID", .help = "from key list", .required = true})
      .option({.name = "kind",
               .value = "KIND",
               .help = "which ring",
               .required = true,
               .choices = {"jwt", "pixel"}})
      .option(kRing)
      .changes()
      .about(
          "Of a jwt ring also the active key, when it has leaked: the next key then signs at once. "
          "A pixel key is deleted and its number stays taken.")
      .example("key retire --kind pixel 1", "when mail with its tokens is no longer opened")
      .exits(exit_code::kNotFound, "no such key, or no ring")
      .exits(exit_code::kRefused, "it is the only one that can sign; rotate first")
      .see("key rotate")
      .output("key", key_schema)
      .runs(retire);
}

}  // namespace edge::cli::commands
