// SPDX-License-Identifier: MIT
#include "core/encoding/csv.h"

#include <utility>

namespace edge::encoding {

bool CsvReader::feed(std::string_view piece) {
  static constexpr std::string_view kMark = "\xEF\xBB\xBF";
  for (const char c : piece) {
    if (mark_ < kMark.size() && c == kMark[mark_]) {
      ++mark_;
      continue;
    }
    // Not a whole byte order mark after all: what looked like its start is text.
    const std::size_t held = mark_ < kMark.size() ? mark_ : 0;
    mark_ = kMark.size();
    for (std::size_t i = 0; i < held; ++i) {
      if (!take(kMark[i])) {
        return false;
      }
    }
    if (!take(c)) {
      return false;
    }
  }
  return true;
}

bool CsvReader::take(char c) {
  if (carriage_) {
    carriage_ = false;
    if (c == '\n') {
      raw_.pop_back();
      return end_row();
    }
    field_ += '\r';
  }
  if (!quoted_ && c == '\n') {
    return end_row();
  }
  raw_ += c;
  if (raw_.size() > kMaxRowBytes) {
    too_large_ = true;
    return false;
  }
  if (quoted_) {
    if (c == '"') {
      quoted_ = false;
      after_quote_ = true;
    } else {
      field_ += c;
    }
    return true;
  }
  if (c == '"' && after_quote_) {
    field_ += '"';
    quoted_ = true;
    after_quote_ = false;
  } else if (c == '"' && field_.empty() && !was_quoted_) {
    quoted_ = true;
    was_quoted_ = true;
  } else if (c == separator_) {
    end_field();
  } else if (c == '\r') {
    carriage_ = true;
  } else {
    after_quote_ = false;
    field_ += c;
  }
  return true;
}

void CsvReader::end_field() {
  row_.fields.push_back(std::move(field_));
  field_.clear();
  was_quoted_ = false;
  after_quote_ = false;
}

bool CsvReader::end_row() {
  if (raw_.empty()) {
    return true;  // a blank line
  }
  end_field();
  row_.number = ++rows_;
  row_.text = raw_;
  const bool go_on = sink_(row_);
  row_.fields.clear();
  raw_.clear();
  return go_on;
}

bool CsvReader::finish() {
  if (carriage_) {
    carriage_ = false;
    raw_.pop_back();
  }
  quoted_ = false;
  return raw_.empty() || end_row();
}

void append_csv_field(std::string& out, std::string_view field, char separator) {
  const bool plain = field.find_first_of("\"\r\n") == std::string_view::npos &&
                     field.find(separator) == std::string_view::npos;
  if (plain) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') {
      out += '"';
    }
    out += c;
  }
  out += '"';
}

}  // namespace edge::encoding
