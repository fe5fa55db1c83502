// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
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

  // What a target keeps of it from one `send` to the next.
  std::uint32_t done = 0;                   ///< of its requests, those that were taken
  std::optional<std::string> outcome = {};  ///< settled: empty when taken, or why it never will be
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
  /// Which part of it was read, from 0 to 1; nothing when that is not known.
  [[nodiscard]] virtual std::optional<double> share() const { return std::nullopt; }
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

/// Dead letters, wherever they are kept. Failures of the last three: NotFound.
struct LetterShelf {
  std::function<Result<std::vector<std::string>>()> ids = {};  ///< of all there are, newest first
  std::function<Result<DeadLetter>(const std::string& id)> find = {};
  std::function<Result<void>(const std::string& id)> delivered = {};  ///< it leaves
  std::function<Result<void>(const std::string& id)> count_replay = {};
};

/// Those of one destination (empty: of all) in a store. `letters` is borrowed for life.
LetterShelf shelf_of(DeadLetters& letters, std::string destination);

/// Dead letters, oldest first, but for those that wait to be delivered again. A letter leaves when
/// its event is taken, and counts one more replay when it is refused; with `keep` nothing changes.
/// One that somebody removes meanwhile is passed over.
std::unique_ptr<ReplaySource> replay_letters(LetterShelf shelf, bool keep);

}  // namespace edge::delivery
