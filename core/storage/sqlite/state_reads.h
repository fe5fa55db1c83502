// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/clock.h"
#include "core/storage/sqlite/reader_pool.h"
#include "core/storage/storage.h"

namespace edge::storage::sqlite {

/// Questions to `edge.db`. Thread-safe; faults are exceptions.
class StateReads {
 public:
  StateReads(std::filesystem::path path, const Clock& clock);

  std::vector<std::optional<Entry>> get(std::span<const Key> keys, Deadline deadline);
  Page scan(const Scan& query, Deadline deadline);
  DuePage list(const List& query, Deadline deadline);
  DueSize size(const std::string& queue, Deadline deadline);
  DueLater later(const std::string& queue, Deadline deadline);
  Position position(const std::string& consumer,
                    const std::string& stream,
                    std::uint32_t lane,
                    Deadline deadline);

 private:
  [[nodiscard]] std::int64_t store_ms() const { return to_ms(clock_.store_now()); }

  const Clock& clock_;
  ReaderPool readers_;
};

/// Runs `work` and turns a fault into a value.
template <typename Work>
auto guarded(Work work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (const DatabaseFault& fault) {
    return Failure(fault.error());
  } catch (const std::exception& fault) {
    return Failure({ErrorCode::Internal, fault.what(), "", "failed"});
  }
}

/// What is wrong with a query of entries, or nothing.
std::optional<Error> violation(std::span<const Key> keys);

}  // namespace edge::storage::sqlite
