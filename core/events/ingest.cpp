// SPDX-License-Identifier: MIT
#include "core/events/ingest.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

namespace edge::events {
namespace {

/// One request may hold more than one batch of the store takes: it is split well below those
/// limits.
constexpr std::size_t kChunkBytes = storage::kMaxBatchBytes / 2;
constexpr std::size_t kChunkRecords = 4'096;

/// Whatever is wrong with the store is told to senders as "try again" (spec 2.4): a 4xx or 500
/// would make them throw away.
///
/// A store that works, but has too much waiting, is told as such: senders come too fast.
Error unavailable(const Error& cause) {
  if (cause.reason == "backpressure") {
    return {ErrorCode::RateLimited,
            cause.message,
            {},
            cause.reason,
            std::max(cause.retry_after, std::chrono::seconds{1})};
  }
  return {ErrorCode::Unavailable,
          cause.code == ErrorCode::Unavailable ? cause.message
                                               : "the event store cannot take events now",
          {},
          "unavailable",
          std::max(cause.retry_after, std::chrono::seconds{1})};
}

using Answer = std::promise<Result<std::vector<Outcome>>>;

std::string name_in(const Draft& draft) {
  return std::string(draft.type == Type::Track ? draft.event : draft.name);
}

std::string key_of(const Draft& draft) {
  if (!draft.user_id.empty()) {
    return std::string(draft.user_id);
  }
  return draft.anonymous_id.empty() ? draft.id.text : std::string(draft.anonymous_id);
}

/// Collects records and begins a new chunk when the last one is full.
class Chunks {
 public:
  void add(storage::NewRecord record) {
    const std::size_t size =
        record.body.size() + record.user.size() + record.name.size() + record.id.size();
    if (chunks_.empty() || chunks_.back().size() >= kChunkRecords || bytes_ + size > kChunkBytes) {
      chunks_.emplace_back();
      bytes_ = 0;
    }
    bytes_ += size;
    chunks_.back().push_back(std::move(record));
  }
  std::vector<std::vector<storage::NewRecord>> take() { return std::move(chunks_); }

