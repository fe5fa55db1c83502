// SPDX-License-Identifier: MIT
// Lists that are read page by page, as --limit, --cursor and --all say.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli {

/// One page: records as JSON texts, and the cursor behind them, empty at the end.
struct RecordPage {
  std::vector<std::string> records = {};
  std::string cursor = {};
};

/// Failure: a --limit below 1.
Result<void> check_limit(const Call& call);

/// Prints the listing with the records of as many pages as the call asks for, and with a member
/// `cursor`: where a list would go on, or null. `read` gets how many records the page may have, at
/// most `page_limit`, and a cursor.
Result<int> print_pages(
    Call& call,
    Listing listing,
    std::size_t page_limit,
    const std::function<Result<RecordPage>(std::size_t limit, const std::string& cursor)>& read);

}  // namespace edge::cli
