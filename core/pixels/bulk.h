// SPDX-License-Identifier: MIT
// One pixel for each row of a mailing list, streaming: rows go through in order, memory is bounded
// by the longest row (1 MiB) and a few pieces of 64 KiB with their output per thread, whatever the
// number of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/pixels/claims.h"
#include "core/pixels/codec.h"
#include "core/pixels/html.h"

namespace edge::pixels {

enum class TableForm : std::uint8_t { Csv, Tsv, JsonLines };

/// What a bulk run does with each row.
struct BulkPlan {
  Claims constants = {};  ///< used where a row has no value of its own
  SealOptions seal = {};
  std::string base_url = {};
  std::string style = std::string(kDefaultStyle);
  TableForm in = TableForm::Csv;
  TableForm out = TableForm::Csv;  ///< JsonLines input is written as JsonLines only
  /// Field (`campaignId`, `emailId`, `recipientId`, `meta.KEY`) → column. Ids that are not named
  /// are looked for under their own name, its snake_case form, and for recipientId `recipient`,
  /// `id`, `email`.
  std::map<std::string, std::string, std::less<>> columns = {};
  /// Among `pixelId`, `pixelUrl`, `pixelHTML`, `pixelError`, in the order they are appended.
  std::vector<std::string> append = {"pixelId", "pixelUrl", "pixelHTML"};
  enum class OnError : std::uint8_t { Fail, Skip, Mark } on_error = OnError::Fail;
  std::size_t jobs = 1;  ///< threads that work on pieces; with 1 the caller's does
};

/// A row that got no pixel. The header of a table is row 1.
struct BadRow {
  std::size_t row = 0;
  Error error = {};
};

struct BulkCounts {
  std::size_t made = 0;
  std::size_t bad = 0;
};

/// Takes the text of a table in pieces and hands out the text of the new one in blocks, in order.
/// For one thread; sink and report are called on it whatever the number of jobs.
///
/// Columns are copied as they stand; new ones are appended; output lines end in LF. A clash of
/// column names, a missing header, or a bad row under `OnError::Fail` is an error of `feed` or
/// `finish`; rows before it have been handed out, nothing after it.
class Bulk {
 public:
  using Sink = std::function<void(std::string_view)>;
  using Report = std::function<void(const BadRow&)>;

  Bulk(BulkPlan plan, const KeyRing& ring, Sink sink, Report report);
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;
  Bulk(Bulk&&) = delete;
  Bulk& operator=(Bulk&&) = delete;
  ~Bulk();

  Result<void> feed(std::string_view piece);
  Result<BulkCounts> finish();

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace edge::pixels
