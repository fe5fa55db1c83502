// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr int kBusyMs = 5'000;
constexpr int kOperationsPerDeadlineCheck = 20'000;

bool is_no_room(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

Error full(const std::filesystem::path& path) {
  return {ErrorCode::Unavailable,
          fmt::format("no room on the disk for {}", path.string()),
          "",
          "full",
          1s};
}

/// The errno behind a failed call. SQLite's own answer is often lost on the way up, so the files
/// themselves are asked too.
int last_errno(sqlite3* handle) {
  if (handle == nullptr) {
    return 0;
  }
  const int known = sqlite3_system_errno(handle);
  for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    int of_file = 0;
    if (known == 0 &&
        sqlite3_file_control(handle, "main", which, static_cast<void*>(&file)) == SQLITE_OK &&
        file != nullptr && file->pMethods != nullptr &&
        file->pMethods->xFileControl != nullptr &&  // a journal in memory has none
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &of_file) == SQLITE_OK &&
        of_file != 0) {
      return of_file;
    }
  }
  return known;
}

/// `file:` name of a path, for flags that only a URI can carry.
std::string uri_of(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool is_special = c == '?' || c == '#' || c == '%';
    uri += is_special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

}  // namespace

DatabaseFault system_fault(int error_number,
                           std::string_view action,
                           const std::filesystem::path& path) {
  if (is_no_room(error_number)) {
    return DatabaseFault(full(path));
  }
  return DatabaseFault(
      {ErrorCode::Unavailable,
       fmt::format("cannot {} {}: {}", action, path.string(), std::strerror(error_number)),
       "",
       "failed"});
}

DatabaseFault damage(std::string what, std::string field) {
  return DatabaseFault({ErrorCode::Internal, std::move(what), std::move(field), "corrupt"});
}

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
  return *this;
}

Query& Query::bind(int parameter, std::string_view octets) {
  const char* data = octets.data() == nullptr ? "" : octets.data();
  sqlite3_bind_blob64(statement_, parameter, data, octets.size(), SQLITE_STATIC);
  return *this;
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    throw database_.fault(code);
  }
  return code == SQLITE_ROW;
}

void Query::run() {
  while (step()) {
  }
}

void Query::run_and_reset() {
  run();
  sqlite3_reset(statement_);
}

std::int64_t Query::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Query::octets(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view{} : std::string_view(data, size);
}

void Database::Closer::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

void Database::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::Database(std::filesystem::path path, Mode mode)
    : path_(std::move(path)), deadline_(Deadline::in(24h * 36'500)) {
  // Or each connection would set twenty pages aside before the size of its cache is known: a third
  // of a MiB for a volume, of which there are dozens. Fails, without harm, once SQLite is in use.
  static const int no_pages_ahead = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
  static_cast<void>(no_pages_ahead);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |=
      mode == Mode::ReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  flags |= mode == Mode::Immutable ? SQLITE_OPEN_URI : 0;
  const std::string name = mode == Mode::Immutable ? uri_of(path_) : path_.string();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    throw fault(code);
  }
  if (mode == Mode::Immutable) {
    // 48 KiB for quick small allocations: too much for each of dozens of volumes, seldom asked.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
  }
  sqlite3_busy_timeout(handle, kBusyMs);
  sqlite3_progress_handler(handle, kOperationsPerDeadlineCheck, &Database::check_deadline, this);
  run("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY");
}

Database::~Database() {
  statements_.clear();
}

int Database::check_deadline(void* self) {
  return static_cast<Database*>(self)->deadline_.has_passed() ? 1 : 0;
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    throw fault(code);
  }
}

Query Database::query(const std::string& sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(),
                                        sql.data(),
                                        static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT,
                                        &statement,
                                        nullptr);
    std::unique_ptr<sqlite3_stmt, Finalizer> owned(statement);
    if (code != SQLITE_OK) {
      throw fault(code);
    }
    found = statements_.emplace(sql, std::move(owned)).first;
  }
  return {*this, found->second.get()};
}

std::int64_t Database::number(const std::string& sql) {
  Query answer = query(sql);
  return answer.step() ? answer.number(0) : 0;
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_.get());
}

bool Database::is_in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

bool Database::has_table(const std::string& name) {
  if (tables_.contains(name)) {
    return true;
  }
  Query found = query("SELECT 1 FROM sqlite_master WHERE type='table' AND name=CAST(?1 AS TEXT)");
  const bool is_there = found.bind(1, std::string_view(name)).step();
  if (is_there) {
    tables_.emplace(name, true);
  }
  return is_there;
}

void Database::count_wal(std::atomic<std::uint64_t>& pages) {
  const auto count = [](void* counter, sqlite3*, const char*, int length) {
    *static_cast<std::atomic<std::uint64_t>*>(counter) = static_cast<std::uint64_t>(length);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_.get(), count, &pages);
}

DatabaseFault Database::fault(int code) const {
  sqlite3* handle = handle_.get();
  const int primary = code & 0xFF;
  const int system = last_errno(handle);
  if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && is_no_room(system))) {
    return DatabaseFault(full(path_));
  }
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    return damage(fmt::format("{} is damaged: {}", path_.string(), sqlite3_errstr(code)));
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_INTERRUPT) {
    const char* why = primary == SQLITE_INTERRUPT ? "the deadline has passed"
                                                  : "another reader or writer is in the way";
    return DatabaseFault({ErrorCode::Unavailable,
                          fmt::format("{}: {}", path_.string(), why),
                          "",
                          "unavailable",
                          1s});
  }
  const char* detail = handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
  return DatabaseFault({ErrorCode::Unavailable,
                        fmt::format("{}: {} ({}, errno {})", path_.string(), detail, code, system),
                        "",
                        "failed"});
}

Transaction::~Transaction() {
  if (database_.is_in_transaction()) {
    database_.forget_tables();
    try {
      database_.query("ROLLBACK").run();
    } catch (const DatabaseFault&) {
      // SQLite has rolled back by itself, or will when the file is opened next; the cause is
      // already on its way up.
    }
  }
}

}  // namespace edge::storage::sqlite
