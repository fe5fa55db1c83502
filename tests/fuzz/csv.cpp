// SPDX-License-Identifier: MIT
// Separated tables: pieces of any length give the same rows, and a row written anew reads the same.
#include "core/encoding/csv.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using edge::encoding::CsvReader;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(std::string_view text, char separator, std::size_t piece) {
  Rows rows;
  CsvReader reader(separator, [&rows](CsvReader::Row& row) {
    rows.push_back(row.fields);
    return true;
  });
  for (std::size_t at = 0; at < text.size(); at += piece) {
    reader.feed(text.substr(at, piece));
  }
  reader.finish();
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const char separator = (data[0] & 1U) != 0 ? ',' : '\t';
  const std::size_t piece = data[0] / 2 + 1U;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Rows rows = rows_of(text, separator, text.size() + 1);
  if (rows != rows_of(text, separator, piece)) {
    std::abort();
  }
  std::string written = "x\n";  // a first row keeps a byte order mark from being one
  for (const auto& fields : rows) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) {
        written += separator;
      }
      edge::encoding::append_csv_field(written, fields[i], separator);
    }
    written += '\n';
  }
  Rows again = rows_of(written, separator, piece);
  again.erase(again.begin());
  Rows kept;
  for (const auto& fields : rows) {
    // A row of one empty field (two quotes) is a blank line when it is written without them.
    if (fields != std::vector<std::string>{""}) {
      kept.push_back(fields);
    }
  }
  if (again != kept) {
    std::abort();
  }
  return 0;
}
