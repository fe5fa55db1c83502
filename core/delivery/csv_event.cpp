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

std::pair<std::string, std::string> target_of(const std::string& field) {
  const std::size_t dot = field.find('.');
  if (dot != std::string::npos &&
      std::ranges::find(kObjects, field.substr(0, dot)) != kObjects.end()) {
    return {field.substr(0, dot), field.substr(dot + 1)};
  }
  const bool is_member = std::ranges::find(kMembers, field) != kMembers.end();
  return {is_member ? "" : "*", field};
}

}  // namespace

Result<CsvEvents> CsvEvents::read_header(
    const std::vector<std::string>& header,
    const std::vector<std::pair<std::string, std::string>>& map) {
  CsvEvents made;
  for (const auto& [field, column] : map) {
    if (std::ranges::find(header, column) == header.end()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("there is no column \"{}\" to map to {}", column, field),
                      "map"});
    }
  }
  for (const std::string& column : header) {
    const auto mapped =
        std::ranges::find(map, column, &std::pair<std::string, std::string>::second);
    made.targets_.push_back(target_of(mapped == map.end() ? column : mapped->first));
  }
  return made;
}

Result<std::string> CsvEvents::event_of(const std::vector<std::string>& row) const {
  if (row.size() > targets_.size()) {
    return Failure({ErrorCode::InvalidArgument, "it has more cells than the header"});
  }
  std::string type = "track";
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!encoding::is_utf8(row[i])) {
      return Failure({ErrorCode::InvalidArgument, "it is not UTF-8"});
    }
    if (targets_[i].first.empty() && targets_[i].second == "type" && !row[i].empty()) {
      type = row[i];
    }
  }
  const std::string_view rest = type == "identify" || type == "group" ? "traits" : "properties";
  json::Writer out;
  out.begin_object().member("type", type);
  std::set<std::string_view> written{"type"};
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (targets_[i].first.empty() && !row[i].empty() && written.insert(targets_[i].second).second) {
      out.member(targets_[i].second, row[i]);
    }
  }
  for (const std::string_view object : kObjects) {
    out.key(object).begin_object();
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string_view owner = targets_[i].first == "*" ? rest : targets_[i].first;
      if (owner == object && !row[i].empty() && names.insert(targets_[i].second).second) {
        out.member(targets_[i].second, row[i]);
      }
    }
    out.end_object();
  }
  return out.end_object().take();
}

}  // namespace edge::delivery
