// SPDX-License-Identifier: MIT
#include "cli/remote_list.h"

#include <fmt/format.h>

#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/members.h"

namespace edge::cli {
namespace {

/// Adds one page to `records`; gives the cursor of the next one, empty at the end.
Result<std::string> take_page(Remote& daemon,
                              std::string_view path,
                              std::string_view name,
                              std::vector<std::string>& records) {
  const auto answer = daemon.get(path);
  const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                               : Result<json::Document>(Failure(answer.error()));
  const auto list = document ? document->root().find(name) : std::nullopt;
  if (!list) {
    return Failure(document ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                            : document.error());
  }
  for (const json::Value item : list->elements()) {
    records.emplace_back(item.raw());
  }
  const std::string cursor = json::text_in(document->root(), "cursor");
  return cursor.empty() ? json::text_in(document->root(), "next") : cursor;
}

}  // namespace

Result<std::vector<std::string>> list_of(Remote& daemon,
                                         std::string_view path,
                                         std::string_view name) {
  std::vector<std::string> records;
  std::string page(path);
  while (true) {
    const auto cursor = take_page(daemon, page, name, records);
    if (!cursor) {
      return Failure(cursor.error());
    }
    if (cursor->empty()) {
      return records;
    }
    page = fmt::format("{}{}cursor={}",
                       path,
                       path.find('?') == std::string_view::npos ? '?' : '&',
                       encoding::percent_encode(*cursor));
  }
}

}  // namespace edge::cli
