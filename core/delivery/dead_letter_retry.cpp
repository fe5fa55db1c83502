// SPDX-License-Identifier: MIT
// Dead letters that are handed back to their destination's forwarder.
#include <memory>
#include <set>
#include <utility>

#include "core/delivery/counters.h"
#include "core/delivery/dead_letter.h"
#include "core/delivery/existences.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kRetryPage = 200;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

}  // namespace

/// Hands letters over in as many commits as the store needs.
class DeadLetters::Retry {
 public:
  Retry(DeadLetters& letters, double rate)
      : letters_(letters),
        existences_(letters.store_),
        table_(letters.destinations_.table().get()),
        start_(to_ms(letters.clock_.store_now())),
        rate_(rate) {}

  Result<void> add(DeadLetter letter) {
    if (letter.replaying || table_->find(letter.destination) == nullptr) {
      return {};
    }
    if (letter.replays >= kMaxReplays) {
      ++result_.quarantined;
      return {};
    }
    auto event = events::Event::decode(letter.event);
    if (!event) {
      return Failure(event.error());
    }
    const auto version = existences_.version_of(letter.destination);
    if (!version) {
      return Failure(version.error());
    }
    const bool is_counted = letter.existence == *version;
    letter.replaying = true;
    letter.existence = *version;
    ++letter.replays;
    const Parked parked{.offset = letter.offset,
                        .since = to_ms(letters_.clock_.now()),
                        .status = letter.status,
                        .response = letter.response,
                        .replays = letter.replays,
                        .letter = letter.id,
                        .event = std::make_shared<const events::Event>(std::move(*event))};
    batch_.dues.push_back({.queue = destinations::queue_of(letter.destination),
                           .at = start_ + delay(),
                           .id = letter.id,
                           .order_key = std::string(parked.event->user_key()),
                           .body = parked.encode()});
    batch_.checks.push_back({DeadLetter::key_of(letter.id), letter.version});
    put(batch_, letter, letters_.clock_.now() + letters_.kept_);
    batch_.adds.push_back({counter_key(letter.destination, Count::Parked), 1});
    if (is_counted) {
      batch_.adds.push_back({counter_key(letter.destination, Count::Dead), -1});
    }
    bytes_ += batch_.dues.back().body.size() + batch_.puts.back().value.size();
    return bytes_ > storage::kMaxBatchBytes / 2 || batch_.dues.size() >= kRetryPage
               ? commit()
               : Result<void>{};
  }

  Result<Replayed> finish() {
    return commit().map([this] { return result_; });
  }

 private:
  /// Of the next one, in ms.
  [[nodiscard]] std::int64_t delay() const {
    const auto before = static_cast<double>(result_.replayed + batch_.dues.size());
    return rate_ > 0 ? static_cast<std::int64_t>(before * 1000 / rate_) : 0;
  }

  Result<void> commit() {
    if (batch_.dues.empty()) {
      return {};
    }
    const std::size_t count = batch_.dues.size();
    bytes_ = 0;
    return letters_.store_.commit(std::exchange(batch_, {}), soon())
        .map([&](const storage::Receipt&) { result_.replayed += count; });
  }

  DeadLetters& letters_;
  Existences existences_;
  const std::shared_ptr<const destinations::Table> table_;
  const std::int64_t start_;
  const double rate_;
  storage::Batch batch_;
  std::size_t bytes_ = 0;
  Replayed result_;
};

Result<Replayed> DeadLetters::retry(const std::vector<std::string>& ids, double rate) {
  const std::set<std::string> each(ids.begin(), ids.end());  // in the order of their times
  std::vector<DeadLetter> letters;
  for (const std::string& id : each) {
    auto letter = find(id);
    if (!letter) {
      return Failure(letter.error());
    }
    letters.push_back(std::move(*letter));
  }
  Retry retry(*this, rate);
  for (DeadLetter& letter : letters) {
    if (auto added = retry.add(std::move(letter)); !added) {
      return Failure(added.error());
    }
  }
  return retry.finish();
}

Result<Replayed> DeadLetters::retry(const LetterQuery& query, double rate) {
  const auto destination = destination_of(query.destination);
  if (!destination) {
    return Failure(destination.error());
  }
  Retry retry(*this, rate);
  LetterQuery rest = query;
  rest.destination = *destination;
  rest.limit = kRetryPage;
  rest.oldest_first = true;
  rest.cursor.clear();
  for (;;) {
    auto page = page_of(rest);
    if (!page) {
      return Failure(page.error());
    }
    for (DeadLetter& letter : page->items) {
      if (auto added = retry.add(std::move(letter)); !added) {
        return Failure(added.error());
      }
    }
    if (!page->next) {
      return retry.finish();
    }
    rest.cursor = *page->next;
  }
}

}  // namespace edge::delivery
