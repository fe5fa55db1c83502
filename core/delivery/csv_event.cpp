// SPDX-License-Identifier: MIT
#include "core/delivery/csv_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

constexpr std::array<std::string_view, 12> kMembers{"type",
                                                    "event",
                                                    "name",
                                                    "category",
                                                    "userId",
                                                    "anonymousId",
                                                    "groupId",
                                                    "previousId",
                                                    "messageId",
                                                    "timestamp",
                                                    "originalTimestamp",
                                                    "channel"};
constexpr std::array<std::string_view, 3> kObjects{"properties", "traits", "context"};

}  // namespace

CsvEvents::Target CsvEvents::target_of(std::size_t column, const std::string& field) {
  const std::size_t dot = field.find('.');
  if (dot != std::string::npos &&
      std::ranges::find(kObjects, field.substr(0, dot)) != kObjects.end()) {
    return {column, field.substr(0, dot), field.substr(dot + 1)};
  }
  const bool is_member = std::ranges::find(kMembers, field) != kMembers.end();
  return {column, is_member ? "" : "*", field};
}

Result<CsvEvents> CsvEvents::read_header(
    const std::vector<std::string>& header,
    const std::vector<std::pair<std::string, std::string>>& map) {
  CsvEvents made;
  made.columns_ = header.size();
  std::set<std::string> mapped;
  for (const auto& [field, column] : map) {
    const auto found = std::ranges::find(header, column);
    if (found == header.end()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("there is no column \"{}\" to map to {}", column, field),
                      "map"});
    }
    if (!mapped.insert(field).second) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{} is mapped twice, it takes one column", field),
                      "map"});
    }
    made.targets_.push_back(target_of(static_cast<std::size_t>(found - header.begin()), field));
  }
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (std::ranges::find(map, header[i], &std::pair<std::string, std::string>::second) ==
        map.end()) {
      made.targets_.push_back(target_of(i, header[i]));
    }
  }
  return made;
}

Result<std::string> CsvEvents::event_of(const std::vector<std::string>& row) const {
  if (row.size() > columns_) {
    return Failure({ErrorCode::InvalidArgument, "it has more cells than the header"});
  }
  if (!std::ranges::all_of(row, [](const std::string& cell) { return encoding::is_utf8(cell); })) {
    return Failure({ErrorCode::InvalidArgument, "it is not UTF-8"});
  }
  const auto cell = [&row](const Target& target) {
    return target.column < row.size() ? std::string_view(row[target.column]) : std::string_view();
  };
  std::string type = "track";
  for (const Target& target : targets_) {
    if (target.object.empty() && target.member == "type" && !cell(target).empty()) {
      type = cell(target);
    }
  }
  const std::string_view rest = type == "identify" || type == "group" ? "traits" : "properties";
  json::Writer out;
  out.begin_object().member("type", type);
  std::set<std::string_view> written{"type"};
  for (const Target& target : targets_) {
    if (target.object.empty() && !cell(target).empty() && written.insert(target.member).second) {
      out.member(target.member, cell(target));
    }
  }
  for (const std::string_view object : kObjects) {
    out.key(object).begin_object();
    std::set<std::string_view> names;
    for (const Target& target : targets_) {
      const std::string_view owner = target.object == "*" ? rest : std::string_view(target.object);
      if (owner == object && !cell(target).empty() && names.insert(target.member).second) {
        out.member(target.member, cell(target));
      }
    }
    out.end_object();
  }
  return out.end_object().take();
}

}  // namespace edge::delivery
