// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/storage/storage.h"

namespace edge::test {

/// A store that holds nothing and takes everything, for measuring and fuzzing what is above it.
class EmptyStore final : public storage::Store {
 public:
  using Store::commit;
  using Store::get;
  void commit(storage::Batch batch, storage::Deadline /*deadline*/, storage::Done done) override {
    done(storage::Receipt{.versions = std::vector<std::uint64_t>(batch.puts.size(), 1)});
  }
  Result<std::vector<std::optional<storage::Entry>>> get(std::span<const storage::Key> keys,
                                                         storage::Deadline /*deadline*/) override {
    return std::vector<std::optional<storage::Entry>>(keys.size());
  }
  Result<storage::Page> scan(const storage::Scan& /*query*/, storage::Deadline /*d*/) override {
    return storage::Page{};
  }
  std::uint64_t head(const std::string& /*stream*/, std::uint32_t /*lane*/) override { return 0; }
  Result<storage::Slice> read(const storage::Read& query, storage::Deadline /*d*/) override {
    return storage::Slice{.records = {}, .reached = query.after};
  }
  Result<storage::Found> find(const storage::Find& /*query*/, storage::Deadline /*d*/) override {
    return storage::Found{};
  }
  Result<std::vector<storage::Due>> take(const storage::Take& /*query*/,
                                         storage::Deadline /*d*/) override {
    return std::vector<storage::Due>{};
  }
  Result<storage::DuePage> list(const storage::List& /*query*/, storage::Deadline /*d*/) override {
    return storage::DuePage{};
  }
  Result<storage::DueLater> later(const std::string& /*queue*/, storage::Deadline /*d*/) override {
    return storage::DueLater{};
  }
  storage::DueSize size(const std::string& /*queue*/) override { return {}; }
  Result<storage::Position> position(const std::string& /*consumer*/,
                                     const std::string& /*stream*/,
                                     std::uint32_t /*lane*/,
                                     storage::Deadline /*d*/) override {
    return storage::Position{};
  }
  Result<std::vector<storage::Owned>> own(const storage::Claim& /*claim*/,
                                          storage::Deadline /*d*/) override {
    return std::vector<storage::Owned>{};
  }
  Result<std::uint64_t> erase(const storage::Subject& /*subject*/,
                              storage::Deadline /*d*/) override {
    return 0U;
  }
  Result<void> scrub(storage::Deadline /*d*/) override { return {}; }
  Result<std::uint64_t> retain(const storage::Policy& /*policy*/,
                               storage::Deadline /*d*/) override {
    return 0U;
  }
  storage::Health health() override { return {}; }
};

}  // namespace edge::test
