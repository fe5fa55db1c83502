// SPDX-License-Identifier: MIT
// How events enter the log: normalise → clock → enrich → route → one durable append. Whatever took
// the event in (a route, a command, a pixel, a decision) calls `accept`; it is answered from the
// callback of the commit, so that no thread waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/draft.h"
#include "core/events/enrich.h"
#include "core/events/event.h"
#include "core/events/source_counts.h"
#include "core/json/document.h"
#include "core/metrics/metrics.h"
#include "core/storage/storage.h"

namespace edge::events {

/// The log that holds all events.
inline constexpr const char* kStream = "events";

/// What became of one event. `error` says why it was refused (codes of spec 1.2 as `reason`, or
/// `bad_json`).
///
/// `anonymous_id`: the one that was made for an event of the original API that named nobody; empty:
/// none was.
/// `session`: the id that the event has as `context.sessionId` when it was found here (the time
/// that its session began with); 1970: none, or it came with the event.
struct Outcome {
  enum class Status : std::uint8_t {
    Stored,
    Duplicate,  ///< (source, messageId) is known; answered like a stored one
    Withheld,   ///< valid, but must not be kept: answered like a stored one too
    Refused,
  };
  EventId id = {};
  Status status = Status::Stored;
  Error error = {};
  Time session = {};
  std::string anonymous_id = {};
};

/// Called once, after the durable commit on the engine's thread, or inside `accept` when nothing
/// had to be stored. One outcome per event, in their order. Failure: Unavailable, or RateLimited
/// with the reason `backpressure` when too much waits to be written, both with `retry_after`: the
/// store took nothing, or it is not known whether it did; the sender repeats and duplicates are
/// found.
using Done = std::function<void(Result<std::vector<Outcome>>)>;

/// Decides where an event (its canonical text) is forwarded, and may note that in the text: what
/// the record has as `routes`. Quick; called on the threads that accept.
using Router = std::function<std::uint64_t(std::string& body)>;

/// Why a valid event must not be kept: a constant that it is counted under, or nothing. `draft` is
/// enriched. Quick.
using Screen = std::function<std::string_view(const Draft& draft)>;
/// The reason that also holds for what is made here (`Origin::is_own`); it goes before all others.
inline constexpr std::string_view kSuppressed = "suppressed";
/// Finds the session of an event that is going to be stored, puts it into the context and returns
/// its id; 1970: none. Called for each in the order they came.
using Placing = std::function<Time(Draft& draft)>;
/// Encodes what may be kept of an event that is going to be stored.
using Redact = std::function<std::string(Draft& draft, const Internals& internals)>;

/// Thread-safe.
class Ingest {
 public:
  struct Settings {
    Limits limits = {};
    bool dedupes = true;  ///< leaves out what has a (source, messageId) that is known
    std::chrono::milliseconds patience =
        std::chrono::seconds{5};  ///< how long the store may be busy
    Router router = {};           ///< none = forwarded nowhere
    Screen screen = {};           ///< none = everything is kept
    Placing placing = {};         ///< none = no sessions
    Redact redact = {};           ///< none = all of it
  };

  /// Borrows all but the settings for life.
  Ingest(storage::Store& store,
         const Clock& clock,
         Ids& ids,
         metrics::Registry& registry,
         Settings settings);
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;
  Ingest(Ingest&&) = delete;
  Ingest& operator=(Ingest&&) = delete;
  ~Ingest() = default;

  /// Takes raw events in. The values and views of all arguments are read before it returns. A bad
  /// event never spoils its neighbours.
  void accept(std::span<const json::Value> events,
              const Envelope& envelope,
              const Origin& origin,
              Done done);
  /// Takes one raw event as JSON text.
  void accept(std::string_view event, const Origin& origin, Done done);

  /// The same, waiting for the commit: for commands and tests; never on an event loop or in a
  /// callback of the store.
  Result<std::vector<Outcome>> accept_now(std::span<const json::Value> events,
                                          const Envelope& envelope,
                                          const Origin& origin);
  Result<Outcome> accept_now(std::string_view event, const Origin& origin);

  /// What each source sent.
  [[nodiscard]] const SourceCounts& counts() const { return counts_; }

 private:
  struct Pending;

  struct Prepared {
    storage::NewRecord record = {};
    Time session = {};
    std::string anonymous_id = {};   ///< that was made
    std::string_view withheld = {};  ///< why it is not kept; empty: it is
  };
  Result<Prepared> prepare(json::Value raw,
                           const Envelope& envelope,
                           const Origin& origin,
                           Time received_at);
  /// Commits the next chunk, and answers behind the last one.
  void commit_next(const std::shared_ptr<Pending>& pending);
  /// `found`: the records of the chunk on its way that were known.
  void note_duplicates(Pending& pending, std::span<const std::uint32_t> found);

  storage::Store& store_;
  const Clock& clock_;
  Ids& ids_;
  const Settings settings_;
  SourceCounts counts_;
  metrics::CounterFamily& received_;
  metrics::CounterFamily& rejected_;
  metrics::CounterFamily& duplicates_;
  metrics::Histogram& seconds_;
  metrics::CounterFamily& suppressed_;
};

}  // namespace edge::events
