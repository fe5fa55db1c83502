// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::cli {

enum class Format : std::uint8_t { Table, Json, JsonLines, Csv, Tsv };

/// A result that is one thing. `json` is an object text whose first member is
/// `"schema":"edge.NAME/1"`; `human` is what `table` prints (with its line ends); empty: one `name
/// value` line per member.
struct Document {
  std::string json = {};
  std::string human = {};
};

/// A column of a listing: its heading and the RFC 6901 pointer of its value in each record.
struct Column {
  std::string_view title = {};
  std::string_view pointer = {};
};

/// A result that is a list: `json` prints `{"schema":…,"<name>":[…]}`, `jsonl` one record per line,
/// the others columns.
struct Listing {
  std::string_view schema = {};  ///< `edge.profiles/1`
  std::string_view name = {};    ///< member that holds the records
  std::vector<Column> columns = {};
  std::vector<std::string> records = {};  ///< one JSON object text each
  std::string members = {};  ///< further members, `"total":3,"cursor":null`; may be empty
};

/// Where results go: stdout, or with `-o FILE` a temporary file that takes the name when all is
/// well. One thread only.
///
/// A reader of stdout that went away throws `BrokenPipe`; any other failure to write throws `Stop`
/// (exit 9).
class Output {
 public:
  /// `path` empty or `-`: the descriptor `fd`. `mode` is that of a new file.
  Output(int fd, std::string path);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  Output(Output&&) = delete;
  Output& operator=(Output&&) = delete;
  ~Output();

  /// Appends; written out when 64 KiB have gathered. A longer text is not copied first.
  void write(std::string_view text);
  /// `text` and a line end, written out at once.
  void line(std::string_view text);
  void flush();
  /// Permission bits of a file made by `-o`; 0644 unless called before the first write.
  void set_mode(unsigned mode) { mode_ = mode; }
  /// After a failure: what was written to stdout goes out, a file stays as it was.
  void abandon();
  /// There is nothing new to write: a file that nothing was written to yet stays as it is.
  void keep();
  /// Puts a file in its place. Without this call nothing is left behind.
  void commit();

 private:
  void open_file();
  void write_out(std::string_view text);

  int fd_;
  std::string path_;
  std::string temporary_;
  unsigned mode_ = 0644;
  std::string buffer_;
};

/// Thrown when the reader of stdout has gone; the program ends with 141 and no message.
struct BrokenPipe {};

/// How a result is laid out.
struct Layout {
  Format format = Format::Table;
  std::vector<std::string> select = {};  ///< RFC 6901 pointers
  bool terminal = false;                 ///< tables are aligned and cut to `width`
  std::size_t width = 80;
  bool color = false;
};

/// The text of a result in a layout. Failure: InvalidArgument when `json` is not what it should be,
/// NotFound for a
/// `--select` pointer that names nothing.
Result<std::string> render(const Document& document, const Layout& layout);
Result<std::string> render(const Listing& listing, const Layout& layout);

/// A table as `table` prints it: aligned on a terminal, tab-separated elsewhere; the first row is
/// the header.
std::string render_table(const std::vector<std::vector<std::string>>& rows, const Layout& layout);

}  // namespace edge::cli
