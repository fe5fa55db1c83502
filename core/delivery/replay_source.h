// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/delivery/dead_letter.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// One event to send again.
struct ReplayItem {
  std::string event = {};             ///< JSON object text
  std::uint64_t position = 0;         ///< what `seek` takes to continue behind it
  bool canonical = false;             ///< normalised and enriched already
  std::string letter = {};            ///< id of the dead letter it is
  std::uint32_t replays = 0;          ///< how often that was replayed before
  std::string destination = {};       ///< of the dead letter
  std::string reason = {};            ///< why it died
  std::optional<Error> problem = {};  ///< the item cannot be read; names the row
};

/// Where a replay takes its events from. One thread only.
class ReplaySource {
 public:
  ReplaySource() = default;
  ReplaySource(const ReplaySource&) = delete;
  ReplaySource& operator=(const ReplaySource&) = delete;
  ReplaySource(ReplaySource&&) = delete;
  ReplaySource& operator=(ReplaySource&&) = delete;
  virtual ~ReplaySource() = default;

  /// The next item, nothing at the end. Failure: the source cannot be read further.
  virtual Result<std::optional<ReplayItem>> next() = 0;
  /// Says as JSON what would have to be the same to continue later; empty when that is impossible.
  [[nodiscard]] virtual std::string identity() const = 0;
  /// Continues behind the item of that position; before the first `next`.
  virtual Result<void> seek(std::uint64_t position) = 0;
  /// The item was taken by the target.
  virtual Result<void> acknowledged(const ReplayItem& /*item*/) { return {}; }
  /// The target refused the item for good.
  virtual Result<void> failed(const ReplayItem& /*item*/) { return {}; }
  /// The run is over, however: what was acknowledged is made good.
  virtual Result<void> flush() { return {}; }
};

/// `FIELD=COL`: the column COL fills the field, `properties.plan` with a dot for members.
using ColumnMap = std::vector<std::pair<std::string, std::string>>;

/// Events from a file: JSON lines or, with the name `….csv`, CSV with a header; either may be
/// gzipped; `-` is standard input. Events without a messageId get one from file and row, so that a
/// repeated run is found out. Failures: NotFound, InvalidArgument.
Result<std::unique_ptr<ReplaySource>> open_replay_file(const std::string& path, ColumnMap columns);
/// The events of the log in order.
std::unique_ptr<ReplaySource> replay_store(storage::Store& store);
/// The dead letters of one destination (empty: of all); with `keep` they stay when delivered.
std::unique_ptr<ReplaySource> replay_letters(DeadLetters& letters,
                                             std::string destination,
                                             bool keep);

}  // namespace edge::delivery
