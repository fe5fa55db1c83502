// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/snapshot.h"
#include "core/config/secrets.h"
#include "core/events/ingest.h"
#include "core/pixels/key_ring.h"
#include "core/pixels/open_event.h"
#include "core/pixels/record.h"

namespace edge::pixels {

/// Pixels as the daemon serves them: the key ring in force, tokens for who may make them, opens
/// into the event log. Thread-safe.
class Pixels {
 public:
  enum class LegacyTokens : std::uint8_t {
    Flag,
    Reject,
    Count
  };  ///< what opens of the old layout do

  struct Settings {
    std::string base_url = {};
    OpenPrivacy privacy = {};
    LegacyTokens legacy = LegacyTokens::Flag;
    std::filesystem::path data_dir = {};
    bool make_missing_ring = false;  ///< demo mode: make a key ring when there is none
  };

  /// What became of a fetched image. The image itself is answered in every case.
  enum class Fate : std::uint8_t { Taken, Rejected, Dropped };
  using Done = std::function<void(Fate)>;

  /// Borrows all but the settings for life. `load` comes before the first use.
  Pixels(Settings settings,
         const config::Secrets& secrets,
         events::Ingest& ingest,
         const Clock& clock,
         Ids& ids,
         Random& random);

  /// Reads the key ring, also again (reload). Without a ring it is empty: nothing can be made or
  /// verified. Failure: a ring that cannot be used; the one in force stays.
  Result<void> load();

  /// A pixel from a record (identity spec 1.7). Failures: those of `claims_of` and `seal`;
  /// `key_missing` without a ring.
  Result<Generated> generate(json::Value record) const;

  /// Stores the open of a valid token; `done` is called once, from the commit or before `open`
  /// returns.
  void open(const Open& open, const Done& done);

 private:
  const Settings settings_;
  const config::Secrets& secrets_;
  events::Ingest& ingest_;
  const Clock& clock_;
  Ids& ids_;
  Random& random_;
  Snapshot<KeyRing> ring_;
};

}  // namespace edge::pixels
