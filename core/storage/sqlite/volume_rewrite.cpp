// SPDX-License-Identifier: MIT
// Writing a sealed volume anew without some of its records.
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/volume.h"

namespace edge::storage::sqlite {
namespace {

/// Everything that stays, in the order of the old file; `temp.gone` and `temp.forgotten` hold what
/// does not.
constexpr const char* kCopy =
    "DELETE FROM meta; INSERT INTO meta SELECT * FROM old.meta;"
    "DELETE FROM mark; INSERT INTO mark SELECT * FROM old.mark;"
    "INSERT INTO head SELECT * FROM old.head;"
    "INSERT INTO token SELECT * FROM old.token;"
    "INSERT INTO ev SELECT * FROM old.ev WHERE seq NOT IN temp.gone ORDER BY seq;"
    "CREATE TABLE seen(h BLOB PRIMARY KEY) WITHOUT ROWID;"
    "INSERT INTO seen SELECT h FROM old.seen WHERE h NOT IN temp.forgotten ORDER BY h;";

std::string quoted(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char c : path.string()) {
    text += c == '\'' ? "''" : std::string(1, c);
  }
  return text + "'";
}

void remember(Database& database,
              std::span<const std::uint64_t> offsets,
              std::span<const IdHash> forgotten) {
  database.run("CREATE TEMP TABLE gone(seq INTEGER PRIMARY KEY)");
  Query insert = database.query("INSERT OR IGNORE INTO temp.gone VALUES(?1)");
  for (const std::uint64_t offset : offsets) {
    insert.bind(1, offset).run_and_reset();
  }
  database.run("CREATE TEMP TABLE forgotten(h BLOB PRIMARY KEY) WITHOUT ROWID");
  Query note = database.query("INSERT OR IGNORE INTO temp.forgotten VALUES(?1)");
  for (const IdHash& hash : forgotten) {
    note.bind(1, std::string_view(hash.data(), hash.size())).run_and_reset();
  }
}

}  // namespace

std::optional<Volume::Rewritten> Volume::rewrite(std::span<const std::uint64_t> offsets,
                                                 std::span<const IdHash> forgotten) const {
  const std::filesystem::path path = path_.string() + ".new";
  std::filesystem::remove(path);  // of an attempt that was cut off
  Rewritten rewritten{.facts = facts_};
  {
    Database database(path, Database::Mode::ReadWrite);
    prepare_volume(database, facts_.first, facts_.committed);
    // Before the other file is attached: the setting would be changed there too.
    database.run("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=FULL");
    database.run("ATTACH " + quoted(path_) + " AS old");
    remember(database, offsets, forgotten);
    rewritten.left_out = static_cast<std::uint64_t>(
        database.number("SELECT count(*) FROM temp.gone JOIN old.ev USING(seq)"));
    if (rewritten.left_out > 0) {
      Transaction transaction(database);
      database.run(kCopy);
      database.run(kSealedIndexes);
      transaction.commit();
      rewritten.facts.at_min = database.number("SELECT min(at) FROM main.ev");
      rewritten.facts.at_max = database.number("SELECT max(at) FROM main.ev");
    }
  }
  if (rewritten.left_out == 0) {
    std::filesystem::remove(path);
    return std::nullopt;
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  rewritten.facts.bytes = std::filesystem::file_size(path);
  rewritten.facts.sha256 = sha256_of_file(path);
  return rewritten;
}

}  // namespace edge::storage::sqlite
