// SPDX-License-Identifier: MIT
#include "cli/remote_list.h"

#include "core/json/document.h"

namespace edge::cli {

Result<std::vector<std::string>> list_of(Remote& daemon,
                                         std::string_view path,
                                         std::string_view name) {
  const auto answer = daemon.get(path);
  const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                               : Result<json::Document>(Failure(answer.error()));
  const auto list = document ? document->root().find(name) : std::nullopt;
  if (!list) {
    return Failure(document ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                            : document.error());
  }
  std::vector<std::string> records;
  for (const json::Value item : list->elements()) {
    records.emplace_back(item.raw());
  }
  return records;
}

}  // namespace edge::cli
