// SPDX-License-Identifier: MIT
#include "core/kv/records.h"

#include <array>

#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/storage/storage.h"

namespace edge::kv {

std::string fresh_id(Random& random) {
  std::array<std::uint8_t, 16> octets{};
  random.fill(octets);
  return encoding::hex_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::string to_json(const Head& head) {
  json::Writer out;
  out.begin_object().member("bytes", head.bytes);
  if (!head.big.empty()) {
    out.member("big", head.big);
  }
  if (!head.metadata.empty()) {
    out.key("metadata").raw(head.metadata);
  }
  return out.end_object().take();
}

Result<Head> read_head(std::string_view json) {
  const auto document = json::Document::parse(json, json::kEvent);
  const auto bytes = document ? document->root().find("bytes") : std::nullopt;
  const auto count = bytes ? bytes->as_uint64() : std::nullopt;
  if (!count) {
    return Failure({ErrorCode::Internal, "an entry of the key-value store is not readable"});
  }
  const auto big = document->root().find("big");
  const auto metadata = document->root().find("metadata");
  return Head{.bytes = *count,
              .big = std::string(big ? big->as_string().value_or("") : ""),
              .metadata = std::string(metadata ? metadata->raw() : "")};
}

storage::Key head_key(const std::string& space, const std::string& key) {
  return {"kv", space, key};
}

storage::Key value_key(const std::string& space, const std::string& key) {
  return {"kv_value", space, key};
}

storage::Key part_key(const std::string& space, const std::string& id, std::size_t index) {
  return {"kv_part", space, id + ' ' + std::to_string(index)};
}

storage::Key big_key(const std::string& id) {
  return {"kv_big", "", id};
}

std::size_t count_parts(std::uint64_t bytes) {
  return static_cast<std::size_t>((bytes + storage::kMaxValueBytes - 1) / storage::kMaxValueBytes);
}

}  // namespace edge::kv
