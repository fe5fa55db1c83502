// SPDX-License-Identifier: MIT
// A namespace is three entries of the store: its title, who has the title, and a mark that is never
// rewritten, so that a batch which checks the mark fails only when the namespace is gone. What is
// left of a removed one is found by the entry `kv_gone`.
#include "core/kv/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/encoding/utf8.h"
#include "core/kv/records.h"

namespace edge::kv {
namespace {

using storage::Deadline;
using storage::Key;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kIdDigits = 32;

Key title_key(const std::string& id) {
  return {"kv_namespace", "", id};
}
Key owner_key(const std::string& title) {
  return {"kv_title", "", title};
}
Key mark_key(const std::string& id) {
  return {"kv_mark", "", id};
}
Key gone_key(const std::string& id) {
  return {"kv_gone", "", id};
}

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Error taken(std::string_view title) {
  return {ErrorCode::Conflict,
          fmt::format("a namespace with the title \"{}\" exists already", title),
          "/title",
          "title_taken"};
}

Result<void> check_title(const std::string& title) {
  if (title.empty() || title.size() > kMaxTitleBytes || !encoding::is_utf8(title)) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("the title of a namespace is 1 to {} octets of UTF-8", kMaxTitleBytes),
         "/title",
         "bad_title"});
  }
  return {};
}

Error always_exists(const Namespace& builtin) {
  return {ErrorCode::InvalidArgument,
          fmt::format("the namespace \"{}\" always exists: it is neither renamed nor removed",
                      builtin.title),
          {},
          "builtin_namespace"};
}

}  // namespace

Error namespace_not_found(std::string_view name) {
  return {ErrorCode::NotFound,
          fmt::format("there is no namespace \"{}\"", encoding::repaired_utf8(name)),
          {},
          "namespace_not_found"};
}

Result<std::vector<Namespace>> builtin_namespaces(const config::Kv& config) {
  for (const auto& [name, id] :
       {std::pair{"kv.cache_id", &config.cache_id}, {"kv.sessions_id", &config.sessions_id}}) {
    if (!is_id(*id)) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{} is 32 lower-case hexadecimal digits, not \"{}\"", name, *id),
                      name});
    }
  }
  if (config.cache_id == config.sessions_id) {
    return Failure({ErrorCode::InvalidArgument,
                    "kv.cache_id and kv.sessions_id must differ",
                    "kv.sessions_id"});
  }
  return std::vector<Namespace>{{config.cache_id, "cache"}, {config.sessions_id, "sessions"}};
}

Namespaces::Namespaces(storage::Store& store, Random& random, std::vector<Namespace> builtin)
    : store_(store), random_(random), builtin_(std::move(builtin)) {}

const Namespace* Namespaces::builtin(std::string_view id) const {
  const auto found = std::ranges::find(builtin_, id, &Namespace::id);
  return found == builtin_.end() ? nullptr : &*found;
}

Result<std::vector<Namespace>> Namespaces::list() const {
  std::vector<Namespace> all = builtin_;
  storage::Scan scan{.space = "kv_namespace"};
  for (std::optional<std::string> next = ""; next;) {
    scan.resume(*next);
    auto page = store_.scan(scan, Deadline::in(kPatience));
    if (!page) {
      return Failure(std::move(page.error()));
    }
    for (auto& item : page->items) {
      if (builtin(item.key) == nullptr) {
        all.push_back({item.key, std::move(item.entry.value)});
      }
    }
    next = page->next;
  }
  std::ranges::sort(all, {}, &Namespace::id);
  return all;
}

Result<Namespace> Namespaces::find(std::string_view id) const {
  if (const Namespace* known = builtin(id)) {
    return *known;
  }
  if (!is_id(id)) {
    return Failure(namespace_not_found(id));
  }
  auto title = store_.get(title_key(std::string(id)), Deadline::in(kPatience));
  if (!title) {
    return Failure(std::move(title.error()));
  }
  if (!*title) {
    return Failure(namespace_not_found(id));
  }
  return Namespace{std::string(id), std::move((*title)->value)};
}

Result<Namespace> Namespaces::find_named(std::string_view name) const {
  const auto known = std::ranges::find(builtin_, name, &Namespace::title);
  if (known != builtin_.end()) {
    return *known;
  }
  if (name.empty() || name.size() > kMaxTitleBytes) {
    return Failure(namespace_not_found(name));
  }
  const auto owner = store_.get(owner_key(std::string(name)), Deadline::in(kPatience));
  if (!owner) {
    return Failure(owner.error());
  }
  return *owner ? Result<Namespace>(Namespace{(*owner)->value, std::string(name)}) : find(name);
}

