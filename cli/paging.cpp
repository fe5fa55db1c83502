// SPDX-License-Identifier: MIT
#include "cli/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/problem.h"
#include "core/json/writer.h"

namespace edge::cli {

Result<void> check_limit(const Call& call) {
  return call.integer("limit") < 1 ? Failure(usage_error("--limit is too small", "limit"))
                                   : Result<void>{};
}

Result<int> print_pages(
    Call& call,
    Listing listing,
    std::size_t page_limit,
    const std::function<Result<RecordPage>(std::size_t limit, const std::string& cursor)>& read) {
  const bool all = call.flag("all");
  auto left = static_cast<std::size_t>(call.integer("limit"));
  std::string cursor = call["cursor"];
  do {
    auto page = read(all ? page_limit : std::min(left, page_limit), cursor);
    if (!page) {
      return Failure(page.error());
    }
    left -= std::min(left, page->records.size());
    std::ranges::move(page->records, std::back_inserter(listing.records));
    cursor = std::move(page->cursor);
  } while (!cursor.empty() && (all || left > 0));
  if (!cursor.empty() && call.format() != Format::Json) {
    call.note(fmt::format("there are more: --all, or --cursor {}", cursor));
  }
  json::Writer next;
  cursor.empty() ? next.null() : next.string(cursor);
  listing.members = "\"cursor\":" + next.take();
  return call.print(listing);
}

}  // namespace edge::cli
