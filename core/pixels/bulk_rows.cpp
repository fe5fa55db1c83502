// SPDX-License-Identifier: MIT
#include "core/pixels/bulk_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/json/writer.h"

namespace edge::pixels {
namespace {

/// Stands for the token while the pieces around it are cut.
constexpr std::string_view kToken = "@TOKEN@";

Error wrong(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

/// Where an id may stand in a header when no column was named for it.
std::vector<std::string> usual_columns(std::string_view field) {
  if (field == "campaignId") {
    return {"campaignId", "campaign_id"};
  }
  if (field == "emailId") {
    return {"emailId", "email_id"};
  }
  return {"recipientId", "recipient_id", "recipient", "id", "email"};
}

/// The names under which a field is looked for.
std::vector<std::string> columns_for(const BulkPlan& plan, std::string_view field) {
  const auto named = plan.columns.find(field);
  return named != plan.columns.end() ? std::vector{named->second} : usual_columns(field);
}

char separator_of(TableForm form) {
  return form == TableForm::Tsv ? '\t' : ',';
}

std::string image_around(const BulkPlan& plan, bool behind) {
  const std::string html = snippet(Snippet::Html, pixel_url(plan.base_url, kToken), plan.style);
  const std::size_t at = html.find(kToken);
  return behind ? html.substr(at + kToken.size()) : html.substr(0, at);
}

std::string doubled_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out.append(c == '"' ? 2 : 1, c);
  }
  return out;
}

}  // namespace

Result<void> BulkTable::take_header(std::vector<std::string> names) {
  header = std::move(names);
  for (const std::string& name : plan.append) {
    if (std::ranges::find(header, name) != header.end()) {
      return Failure(wrong(fmt::format("the table has a column {} already", name), name));
    }
  }
  const auto place_of = [this](const std::string& name) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(header, name);
    return found == header.end() ? std::nullopt
                                 : std::optional(static_cast<std::size_t>(found - header.begin()));
  };
  const std::array<std::pair<std::string_view, std::optional<std::size_t>*>, 3> ids{
      {{"campaignId", &campaign}, {"emailId", &email}, {"recipientId", &recipient}}};
  for (const auto& [field, place] : ids) {
    for (const std::string& name : columns_for(plan, field)) {
      *place = place_of(name);
      if (*place) {
        break;
      }
    }
    const auto named = plan.columns.find(field);
    if (named != plan.columns.end() && !*place) {
      return Failure(
          wrong(fmt::format("the table has no column \"{}\" for {}", named->second, field),
                named->second));
    }
  }
  for (const auto& [field, name] : plan.columns) {
    if (!field.starts_with("meta.")) {
      continue;
    }
    const auto place = place_of(name);
    if (!place) {
      return Failure(
          wrong(fmt::format("the table has no column \"{}\" for {}", name, field), name));
    }
    metadata.emplace_back(field.substr(5), *place);
  }
  return {};
}

std::string BulkTable::header_line(std::string_view text) const {
  if (plan.out == TableForm::JsonLines) {
    return {};
  }
  const char separator = separator_of(plan.out);
  std::string line;
  if (plan.in == plan.out) {
    line = text;
  } else {
    for (const std::string& name : header) {
      line += line.empty() ? "" : std::string(1, separator);
      encoding::append_csv_field(line, name, separator);
    }
  }
  for (const std::string& name : plan.append) {
    line += separator;
    line += name;
  }
  return line + '\n';
}

BulkRows::BulkRows(const BulkTable& table, const KeyRing& ring)
    : table_(table),
      mold_(table.plan.constants, ring, table.plan.seal),
      in_separator_(separator_of(table.plan.in)),
      out_separator_(separator_of(table.plan.out)),
      url_start_(pixel_url(table.plan.base_url, {})),
      html_start_(image_around(table.plan, false)),
      html_end_(image_around(table.plan, true)),
      quoted_html_start_('"' + doubled_quotes(html_start_)),
      quoted_html_end_(doubled_quotes(html_end_) + '"'),
      id_names_{columns_for(table.plan, "campaignId"),
                columns_for(table.plan, "emailId"),
                columns_for(table.plan, "recipientId")} {}

