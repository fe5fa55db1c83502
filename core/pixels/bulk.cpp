// SPDX-License-Identifier: MIT
#include "core/pixels/bulk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/encoding/csv.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/record.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10U;

Error wrong(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

/// Where an id may stand in a header when no column was named for it.
const std::vector<std::string>& usual_columns(std::string_view field) {
  static const std::vector<std::string> kCampaign{"campaignId", "campaign_id"};
  static const std::vector<std::string> kEmail{"emailId", "email_id"};
  static const std::vector<std::string> kRecipient{
      "recipientId", "recipient_id", "recipient", "id", "email"};
  if (field == "campaignId") {
    return kCampaign;
  }
  return field == "emailId" ? kEmail : kRecipient;
}

struct IdField {
  std::string_view name;
  std::string Claims::*member;
};
constexpr std::array<IdField, 3> kIds{{{"campaignId", &Claims::campaign_id},
                                       {"emailId", &Claims::email_id},
                                       {"recipientId", &Claims::recipient_id}}};

}  // namespace

class Bulk::Work {
 public:
  Work(BulkPlan plan, const KeyRing& ring, Sink sink, Report report)
      : plan_(std::move(plan)),
        ring_(ring),
        sink_(std::move(sink)),
        report_(std::move(report)),
        reader_(plan_.in == TableForm::Tsv ? '\t' : ',',
                [this](encoding::CsvReader::Row& row) { return take(row); }) {}

  Result<void> feed(std::string_view piece) {
    const bool fine = plan_.in == TableForm::JsonLines ? feed_lines(piece) : reader_.feed(piece);
    return fine ? Result<void>{} : stopped();
  }

  Result<BulkCounts> finish() {
    bool fine = true;
    if (plan_.in == TableForm::JsonLines) {
      fine = line_.empty() || take_line(line_);
    } else {
      fine = reader_.finish();
      if (fine && header_.empty()) {
        failure_ = wrong("the table is empty: a header row is required");
        fine = false;
      }
    }
    flush();
    if (!fine) {
      return Failure(stopped().error());
    }
    return counts_;
  }

 private:
  /// Why reading ended early.
  Result<void> stopped() {
    flush();
    if (!failure_) {
      failure_ =
          wrong(fmt::format("row {} is longer than 1 MiB; is a quote not closed?", row_ + 1));
    }
    return Failure(*failure_);
  }

  void flush() {
    if (!out_.empty()) {
      sink_(out_);
      out_.clear();
    }
  }

  bool stop(Error error) {
    failure_ = std::move(error);
    return false;
  }

  bool take(encoding::CsvReader::Row& row) {
    row_ = row.number;
    if (header_.empty()) {
      return take_header(row);
    }
    Claims claims = plan_.constants;
    auto filled = fill(row, claims);
    const auto token =
        filled ? seal(claims, ring_, plan_.seal) : Result<std::string>(Failure(filled.error()));
    if (!token && !allow(token.error())) {
      return false;
    }
    if (token || plan_.on_error == BulkPlan::OnError::Mark) {
      append_row(row, token);
    }
    if (out_.size() >= kBlockBytes) {
      flush();
    }
    return true;
  }

  /// Counts and reports a bad row; false when it ends the run.
  bool allow(const Error& error) {
    report_({row_, error});
    ++counts_.bad;
    if (plan_.on_error != BulkPlan::OnError::Fail) {
      return true;
    }
    Error stop_error = error;
    stop_error.message = fmt::format("row {}: {}", row_, error.message);
    return stop(std::move(stop_error));
  }

  bool take_header(encoding::CsvReader::Row& row) {
    header_ = row.fields;
    for (const std::string& name : plan_.append) {
      if (std::ranges::find(header_, name) != header_.end()) {
        return stop(wrong(fmt::format("the table has a column {} already", name), name));
      }
    }
    if (!find_columns()) {
      return false;
    }
    if (plan_.out == TableForm::JsonLines) {
      return true;
    }
    const char separator = separator_of(plan_.out);
    copy_columns(row);
    for (const std::string& name : plan_.append) {
      out_ += separator;
      out_ += name;
    }
    out_ += '\n';
    return true;
  }

