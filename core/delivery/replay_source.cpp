// SPDX-License-Identifier: MIT
#include "core/delivery/replay_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <deque>

#include "core/crypto/digest.h"
#include "core/delivery/csv_event.h"
#include "core/encoding/csv.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20U;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(30));
}

/// Octets of a file or of standard input, unpacked when they are gzipped.
class Input {
 public:
  static Result<std::unique_ptr<Input>> open(const std::string& path) {
    const int descriptor = path == "-" ? ::dup(0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      return Failure({ErrorCode::InvalidArgument, fmt::format("cannot read \"{}\"", path)});
    }
    std::unique_ptr<Input> made(new Input(descriptor));
    if (path != "-") {
      made->identity_ = identity_of(descriptor, path, made->seed_, made->size_);
    }
    return made;
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  Input(Input&&) = delete;
  Input& operator=(Input&&) = delete;
  ~Input() { gzclose(file_); }

  /// The next octets, empty at the end.
  Result<std::string> read() {
    std::string piece(kReadBytes, '\0');
    const int got = gzread(file_, piece.data(), static_cast<unsigned>(piece.size()));
    if (got < 0) {
      return Failure({ErrorCode::InvalidArgument, "the file cannot be unpacked or read"});
    }
    piece.resize(static_cast<std::size_t>(got));
    return piece;
  }
  [[nodiscard]] const std::string& identity() const { return identity_; }
  /// Which part of the file was read, from 0 to 1; nothing for what has no size.
  [[nodiscard]] std::optional<double> share() const {
    return size_ == 0
               ? std::nullopt
               : std::optional(static_cast<double>(gzoffset(file_)) / static_cast<double>(size_));
  }
  /// Tells files apart, for ids of rows that have none.
  [[nodiscard]] const std::string& seed() const { return seed_; }

 private:
  explicit Input(int descriptor) : file_(gzdopen(descriptor, "rb")) {}

  static std::string identity_of(int descriptor,
                                 const std::string& path,
                                 std::string& seed,
                                 std::int64_t& size) {
    struct stat status {};
    std::string head(kReadBytes, '\0');
    const ssize_t got = ::pread(descriptor, head.data(), head.size(), 0);
    head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
      return {};
    }
    seed = encoding::hex_encode(crypto::sha256(head));
    size = status.st_size;
    json::Writer out;
    out.begin_object().member("path", path).member("size", std::int64_t{status.st_size});
    out.member("mtimeMs",
               std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000);
    return out.member("sha256", seed).end_object().take();
  }

  gzFile file_;
  std::int64_t size_ = 0;  // octets
  std::string identity_;
  std::string seed_;
};

/// The event with a messageId made of file and row, when it has none.
std::string with_id(std::string text, const std::string& seed, std::uint64_t row) {
  const auto document = json::Document::parse(text, json::kEvent);
  if (!document || !document->root().is_object()) {
    return text;
  }
  const auto id = document->root().find("messageId");
  if (id && !id->is_null() && id->as_string() != "") {
    return text;
  }
  json::Writer out;
  const std::string digest = encoding::hex_encode(crypto::sha256(fmt::format("{} {}", seed, row)));
  out.begin_object().member("messageId", "row-" + digest.substr(0, 32));
  for (const auto& [name, value] : document->root().members()) {
    if (name != "messageId") {
      out.key(name).value(value);
    }
  }
  return out.end_object().take();
}

Error bad_row(std::uint64_t row, std::string_view why) {
  return {ErrorCode::InvalidArgument, fmt::format("row {}: {}", row, why), "", "bad_item"};
}

/// Rows of a file, numbered from 1; the position of an item is its row.
class FileSource : public ReplaySource {
 public:
  explicit FileSource(std::unique_ptr<Input> input) : input_(std::move(input)) {}

  [[nodiscard]] std::string identity() const override { return input_->identity(); }
  Result<void> seek(std::uint64_t position) override {
    skip_ = position;
    return {};
  }
  Result<std::optional<ReplayItem>> next() override {
    for (;;) {
      if (!ready_.empty()) {
        ReplayItem item = std::move(ready_.front());
        ready_.pop_front();
        if (item.position <= skip_) {
          continue;
        }
        if (!item.problem) {
          item.event = with_id(std::move(item.event), input_->seed(), item.position);
        }
        return item;
      }
      if (ended_) {
        return std::nullopt;
      }
      share_before_ = input_->share().value_or(0);
      auto piece = input_->read();
      if (!piece) {
        return Failure(piece.error());
      }
      ended_ = piece->empty();
      if (auto taken = take(*piece); !taken) {
        return Failure(taken.error());
      }
      rows_of_piece_ = ready_.size();
    }
  }
  /// As octets were read, and of the last ones as rows were given.
  [[nodiscard]] std::optional<double> share() const override {
    const auto after = input_->share();
    const double left = rows_of_piece_ == 0 ? 0
                                            : static_cast<double>(ready_.size()) /
                                                  static_cast<double>(rows_of_piece_);
    return after ? std::optional(*after - (*after - share_before_) * left) : std::nullopt;
  }

