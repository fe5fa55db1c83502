// SPDX-License-Identifier: MIT
// The work on a piece of a mailing list that holds whole rows. Pieces do not know of one another,
// so that several threads can take them; `Bulk` cuts the list and puts the results in order.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/encoding/csv.h"
#include "core/json/document.h"
#include "core/pixels/bulk.h"
#include "core/pixels/token_mold.h"

namespace edge::pixels {

/// A plan, and where its columns are in the table at hand. Immutable for the rows.
struct BulkTable {
  BulkPlan plan = {};
  std::vector<std::string> header = {};
  std::optional<std::size_t> campaign = {};
  std::optional<std::size_t> email = {};
  std::optional<std::size_t> recipient = {};
  std::vector<std::pair<std::string, std::size_t>> metadata = {};  ///< member and column

  /// Finds the columns in the first row. Failure: a column that is named is not there, or a new
  /// name is there already.
  Result<void> take_header(std::vector<std::string> names);
  /// The header line of the new table, empty for JSON lines; `text` is the old one.
  [[nodiscard]] std::string header_line(std::string_view text) const;
};

/// What became of one piece.
struct BulkPiece {
  std::string text = {};
  std::size_t rows = 0;  ///< read, blank lines not counted in tables
  std::size_t made = 0;
  std::vector<BadRow> bad = {};    ///< their numbers count from 1 within the piece
  std::optional<Error> stop = {};  ///< why the rows behind the last bad one were not looked at
};

/// Works on pieces, one after the other. One thread only.
class BulkRows {
 public:
  /// Borrows both for life.
  BulkRows(const BulkTable& table, const KeyRing& ring);

  /// `text` holds whole rows; the last may lack its line end. `out` is emptied first.
  void work(std::string_view text, BulkPiece& out);

 private:
  bool take_table(std::string_view text);
  bool take_fields(std::string_view row);
  bool take_json(std::string_view line);
  /// Appends the row with its token, or what `on_error` says; false ends the piece.
  template <typename Copy>
  bool finish(const Result<void>& made, const Copy& copy);
  bool refuse(const Error& error);
  Result<void> fill();
  Result<void> fill_metadata();
  Result<void> fill_json(json::Value root);
  void append_columns(const std::string* reason);
  void append_members(const std::string* reason);
  void append_value(std::string& out, std::string_view column, const std::string* reason);

  const BulkTable& table_;
  TokenMold mold_;
  const char in_separator_;
  const char out_separator_;
  const std::string url_start_;          // base address and route
  const std::string html_start_;         // of the image, up to the token
  const std::string html_end_;           // behind it
  const std::string quoted_html_start_;  // the same as they stand in a quoted field
  const std::string quoted_html_end_;
  const std::array<std::vector<std::string>, 3> id_names_;  // of members, first match counts
  BulkPiece* out_ = nullptr;
  std::vector<std::string_view> fields_;
  std::string token_;
  std::string metadata_;
  TokenIds ids_;
};

}  // namespace edge::pixels
