// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/rows.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <span>

#include "core/encoding/crc32c.h"

namespace edge::storage::sqlite {
namespace {

/// A checksum over fields; the length of each text goes in too, so that octets cannot move from one
/// to the next.
class Sum {
 public:
  Sum& add(std::uint64_t number) {
    value_ = encoding::crc32c({reinterpret_cast<const char*>(&number), sizeof number}, value_);
    return *this;
  }
  Sum& add(std::string_view octets) {
    add(octets.size());
    value_ = encoding::crc32c(octets, value_);
    return *this;
  }
  [[nodiscard]] std::uint32_t value() const { return value_; }

 private:
  std::uint32_t value_ = 0;
};

void put(std::string& out, std::uint64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Reads what `put` wrote.
class Unpacker {
 public:
  explicit Unpacker(std::string_view octets) : octets_(octets) {}
  std::uint64_t number() {
    if (octets_.size() < sizeof(std::uint64_t)) {
      throw damage("a stored receipt is cut off");
    }
    std::uint64_t value = 0;
    std::memcpy(&value, octets_.data(), sizeof value);
    octets_.remove_prefix(sizeof value);
    return value;
  }
  std::size_t length() {
    const std::uint64_t value = number();
    if (value > octets_.size()) {
      throw damage("a stored receipt has an impossible length");
    }
    return static_cast<std::size_t>(value);
  }

 private:
  std::string_view octets_;
};

}  // namespace

std::uint32_t checksum(const Record& record) {
  return Sum{}
      .add(record.offset)
      .add(record.lane)
      .add(record.id)
      .add(static_cast<std::uint64_t>(record.at))
      .add(record.kind)
      .add(record.routes)
      .add(record.user)
      .add(record.name)
      .add(record.body)
      .value();
}

RecordPointer record_of(const Query& row, const std::filesystem::path& file) {
  auto record = std::make_shared<Record>();
  record->offset = row.count(0);
  record->lane = static_cast<std::uint32_t>(row.number(1));
  record->id = row.octets(2);
  record->at = row.number(3);
  record->kind = static_cast<std::uint32_t>(row.number(4));
  record->routes = row.count(5);
  record->user = row.octets(6);
  record->name = row.octets(7);
  record->body = row.octets(9);
  if (static_cast<std::uint32_t>(row.number(8)) != checksum(*record)) {
    throw damage(fmt::format("record {} of {} has a wrong checksum", record->offset, file.string()),
                 std::to_string(record->offset));
  }
  return record;
}

std::size_t bytes_of(const Record& record) {
  return record.id.size() + record.user.size() + record.name.size() + record.body.size();
}

std::uint32_t checksum(std::string_view part, std::string_view key, const Entry& entry) {
  return Sum{}
      .add(part)
      .add(key)
      .add(entry.version)
      .add(static_cast<std::uint64_t>(entry.expires))
      .add(entry.value)
      .value();
}

std::string pack(const Receipt& receipt) {
  std::string out;
  put(out, receipt.versions.size());
  for (const std::uint64_t version : receipt.versions) {
    put(out, version);
  }
  put(out, receipt.sums.size());
  for (const std::int64_t sum : receipt.sums) {
    put(out, static_cast<std::uint64_t>(sum));
  }
  put(out, receipt.spans.size());
  for (const Span& span : receipt.spans) {
    put(out, span.first);
    put(out, span.count);
  }
  for (const auto* list : {&receipt.duplicates, &receipt.stale}) {
    put(out, list->size());
    for (const std::uint32_t index : *list) {
      put(out, index);
    }
  }
  return out;
}

Receipt unpack(std::string_view octets) {
  Unpacker in(octets);
  Receipt receipt;
  for (std::size_t left = in.length(); left > 0; --left) {
    receipt.versions.push_back(in.number());
  }
  for (std::size_t left = in.length(); left > 0; --left) {
    receipt.sums.push_back(static_cast<std::int64_t>(in.number()));
  }
  for (std::size_t left = in.length(); left > 0; --left) {
    const std::uint64_t first = in.number();
    receipt.spans.push_back({first, static_cast<std::uint32_t>(in.number())});
  }
  for (auto* list : {&receipt.duplicates, &receipt.stale}) {
    for (std::size_t left = in.length(); left > 0; --left) {
      list->push_back(static_cast<std::uint32_t>(in.number()));
    }
  }
  return receipt;
}

std::string text_of(const std::vector<Interval>& intervals) {
  std::string text;
  for (const Interval& interval : intervals) {
    text += fmt::format("{}{}-{}", text.empty() ? "" : " ", interval.first, interval.last);
  }
  return text;
}

std::vector<Interval> intervals_of(std::string_view text) {
  std::vector<Interval> intervals;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    Interval interval;
    const auto first = std::from_chars(at, end, interval.first);
    const auto last = std::from_chars(first.ptr < end ? first.ptr + 1 : end, end, interval.last);
    if (first.ec != std::errc{} || last.ec != std::errc{}) {
      throw damage("the position of a consumer cannot be read");
    }
    intervals.push_back(interval);
    at = last.ptr + 1;
  }
  return intervals;
}

}  // namespace edge::storage::sqlite
