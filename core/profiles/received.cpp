// SPDX-License-Identifier: MIT
#include "core/profiles/received.h"

#include <fmt/format.h>

#include <chrono>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::profiles {
namespace {

constexpr const char* kSpace = "received";
constexpr std::chrono::seconds kPatience{5};

std::string key_of_offset(std::uint64_t offset) {
  return fmt::format("{:020}", offset);
}

/// Appends the pairs of an entry that lie after `after`.
void read_run(std::string_view stored, std::uint64_t after, Received& run) {
  const auto document = json::Document::parse(stored, json::kEvent);
  if (!document) {
    return;  // one damaged entry costs its own run only
  }
  std::uint64_t offset = 0;
  bool is_number = false;
  for (const json::Value value : document->root().elements()) {
    const std::uint64_t one = value.as_uint64().value_or(0);
    if (is_number && offset > after) {
      run.emplace_back(offset, one);
    }
    offset = one;
    is_number = !is_number;
  }
}

}  // namespace

storage::Put received_entry(const Received& run) {
  json::Writer out;
  out.begin_array();
  for (const auto& [offset, number] : run) {
    out.unsigned_integer(offset).unsigned_integer(number);
  }
  return {.key = {kSpace, "", key_of_offset(run.front().first)}, .value = out.end_array().take()};
}

Result<Received> ReceivedReader::next() {
  Received run;
  while (run.empty() && !is_done_) {
    if (!from_) {
      // The run that holds the first offset may begin before it.
      storage::Scan before{
          .space = kSpace, .to = key_of_offset(after_ + 1), .limit = 1, .reverse = true};
      const auto page = store_.scan(before, storage::Deadline::in(kPatience));
      if (!page) {
        return Failure(page.error());
      }
      if (!page->items.empty()) {
        read_run(page->items.front().entry.value, after_, run);
      }
      from_ = key_of_offset(after_ + 1);
      continue;
    }
    const storage::Scan scan{.space = kSpace, .from = *from_, .limit = 1};
    const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    if (page->items.empty()) {
      is_done_ = true;
      break;
    }
    from_ = page->items.front().key + '\0';
    read_run(page->items.front().entry.value, after_, run);
  }
  return run;
}

Result<std::optional<std::uint64_t>> ReceivedReader::find(std::uint64_t offset) {
  while (true) {
    while (place_ < run_.size() && run_[place_].first < offset) {
      ++place_;
    }
    if (place_ < run_.size()) {
      return run_[place_].first == offset ? std::optional(run_[place_].second) : std::nullopt;
    }
    auto more = next();
    if (!more) {
      return Failure(more.error());
    }
    if (more->empty()) {
      return std::nullopt;
    }
    run_ = std::move(*more);
    place_ = 0;
  }
}

}  // namespace edge::profiles
