// SPDX-License-Identifier: MIT
#include "core/delivery/forwarders.h"

#include <fmt/format.h>

#include <vector>

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
constexpr auto kLookForChanges = 200ms;

Error unknown(std::string_view id) {
  return {ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", id)};
}

}  // namespace

/// One forwarder and its thread.
struct Forwarders::Runner {
  EntryPointer entry;
  std::shared_ptr<Forwarder> forwarder;
  std::jthread thread;
};

Forwarders::Forwarders(storage::Store& store,
                       destinations::Destinations& destinations,
                       transport::HttpClient& http,
                       const Clock& clock,
                       Random& random,
                       metrics::Registry& registry,
                       ForwarderLimits limits)
    : store_(store),
      destinations_(destinations),
      http_(http),
      clock_(clock),
      random_(random),
      dead_letters_(store, destinations, clock, limits.letters_kept),
      metrics_(registry),
      limits_(limits) {}

Forwarders::~Forwarders() = default;

void Forwarders::run(const std::stop_token& stop) {
  std::uint64_t head = store_.head(destinations::kStream, destinations::kLane);
  while (!stop.stop_requested()) {
    synchronise();
    const auto news = store_.read({.stream = destinations::kStream,
                                   .lane = destinations::kLane,
                                   .after = head,
                                   .max_records = 1,
                                   .wait = kLookForChanges,
                                   .stop = stop},
                                  storage::Deadline::in(kLookForChanges + 5s));
    if (news && news->reached > head) {
      head = std::max(news->reached, store_.head(destinations::kStream, destinations::kLane));
      ring_all();
    }
  }
  std::map<std::string, std::unique_ptr<Runner>> ending;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(runners_);
  }
  for (const auto& [id, runner] : ending) {
    runner->thread.request_stop();
    runner->forwarder->ring();
  }
}

/// Starts, wakes and ends forwarders as the table says.
void Forwarders::synchronise() {
  const auto table = destinations_.table().get();
  std::vector<std::unique_ptr<Runner>> ending;  // joined after the lock is released
  const std::lock_guard lock(mutex_);
  for (auto i = runners_.begin(); i != runners_.end();) {
    const auto entry = table->find(i->first);
    const bool same =
        entry && entry->definition.id == i->first && entry->number == i->second->entry->number;
    if (!same) {
      i->second->thread.request_stop();
      ending.push_back(std::move(i->second));
      i = runners_.erase(i);
      continue;
    }
    if (entry != i->second->entry) {
      i->second->entry = entry;
      i->second->forwarder->ring();
    }
    ++i;
  }
  for (const auto& entry : table->entries()) {
    if (runners_.contains(entry->definition.id)) {
      continue;
    }
    auto forwarder = std::make_shared<Forwarder>(entry, services());
    if (!forwarder->start()) {
      continue;  // the store does not answer: tried again at the next look
    }
    auto runner = std::make_unique<Runner>();
    runner->entry = entry;
    runner->forwarder = forwarder;
    runner->thread =
        std::jthread([forwarder](const std::stop_token& stop) { forwarder->run(stop); });
    runners_.emplace(entry->definition.id, std::move(runner));
  }
}

Result<void> Forwarders::run_until_idle() {
  for (const auto& entry : destinations_.table().get()->entries()) {
    Forwarder forwarder(entry, services());
    if (auto started = forwarder.start(); !started) {
      return started;
    }
    forwarder.work_off();
  }
  return {};
}

Result<Status> Forwarders::status(std::string_view id_or_name) {
  const auto entry = destinations_.table().get()->find(id_or_name);
  if (!entry) {
    return Failure(unknown(id_or_name));
  }
  if (const auto forwarder = running(entry->definition.id)) {
    return forwarder->status();
  }
  Forwarder forwarder(entry, services());
  if (auto started = forwarder.start(); !started) {
    return Failure(started.error());
  }
  return forwarder.status();
}

Result<Attempt> Forwarders::send_now(std::string_view id_or_name, std::string_view event_json) {
  const auto entry = destinations_.table().get()->find(id_or_name);
  if (!entry) {
    return Failure(unknown(id_or_name));
  }
  const auto event = events::Event::decode(event_json);
  if (!event) {
    return Failure(event.error());
  }
  const events::Event* batch[] = {&*event};
  return attempt(*entry, batch, http_, clock_);
}

Result<void> Forwarders::enqueue(std::string_view id_or_name, std::string_view event_json) {
  const auto entry = destinations_.table().get()->find(id_or_name);
  if (!entry) {
    return Failure(unknown(id_or_name));
  }
  auto event = events::Event::decode(event_json);
  if (!event) {
    return Failure(event.error());
  }
  storage::Batch batch;
  enqueue(batch,
          entry->definition.id,
          std::move(*event),
          random_.below(events::Person::kBeyondLog),
          clock_);
  const auto stored =
      store_.commit(std::move(batch), storage::Deadline::in(std::chrono::seconds(5)));
  if (!stored) {
    return Failure(stored.error());
  }
  rows_changed();
  return {};
}

void Forwarders::enqueue(storage::Batch& batch,
                         const std::string& id,
                         events::Event event,
                         std::uint64_t number,
                         const Clock& clock) {
  const Parked state{.offset = events::Person::kBeyondLog + number,
                     .since = to_ms(clock.now()),
                     .event = std::make_shared<const events::Event>(std::move(event))};
  batch.dues.push_back({.queue = destinations::queue_of(id),
                        .at = to_ms(clock.store_now()),
                        .id = std::string(state.event->message_id()),
                        .body = state.encode()});
  batch.adds.push_back({counter_key(id, Count::Parked), 1});
}

void Forwarders::rows_changed() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, runner] : runners_) {
    runner->forwarder->rows_changed();
  }
}

ForwarderServices Forwarders::services() {
  return {.store = store_,
          .table = destinations_.table(),
          .http = http_,
          .clock = clock_,
          .random = random_,
          .disable =
              [this](const std::string& id) {
                // Best effort: when the store refuses, the forwarder keeps quiet until the next
                // start.
                static_cast<void>(destinations_.set_switch(id, destinations::Switch::Disabled));
              },
          .metrics = &metrics_,
          .limits = limits_};
}

std::shared_ptr<Forwarder> Forwarders::running(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = runners_.find(id);
  return found == runners_.end() ? nullptr : found->second->forwarder;
}

void Forwarders::ring_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, runner] : runners_) {
    runner->forwarder->ring();
  }
}

}  // namespace edge::delivery
