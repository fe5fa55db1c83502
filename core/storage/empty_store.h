// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/storage/storage.h"

namespace edge::storage {

/// A store that holds nothing and takes everything: where none is yet, and for measuring and
/// fuzzing what is above a store. Thread-safe.
class EmptyStore final : public Store {
 public:
  using Store::commit;
  using Store::get;
  void commit(Batch batch, Deadline /*deadline*/, Done done) override {
    done(Receipt{.versions = std::vector<std::uint64_t>(batch.puts.size(), 1)});
  }
  Result<std::vector<std::optional<Entry>>> get(std::span<const Key> keys,
                                                Deadline /*deadline*/) override {
    return std::vector<std::optional<Entry>>(keys.size());
  }
  Result<Page> scan(const Scan& /*query*/, Deadline /*d*/) override { return Page{}; }
  std::uint64_t head(const std::string& /*stream*/, std::uint32_t /*lane*/) override { return 0; }
  Result<Slice> read(const Read& query, Deadline /*d*/) override {
    return Slice{.records = {}, .reached = query.after};
  }
  Result<Found> find(const Find& /*query*/, Deadline /*d*/) override { return Found{}; }
  Result<std::vector<Due>> take(const Take& /*query*/, Deadline /*d*/) override {
    return std::vector<Due>{};
  }
  Result<DuePage> list(const List& /*query*/, Deadline /*d*/) override { return DuePage{}; }
  Result<DueLater> later(const std::string& /*queue*/, Deadline /*d*/) override {
    return DueLater{};
  }
  DueSize size(const std::string& /*queue*/) override { return {}; }
  Result<Position> position(const std::string& /*consumer*/,
                            const std::string& /*stream*/,
                            std::uint32_t /*lane*/,
                            Deadline /*d*/) override {
    return Position{};
  }
  Result<std::vector<Owned>> own(const Claim& /*claim*/, Deadline /*d*/) override {
    return std::vector<Owned>{};
  }
  Result<std::uint64_t> erase(const Subject& /*subject*/, Deadline /*d*/) override { return 0U; }
  Result<void> scrub(Deadline /*d*/) override { return {}; }
  Result<std::uint64_t> retain(const Policy& /*policy*/, Deadline /*d*/) override { return 0U; }
  Health health() override { return {}; }
};

}  // namespace edge::storage
