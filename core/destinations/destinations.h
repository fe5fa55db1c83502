// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/snapshot.h"
#include "core/destinations/catalogue.h"
#include "core/destinations/definition.h"
#include "core/destinations/table.h"
#include "core/storage/storage.h"

namespace edge::destinations {

/// The log that events are in and its one lane; forwarders read it as consumer `consumer_of(id)`
/// and park deliveries in the due queue `queue_of(id)`.
inline constexpr const char* kStream = "events";
inline constexpr std::uint32_t kLane = 0;
std::string consumer_of(std::string_view id);
std::string queue_of(std::string_view id);
/// The entry that a destination has for as long as it exists: another one with its id has another
/// version.
storage::Key number_key(std::string_view id);

/// The destinations of an installation: those of the configuration and those made at run time,
/// which are kept in the store. Each has a number below 64 for as long as it exists; a new one
/// starts at the head of the log, so that it gets nothing from before it. Thread-safe.
class Destinations {
 public:
  Destinations(storage::Store& store,
               const Catalogue& catalogue,
               SecretFinder secrets,
               RouteRules rules,
               FilterMaker filters = {});

  /// Takes the configured definitions and what is in the store. With `read_only` nothing is
  /// written: numbers of new ones are then not kept. May be called again (reload).
  ///
  /// Failure: InvalidArgument (a wrong setting, two with one id), TooLarge (more than 64), or of
  /// the store. The table stays what it was.
  Result<void> load(std::vector<Definition> configured, bool read_only = false);

  [[nodiscard]] const Snapshot<Table>& table() const { return table_; }
  [[nodiscard]] const Catalogue& catalogue() const { return catalogue_; }

  /// Makes a destination, durably. Failure: Conflict when the id is taken; as `load`.
  Result<std::shared_ptr<const Entry>> create(const Definition& definition);
  /// Replaces one made at run time; one that was disabled because it was gone goes on when the new
  /// definition is enabled. Failures: NotFound; Conflict (reason `configured`) when it
  /// stands in the configuration.
  Result<std::shared_ptr<const Entry>> replace(std::string_view id, Definition definition);
  /// Removes one made at run time with its parked deliveries; its dead letters stay until they
  /// expire. Failures as `replace`.
  Result<void> erase(std::string_view id);
  /// Secrets that settings name may have changed: looks them up anew. Failures as `load`.
  Result<void> refresh();
  /// Pauses, resumes or disables any destination. Resuming forgets what its forwarder learned:
  /// refused credentials and holds. Failure: NotFound, or of the store.
  Result<std::shared_ptr<const Entry>> set_switch(std::string_view id, Switch position);

 private:
  struct Stored;

  // All below with changing_ held.
  Result<void> reload();
  Result<Stored> read_stored() const;
  Result<std::shared_ptr<const Entry>> ready(const Definition& definition,
                                             Origin origin,
                                             const Stored& stored) const;
  Result<EventFilter> filter_of(const Definition& definition) const;
  Result<void> number_new(std::vector<std::shared_ptr<const Entry>>& entries, Stored& stored);
  Result<std::shared_ptr<const Entry>> store_definition(const Definition& definition,
                                                        bool switches_on = false);
  Result<std::shared_ptr<const Entry>> changeable(std::string_view id) const;
  Result<void> remove_parked(const std::string& id);
  Result<void> remove_delivery(const std::string& id);

  storage::Store& store_;
  const Catalogue& catalogue_;
  const SecretFinder secrets_;
  const RouteRules rules_;
  const FilterMaker filters_;
  Snapshot<Table> table_;
  // Held over store calls: changes are rare, made by operators, and must publish in their order.
  std::mutex changing_;
  std::vector<Definition> configured_;           // guarded by changing_
  bool read_only_ = false;                       // guarded by changing_
  std::map<std::string, std::uint64_t> turns_;   // by id; guarded by changing_
  unsigned last_number_ = kMaxDestinations - 1;  // given last; guarded by changing_
};

}  // namespace edge::destinations
