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
      made->identity_ = identity_of(descriptor, path, made->seed_);
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
  /// Tells files apart, for ids of rows that have none.
  [[nodiscard]] const std::string& seed() const { return seed_; }

 private:
  explicit Input(int descriptor) : file_(gzdopen(descriptor, "rb")) {}

  static std::string identity_of(int descriptor, const std::string& path, std::string& seed) {
    struct stat status {};
    std::string head(kReadBytes, '\0');
    const ssize_t got = ::pread(descriptor, head.data(), head.size(), 0);
    head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
      return {};
    }
    seed = encoding::hex_encode(crypto::sha256(head));
    json::Writer out;
    out.begin_object().member("path", path).member("size", std::int64_t{status.st_size});
    out.member("mtimeMs",
               std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000);
    return out.member("sha256", seed).end_object().take();
  }

  gzFile file_;
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
      auto piece = input_->read();
      if (!piece) {
        return Failure(piece.error());
      }
      ended_ = piece->empty();
      if (auto taken = take(*piece); !taken) {
        return Failure(taken.error());
      }
    }
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
    return ReplayItem{.event = record->body, .position = record->offset, .canonical = true};
  }

 private:
  storage::Store& store_;
  const std::uint64_t end_;
  std::uint64_t after_ = 0;
  std::deque<storage::RecordPointer> ready_;
};

class LetterSource final : public ReplaySource {
 public:
  LetterSource(DeadLetters& letters, std::string destination, bool keep)
      : letters_(letters),
        query_{.destination = std::move(destination), .limit = 200},
        keep_(keep) {}

  /// Letters leave when they are delivered, so a later run begins with the rest by itself.
  [[nodiscard]] std::string identity() const override { return {}; }
  Result<void> seek(std::uint64_t /*position*/) override { return {}; }
  Result<std::optional<ReplayItem>> next() override {
    while (ready_.empty() && !ended_) {
      auto page = letters_.list(query_);
      if (!page) {
        return Failure(page.error());
      }
      ended_ = !page->next;
      query_.cursor = page->next.value_or("");
      for (DeadLetter& letter : page->items) {
        if (!letter.replaying) {
          ready_.push_back(std::move(letter));
        }
      }
    }
    if (ready_.empty()) {
      return std::nullopt;
    }
    DeadLetter letter = std::move(ready_.front());
    ready_.pop_front();
    return ReplayItem{.event = std::move(letter.event),
                      .position = ++position_,
                      .canonical = true,
                      .letter = std::move(letter.id),
                      .replays = letter.replays,
                      .destination = std::move(letter.destination),
                      .reason = std::move(letter.reason)};
  }
  Result<void> acknowledged(const ReplayItem& item) override {
    return keep_ ? Result<void>() : letters_.erase(item.letter);
  }
  Result<void> failed(const ReplayItem& item) override {
    return letters_.count_replay(item.letter);
  }

 private:
  DeadLetters& letters_;
  LetterQuery query_;
  const bool keep_;
  bool ended_ = false;
  std::uint64_t position_ = 0;
  std::deque<DeadLetter> ready_;
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

std::unique_ptr<ReplaySource> replay_letters(DeadLetters& letters,
                                             std::string destination,
                                             bool keep) {
  return std::make_unique<LetterSource>(letters, std::move(destination), keep);
}

}  // namespace edge::delivery
