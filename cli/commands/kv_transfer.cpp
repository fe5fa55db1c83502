// SPDX-License-Identifier: MIT
#include "cli/commands/kv_transfer.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/kv_store.h"
#include "cli/exit_code.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::size_t kAtOnce = 1'000;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20U;

/// Takes entries and writes them in portions.
class Import {
 public:
  explicit Import(Call& call) : call_(call) {}

  /// Failure: InvalidArgument when the value is no entry.
  Result<void> take(json::Value value) {
    auto entry = kv::read_bulk_entry(value);
    if (!entry) {
      return Failure(std::move(entry.error()));
    }
    const Time now = call_.clock().now();
    const std::int64_t soon = to_ms(now) / 1000 + kv::kLeastTtl.count();
    if (!entry->expiry.ttl && entry->expiry.at && *entry->expiry.at <= soon) {
      ++ended_;
      return {};
    }
    auto fits = kv::check_key(entry->key);
    fits = fits ? kv::expires_of(entry->expiry, now).map([](std::int64_t /*ms*/) {}) : fits;
    fits = fits ? kv::check_value(entry->value.size()) : fits;
    if (!fits) {
      return Failure(fits.error());
    }
    bytes_ += entry->key.size() + entry->value.size() + entry->metadata.size();
    entries_.push_back(std::move(*entry));
    return entries_.size() == kAtOnce || bytes_ >= kBytesAtOnce ? flush() : Result<void>{};
  }

  Result<void> flush() {
    if (!call_.dry_run() && !store_) {
      auto opened = open_kv(call_, Call::Access::Write, true);
      if (!opened) {
        return Failure(std::move(opened.error()));
      }
      store_ = std::move(*opened);
    }
    auto done = store_ && !entries_.empty() ? store_->write(entries_) : Result<void>{};
    if (done) {
      written_ += entries_.size();
      entries_.clear();
      bytes_ = 0;
    }
    return done;
  }

  [[nodiscard]] std::string report() const {
    json::Writer out;
    out.begin_object()
        .member("schema", "edge.kv-import/1")
        .member("imported", std::uint64_t{written_})
        .member("ended", std::uint64_t{ended_})
        .end_object();
    return out.take();
  }

 private:
  Call& call_;
  std::unique_ptr<KvStore> store_;
  std::vector<kv::BulkEntry> entries_;
  std::size_t bytes_ = 0;
  std::size_t written_ = 0;
  std::size_t ended_ = 0;
};

Error at(const LineReader& lines, Error error) {
  if (error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::TooLarge) {
    error.message = fmt::format("{}, line {}: {}", lines.name(), lines.number(), error.message);
  }
  return error;
}

/// A list that begins in this line, whole.
Result<void> take_list(Import& import, LineReader& lines, std::string text) {
  std::string line;
  while (true) {
    const auto more = lines.next(line);
    if (!more || !*more) {
      if (!more) {
        return Failure(more.error());
      }
      break;
    }
    text.append("\n").append(line);
  }
  const auto list = json::Document::parse(text, json::kApi);
  if (!list) {
    return Failure(list.error());
  }
  std::size_t number = 0;
  for (const json::Value entry : list->root().elements()) {
    if (auto taken = import.take(entry); !taken) {
      taken.error().message = fmt::format("entry {}: {}", number, taken.error().message);
      return taken;
    }
    ++number;
  }
  return {};
}

Result<void> take_all(Import& import, LineReader& lines) {
  std::string line;
  while (true) {
    const auto more = lines.next_filled(line);
    if (!more || !*more) {
      return more ? Result<void>{} : Failure(more.error());
    }
    if (line[line.find_first_not_of(" \t\r")] == '[') {
      return take_list(import, lines, std::move(line));
    }
    const auto entry = json::Document::parse(line, json::kApi);
    auto taken = entry ? import.take(entry->root()) : Failure(entry.error());
    if (!taken) {
      return Failure(at(lines, std::move(taken.error())));
    }
  }
}

}  // namespace

Result<int> kv_import(Call& call) {
  const auto lines = call.open_lines(call.has("input") ? call["input"] : "-");
  if (!lines) {
    return Failure(lines.error());
  }
  Import import(call);
  const auto taken = take_all(import, **lines);
  const auto written = import.flush();
  if (!taken || !written) {
    return Failure(taken ? written.error() : taken.error());
  }
  if (call.dry_run()) {
    call.note("dry run: nothing was written");
  }
  return call.print(Document{.json = import.report()});
}

Result<int> kv_export(Call& call) {
  const auto store = open_kv(call, Call::Access::Read, false);
  if (!store) {
    return Failure(store.error());
  }
  kv::ListQuery query{.prefix = call["prefix"]};
  do {
    const auto page = (*store)->list(query);
    if (!page) {
      return Failure(page.error());
    }
    for (const kv::Listing::Key& key : page->keys) {
      auto value = (*store)->value(key.name);
      if (!value) {
        return Failure(std::move(value.error()));
      }
      if (!*value) {
        continue;  // deleted meanwhile
      }
      kv::BulkEntry entry{.key = key.name, .value = std::move(**value), .metadata = key.metadata};
      if (key.expires != 0) {
        entry.expiry.at = key.expires / 1000;
      }
      json::Writer out;
      write_bulk_entry(out, entry);
      call.out().line(out.text());
    }
    query.cursor = page->cursor;
  } while (!query.cursor.empty());
  return exit_code::kDone;
}

}  // namespace edge::cli::commands
