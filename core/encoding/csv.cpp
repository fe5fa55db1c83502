// SPDX-License-Identifier: MIT
#include "core/encoding/csv.h"

#include <algorithm>
#include <utility>

namespace edge::encoding {

bool CsvReader::feed(std::string_view piece) {
  static constexpr std::string_view kMark = "\xEF\xBB\xBF";
  while (!piece.empty()) {
    if (const std::size_t plain = plain_run(piece); plain > 0) {
      raw_ += piece.substr(0, plain);
      field_ += piece.substr(0, plain);
      piece.remove_prefix(plain);
      continue;
    }
    const char c = piece.front();
    piece.remove_prefix(1);
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

std::size_t CsvReader::plain_run(std::string_view piece) const {
  const bool inside = mark_ == 3 && !quoted_ && !after_quote_ && !carriage_;
  if (!inside) {
    return 0;
  }
  std::size_t length = 0;
  const std::size_t room = std::min(piece.size(), kMaxRowBytes - raw_.size());
  while (length < room && piece[length] != separator_ && piece[length] != '"' &&
         piece[length] != '\n' && piece[length] != '\r') {
    ++length;
  }
  return length;
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
  const bool plain = std::ranges::none_of(
      field, [separator](char c) { return c == separator || c == '"' || c == '\r' || c == '\n'; });
  if (plain) {
    out += field;
    return;
  }
  out += '"';
  while (true) {
    const std::size_t quote = field.find('"');
    out += field.substr(0, quote);
    if (quote == std::string_view::npos) {
      break;
    }
    out += "\"\"";
    field.remove_prefix(quote + 1);
  }
  out += '"';
}

}  // namespace edge::encoding
