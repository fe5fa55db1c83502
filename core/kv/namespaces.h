// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/storage/storage.h"

namespace edge::kv {

inline constexpr std::size_t kMaxTitleBytes = 512;

/// A set of keys. `id` is 32 lower-case hexadecimal digits, `title` 1 to 512 octets of UTF-8 that
/// no other namespace has.
struct Namespace {
  std::string id = {};
  std::string title = {};

  bool operator==(const Namespace&) const = default;
};

/// The namespaces that always exist: `cache` and `sessions`, with the ids of the configuration.
/// Failure: InvalidArgument naming the key.
Result<std::vector<Namespace>> builtin_namespaces(const config::Kv& config);

/// Which namespaces there are. All calls wait for the store. Thread-safe.
///
/// Failures: NotFound, reason `namespace_not_found`; Conflict, reason `title_taken`;
/// InvalidArgument, reason `bad_title`, or `builtin_namespace` for changes of one that always
/// exists; those of the store.
class Namespaces {
 public:
  Namespaces(storage::Store& store, Random& random, std::vector<Namespace> builtin);

  /// All, in order of their ids.
  [[nodiscard]] Result<std::vector<Namespace>> list() const;
  [[nodiscard]] Result<Namespace> find(std::string_view id) const;
  /// By title, else by id.
  [[nodiscard]] Result<Namespace> find_named(std::string_view name) const;
  Result<Namespace> create(const std::string& title);
  Result<Namespace> rename(const std::string& id, const std::string& title);
  /// It is gone at once; what was in it goes with `remove_leftovers`.
  Result<void> remove(const std::string& id);

  /// What a batch that writes into the namespace checks, so that nothing is written into one that
  /// is being removed; nothing for those that always exist.
  [[nodiscard]] Result<std::optional<storage::Check>> guard(const std::string& id) const;
  /// Removes at most 1,000 entries of removed namespaces; how many.
  Result<std::size_t> remove_leftovers();

 private:
  [[nodiscard]] const Namespace* builtin(std::string_view id) const;

  storage::Store& store_;
  Random& random_;
  const std::vector<Namespace> builtin_;
};

/// What is told of an id or title that no namespace has.
Error namespace_not_found(std::string_view name);

}  // namespace edge::kv
