// SPDX-License-Identifier: MIT
#include "core/pixels/bulk.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/encoding/csv.h"
#include "core/pixels/bulk_rows.h"

namespace edge::pixels {
namespace {

/// A piece ends with whichever comes first: short rows make the most output per octet.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;
constexpr std::size_t kPieceRows = 2048;

Error wrong(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

/// Finds where rows end. A line end inside quotes ends none.
class RowEnds {
 public:
  RowEnds(char separator, bool quotes)
      : quotes_(quotes), reader_(separator, [this](encoding::CsvReader::Row&) {
          finished_ = true;
          return true;
        }) {
    reader_.feed("\n");  // the byte order mark is dealt with elsewhere
  }

  /// Takes one line without its end; true when the row ends with it.
  bool take(std::string_view line) {
    if (!quotes_ || (!inside_ && std::memchr(line.data(), '"', line.size()) == nullptr)) {
      return true;
    }
    finished_ = false;
    reader_.feed(line);
    reader_.feed("\n");
    inside_ = !finished_;
    return finished_;
  }

 private:
  const bool quotes_;
  encoding::CsvReader reader_;
  bool inside_ = false;
  bool finished_ = false;
};

/// A piece on its way through a thread.
struct Task {
  std::string text;
  BulkPiece result;
  bool is_done = false;
  std::exception_ptr fault;
};

/// Threads that work on tasks; the one who gives them takes them back in order.
class Workers {
 public:
  Workers(const BulkTable& table, const KeyRing& ring, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, &table, &ring](const std::stop_token& stop) {
        BulkRows rows(table, ring);
        while (Task* task = next(stop)) {
          try {
            rows.work(task->text, task->result);
          } catch (...) {
            task->fault = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          task->is_done = true;
          changed_.notify_all();
        }
      });
    }
  }

  void give(std::unique_ptr<Task> task) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(task.get());
    all_.push_back(std::move(task));
    changed_.notify_all();
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  /// The oldest task, once it is done.
  std::unique_ptr<Task> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return all_.front()->is_done; });
    std::unique_ptr<Task> task = std::move(all_.front());
    all_.pop_front();
    if (task->fault) {
      std::rethrow_exception(task->fault);
    }
    return task;
  }

 private:
  Task* next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      return nullptr;
    }
    Task* task = waiting_.front();
    waiting_.pop_front();
    return task;
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Task*> waiting_;              // guarded by mutex_
  std::deque<std::unique_ptr<Task>> all_;  // the giver's; `is_done` guarded by mutex_
  std::vector<std::jthread> threads_;      // last: they end before what they use
};

}  // namespace

class Bulk::Work {
 public:
  Work(BulkPlan plan, const KeyRing& ring, Sink sink, Report report)
      : ring_(ring), sink_(std::move(sink)), report_(std::move(report)) {
    table_.plan = std::move(plan);
    is_json_ = table_.plan.in == TableForm::JsonLines;
    ends_.emplace(table_.plan.in == TableForm::Tsv ? '\t' : ',', !is_json_);
  }

  Result<void> feed(std::string_view piece) {
    while (!failure_) {
      const std::size_t end = piece.find('\n');
      if (end == std::string_view::npos) {
        line_ += piece;
        break;
      }
      if (line_.empty()) {
        take_line(piece.substr(0, end));
      } else {
        line_ += piece.substr(0, end);
        take_line(line_);
        line_.clear();
      }
      piece.remove_prefix(end + 1);
    }
    if (!failure_ && row_.size() + line_.size() > encoding::CsvReader::kMaxRowBytes) {
      hand_out_all();
      if (!failure_) {
        failure_ = wrong(
            fmt::format("row {} is longer than 1 MiB; is a quote not closed?", rows_handed_ + 1));
      }
    }
    return failure_ ? Result<void>(Failure(*failure_)) : Result<void>{};
  }

  Result<BulkCounts> finish() {
    if (!failure_ && !line_.empty()) {
      take_line(std::exchange(line_, {}));
    }
    if (!failure_ && !row_.empty()) {
      take_row(std::exchange(row_, {}));  // a quote that was never closed
    }
    hand_out_all();
    if (!failure_ && !is_json_ && !has_header_) {
      failure_ = wrong("the table is empty: a header row is required");
    }
    if (failure_) {
      return Failure(*failure_);
    }
    return counts_;
  }

