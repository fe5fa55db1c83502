// SPDX-License-Identifier: MIT
// Start and end of the engine. Start after a crash and after a clean stop is the same code; what a
// crash adds is the check of the structure, because SQLite has no checksums of pages and would
// append to a damaged file for a long time.
#include <fmt/format.h>

#include <algorithm>

#include "core/storage/sqlite/engine.h"
#include "core/storage/sqlite/schema.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr std::uintmax_t kCheckedBytes = std::uintmax_t{2}
                                         << 30U;  // larger ones are checked on request only

const std::filesystem::path& made(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory / "events");
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  return directory;
}

void check_after_crash(Database& database) {
  if (std::filesystem::file_size(database.path()) <= kCheckedBytes) {
    check_structure(database);
  }
}

std::map<std::uint64_t, VolumeFacts> sealed_volumes(Database& state) {
  std::map<std::uint64_t, VolumeFacts> sealed;
  Query rows =
      state.query("SELECT n, first, last, bytes, committed, at_min, at_max, sha256 FROM volume");
  while (rows.step()) {
    VolumeFacts facts{rows.count(0),
                      rows.count(1),
                      rows.count(2),
                      rows.count(3),
                      rows.number(4),
                      rows.number(5),
                      rows.number(6),
                      std::string(rows.octets(7))};
    sealed.emplace(facts.number, std::move(facts));
  }
  return sealed;
}

std::uint64_t greatest_number(Database& state, const std::string& sql) {
  return static_cast<std::uint64_t>(state.number(sql));
}

}  // namespace

Engine::Engine(const std::filesystem::path& directory,
               const Options& options,
               const Clock& clock,
               Random& random)
    : lock_(made(directory)),
      ground_{directory, options, clock, DiskSpace(directory)},
      volumes_(directory / "events"),
      reads_(directory / "edge.db", clock) {
  bool was_clean = true;
  std::unique_ptr<Database> state = open_state(was_clean);
  const VolumeSet::Volumes unsealed = open_volumes(*state, was_clean);
  const LogWriter::Start start = open_log(*state, random);
  sizes_.load(*state);
  state_ = std::make_unique<StateWriter>(ground_, std::move(state), sizes_);
  housekeeper_ = std::make_unique<Housekeeper>(ground_, volumes_, *state_);
  for (const std::shared_ptr<Volume>& volume : unsealed) {
    housekeeper_->seal(volume);
  }
  log_ = std::make_unique<LogWriter>(
      ground_, volumes_, *recent_, start, [this](std::shared_ptr<Volume> volume) {
        housekeeper_->seal(std::move(volume));
      });
}

Engine::~Engine() {
  log_.reset();
  housekeeper_.reset();
  // Not stored after a failure: the next start checks the files then.
  static_cast<void>(state_->run(
      Deadline::in(10s), [](StateTables& tables) { set_meta(tables.database(), "clean", "1"); }));
  state_.reset();
}

std::unique_ptr<Database> Engine::open_state(bool& was_clean) const {
  const std::filesystem::path path = ground_.directory / "edge.db";
  const bool is_new = !std::filesystem::exists(path);
  auto database = std::make_unique<Database>(path, Database::Mode::ReadWrite);
  prepare_state(*database);
  was_clean = is_new || meta(*database, "clean") == "1";
  if (!was_clean) {
    check_after_crash(*database);
  }
  set_meta(*database, "clean", "0");
  return database;
}

VolumeSet::Volumes Engine::open_volumes(Database& state, bool was_clean) {
  const std::map<std::uint64_t, VolumeFacts> sealed = sealed_volumes(state);
  const std::vector<std::uint64_t> numbers = volumes_.numbers(true);
  VolumeSet::Volumes unsealed;
  for (const std::uint64_t number : numbers) {
    const std::filesystem::path path = Volume::path_of(volumes_.directory(), number);
    if (const auto found = sealed.find(number); found != sealed.end()) {
      volumes_.put(std::make_shared<Volume>(path, found->second, Volume::State::Sealed));
      continue;
    }
    const bool is_newest = number == numbers.back();
    if (!was_clean) {
      // Opened for writing, SQLite undoes what a crash left half done; readers could not.
      Database volume(path, Database::Mode::ReadWrite);
      is_newest ? check_after_crash(volume)
                : static_cast<void>(volume.number("SELECT next FROM mark"));
    }
    const auto state_of_volume = is_newest ? Volume::State::Active : Volume::State::Closed;
    auto volume = std::make_shared<Volume>(path, VolumeFacts{.number = number}, state_of_volume);
    if (!is_newest) {
      unsealed.push_back(volume);
    }
    volumes_.put(std::move(volume));
  }
  return unsealed;
}

LogWriter::Start Engine::open_log(Database& state, Random& random) {
  LogWriter::Start start;
  const VolumeSet::Volumes volumes = volumes_.all();
  const bool has_active = !volumes.empty() && volumes.back()->state() == Volume::State::Active;
  Recent::Heads heads =
      volumes.empty() ? Recent::Heads{} : volumes.back()->heads(Deadline::in(10s));
  // Above all that was ever given: files may have been removed, and after a power cut a consumer
  // may be ahead of the log.
  start.next = 1 + std::max(greatest_number(state, "SELECT max(last) FROM volume"),
                            greatest_number(state, "SELECT max(pos) FROM cursor"));
  if (!has_active) {
    const std::uint64_t number = 1 + std::max(volumes.empty() ? 0 : volumes.back()->number(),
                                              greatest_number(state, "SELECT max(n) FROM volume"));
    const VolumeFacts facts{.number = number, .first = start.next, .committed = ground_.store_ms()};
    const std::filesystem::path path = Volume::path_of(volumes_.directory(), number);
    Volume::create(path, facts, heads);
    volumes_.put(std::make_shared<Volume>(path, facts, Volume::State::Active));
  }
  {
    Database active(volumes_.all().back()->path(), Database::Mode::ReadOnly);
    start.next = std::max(start.next, greatest_number(active, "SELECT next FROM mark"));
    start.created = active.number("SELECT created FROM mark");
  }
  std::string key = meta(state, "id_key");
  if (key.size() != start.key.size()) {
    random.fill(start.key);
    key.assign(reinterpret_cast<const char*>(start.key.data()), start.key.size());
    set_meta(state, "id_key", key);
  }
  std::ranges::copy(key, reinterpret_cast<char*>(start.key.data()));
  recent_ = std::make_unique<Recent>(std::move(heads), start.next);
  return start;
}

}  // namespace edge::storage::sqlite
