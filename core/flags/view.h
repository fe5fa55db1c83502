// SPDX-License-Identifier: MIT
// Flags as people and consoles look at them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flags/datafile.h"

namespace edge::flags {

/// A stretch of buckets that leads somewhere: `from` to below `to`, of 10,000.
struct Share {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  const Variation* variation = nullptr;  ///< null: nobody gets anything here
  [[nodiscard]] std::uint32_t buckets() const { return to - from; }
};

/// What an allocation does with the 10,000 buckets, in their order and without a hole: entries are
/// tried in file order, so one that ends before an earlier one gets none.
std::vector<Share> shares_of(const std::vector<Range>& allocation);

/// Buckets that lead to a variation.
std::uint32_t allocated_buckets(const std::vector<Range>& allocation);

/// One line of a list: `{"key","id","type","rules","variations","variables","trafficPercent"}`. The
/// type joins those of the rules (`ab`, `mab`, `cmab`, `fr`, `delivery`) with `+`, or is `none`;
/// the traffic is the share of users that the first rule takes.
std::string flag_record(const Flag& flag);

/// `{"schema":"edge.flags/1","flags":[…]}` with a record for each flag, in the order of the
/// datafile.
std::string flag_list_document(const Datafile& datafile);

/// Everything about one flag, `{"schema":"edge.flag/1","key","id","revision","variables":[…],
/// "variations":[…],"rules":[…],"holdouts":[…]}`; nothing when there is none. Rules come in the
/// order in which they are tried:
/// `{"kind","key","id","status","type","audience","group","traffic":[{
/// "variationKey","percent"}],"whitelist":{},"holdouts":[]}`; a traffic of null is nobody's.
std::optional<std::string> flag_document(const Datafile& datafile, std::string_view key);

}  // namespace edge::flags
