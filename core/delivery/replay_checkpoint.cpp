// SPDX-License-Identifier: MIT
// The state of a replay in a file: how far it is, what it counted and which events it knows.
#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>

#include "core/config/private_file.h"
#include "core/delivery/replay.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

Error wrong(std::string message, std::string reason) {
  return {ErrorCode::InvalidArgument, std::move(message), "checkpoint", std::move(reason)};
}

std::uint64_t number(json::Value object, const char* name) {
  const auto value = object.find(name);
  return value ? value->as_uint64().value_or(0) : 0;
}

}  // namespace

Result<void> Replay::begin() {
  if (options_.checkpoint.empty()) {
    return {};
  }
  if (options_.restart && options_.rehearsal) {
    return {};
  }
  if (options_.restart) {
    std::error_code absent;
    std::filesystem::remove(options_.checkpoint, absent);
    return {};
  }
  std::ifstream file(options_.checkpoint, std::ios::binary);
  if (!file) {
    return options_.resume
               ? Failure(wrong("there is no unfinished run to resume", "checkpoint_missing"))
               : Result<void>();
  }
  if (!options_.resume) {
    return Failure(wrong("an earlier run of this replay is unfinished: --resume or --restart",
                         "checkpoint_unfinished"));
  }
  return read_checkpoint({std::istreambuf_iterator<char>(file), {}});
}

Result<void> Replay::read_checkpoint(const std::string& text) {
  const auto document = json::Document::parse(text, json::kStrict);
  const auto source = document ? document->root().find("source") : std::nullopt;
  const auto counts = document ? document->root().find("counts") : std::nullopt;
  const auto hashes = document ? document->root().find("seen") : std::nullopt;
  if (!source || !counts || !hashes) {
    return Failure(wrong(fmt::format("\"{}\" is no checkpoint", options_.checkpoint.string()),
                         "checkpoint_invalid"));
  }
  if (source->raw() != source_.identity()) {
    return Failure(wrong("the source has changed since the interrupted run", "source_changed"));
  }
  ReplayCounts& kept = summary_.counts;
  kept.read = number(*counts, "read");
  kept.sent = number(*counts, "sent");
  kept.deduplicated = number(*counts, "deduplicated");
  kept.skipped = number(*counts, "skipped");
  kept.failed = number(*counts, "failed");
  kept.quarantined = number(*counts, "quarantined");
  for (const json::Value hash : hashes->elements()) {
    const auto digits = hash.as_string().value_or("");
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    seen_.insert(value);
    recent_.emplace_back(0, value);
  }
  position_ = number(document->root(), "position");
  return source_.seek(position_);
}

/// What is behind the batch was read, but not acknowledged: it must not be in the checkpoint.
Result<void> Replay::write_checkpoint(const Batch& batch) {
  const std::string identity = source_.identity();
  if (options_.checkpoint.empty() || options_.rehearsal || identity.empty()) {
    return {};
  }
  ReplayCounts counts = batch.counts;
  counts.sent = summary_.counts.sent;
  counts.failed = summary_.counts.failed;
  json::Writer out;
  out.begin_object().member("version", 1).key("source").raw(identity);
  out.member("position", batch.position).key("counts").begin_object();
  out.member("read", counts.read).member("sent", counts.sent);
  out.member("deduplicated", counts.deduplicated).member("skipped", counts.skipped);
  out.member("failed", counts.failed).member("quarantined", counts.quarantined).end_object();
  out.key("seen").begin_array();
  for (const auto& [position, hash] : recent_) {
    if (position <= batch.position) {
      out.string(fmt::format("{:x}", hash));
    }
  }
  out.end_array().end_object();
  return config::write_private_file(options_.checkpoint, out.text());
}

/// A run that ended before its first batch was acknowledged is resumed at the start of the source.
Result<void> Replay::keep_first_checkpoint() {
  std::error_code unreadable;
  if (std::filesystem::exists(options_.checkpoint, unreadable)) {
    return {};
  }
  recent_.clear();
  return write_checkpoint({});
}

}  // namespace edge::delivery
