// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/log_writer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <utility>

#include "core/base/fault.h"
#include "core/storage/sqlite/rows.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr Load kQueueLimit{65'536, std::size_t{64} << 20U};
constexpr Load kGroupLimit{4'096, std::size_t{4} << 20U};
constexpr auto kIdle = 1s;
constexpr std::int64_t kTokenWindowMs = std::chrono::milliseconds(10min).count();

std::string_view octets_of(const Token& token) {
  return {reinterpret_cast<const char*>(token.data()), token.size()};
}

std::uint64_t number_of(const std::shared_ptr<Volume>& volume) {
  return volume->number();
}

Error too_late() {
  return {ErrorCode::Unavailable,
          "the deadline passed before the batch was begun",
          "",
          "unavailable",
          1s};
}

}  // namespace

LogWriter::LogWriter(Ground& ground,
                     VolumeSet& volumes,
                     Recent& recent,
                     Start start,
                     std::function<void(std::shared_ptr<Volume>)> closed)
    : ground_(ground),
      volumes_(volumes),
      recent_(recent),
      key_(start.key),
      closed_(std::move(closed)),
      next_(start.next),
      committed_next_(start.next),
      created_(start.created),
      queue_(kQueueLimit, kGroupLimit) {
  open_active();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LogWriter::~LogWriter() {
  thread_.request_stop();
  thread_.join();
  settle_file(*database_);
}

void LogWriter::submit(Batch batch, Deadline deadline, Done done) {
  Load load{0, bytes_of(batch)};
  for (const Append& append : batch.appends) {
    load.items += append.records.size();
  }
  const bool is_begun = batch.continues;
  Job job{std::move(batch), deadline, std::move(done), load};
  if (!queue_.try_push(job, !is_begun)) {
    job.done(Failure(
        {ErrorCode::Unavailable, "too many records wait to be written", "", "backpressure", 1s}));
  }
}

Result<void> LogWriter::roll(Deadline deadline) {
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  Job job{{},
          deadline,
          [answer](const Result<Receipt>& done) {
            answer->set_value(done ? Result<void>{} : Failure(done.error()));
          },
          {},
          true};
  if (!queue_.try_push(job)) {
    return Failure(
        {ErrorCode::Unavailable, "too many records wait to be written", "", "unavailable", 1s});
  }
  return answer->get_future().get();
}

void LogWriter::run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "log");
  for (;;) {
    std::vector<Job> group = queue_.take(stop, kIdle);
    if (!group.empty()) {
      process(std::move(group));
    } else if (stop.stop_requested()) {
      break;
    }
    flush_->flush_if_overdue();
  }
}

void LogWriter::process(std::vector<Job> group) {
  std::optional<Error> refusal = ground_.vitals.failure();
  if (!refusal && ground_.space.is_full()) {
    refusal = ground_.space.refusal();
  }
  Outcomes outcomes;
  if (!refusal) {
    try {
      std::ranges::any_of(group, &Job::rolls) ? roll_now() : roll_if_due();
      refresh_older();
      outcomes = append(group);
    } catch (const DatabaseFault& fault) {
      ground_.judge(fault.error());
      refusal = fault.error();
    } catch (const std::exception& fault) {
      refusal = Error{ErrorCode::Unavailable, fault.what(), "", "failed"};
      ground_.vitals.fail(*refusal);
    }
  }
  if (refusal) {
    forget_group();
    outcomes.assign(group.size(), Failure(*refusal));
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    ground_.tell([&] { group[i].done(std::move(outcomes[i])); });
  }
}

LogWriter::Outcomes LogWriter::append(std::vector<Job>& group) {
  now_ = ground_.store_ms();
  rows_.clear();
  fresh_ids_.clear();
  flush_->prepare();
  Outcomes outcomes;
  {
    Transaction transaction(*database_);
    for (Job& job : group) {
      outcomes.push_back(job.deadline.has_passed() ? Result<Receipt>(Failure(too_late()))
                                                   : place(job));
    }
    insert_rows();
    write_marks();
    commit();
  }
  committed_next_ = next_;
  has_content_ = has_content_ || !rows_.empty();
  recent_.publish(std::move(rows_));
  rows_ = {};
  return outcomes;
}

void LogWriter::commit() {
  if (const int error = EDGE_FAULT("log.before_commit"); error != 0) {
    throw system_fault(error, "flush", database_->path());
  }
  database_->query("COMMIT").run();
  EDGE_FAULT("log.after_commit");
}

Result<Receipt> LogWriter::place(Job& job) {
  const bool has_token = job.batch.token != Token{};
  if (has_token) {
    if (auto receipt = known_receipt(job.batch.token)) {
      return std::move(*receipt);
    }
  }
  Receipt receipt;
  std::uint32_t counted = 0;
  for (Append& append : job.batch.appends) {
    place(append, counted, receipt);
  }
  if (has_token) {
    const std::string packed = pack(receipt);
    database_->query("INSERT OR REPLACE INTO token VALUES(?1, ?2, ?3)")
        .bind(1, octets_of(job.batch.token))
        .bind(2, now_)
        .bind(3, std::string_view(packed))
        .run();
  }
  return receipt;
}