 private:
  std::vector<std::vector<storage::NewRecord>> chunks_;
  std::size_t bytes_ = 0;
};

}  // namespace

/// One call of `accept` whose commits are under way, one after the other: a large batch takes no
/// more room before the writer than a small one.
struct Ingest::Pending {
  std::vector<Outcome> outcomes;
  std::vector<std::uint32_t>
      stored;  ///< for each record, in order of all chunks, the index of its outcome
  Done done;
  std::string source;
  bool is_unique = true;
  SteadyTime begun;
  std::vector<std::vector<storage::NewRecord>> chunks;
  std::size_t next_chunk = 0;
  std::size_t first = 0;  ///< number of the first record of the chunk on its way
};

Ingest::Ingest(storage::Store& store,
               const Clock& clock,
               Ids& ids,
               metrics::Registry& registry,
               Settings settings)
    : store_(store),
      clock_(clock),
      ids_(ids),
      settings_(std::move(settings)),
      received_(registry.counter(
          "edge_events_received_total", "Valid events, duplicates included", {"source", "type"})),
      rejected_(
          registry.counter("edge_events_rejected_total", "Events refused, by code", {"code"})),
      duplicates_(registry.counter(
          "edge_events_duplicate_total", "Events that were already known", {"source"})),
      seconds_(registry
                   .histogram("edge_ingest_seconds",
                              "Time from reading events to their durable commit",
                              {})
                   .with({})),
      suppressed_(registry.counter("edge_events_suppressed_total",
                                   "Valid events that were not kept, by reason",
                                   {"reason"})) {}

Result<Ingest::Prepared> Ingest::prepare(json::Value raw,
                                         const Envelope& envelope,
                                         const Origin& origin,
                                         Time received_at) {
  auto draft = normalise(raw, envelope, received_at, ids_, settings_.limits);
  if (!draft) {
    return Failure(std::move(draft.error()));
  }
  enrich(*draft, origin);
  const std::string made(draft->has_made_anonymous_id ? draft->anonymous_id : std::string_view{});
  const auto why = settings_.screen ? settings_.screen(*draft) : std::string_view{};
  // What is made here asks for nobody's consent, but does not name who is suppressed either.
  if (!why.empty() && (!origin.is_own || why == kSuppressed)) {
    return Prepared{
        .record = {.id = draft->id.text, .kind = static_cast<std::uint32_t>(draft->type)},
        .anonymous_id = made,
        .withheld = why};
  }
  const Time session = settings_.placing && !origin.is_own ? settings_.placing(*draft) : Time{};
  const Internals internals{.source = origin.source, .hops = origin.hops};
  std::string body =
      settings_.redact ? settings_.redact(*draft, internals) : encode(*draft, internals);
  storage::NewRecord record{.source = std::string(origin.source),
                            .id = draft->id.text,
                            .at = to_ms(received_at),
                            .kind = static_cast<std::uint32_t>(draft->type),
                            .user = key_of(*draft),
                            .name = name_in(*draft),
                            .body = std::move(body)};
  record.routes = settings_.router ? settings_.router(record.body) : 0;
  return Prepared{.record = std::move(record), .session = session, .anonymous_id = made};
}

void Ingest::accept(std::span<const json::Value> events,
                    const Envelope& envelope,
                    const Origin& origin,
                    Done done) {
  const Time received_at = origin.received_at == Time{} ? clock_.now() : origin.received_at;
  auto pending = std::make_shared<Pending>();
  pending->done = std::move(done);
  pending->source = origin.source;
  pending->is_unique = settings_.dedupes || origin.is_own;  // our own news repeat after a crash
  pending->begun = clock_.steady();
  pending->outcomes.reserve(events.size());
  Chunks chunks;
  std::uint64_t received = 0;
  for (const json::Value raw : events) {
    auto prepared = prepare(raw, envelope, origin, received_at);
    if (prepared) {
      ++received;
      storage::NewRecord& record = prepared->record;
      received_.with({origin.source, name_of(static_cast<Type>(record.kind))}).add();
      if (!prepared->withheld.empty()) {
        suppressed_.with({prepared->withheld}).add();
        pending->outcomes.push_back({.id = EventId{record.id},
                                     .status = Outcome::Status::Withheld,
                                     .anonymous_id = std::move(prepared->anonymous_id)});
        continue;
      }
      pending->stored.push_back(static_cast<std::uint32_t>(pending->outcomes.size()));
      pending->outcomes.push_back({.id = EventId{record.id},
                                   .session = prepared->session,
                                   .anonymous_id = std::move(prepared->anonymous_id)});
      chunks.add(std::move(record));
    } else {
      rejected_.with({prepared.error().reason}).add();
      pending->outcomes.push_back({.id = EventId{raw_message_id(raw)},
                                   .status = Outcome::Status::Refused,
                                   .error = std::move(prepared.error())});
    }
  }
  if (received > 0) {
    counts_.received(origin.source, received);
  }
  const bool is_refused =
      envelope.all_or_none && std::ranges::any_of(pending->outcomes, [](const Outcome& outcome) {
        return outcome.status == Outcome::Status::Refused;
      });
  if (is_refused) {
    pending->stored.clear();
  } else {
    pending->chunks = chunks.take();
  }
  commit_next(pending);
}

void Ingest::commit_next(const std::shared_ptr<Pending>& pending) {
  if (pending->next_chunk == pending->chunks.size()) {
    if (!pending->chunks.empty()) {
      seconds_.observe(std::chrono::duration<double>(clock_.steady() - pending->begun).count());
    }
    pending->done(std::move(pending->outcomes));
    return;
  }
  std::vector<storage::NewRecord>& records = pending->chunks[pending->next_chunk];
  const std::size_t count = records.size();
  storage::Batch batch{.continues = pending->next_chunk > 0};
  batch.appends.push_back(
      {.stream = kStream, .lane = 0, .records = std::move(records), .unique = pending->is_unique});
  ++pending->next_chunk;
  store_.commit(std::move(batch),
                storage::Deadline::in(settings_.patience),
                [this, pending, count](const Result<storage::Receipt>& receipt) {
                  if (!receipt) {
                    return pending->done(Failure(unavailable(receipt.error())));
                  }
                  note_duplicates(*pending, receipt->duplicates);
                  pending->first += count;
                  commit_next(pending);
                });
}

void Ingest::note_duplicates(Pending& pending, std::span<const std::uint32_t> found) {
  if (found.empty()) {
    return;
  }
  const auto outcome_of = [&pending](std::uint32_t index) -> Outcome& {
    return pending.outcomes[pending.stored[pending.first + index]];
  };
  for (const std::uint32_t index : found) {
    outcome_of(index).status = Outcome::Status::Duplicate;
  }
  duplicates_.with({pending.source}).add(found.size());
  counts_.duplicates(pending.source, found.size(), outcome_of(found.back()).id, clock_.now());
}

void Ingest::accept(std::string_view event, const Origin& origin, Done done) {
  auto document = json::Document::parse(event, json::kEvent);
  if (!document) {
    rejected_.with({"bad_json"}).add();
    Error error = std::move(document.error());
    error.reason = "bad_json";
    done(std::vector<Outcome>{{.status = Outcome::Status::Refused, .error = std::move(error)}});
    return;
  }
  const json::Value root = document->root();
  accept({&root, 1}, {.has_duplicates = document->has_duplicates()}, origin, std::move(done));
}

Result<std::vector<Outcome>> Ingest::accept_now(std::span<const json::Value> events,
                                                const Envelope& envelope,
                                                const Origin& origin) {
  const auto answer =
      std::make_shared<Answer>();  // shared: the callback still touches it while the waiter leaves
  accept(events, envelope, origin, [answer](Result<std::vector<Outcome>> outcomes) {
    answer->set_value(std::move(outcomes));
  });
  return answer->get_future().get();
}

Result<Outcome> Ingest::accept_now(std::string_view event, const Origin& origin) {
  const auto answer = std::make_shared<Answer>();
  accept(event, origin, [answer](Result<std::vector<Outcome>> outcomes) {
    answer->set_value(std::move(outcomes));
  });
  auto outcomes = answer->get_future().get();
  if (!outcomes) {
    return Failure(std::move(outcomes.error()));
  }
  return std::move(outcomes->front());
}

}  // namespace edge::events