void BulkRows::work(std::string_view text, BulkPiece& out) {
  out.text.clear();
  out.rows = 0;
  out.made = 0;
  out.bad.clear();
  out.stop.reset();
  out_ = &out;
  if (table_.plan.in != TableForm::JsonLines) {
    take_table(text);
    return;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!take_json(text.substr(0, end))) {
      return;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Lines without quotes are cut here; the others go through the reader of quoted forms.
bool BulkRows::take_table(std::string_view text) {
  bool finished = false;
  bool fine = true;
  encoding::CsvReader quoted(in_separator_, [&](encoding::CsvReader::Row& row) {
    fields_.assign(row.fields.begin(), row.fields.end());
    finished = true;
    fine = take_fields(row.text);
    return fine;
  });
  quoted.feed("\n");  // a byte order mark can stand at the start of a file only
  bool inside = false;
  bool unfinished = false;
  while (!text.empty() && fine) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool has_end = end < text.size();
    text.remove_prefix(end + (has_end ? 1 : 0));
    if (inside || std::memchr(line.data(), '"', line.size()) != nullptr) {
      finished = false;
      quoted.feed(line);
      inside = has_end && quoted.feed("\n") && !finished;
      unfinished = !finished;
      continue;
    }
    const std::string_view row = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (row.empty()) {
      continue;
    }
    fields_.clear();
    std::size_t begin = 0;
    for (std::size_t at = row.find(in_separator_); at != std::string_view::npos;
         at = row.find(in_separator_, begin)) {
      fields_.push_back(row.substr(begin, at - begin));
      begin = at + 1;
    }
    fields_.push_back(row.substr(begin));
    fine = take_fields(row);
  }
  if (unfinished && fine) {
    quoted.finish();  // a quote that is never closed, or no line end behind the last row
  }
  return fine;
}

bool BulkRows::take_fields(std::string_view row) {
  ++out_->rows;
  token_.clear();
  const auto filled = fill();
  const auto made = filled ? mold_.append(token_, ids_) : filled;
  return finish(made, [&](const std::string* reason) {
    std::string& out = out_->text;
    if (table_.plan.out == TableForm::JsonLines) {
      out += '{';
      for (std::size_t i = 0; i < fields_.size() && i < table_.header.size(); ++i) {
        json::append_string(out, table_.header[i]);
        out += ':';
        json::append_string(out, fields_[i]);
        out += ',';
      }
      return append_members(reason);
    }
    if (table_.plan.in == table_.plan.out) {
      out += row;
    } else {
      for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (i > 0) {
          out += out_separator_;
        }
        encoding::append_csv_field(out, fields_[i], out_separator_);
      }
    }
    append_columns(reason);
  });
}

template <typename Copy>
bool BulkRows::finish(const Result<void>& made, const Copy& copy) {
  if (made) {
    ++out_->made;
    copy(nullptr);
    return true;
  }
  if (!refuse(made.error())) {
    return false;
  }
  if (table_.plan.on_error == BulkPlan::OnError::Mark) {
    const std::string reason = reason_of(made.error());
    copy(&reason);
  }
  return true;
}

bool BulkRows::refuse(const Error& error) {
  out_->bad.push_back({out_->rows, error});
  if (table_.plan.on_error != BulkPlan::OnError::Fail) {
    return true;
  }
  out_->stop = error;
  return false;
}

Result<void> BulkRows::fill() {
  if (fields_.size() != table_.header.size()) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("{} columns instead of {}", fields_.size(), table_.header.size()),
                    {},
                    "wrong_columns"});
  }
  ids_ = {};
  ids_.campaign = table_.campaign ? fields_[*table_.campaign] : std::string_view{};
  ids_.email = table_.email ? fields_[*table_.email] : std::string_view{};
  // A list that names recipients names each: an empty one is no reason to take another's.
  ids_.recipient = table_.recipient ? fields_[*table_.recipient]
                                    : std::string_view(table_.plan.constants.recipient_id);
  return table_.metadata.empty() ? Result<void>{} : fill_metadata();
}