  bool find_columns() {
    for (const auto& [name, member] : kIds) {
      const auto named = plan_.columns.find(name);
      for (const std::string& column :
           named != plan_.columns.end() ? std::vector{named->second} : usual_columns(name)) {
        const auto found = std::ranges::find(header_, column);
        if (found != header_.end()) {
          ids_.emplace_back(member, static_cast<std::size_t>(found - header_.begin()));
          break;
        }
      }
      if (named != plan_.columns.end() && (ids_.empty() || ids_.back().first != member)) {
        return stop(wrong(fmt::format("the table has no column \"{}\" for {}", named->second, name),
                          named->second));
      }
    }
    for (const auto& [field, column] : plan_.columns) {
      if (!field.starts_with("meta.")) {
        continue;
      }
      const auto found = std::ranges::find(header_, column);
      if (found == header_.end()) {
        return stop(
            wrong(fmt::format("the table has no column \"{}\" for {}", column, field), column));
      }
      metadata_.emplace_back(field.substr(5), static_cast<std::size_t>(found - header_.begin()));
    }
    return true;
  }

  Result<void> fill(const encoding::CsvReader::Row& row, Claims& claims) {
    if (row.fields.size() != header_.size()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{} columns instead of {}", row.fields.size(), header_.size()),
                      {},
                      "wrong_columns"});
    }
    for (const auto& [member, column] : ids_) {
      const std::string& value = row.fields[column];
      if (!value.empty() || member == &Claims::recipient_id) {
        claims.*member = value;
      }
    }
    return metadata_.empty() ? Result<void>{} : fill_metadata(row, claims);
  }

  Result<void> fill_metadata(const encoding::CsvReader::Row& row, Claims& claims) {
    json::Writer out;
    out.begin_object();
    if (!claims.metadata.empty()) {
      const auto constant = json::Document::parse(claims.metadata, json::kStrict);
      for (const auto& [name, value] : constant->root().members()) {
        const bool replaced =
            std::ranges::find(metadata_, name, &NamedColumn::first) != metadata_.end();
        if (!replaced) {
          out.key(name).value(value);
        }
      }
    }
    for (const auto& [name, column] : metadata_) {
      if (!row.fields[column].empty()) {
        out.member(name, row.fields[column]);
      }
    }
    out.end_object();
    auto canonical = canonical_metadata(out.text());
    if (!canonical) {
      return Failure(canonical.error());
    }
    claims.metadata = std::move(*canonical);
    return {};
  }

  [[nodiscard]] static char separator_of(TableForm form) {
    return form == TableForm::Tsv ? '\t' : ',';
  }

  void copy_columns(const encoding::CsvReader::Row& row) {
    if (plan_.in == plan_.out) {
      out_ += row.text;
      return;
    }
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
      if (i > 0) {
        out_ += separator_of(plan_.out);
      }
      encoding::append_csv_field(out_, row.fields[i], separator_of(plan_.out));
    }
  }

  void append_row(const encoding::CsvReader::Row& row, const Result<std::string>& token) {
    if (plan_.out == TableForm::JsonLines) {
      std::string object = "{";
      for (std::size_t i = 0; i < row.fields.size() && i < header_.size(); ++i) {
        json::append_string(object, header_[i]);
        object += ':';
        json::append_string(object, row.fields[i]);
        object += ',';
      }
      append_members(std::move(object), token);
      return;
    }
    copy_columns(row);
    for (const std::string& name : plan_.append) {
      out_ += separator_of(plan_.out);
      encoding::append_csv_field(out_, value_of(name, token), separator_of(plan_.out));
    }
    out_ += '\n';
    counts_.made += token ? 1 : 0;
  }

  /// The new columns behind `object`, which ends in `{` or `,`.
  void append_members(std::string object, const Result<std::string>& token) {
    for (const std::string& name : plan_.append) {
      json::append_string(object, name);
      object += ':';
      json::append_string(object, value_of(name, token));
      object += ',';
    }
    object.back() = '}';
    out_ += object;
    out_ += '\n';
    counts_.made += token ? 1 : 0;
  }

  [[nodiscard]] std::string value_of(std::string_view name,
                                     const Result<std::string>& token) const {
    if (!token) {
      return name == "pixelError" ? reason_of(token.error()) : std::string();
    }
    if (name == "pixelId") {
      return *token;
    }
    if (name == "pixelUrl") {
      return pixel_url(plan_.base_url, *token);
    }
    return name == "pixelHTML"
               ? snippet(Snippet::Html, pixel_url(plan_.base_url, *token), plan_.style)
               : std::string();
  }

  bool feed_lines(std::string_view piece) {
    while (true) {
      const std::size_t end = piece.find('\n');
      line_ += piece.substr(0, end);
      if (line_.size() > encoding::CsvReader::kMaxRowBytes) {
        return false;
      }
      if (end == std::string_view::npos) {
        return true;
      }
      piece.remove_prefix(end + 1);
      const std::string line = std::exchange(line_, {});
      if (!take_line(line)) {
        return false;
      }
    }
  }

  bool take_line(std::string_view line) {
    ++row_;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      return true;
    }
    const auto document = json::Document::parse(line, json::kEvent);
    if (!document || !document->root().is_object()) {
      const std::string why = document ? "must be a JSON object" : document.error().message;
      return allow({ErrorCode::InvalidArgument, why, {}, "parse_error"});
    }
    const auto token = token_of_line(document->root());
    if (!token && !allow(token.error())) {
      return false;
    }
    if (token || plan_.on_error == BulkPlan::OnError::Mark) {
      std::string object(document->root().raw());
      object.pop_back();
      if (document->root().size() > 0) {
        object += ',';
      }
      append_members(std::move(object), token);
    }
    if (out_.size() >= kBlockBytes) {
      flush();
    }
    return true;
  }

  Result<std::string> token_of_line(json::Value root) {
    for (const std::string& name : plan_.append) {
      if (root.find(name)) {
        return Failure({ErrorCode::InvalidArgument,
                        "the record has a member " + name + " already",
                        name,
                        "name_clash"});
      }
    }
    Claims claims = plan_.constants;
    for (const auto& [name, member] : kIds) {
      const auto named = plan_.columns.find(name);
      for (const std::string& column :
           named != plan_.columns.end() ? std::vector{named->second} : usual_columns(name)) {
        const auto value = root.find(column);
        if (!value || value->is_null()) {
          continue;
        }
        if (!value->is_string()) {
          return Failure(
              {ErrorCode::InvalidArgument, column + " must be a string", column, "invalid_id"});
        }
        claims.*member = *value->as_string();
        break;
      }
    }
    if (const auto metadata = root.find("metadata"); metadata && !metadata->is_null()) {
      auto canonical = canonical_metadata(metadata->raw());
      if (!canonical) {
        return Failure(canonical.error());
      }
      claims.metadata = std::move(*canonical);
    }
    return seal(claims, ring_, plan_.seal);
  }

  using NamedColumn = std::pair<std::string, std::size_t>;

  const BulkPlan plan_;
  const KeyRing& ring_;
  Sink sink_;
  Report report_;
  encoding::CsvReader reader_;
  std::vector<std::string> header_;
  std::vector<std::pair<std::string Claims::*, std::size_t>> ids_;
  std::vector<NamedColumn> metadata_;
  std::string line_;
  std::string out_;
  std::size_t row_ = 0;
  BulkCounts counts_;
  std::optional<Error> failure_;
};

Bulk::Bulk(BulkPlan plan, const KeyRing& ring, Sink sink, Report report)
    : work_(std::make_unique<Work>(std::move(plan), ring, std::move(sink), std::move(report))) {}

Bulk::~Bulk() = default;

Result<void> Bulk::feed(std::string_view piece) {
  return work_->feed(piece);
}

Result<BulkCounts> Bulk::finish() {
  return work_->finish();
}

}  // namespace edge::pixels
