// SPDX-License-Identifier: MIT
// Sealing: what makes a closed volume quick to search, small to check and impossible to change.
// Every step may be repeated, so a crash anywhere in it only means that it is done again.
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <vector>

#include "core/base/fault.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/volume.h"

namespace edge::storage::sqlite {

std::string sha256_of_file(const std::filesystem::path& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  std::ifstream in(path, std::ios::binary);
  if (!context || !in || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    throw system_fault(errno, "read", path);
  }
  std::array<char, 65'536> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    EVP_DigestUpdate(context.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) {
    throw system_fault(errno, "read", path);
  }
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size);
  digest.resize(size);
  return digest;
}

namespace {

void write_ids(Database& database, const std::vector<IdHash>& ids) {
  // Emptied first: the file does not shrink, but the table takes the pages that become free.
  database.run("DELETE FROM seen_group");
  database.run("CREATE TABLE IF NOT EXISTS seen(h BLOB PRIMARY KEY) WITHOUT ROWID");
  Query insert = database.query("INSERT OR IGNORE INTO seen VALUES(?1)");
  for (const IdHash& id : ids) {
    const std::string_view octets(id.data(), id.size());
    insert.bind(1, octets).run_and_reset();
  }
  if (const auto tags = IdTags::of(ids)) {
    set_meta(database, "id_tags", tags->pack());
  }
}

}  // namespace

void Volume::write_sealed_parts(Database& database) {
  prepare_writer(database, kVolumeCacheMib);
  Transaction transaction(database);
  write_ids(database, sorted_ids(database));
  database.run(kSealedIndexes);
  transaction.commit();
  database.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

VolumeFacts Volume::seal() {
  VolumeFacts facts = facts_;
  if (std::filesystem::status(path_).permissions() != std::filesystem::perms::owner_read) {
    Database database(path_, Database::Mode::ReadWrite);
    write_sealed_parts(database);
  }
  readers_.exclusively(Database::Mode::Immutable, [&] {
    Database database(path_, Database::Mode::ReadWrite);
    if (std::filesystem::status(path_).permissions() != std::filesystem::perms::owner_read) {
      database.run("PRAGMA journal_mode=DELETE");
    }
    std::filesystem::permissions(path_, std::filesystem::perms::owner_read);
    Query mark = database.query(
        "SELECT next, committed, (SELECT min(at) FROM ev), (SELECT max(at) FROM ev) FROM mark");
    if (!mark.step()) {
      throw damage(path_.string() + " does not say where it ends");
    }
    facts.last = mark.count(0) - 1;
    facts.committed = mark.number(1);
    facts.at_min = mark.number(2);
    facts.at_max = mark.number(3);
  });
  EDGE_FAULT("volume.seal.before_digest");
  facts.bytes = std::filesystem::file_size(path_);
  facts.sha256 = sha256_of_file(path_);
  return facts;
}

}  // namespace edge::storage::sqlite