void LogWriter::place(Append& append, std::uint32_t& counted, Receipt& receipt) {
  Span span{next_, 0};
  for (NewRecord& record : append.records) {
    const std::uint32_t index = counted++;
    if (append.unique && is_duplicate(record)) {
      receipt.duplicates.push_back(index);
      continue;
    }
    rows_.push_back({append.stream,
                     std::make_shared<Record>(Record{next_++,
                                                     append.lane,
                                                     std::move(record.id),
                                                     record.at,
                                                     record.kind,
                                                     record.routes,
                                                     std::move(record.user),
                                                     std::move(record.name),
                                                     std::move(record.body)})});
    ++span.count;
  }
  receipt.spans.push_back(span);
}

bool LogWriter::is_duplicate(const NewRecord& record) {
  const IdHash hash = hash_of(record.source, record.id);
  const bool is_old =
      std::ranges::any_of(unsealed_, [&](const auto& one) { return has_seen(*one, hash); }) ||
      index_.any_of(hash, [&](std::uint64_t number) {
        return has_seen(**std::ranges::lower_bound(older_, number, {}, number_of), hash);
      });
  if (is_old || !ids_.insert(hash)) {
    return true;
  }
  fresh_ids_.append(hash.data(), hash.size());
  return false;
}

bool LogWriter::has_seen(Volume& volume, const IdHash& hash) const {
  try {
    return volume.has_seen(hash, now_ - ground_.options.dedupe_window.count());
  } catch (const DatabaseFault& fault) {
    if (fault.error().reason != "corrupt") {
      throw;
    }
    // A damaged volume loses only itself; what it knew about ids is lost with it.
    return false;
  }
}

/// Nothing of the present group was stored.
void LogWriter::forget_group() {
  IdHash hash{};
  for (std::size_t at = 0; at < fresh_ids_.size(); at += hash.size()) {
    std::memcpy(hash.data(), fresh_ids_.data() + at, hash.size());
    ids_.erase(hash);
  }
  fresh_ids_.clear();
  rows_.clear();
  next_ = committed_next_;
}

std::optional<Receipt> LogWriter::known_receipt(const Token& token) {
  const std::int64_t since = now_ - kTokenWindowMs;
  {
    Query row = database_->query("SELECT receipt FROM token WHERE t=?1 AND at>?2");
    if (row.bind(1, octets_of(token)).bind(2, since).step()) {
      return unpack(row.octets(0));
    }
  }
  for (const std::shared_ptr<Volume>& volume : older_) {
    if (const auto packed = volume->receipt_of(octets_of(token), since)) {
      return unpack(*packed);
    }
  }
  return std::nullopt;
}

void LogWriter::roll_if_due() {
  const bool is_old = created_ + ground_.options.roll_after.count() <= ground_.store_ms();
  if (is_old || active_->bytes() >= ground_.options.roll_bytes) {
    roll_now();
  }
}

void LogWriter::roll_now() {
  if (!has_content_) {
    return;
  }
  VolumeFacts facts{
      .number = active_->number() + 1, .first = next_, .committed = ground_.store_ms()};
  const std::filesystem::path path = Volume::path_of(volumes_.directory(), facts.number);
  Volume::create(path, facts, active_->heads(Deadline::in(10s)));
  EDGE_FAULT("volume.roll.after_create");
  flush_.reset();
  database_.reset();
  active_->close(now_, std::exchange(ids_, {}));
  closed_(active_);
  created_ = facts.committed;
  has_content_ = false;
  volumes_.put(std::make_shared<Volume>(path, facts, Volume::State::Active));
  open_active();
}

void LogWriter::refresh_older() {
  if (older_generation_ == volumes_.generation()) {
    return;
  }
  older_generation_ = volumes_.generation();
  const VolumeSet::Volumes before = std::exchange(older_, {});
  unsealed_.clear();
  for (std::shared_ptr<Volume>& volume : volumes_.all()) {
    if (volume->state() != Volume::State::Active &&
        volume->is_younger_than(ground_.store_ms() - ground_.options.dedupe_window.count())) {
      older_.push_back(std::move(volume));
    }
  }
  for (const auto& volume : before) {
    if (std::ranges::find(older_, volume) == older_.end()) {
      index_.remove(volume->number());
    }
  }
  for (const auto& volume : older_) {
    if (volume->state() != Volume::State::Sealed) {
      unsealed_.push_back(volume);
    } else if (std::ranges::find(before, volume) == before.end()) {
      index(*volume);
    }
  }
}

void LogWriter::index(Volume& volume) {
  try {
    index_.add(volume.number(), volume.id_tags());
  } catch (const DatabaseFault& fault) {
    if (fault.error().reason != "corrupt") {
      throw;
    }
    // As when it is damaged later: nothing that it has seen is known.
  }
}

void LogWriter::open_active() {
  active_ = volumes_.all().back();
  database_ = std::make_unique<Database>(active_->path(), Database::Mode::ReadWrite);
  prepare_writer(*database_, kVolumeCacheMib);
  ids_ = read_ids(*database_);
  flush_ = std::make_unique<FlushRule>(ground_, *database_);
  has_content_ =
      has_content_ || database_->number("SELECT count(*) FROM (SELECT 1 FROM ev LIMIT 1)") != 0;
}

}  // namespace edge::storage::sqlite
