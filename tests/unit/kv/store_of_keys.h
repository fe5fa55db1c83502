// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kv/kv.h"
#include "tests/contract/subject.h"

namespace edge::kv {

/// A key-value store on a store of that kind, and short ways to use its namespace `cache`.
struct StoreOfKeys {
  explicit StoreOfKeys(const std::string& kind) : subject(kind) { open(); }

  void reopen() {
    kv.reset();
    subject.reopen();
    open();
  }
  Result<void> put(const std::string& key, Entry entry, const std::string& in = kCache) {
    std::vector<Write> writes;
    writes.push_back({key, std::move(entry)});
    return kv->write(in, std::move(writes));
  }
  Result<Entry> get(const std::string& key, const std::string& in = kCache) {
    return kv->read(in, key);
  }
  std::vector<std::string> names(const ListQuery& query = {}, const std::string& in = kCache) {
    std::vector<std::string> all;
    const Listing listing = kv->list(in, query).value();
    for (const Listing::Key& key : listing.keys) {
      all.push_back(key.name);
    }
    return all;
  }
  /// How many entries a part of a space of the store has.
  std::size_t count(const std::string& space, const std::string& part = kCache) {
    storage::Scan scan{.space = space, .part = part};
    std::size_t found = 0;
    for (std::optional<std::string> next = ""; next;) {
      scan.resume(*next);
      const storage::Page page = subject->scan(scan, test::soon()).value();
      found += page.items.size();
      next = page.next;
    }
    return found;
  }

  static inline const std::string kCache = "000000000000000000000000000000c1";
  static inline const std::string kSessions = "000000000000000000000000000000c2";

  test::Subject subject;
  SeededRandom random{3};
  std::unique_ptr<Kv> kv;

 private:
  void open() {
    kv = std::make_unique<Kv>(
        *subject, random, std::vector<Namespace>{{kCache, "cache"}, {kSessions, "sessions"}});
  }
};

}  // namespace edge::kv
