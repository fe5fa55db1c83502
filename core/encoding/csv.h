// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace edge::encoding {

/// Reads CSV (RFC 4180, UTF-8, LF or CRLF, a byte order mark is skipped, quoted fields may hold
/// line ends) or another separated form in pieces: `feed` text as it comes, then `finish`. Memory
/// is bounded by the longest row, which is at most `kMaxRowBytes`. One thread only.
class CsvReader {
 public:
  /// Larger rows end the reading: a quote that is never closed would otherwise take the whole file.
  static constexpr std::size_t kMaxRowBytes = std::size_t{1} << 20U;

  struct Row {
    std::vector<std::string> fields;
    std::string_view
        text;  ///< the row as it stands in the input, without its line end; valid during the call
    std::size_t number = 0;  ///< 1 for the first row of the text, blank lines not counted
  };
  /// Returns false to stop.
  using Sink = std::function<bool(Row&)>;

  CsvReader(char separator, Sink sink) : separator_(separator), sink_(std::move(sink)) {}

  /// False when the sink asked to stop or a row is too large (`too_large`).
  bool feed(std::string_view piece);
  /// Hands out the last row when no line end follows it.
  bool finish();
  [[nodiscard]] bool too_large() const { return too_large_; }

 private:
  /// How many characters from here on are plain text of a field, to be taken at once.
  [[nodiscard]] std::size_t plain_run(std::string_view piece) const;
  bool take(char c);
  bool end_row();
  void end_field();

  char separator_;
  Sink sink_;
  Row row_;
  std::string raw_;
  std::string field_;
  std::size_t rows_ = 0;
  std::size_t mark_ = 0;      // octets of a byte order mark seen so far; 3 = past it
  bool quoted_ = false;       // inside quotes
  bool after_quote_ = false;  // behind a closing quote (or the first of a doubled one)
  bool was_quoted_ = false;   // the field began with a quote
  bool carriage_ = false;
  bool too_large_ = false;
};

/// Appends a field, quoted when it holds the separator, a quote or a line end.
void append_csv_field(std::string& out, std::string_view field, char separator = ',');

}  // namespace edge::encoding
