// SPDX-License-Identifier: MIT
// Random operations compared with a map, while a clock of our own lets entries end.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/unit/kv/store_of_keys.h"

namespace edge::kv {
namespace {

using Model = std::map<std::string, Entry>;

class Run {
 public:
  Run(const std::string& kind, std::uint64_t seed) : store_(kind), random_(seed) {}

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return write(1);
      case 4:
        return write(1 + below(20));
      case 5:
      case 6:
        return erase(1);
      case 7:
        return erase(below(20));
      case 8:
        store_.subject.clock.advance(std::chrono::milliseconds(below(40'000)));
        return;
      case 9:
        REQUIRE(store_.kv->sweep());
        return;
      case 10:
        return list();
      default:
        return read();
    }
  }

  /// Everything there is, in one look at each key and page by page.
  void compare() {
    expire();
    Model found;
    ListQuery query{.limit = 1 + below(7)};
    do {
      const auto page = store_.kv->list(store_.kCache, query);
      REQUIRE(page);
      for (const Listing::Key& key : page->keys) {
        found[key.name] = store_.get(key.name).value();
        REQUIRE(found[key.name].metadata == key.metadata);
        REQUIRE(found[key.name].expires == key.expires);
        REQUIRE(found[key.name].value.size() == key.bytes);
      }
      query.cursor = page->cursor;
    } while (!query.cursor.empty());
    REQUIRE(found == model_);
  }

  void restart() { store_.reopen(); }

  /// What lies in the store beside heads and their values.
  void compare_leftovers() {
    expire();
    REQUIRE(store_.kv->sweep());
    REQUIRE(store_.kv->sweep());
    std::size_t big = 0;
    for (const auto& [key, entry] : model_) {
      big += entry.value.size() > storage::kMaxValueBytes ? 1 : 0;
    }
    REQUIRE(store_.count("kv") == model_.size());
    REQUIRE(store_.count("kv_big", "") == big);
    REQUIRE(store_.count("kv_value") == model_.size() - big);
  }

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::string key() {
    static const std::vector<std::string> kNames = {
        "a", "a/b", "a/", "ab", "\xC3\xA9", "\xF0\x9F\x98\x80", std::string("a\0", 2), "a\x7F"};
    return kNames[below(kNames.size())] + std::string(below(3), 'x');
  }
  Entry entry() {
    const std::size_t kind = below(300);
    const std::size_t size = kind == 0 ? storage::kMaxValueBytes + below(9'000'000) : below(50);
    return {.value = std::string(size, static_cast<char>('a' + below(26))),
            .metadata = below(2) == 0 ? "" : fmt::format("[{}]", below(100)),
            .expires = below(2) == 0 ? 0 : now() + 1 + static_cast<std::int64_t>(below(90'000))};
  }
  std::int64_t now() { return to_ms(store_.subject.clock.now()); }
  void expire() {
    std::erase_if(model_, [now = now()](const auto& item) {
      return item.second.expires != 0 && item.second.expires <= now;
    });
  }

  void write(std::size_t count) {
    std::vector<Write> writes;
    for (std::size_t i = 0; i < count; ++i) {
      writes.push_back({key(), entry()});
      model_[writes.back().key] = writes.back().entry;
    }
    REQUIRE(store_.kv->write(store_.kCache, std::move(writes)));
  }
  void erase(std::size_t count) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(key());
      model_.erase(keys.back());
    }
    REQUIRE(store_.kv->erase(store_.kCache, keys));
  }
  void read() {
    expire();
    const std::string name = key();
    const auto found = store_.get(name);
    const auto wanted = model_.find(name);
    REQUIRE(found.has_value() == (wanted != model_.end()));
    REQUIRE((!found || *found == wanted->second));
  }
  void list() {
    expire();
    const std::string prefix = key();
    std::vector<std::string> wanted;
    for (const auto& [name, entry] : model_) {
      if (name.starts_with(prefix)) {
        wanted.push_back(name);
      }
    }
    REQUIRE(store_.names({.prefix = prefix}) == wanted);
  }

  StoreOfKeys store_;
  std::mt19937_64 random_;
  Model model_;
};

}  // namespace

TEST_CASE("random operations do what they do to a map", "[kv]") {
  const auto [kind, steps] =
      GENERATE(table<std::string, int>({{"memory", 6'000}, {"sqlite", 1'500}}));
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed << " on " << kind);
  Run run(kind, seed);
  for (int i = 1; i <= steps; ++i) {
    run.step();
    if (i % 100 == 0) {
      run.compare();
    }
    if (i % 500 == 0) {
      run.restart();
      run.compare();
    }
  }
  run.compare_leftovers();
}

}  // namespace edge::kv