 private:
  void take_line(std::string_view line) {
    if (at_start_) {
      at_start_ = false;
      if (line.starts_with("\xEF\xBB\xBF")) {
        line.remove_prefix(3);
      }
    }
    if (!ends_->take(line)) {
      row_ += line;
      row_ += '\n';
      return;
    }
    if (row_.empty()) {
      take_row(line);
      return;
    }
    row_ += line;
    take_row(row_);
    row_.clear();
  }

  void take_row(std::string_view row) {
    if (!is_json_ && !has_header_) {
      take_header(row);
      return;
    }
    piece_ += row;
    piece_ += '\n';
    ++piece_rows_;
    if (piece_.size() >= kPieceBytes || piece_rows_ >= kPieceRows) {
      hand_over();
    }
  }

  void take_header(std::string_view row) {
    encoding::CsvReader reader(table_.plan.in == TableForm::Tsv ? '\t' : ',',
                               [this](encoding::CsvReader::Row& read) {
                                 header_text_ = read.text;
                                 names_ = read.fields;
                                 return true;
                               });
    reader.feed("\n");
    reader.feed(row);
    reader.finish();
    if (names_.empty()) {
      return;  // a blank line
    }
    has_header_ = true;
    rows_handed_ = 1;
    if (auto taken = table_.take_header(std::move(names_)); !taken) {
      failure_ = taken.error();
      return;
    }
    sink_(table_.header_line(header_text_));
  }

  /// Gives the gathered rows away: to a thread, or works on them here.
  void hand_over() {
    if (piece_.empty()) {
      return;
    }
    piece_rows_ = 0;
    if (table_.plan.jobs > 1) {
      if (!workers_) {
        workers_.emplace(table_, ring_, table_.plan.jobs);
      }
      auto task = spare_ ? std::move(spare_) : std::make_unique<Task>();
      task->is_done = false;
      task->text.swap(piece_);
      piece_.clear();
      workers_->give(std::move(task));
      if (workers_->size() > 2 * table_.plan.jobs) {
        take_back();
      }
      return;
    }
    if (!rows_) {
      rows_.emplace(table_, ring_);
    }
    rows_->work(piece_, result_);
    piece_.clear();
    hand_out(result_);
  }

  /// Ends the work on everything that was given so far.
  void hand_out_all() {
    if (!failure_) {
      hand_over();
    }
    while (!failure_ && workers_ && workers_->size() > 0) {
      take_back();
    }
  }

  void take_back() {
    auto task = workers_->take();
    hand_out(task->result);
    spare_ = std::move(task);
  }

  void hand_out(const BulkPiece& piece) {
    if (!piece.text.empty()) {
      sink_(piece.text);
    }
    for (const BadRow& bad : piece.bad) {
      report_({rows_handed_ + bad.row, bad.error});
    }
    counts_.made += piece.made;
    counts_.bad += piece.bad.size();
    if (piece.stop) {
      failure_ = *piece.stop;
      failure_->message = fmt::format("row {}: {}", rows_handed_ + piece.rows, failure_->message);
    }
    rows_handed_ += piece.rows;
  }

  BulkTable table_;
  const KeyRing& ring_;
  Sink sink_;
  Report report_;
  bool is_json_ = false;
  bool at_start_ = true;
  bool has_header_ = false;
  std::optional<RowEnds> ends_;
  std::string line_;   // the begin of a line that is not whole yet
  std::string row_;    // the begin of a row with line ends inside quotes
  std::string piece_;  // whole rows
  std::size_t piece_rows_ = 0;
  std::string header_text_;
  std::vector<std::string> names_;
  std::size_t rows_handed_ = 0;
  BulkCounts counts_;
  std::optional<Error> failure_;
  std::optional<BulkRows> rows_;
  BulkPiece result_;
  std::unique_ptr<Task> spare_;
  std::optional<Workers> workers_;  // last: its threads use the table
};

Bulk::Bulk(BulkPlan plan, const KeyRing& ring, Sink sink, Report report)
    : work_(std::make_unique<Work>(std::move(plan), ring, std::move(sink), std::move(report))) {}

Bulk::~Bulk() = default;

Result<void> Bulk::feed(std::string_view piece) {
  return work_->feed(piece);
}

Result<BulkCounts> Bulk::finish() {
  return work_->finish();
}

}  // namespace edge::pixels
