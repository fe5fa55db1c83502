// SPDX-License-Identifier: MIT
#include "cli/commands/key_pixel.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "core/config/config.h"
#include "core/json/writer.h"
#include "core/pixels/ring_file.h"

namespace edge::cli::commands {
namespace {

std::filesystem::path path_of(Call& call) {
  return call.has("ring") ? std::filesystem::path(call["ring"])
                          : pixels::ring_path(call.config().data_dir);
}

/// Writes the ring unless this is a dry run; tells what was done to which key.
Result<int> keep(Call& call,
                 const pixels::KeyRing& ring,
                 const std::filesystem::path& path,
                 unsigned number,
                 const std::string& done) {
  if (call.dry_run()) {
    call.note(fmt::format("would {} key {} of {}", done, number, path.string()));
    return exit_code::kDone;
  }
  if (auto saved = pixels::save_ring(path, ring); !saved) {
    return Failure(saved.error());
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.key/1").member("kind", "pixel");
  out.member("kid", std::to_string(number)).member("file", path.string()).end_object();
  return call.print(Document{.json = out.take(), .human = fmt::format("{}\n", number)});
}

}  // namespace

Result<int> add_pixel_key(Call& call, bool must_exist) {
  const auto path = path_of(call);
  auto ring = must_exist || std::filesystem::exists(path)
                  ? pixels::load_ring(path)
                  : Result<pixels::KeyRing>(pixels::KeyRing());
  if (!ring) {
    return Failure(ring.error());
  }
  const auto number = ring->add(call.random());
  if (!number) {
    return Failure(number.error());
  }
  return keep(call, *ring, path, *number, "add");
}

Result<int> retire_pixel_key(Call& call) {
  const std::string text = call["ID"];
  const auto number = pixels::key_number(text);
  if (!number) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no number of a pixel key; they are 0 to 255", text),
                    "ID",
                    "usage"});
  }
  const auto path = path_of(call);
  auto ring = pixels::load_ring(path);
  if (!ring) {
    return Failure(ring.error());
  }
  if (auto retired = ring->retire(*number, call.clock().now()); !retired) {
    return Failure(retired.error());
  }
  call.note(fmt::format("mail with tokens of key {} is not recognised any more", *number));
  return keep(call, *ring, path, *number, "retire");
}

Result<int> list_pixel_keys(Call& call) {
  const auto ring = pixels::load_ring(path_of(call));
  if (!ring) {
    return Failure(ring.error());
  }
  Listing listing{
      .schema = "edge.keys/1",
      .name = "keys",
      .columns = {
          {"KID", "/kid"}, {"KIND", "/kind"}, {"STATE", "/state"}, {"RETIRED", "/retired"}}};
  const auto add = [&listing](unsigned number, std::string_view state, std::string_view retired) {
    json::Writer out;
    out.begin_object().member("kid", std::to_string(number)).member("kind", "pixel");
    out.member("state", state);
    if (!retired.empty()) {
      out.member("retired", retired);
    }
    listing.records.push_back(out.end_object().take());
  };
  for (const unsigned number : ring->numbers()) {
    add(number, number == ring->active() ? "active" : "verify", {});
  }
  for (const auto& [number, date] : ring->retired()) {
    add(number, "retired", date);
  }
  return call.print(listing);
}

}  // namespace edge::cli::commands
