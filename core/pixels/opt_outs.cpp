// SPDX-License-Identifier: MIT
#include "core/pixels/opt_outs.h"

#include <algorithm>
#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr const char* kSpace = "optouts";
constexpr const char* kWho = "who";
constexpr std::chrono::seconds kPatience{5};
constexpr int kAttempts = 8;

storage::Deadline soon() {
  return storage::Deadline::in(kPatience);
}

std::string part_of(const std::string& list) {
  return "list:" + list;
}

std::vector<std::string> lists_in(const std::optional<storage::Entry>& entry) {
  std::vector<std::string> lists;
  const auto document = json::Document::parse(entry ? entry->value : "[]", json::kStrict);
  if (document) {
    for (const json::Value value : document->root().elements()) {
      lists.emplace_back(value.as_string().value_or(""));
    }
  }
  return lists;
}

std::string text_of(const std::vector<std::string>& lists) {
  json::Writer out;
  out.begin_array();
  for (const std::string& list : lists) {
    out.string(list);
  }
  return out.end_array().take();
}

Result<void> check(const std::string& recipient, const std::string& list) {
  if (!is_identifier(recipient) || recipient == "*") {
    return Failure({ErrorCode::InvalidArgument,
                    "recipientId must be 1 to 255 octets of UTF-8 without control characters",
                    "recipientId",
                    "invalid_id"});
  }
  if (!list.empty() && !is_identifier(list)) {
    return Failure({ErrorCode::InvalidArgument,
                    "list must be 1 to 255 octets of UTF-8 without control characters",
                    "list",
                    "invalid_id"});
  }
  return {};
}

OptOut read(const storage::Page::Item& item, const std::string& list) {
  OptOut entry{.recipient = item.key, .list = list};
  const auto document = json::Document::parse(item.entry.value, json::kStrict);
  if (document) {
    const auto since = document->root().find("since");
    const auto by = document->root().find("by");
    entry.since = from_ms(since ? since->as_int64().value_or(0) : 0);
    entry.by = by ? by->as_string().value_or("") : "";
  }
  return entry;
}

}  // namespace

Result<bool> OptOuts::change(const std::string& recipient,
                             const std::string& list,
                             std::optional<std::string_view> added_by) {
  if (auto fine = check(recipient, list); !fine) {
    return Failure(fine.error());
  }
  const storage::Key who{kSpace, kWho, recipient};
  const storage::Key entry{kSpace, part_of(list), recipient};
  Error last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = store_.get(who, soon());
    if (!before) {
      return Failure(before.error());
    }
    std::vector<std::string> lists = lists_in(*before);
    const auto found = std::ranges::find(lists, list);
    if ((found != lists.end()) == added_by.has_value()) {
      return false;
    }
    storage::Batch batch;
    batch.checks.push_back({who, *before ? (*before)->version : 0});
    if (added_by) {
      lists.push_back(list);
      json::Writer value;
      value.begin_object().member("since", to_ms(clock_.now())).member("by", *added_by);
      batch.puts.push_back({entry, value.end_object().take()});
    } else {
      lists.erase(found);
      batch.dels.push_back({entry});
    }
    if (lists.empty()) {
      batch.dels.push_back({who});
    } else {
      batch.puts.push_back({who, text_of(lists)});
    }
    const auto receipt = store_.commit(std::move(batch), soon());
    if (receipt) {
      has_some_ = has_some_ || added_by.has_value();
      return true;
    }
    last = receipt.error();
    if (last.code != ErrorCode::Conflict) {
      break;
    }
  }
  return Failure(last);
}

Result<bool> OptOuts::add(const std::string& recipient,
                          const std::string& list,
                          std::string_view by) {
  return change(recipient, list, by);
}

Result<bool> OptOuts::remove(const std::string& recipient, const std::string& list) {
  return change(recipient, list, std::nullopt);
}

Result<OptOuts::Page> OptOuts::list(const std::string& list,
                                    const std::string& cursor,
                                    std::size_t limit) const {
  storage::Scan scan{.space = kSpace,
                     .part = part_of(list),
                     .limit = std::clamp<std::size_t>(limit, 1, storage::kMaxPageItems)};
  if (!cursor.empty()) {
    scan.resume(cursor);
  }
  const auto page = store_.scan(scan, soon());
  if (!page) {
    return Failure(page.error());
  }
  Page out{.items = {}, .next = page->next};
  for (const auto& item : page->items) {
    out.items.push_back(read(item, list));
  }
  return out;
}

Result<bool> OptOuts::is_empty() {
  if (has_some_) {
    return false;
  }
  const auto page = store_.scan({.space = kSpace, .part = kWho, .limit = 1}, soon());
  if (!page) {
    return Failure(page.error());
  }
  has_some_ = !page->items.empty();
  return page->items.empty();
}

Result<std::vector<bool>> OptOuts::are_listed(const std::vector<std::string>& recipients) {
  std::vector<bool> listed(recipients.size(), false);
  const auto empty = is_empty();
  if (!empty) {
    return Failure(empty.error());
  }
  if (*empty || recipients.empty()) {
    return listed;
  }
  std::vector<storage::Key> keys;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (!recipients[i].empty()) {
      keys.push_back({kSpace, kWho, recipients[i]});
      places.push_back(i);
    }
  }
  if (keys.empty()) {
    return listed;
  }
  const auto entries = store_.get(keys, soon());
  if (!entries) {
    return Failure(entries.error());
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    listed[places[i]] = (*entries)[i].has_value();
  }
  return listed;
}

}  // namespace edge::pixels
