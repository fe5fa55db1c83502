// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

using Row = std::vector<std::string>;

/// JSON on one line, whatever the layout of the source was.
void append_compact(json::Writer& out, json::Value value) {
  if (value.is_object()) {
    out.begin_object();
    for (const auto [name, member] : value.members()) {
      out.key(name);
      append_compact(out, member);
    }
    out.end_object();
  } else if (value.is_array()) {
    out.begin_array();
    for (const json::Value element : value.elements()) {
      append_compact(out, element);
    }
    out.end_array();
  } else {
    out.value(value);
  }
}

std::string compact(json::Value value) {
  json::Writer out;
  append_compact(out, value);
  return out.take();
}

std::string cell(std::optional<json::Value> value) {
  if (!value || value->is_null()) {
    return {};
  }
  if (const auto text = value->as_string()) {
    return std::string(*text);
  }
  return value->is_object() || value->is_array() ? compact(*value) : std::string(value->raw());
}

Result<json::Document> parse(std::string_view text) {
  return json::Document::parse(text, json::kEvent);
}

std::string listing_json(const Listing& listing, json::Writer::Layout layout) {
  json::Writer compact_out;
  compact_out.begin_object();
  compact_out.member("schema", listing.schema).key(listing.name).begin_array();
  for (const std::string& record : listing.records) {
    compact_out.raw(record);
  }
  compact_out.end_array().end_object();
  std::string text = compact_out.take();
  if (!listing.members.empty()) {
    text.pop_back();
    text += "," + listing.members + "}";
  }
  if (layout == json::Writer::Layout::Pretty) {
    if (const auto document = parse(text)) {
      return json::pretty(document->root()) + "\n";
    }
  }
  return text + "\n";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string tsv_field(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    plain += c == '\t' ? "\\t" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
  }
  return plain;
}

std::string separated(const std::vector<Row>& rows, char separator) {
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? "" : std::string(1, separator);
      text += separator == ',' ? csv_field(row[i]) : tsv_field(row[i]);
    }
    text += '\n';
  }
  return text;
}

/// Text fit for a terminal: control characters, which could move the cursor or change colours, are
/// shown as `\xNN`.
std::string harmless(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    shown += octet < 0x20 || octet == 0x7F ? fmt::format("\\x{:02x}", octet) : std::string(1, c);
  }
  return shown;
}

std::string cut(const std::string& text, std::size_t width) {
  if (!encoding::is_utf8(text) || encoding::count_code_points(text) <= width) {
    return text;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i + 1 < width; ++i) {
    encoding::next_code_point(text, at);
  }
  return text.substr(0, at) + "…";
}

std::size_t shown_width(const std::string& text) {
  return encoding::is_utf8(text) ? encoding::count_code_points(text) : text.size();
}

/// Widths that fit the terminal: while the line is too long, the widest column gives way, down to
/// eight characters.
std::vector<std::size_t> widths_of(const std::vector<Row>& rows, std::size_t terminal) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], shown_width(row[i]));
    }
  }
  const auto total = [&widths] {
    std::size_t sum = widths.empty() ? 0 : 2 * (widths.size() - 1);
    for (const std::size_t width : widths) {
      sum += width;
    }
    return sum;
  };
  while (!widths.empty() && total() > terminal) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= 8) {
      break;
    }
    --*widest;
  }
  return widths;
}

/// The values one pointer names, as bare texts: the elements of an array, else the value itself.
std::vector<std::string> bare(json::Value value) {
  std::vector<std::string> texts;
  if (!value.is_array()) {
    texts.push_back(value.is_null() ? "null" : cell(value));
    return texts;
  }
  for (const json::Value element : value.elements()) {
    texts.push_back(element.is_null() ? "null" : cell(element));
  }
  return texts;
}

Result<std::string> selected(json::Value root, const std::vector<std::string>& pointers) {
  if (pointers.size() == 1) {
    const auto value = root.at_pointer(pointers[0]);
    if (!value) {
      return Failure({ErrorCode::NotFound,
                      fmt::format("the result has nothing at '{}'", pointers[0]),
                      "select"});
    }
    std::string text;
    for (const std::string& line : bare(*value)) {
      text += line + "\n";
    }
    return text;
  }
  Row row;
  for (const std::string& pointer : pointers) {
    row.push_back(cell(root.at_pointer(pointer)));
  }
  return separated({row}, '\t');
}