 protected:
  /// Takes the next octets, none at the end.
  virtual Result<void> take(std::string_view piece) = 0;
  void put(std::uint64_t row, Result<std::string> event) {
    ReplayItem item{.position = row};
    if (event) {
      item.event = std::move(*event);
    } else {
      item.problem = bad_row(row, event.error().message);
    }
    ready_.push_back(std::move(item));
  }

 private:
  std::unique_ptr<Input> input_;
  std::deque<ReplayItem> ready_;
  std::uint64_t skip_ = 0;
  double share_before_ = 0;  // the piece whose rows are given now
  std::size_t rows_of_piece_ = 0;
  bool ended_ = false;
};

class LinesSource final : public FileSource {
 public:
  using FileSource::FileSource;

 private:
  Result<void> take(std::string_view piece) override {
    const bool at_end = piece.empty();
    for (std::size_t end = 0; (end = piece.find('\n')) != std::string_view::npos;) {
      line_.append(piece.substr(0, end));
      finish_line();
      piece.remove_prefix(end + 1);
    }
    line_.append(piece);
    if (line_.size() > kMaxLineBytes) {
      return Failure(bad_row(row_ + 1, "the line is longer than 4 MiB"));
    }
    if (at_end) {
      finish_line();
    }
    return {};
  }
  void finish_line() {
    if (line_.find_first_not_of(" \t\r") == std::string::npos) {
      line_.clear();
      return;
    }
    ++row_;
    const auto document = json::Document::parse(line_, json::kEvent);
    const bool good = document && document->root().is_object();
    put(row_,
        good ? Result<std::string>(std::move(line_))
             : Failure({ErrorCode::InvalidArgument, "it is no JSON object"}));
    line_.clear();
  }

  std::string line_;
  std::uint64_t row_ = 0;
};

class CsvSource final : public FileSource {
 public:
  CsvSource(std::unique_ptr<Input> input, ColumnMap columns)
      : FileSource(std::move(input)), columns_(std::move(columns)) {}

 private:
  Result<void> take(std::string_view piece) override {
    const bool good = piece.empty() ? reader_.finish() : reader_.feed(piece);
    if (failure_) {
      return Failure(*failure_);
    }
    return good || !reader_.too_large() ? Result<void>()
                                        : Failure({ErrorCode::InvalidArgument,
                                                   "a row of the CSV file is larger than 1 MiB"});
  }
  bool take_row(encoding::CsvReader::Row& row) {
    if (!events_) {
      auto header = CsvEvents::read_header(row.fields, columns_);
      if (!header) {
        failure_ = header.error();
        return false;
      }
      events_ = std::move(*header);
      return true;
    }
    put(row.number - 1, events_->event_of(row.fields));
    return true;
  }

  ColumnMap columns_;
  std::optional<CsvEvents> events_;
  std::optional<Error> failure_;
  encoding::CsvReader reader_{',', [this](encoding::CsvReader::Row& row) { return take_row(row); }};
};

class StoreSource final : public ReplaySource {
 public:
  explicit StoreSource(storage::Store& store)
      : store_(store), end_(store.head(destinations::kStream, destinations::kLane)) {}

  [[nodiscard]] std::string identity() const override { return R"({"store":"events"})"; }
  Result<void> seek(std::uint64_t position) override {
    after_ = position;
    return {};
  }
  /// Up to the head of the log at the start: what the replay itself stores is not replayed.
  Result<std::optional<ReplayItem>> next() override {
    if (ready_.empty() && after_ < end_) {
      auto slice = store_.read({.stream = destinations::kStream,
                                .lane = destinations::kLane,
                                .after = after_,
                                .max_records = 500},
                               soon());
      if (!slice) {
        return Failure(slice.error());
      }
      after_ = slice->reached;
      ready_.assign(slice->records.begin(), slice->records.end());
    }
    if (ready_.empty() || ready_.front()->offset > end_) {
      return std::nullopt;
    }
    const storage::RecordPointer record = ready_.front();
    ready_.pop_front();
    last_ = record->offset;
    return ReplayItem{.event = record->body, .position = record->offset, .canonical = true};
  }
  [[nodiscard]] std::optional<double> share() const override {
    return static_cast<double>(last_) / static_cast<double>(std::max<std::uint64_t>(end_, 1));
  }

