// SPDX-License-Identifier: MIT
// A thin owner of SQLite's C interface: connections, cached statements, and its return codes as one
// exception type. The port's edge (engine, writers) turns a `DatabaseFault` into an `Error` value.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/error.h"
#include "core/storage/storage.h"

struct sqlite3;
struct sqlite3_stmt;

namespace edge::storage::sqlite {

/// Thrown when SQLite or the system refuses; carries the value for the port.
class DatabaseFault : public std::runtime_error {
 public:
  explicit DatabaseFault(Error error)
      : std::runtime_error(error.message), error_(std::move(error)) {}
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

/// The fault of a system call on `path`: `full` for ENOSPC, EDQUOT and EFBIG, else `failed`.
DatabaseFault system_fault(int error_number,
                           std::string_view action,
                           const std::filesystem::path& path);
/// The fault of content that is damaged.
DatabaseFault damage(std::string what, std::string field = {});

class Database;

/// One use of a prepared statement; reset at the end of the scope. Parameters and columns count
/// from 1 and 0 as in SQLite.
class Query {
 public:
  Query(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query(Query&&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Binds a number.
  Query& bind(int parameter, std::int64_t value);
  Query& bind(int parameter, std::uint64_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
  }
  Query& bind(int parameter, std::uint32_t value) {
    return bind(parameter, static_cast<std::int64_t>(value));
  }
  Query& bind(int parameter, int value) {
    return bind(parameter, static_cast<std::int64_t>(value));
  }
  /// Binds octets, which must stay until the query is stepped. As BLOB, so that they compare octet
  /// by octet.
  Query& bind(int parameter, std::string_view octets);

  /// True when there is a row.
  bool step();
  /// Runs a statement that gives no rows.
  void run();
  /// Runs it and makes it ready to be bound again.
  void run_and_reset();

  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const {
    return static_cast<std::uint64_t>(number(column));
  }
  /// Valid until the next step.
  [[nodiscard]] std::string_view octets(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_;
};

/// One connection. One thread only (or passed from hand to hand).
class Database {
 public:
  enum class Mode : std::uint8_t {
    ReadWrite,  ///< made when it is not there
    ReadOnly,
    Immutable,  ///< a file that nobody changes any more: no locks
  };

  Database(std::filesystem::path path, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) = delete;
  Database& operator=(Database&&) = delete;
  ~Database();

  /// Runs fixed statements, separated by semicolons.
  void run(const std::string& sql);
  /// A statement of the cache; not to be used a second time while the first use lives.
  Query query(const std::string& sql);
  /// The number of a one-row, one-column answer; 0 without a row.
  std::int64_t number(const std::string& sql);

  /// Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  /// True inside BEGIN … COMMIT.
  [[nodiscard]] bool is_in_transaction() const;
  /// True when the table is there; remembered once it is.
  bool has_table(const std::string& name);
  /// After a rollback: what `has_table` remembers may be gone.
  void forget_tables() { tables_.clear(); }
  /// Statements fail as `unavailable` after this moment.
  void set_deadline(Deadline deadline) { deadline_ = deadline; }

  /// From now on keeps in `pages` how long the write-ahead log is after this connection's last
  /// commit, what was moved into the file included; it begins anew at 0 after everything was.
  /// `pages` must outlive the connection.
  void count_wal(std::atomic<std::uint64_t>& pages);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// The fault for a return code of this connection.
  [[nodiscard]] DatabaseFault fault(int code) const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  static int check_deadline(void* self);

  const std::filesystem::path path_;
  Deadline deadline_;
  std::unique_ptr<sqlite3, Closer> handle_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalizer>> statements_;
  std::unordered_map<std::string, bool> tables_;
};

/// BEGIN IMMEDIATE; rolled back at the end of the scope unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.query("BEGIN IMMEDIATE").run();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction(Transaction&&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  void commit() { database_.query("COMMIT").run(); }

 private:
  Database& database_;
};

}  // namespace edge::storage::sqlite
