// SPDX-License-Identifier: MIT
#include "core/destinations/route_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace edge::destinations {
namespace {

constexpr unsigned kListBit = 63;
constexpr std::uint64_t kHasList = std::uint64_t{1} << kListBit;
constexpr std::string_view kMember = R"("routes":[)";
constexpr std::string_view kEnd = "]}}";  // of the list, of `_edge`, of the event

bool is_listed(std::string_view body, unsigned number) {
  const std::size_t at = body.ends_with(kEnd) ? body.rfind(kMember) : std::string_view::npos;
  if (at == std::string_view::npos) {
    return false;
  }
  const char* next = body.data() + at + kMember.size();
  const char* const end = body.data() + body.size() - kEnd.size();
  while (next < end) {
    unsigned listed = 0;
    const auto [after, failure] = std::from_chars(next, end, listed);
    if (failure != std::errc{}) {
      return false;
    }
    if (listed == number) {
      return true;
    }
    next = after + 1;  // behind the comma
  }
  return false;
}

}  // namespace

void RouteSet::add(unsigned number) {
  if (number < kListBit) {
    mask_ |= std::uint64_t{1} << number;
  } else {
    mask_ |= kHasList;
    listed_.push_back(number);
  }
}

bool RouteSet::has(unsigned number) const {
  return number < kListBit ? (mask_ >> number & 1U) != 0
                           : std::ranges::find(listed_, number) != listed_.end();
}

void RouteSet::list_in(std::string& body) const {
  constexpr std::string_view kEdgeEnd = "}}";
  if (listed_.empty() || !body.ends_with(kEdgeEnd)) {
    return;
  }
  const std::size_t end = body.size() - kEdgeEnd.size();
  const char* const comma = end > 0 && body[end - 1] == '{' ? "" : ",";
  body.insert(end, fmt::format("{}{}{}]", comma, kMember, fmt::join(listed_, ",")));
}

bool goes_to(const storage::Record& record, unsigned number) {
  if (number < kListBit) {
    return (record.routes >> number & 1U) != 0;
  }
  return (record.routes & kHasList) != 0 && is_listed(record.body, number);
}

}  // namespace edge::destinations
