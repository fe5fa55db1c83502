// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/destinations/table.h"
#include "core/json/writer.h"

namespace edge::delivery {

/// A raw event, canonical or of the original API, as it would be stored: normalised and enriched.
/// Failure: as ingest refuses it.
Result<std::string> canonical_text(std::string_view raw, Time now, Ids& ids);

struct PreviewOptions {
  bool canonical = false;  ///< the event is normalised and enriched already
  bool secrets = false;    ///< credentials are shown
};

/// What a destination would be sent for one event, without a network: writes the members `result`
/// (`send`, `filtered`, `rejected`), `reason` and `requests` into an open object: all header fields
/// as they go out, the body before it is compressed.
/// Failure: InvalidArgument when the event would be refused.
Result<void> write_preview(json::Writer& out,
                           const destinations::Entry& entry,
                           std::string_view event,
                           const PreviewOptions& options,
                           const Clock& clock,
                           Ids& ids);

}  // namespace edge::delivery