Result<void> BulkRows::fill_metadata() {
  json::Writer out;
  out.begin_object();
  const std::string& constant_text = table_.plan.constants.metadata;
  if (!constant_text.empty()) {
    const auto constant = json::Document::parse(constant_text, json::kStrict);
    for (const auto& [name, value] : constant->root().members()) {
      const bool replaced = std::ranges::any_of(
          table_.metadata, [&name = name](const auto& column) { return column.first == name; });
      if (!replaced) {
        out.key(name).value(value);
      }
    }
  }
  for (const auto& [name, column] : table_.metadata) {
    if (!fields_[column].empty()) {
      out.member(name, fields_[column]);
    }
  }
  auto canonical = canonical_metadata(out.end_object().text());
  if (!canonical) {
    return Failure(canonical.error());
  }
  metadata_ = std::move(*canonical);
  ids_.metadata = metadata_;
  return {};
}

Result<void> BulkRows::fill_json(json::Value root) {
  for (const std::string& name : table_.plan.append) {
    if (root.find(name)) {
      return Failure({ErrorCode::InvalidArgument,
                      "the record has a member " + name + " already",
                      name,
                      "name_clash"});
    }
  }
  ids_ = {.recipient = table_.plan.constants.recipient_id};
  constexpr std::array<std::string_view TokenIds::*, 3> kIds{
      &TokenIds::campaign, &TokenIds::email, &TokenIds::recipient};
  for (std::size_t i = 0; i < kIds.size(); ++i) {
    for (const std::string& name : id_names_[i]) {
      const auto value = root.find(name);
      if (!value || value->is_null()) {
        continue;
      }
      if (!value->is_string()) {
        return Failure(
            {ErrorCode::InvalidArgument, name + " must be a string", name, "invalid_id"});
      }
      ids_.*kIds[i] = *value->as_string();
      break;
    }
  }
  if (const auto metadata = root.find("metadata"); metadata && !metadata->is_null()) {
    auto canonical = canonical_metadata(metadata->raw());
    if (!canonical) {
      return Failure(canonical.error());
    }
    metadata_ = std::move(*canonical);
    ids_.metadata = metadata_;
  }
  return {};
}

bool BulkRows::take_json(std::string_view line) {
  ++out_->rows;
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
    return true;
  }
  const auto document = json::Document::parse(line, json::kEvent);
  if (!document || !document->root().is_object()) {
    const std::string why = document ? "must be a JSON object" : document.error().message;
    // There is nothing to copy; a mark has the new members only and keeps the place.
    return finish(Failure({ErrorCode::InvalidArgument, why, {}, "parse_error"}),
                  [&](const std::string* reason) {
                    out_->text += '{';
                    append_members(reason);
                  });
  }
  token_.clear();
  const auto filled = fill_json(document->root());
  const auto made = filled ? mold_.append(token_, ids_) : filled;
  return finish(made, [&](const std::string* reason) {
    out_->text += document->root().raw();
    out_->text.pop_back();
    if (document->root().size() > 0) {
      out_->text += ',';
    }
    append_members(reason);
  });
}

void BulkRows::append_value(std::string& out, std::string_view column, const std::string* reason) {
  if (column == "pixelError") {
    out += reason != nullptr ? std::string_view(*reason) : std::string_view{};
  } else if (reason != nullptr) {
    return;
  } else if (column == "pixelId") {
    out += token_;
  } else if (column == "pixelUrl") {
    out += url_start_;
    out += token_;
  } else {
    out += html_start_;
    out += token_;
    out += html_end_;
  }
}

void BulkRows::append_columns(const std::string* reason) {
  std::string& out = out_->text;
  for (const std::string& column : table_.plan.append) {
    out += out_separator_;
    if (column == "pixelHTML" && reason == nullptr) {
      out += quoted_html_start_;
      out += token_;
      out += quoted_html_end_;
    } else if (column == "pixelUrl" && reason == nullptr &&
               url_start_.find_first_of(",\t\"") != std::string::npos) {
      encoding::append_csv_field(out, url_start_ + token_, out_separator_);
    } else {
      append_value(out, column, reason);
    }
  }
  out += '\n';
}

/// The new members behind an object that ends in `{` or `,`.
void BulkRows::append_members(const std::string* reason) {
  std::string& out = out_->text;
  std::string value;
  for (const std::string& column : table_.plan.append) {
    json::append_string(out, column);
    out += ':';
    value.clear();
    append_value(value, column, reason);
    json::append_string(out, value);
    out += ',';
  }
  out.back() = '}';
  out += '\n';
}

}  // namespace edge::pixels