std::vector<Row> rows_of(const Listing& listing, const std::vector<json::Document>& records) {
  std::vector<Row> rows(1);
  for (const Column& column : listing.columns) {
    rows[0].emplace_back(column.title);
  }
  for (const json::Document& record : records) {
    Row row;
    for (const Column& column : listing.columns) {
      row.push_back(cell(record.root().at_pointer(column.pointer)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::string> selected(const Listing& listing,
                             const std::vector<json::Document>& records,
                             const std::vector<std::string>& pointers) {
  const auto whole = parse(listing_json(listing, json::Writer::Layout::Compact));
  if (!whole) {
    return Failure(whole.error());
  }
  if (pointers.size() == 1 && whole->root().at_pointer(pointers[0])) {
    return selected(whole->root(), pointers);
  }
  std::string text;
  for (const json::Document& record : records) {
    const auto part = selected(record.root(), pointers);
    text += part ? *part : "\n";
  }
  return text;
}

std::vector<Row> member_rows(json::Value object, bool down) {
  std::vector<Row> rows(down ? 0 : 2);
  for (const auto [name, member] : object.members()) {
    if (name == "schema") {
      continue;
    }
    if (down) {
      rows.push_back({std::string(name), cell(member)});
    } else {
      rows[0].emplace_back(name);
      rows[1].push_back(cell(member));
    }
  }
  return rows;
}

}  // namespace

std::string render_table(const std::vector<std::vector<std::string>>& rows, const Layout& layout) {
  if (!layout.terminal) {
    return separated(rows, '\t');
  }
  std::vector<Row> shown;
  for (const Row& row : rows) {
    Row& clean = shown.emplace_back();
    std::transform(row.begin(), row.end(), std::back_inserter(clean), harmless);
  }
  const std::vector<std::size_t> widths = widths_of(shown, layout.width);
  std::string text;
  for (std::size_t r = 0; r < shown.size(); ++r) {
    const bool header = r == 0 && layout.color;
    text += header ? "\x1b[1m" : "";
    for (std::size_t i = 0; i < shown[r].size(); ++i) {
      const std::string cell_text = cut(shown[r][i], widths[i]);
      text += cell_text;
      if (i + 1 < shown[r].size()) {
        text.append(widths[i] - std::min(widths[i], shown_width(cell_text)) + 2, ' ');
      }
    }
    text += header ? "\x1b[0m\n" : "\n";
  }
  return text;
}

Result<std::string> render(const Document& document, const Layout& layout) {
  const auto parsed = parse(document.json);
  if (!parsed) {
    return Failure(parsed.error());
  }
  const json::Value root = parsed->root();
  if (!layout.select.empty()) {
    return selected(root, layout.select);
  }
  switch (layout.format) {
    case Format::Json:
      return json::pretty(root) + "\n";
    case Format::JsonLines:
      return compact(root) + "\n";
    case Format::Csv:
      return separated(member_rows(root, false), ',');
    case Format::Tsv:
      return separated(member_rows(root, false), '\t');
    case Format::Table:
      break;
  }
  return document.human.empty() ? render_table(member_rows(root, true), layout) : document.human;
}

Result<std::string> render(const Listing& listing, const Layout& layout) {
  std::vector<json::Document> records;
  for (const std::string& record : listing.records) {
    auto parsed = parse(record);
    if (!parsed) {
      return Failure(parsed.error());
    }
    records.push_back(std::move(*parsed));
  }
  if (!layout.select.empty()) {
    return selected(listing, records, layout.select);
  }
  switch (layout.format) {
    case Format::Json:
      return listing_json(listing, json::Writer::Layout::Pretty);
    case Format::JsonLines: {
      std::string lines;
      for (const json::Document& record : records) {
        lines += compact(record.root()) + "\n";
      }
      return lines;
    }
    case Format::Csv:
      return separated(rows_of(listing, records), ',');
    case Format::Tsv:
      return separated(rows_of(listing, records), '\t');
    case Format::Table:
      break;
  }
  return render_table(rows_of(listing, records), layout);
}

}  // namespace edge::cli