Result<Namespace> Namespaces::create(const std::string& title) {
  if (const auto fits = check_title(title); !fits) {
    return Failure(fits.error());
  }
  if (std::ranges::find(builtin_, title, &Namespace::title) != builtin_.end()) {
    return Failure(taken(title));
  }
  const std::string id = fresh_id(random_);
  storage::Batch batch;
  batch.checks = {{owner_key(title), 0}, {mark_key(id), 0}};
  batch.puts = {{title_key(id), title}, {owner_key(title), id}, {mark_key(id), "{}"}};
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(done.error().reason == "conflict" ? taken(title) : std::move(done.error()));
  }
  return Namespace{id, title};
}

Result<Namespace> Namespaces::rename(const std::string& id, const std::string& title) {
  if (const auto fits = check_title(title); !fits) {
    return Failure(fits.error());
  }
  if (const Namespace* known = builtin(id)) {
    return known->title == title ? Result<Namespace>(*known) : Failure(always_exists(*known));
  }
  if (!is_id(id)) {
    return Failure(namespace_not_found(id));
  }
  const std::array keys{title_key(id), owner_key(title)};
  const auto entries = store_.get(keys, Deadline::in(kPatience));
  if (!entries) {
    return Failure(entries.error());
  }
  if (!(*entries)[0]) {
    return Failure(namespace_not_found(id));
  }
  if ((*entries)[0]->value == title) {
    return Namespace{id, title};
  }
  if ((*entries)[1] || std::ranges::find(builtin_, title, &Namespace::title) != builtin_.end()) {
    return Failure(taken(title));
  }
  storage::Batch batch;
  batch.checks = {{keys[0], (*entries)[0]->version}, {keys[1], 0}};
  batch.puts = {{keys[0], title}, {keys[1], id}};
  batch.dels = {{owner_key((*entries)[0]->value)}};
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(done.error().reason == "conflict" ? taken(title) : std::move(done.error()));
  }
  return Namespace{id, title};
}

Result<void> Namespaces::remove(const std::string& id) {
  if (const Namespace* known = builtin(id)) {
    return Failure(always_exists(*known));
  }
  if (!is_id(id)) {
    return Failure(namespace_not_found(id));
  }
  static constexpr int kAttempts = 5;  // somebody may rename it meanwhile
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto title = store_.get(title_key(id), Deadline::in(kPatience));
    if (!title) {
      return Failure(title.error());
    }
    if (!*title) {
      return Failure(namespace_not_found(id));
    }
    storage::Batch batch;
    batch.checks = {{title_key(id), (*title)->version}};
    batch.puts = {{gone_key(id), "{}"}};
    batch.dels = {{title_key(id)}, {owner_key((*title)->value)}, {mark_key(id)}};
    auto done = store_.commit(std::move(batch), Deadline::in(kPatience));
    if (done || done.error().reason != "conflict") {
      return done ? Result<void>{} : Failure(std::move(done.error()));
    }
  }
  return Failure({ErrorCode::Unavailable,
                  "the namespace is in use, try again",
                  {},
                  {},
                  std::chrono::seconds(1)});
}

Result<std::optional<storage::Check>> Namespaces::guard(const std::string& id) const {
  if (builtin(id) != nullptr) {
    return std::optional<storage::Check>();
  }
  if (!is_id(id)) {
    return Failure(namespace_not_found(id));
  }
  const auto mark = store_.get(mark_key(id), Deadline::in(kPatience));
  if (!mark) {
    return Failure(mark.error());
  }
  if (!*mark) {
    return Failure(namespace_not_found(id));
  }
  return std::optional(storage::Check{mark_key(id), (*mark)->version});
}

Result<std::size_t> Namespaces::remove_leftovers() {
  const auto gone = store_.scan({.space = "kv_gone", .limit = 1}, Deadline::in(kPatience));
  if (!gone || gone->items.empty()) {
    return gone ? Result<std::size_t>(std::size_t{0}) : Failure(gone.error());
  }
  const std::string id = gone->items.front().key;
  const auto heads = store_.scan({.space = "kv", .part = id}, Deadline::in(kPatience));
  if (!heads) {
    return Failure(heads.error());
  }
  storage::Batch batch;
  for (const auto& item : heads->items) {
    batch.dels.push_back({head_key(id, item.key)});
    batch.dels.push_back({value_key(id, item.key)});
  }
  if (!heads->next) {
    batch.dels.push_back({gone_key(id)});
  }
  if (auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  return heads->items.size();
}

}  // namespace edge::kv