 private:
  storage::Store& store_;
  const std::uint64_t end_;
  std::uint64_t after_ = 0;
  std::uint64_t last_ = 0;
  std::deque<storage::RecordPointer> ready_;
};

/// What is gone already was removed by somebody else.
Result<void> unless_gone(Result<void> done) {
  return !done && done.error().code == ErrorCode::NotFound ? Result<void>() : done;
}

class LetterSource final : public ReplaySource {
 public:
  LetterSource(LetterShelf shelf, bool keep) : shelf_(std::move(shelf)), keep_(keep) {}

  /// Letters leave when they are delivered, so a later run begins with the rest by itself.
  [[nodiscard]] std::string identity() const override { return {}; }
  Result<void> seek(std::uint64_t /*position*/) override { return {}; }
  /// What dies after the start is left: the replay itself may make more of them.
  Result<std::optional<ReplayItem>> next() override {
    if (!listed_) {
      auto ids = shelf_.ids();
      if (!ids) {
        return Failure(ids.error());
      }
      ids_ = std::move(*ids);
      listed_ = true;
    }
    while (!ids_.empty()) {
      auto letter = shelf_.find(ids_.back());
      ids_.pop_back();
      if (!letter && letter.error().code != ErrorCode::NotFound) {
        return Failure(letter.error());
      }
      if (letter && !letter->replaying) {
        return item_of(std::move(*letter));
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> share() const override {
    const auto given = static_cast<double>(position_);
    return given == 0 ? std::nullopt
                      : std::optional(given / (given + static_cast<double>(ids_.size())));
  }
  Result<void> acknowledged(const ReplayItem& item) override {
    return keep_ ? Result<void>() : unless_gone(shelf_.delivered(item.letter));
  }
  Result<void> failed(const ReplayItem& item) override {
    return keep_ ? Result<void>() : unless_gone(shelf_.count_replay(item.letter));
  }

 private:
  ReplayItem item_of(DeadLetter letter) {
    return {.event = std::move(letter.event),
            .position = ++position_,
            .canonical = true,
            .letter = std::move(letter.id),
            .replays = letter.replays,
            .destination = std::move(letter.destination),
            .reason = std::move(letter.reason)};
  }

  const LetterShelf shelf_;
  const bool keep_;
  bool listed_ = false;
  std::vector<std::string> ids_;  // newest first
  std::uint64_t position_ = 0;
};

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace

Result<std::unique_ptr<ReplaySource>> open_replay_file(const std::string& path, ColumnMap columns) {
  auto input = Input::open(path);
  if (!input) {
    return Failure(input.error());
  }
  if (ends_with_any(path, {".csv", ".csv.gz"})) {
    return std::make_unique<CsvSource>(std::move(*input), std::move(columns));
  }
  if (!columns.empty()) {
    return Failure({ErrorCode::InvalidArgument, "only a CSV file has columns to map", "map"});
  }
  return std::make_unique<LinesSource>(std::move(*input));
}

std::unique_ptr<ReplaySource> replay_store(storage::Store& store) {
  return std::make_unique<StoreSource>(store);
}

LetterShelf shelf_of(DeadLetters& letters, std::string destination) {
  return {.ids = [&letters,
                  destination = std::move(destination)]() -> Result<std::vector<std::string>> {
            std::vector<std::string> ids;
            LetterQuery query{.destination = destination, .limit = 200};
            for (;;) {
              auto page = letters.list(query);
              if (!page) {
                return Failure(page.error());
              }
              for (DeadLetter& letter : page->items) {
                ids.push_back(std::move(letter.id));
              }
              if (!page->next) {
                return ids;
              }
              query.cursor = *page->next;
            }
          },
          .find = [&letters](const std::string& id) { return letters.find(id); },
          .delivered =
              [&letters](const std::string& id) {
                return letters.erase(id, DeadLetters::Leaving::Delivered);
              },
          .count_replay = [&letters](const std::string& id) { return letters.count_replay(id); }};
}

std::unique_ptr<ReplaySource> replay_letters(LetterShelf shelf, bool keep) {
  return std::make_unique<LetterSource>(std::move(shelf), keep);
}

}  // namespace edge::delivery
