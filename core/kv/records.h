// SPDX-License-Identifier: MIT
// How entries lie in the store.
//
//   kv        namespace, key    the head of an entry: `{"bytes":3,"big":"…","metadata":{…}}`
//   kv_value  namespace, key    its value, when that fits into one entry of the store
//   kv_part   namespace, id N   pieces of a value that does not, or that came in a large bulk
//   kv_big    -, id             where such a value belongs
//
// A list reads heads alone. A head and its value are written in one batch. Pieces come in batches
// of their own before it: nobody sees them until the head names their id, and what no head names
// goes away (big_values.h). A head that names an id makes what lies in `kv_value` meaningless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/storage/records.h"

namespace edge::kv {

struct Head {
  std::uint64_t bytes = 0;    ///< of the value
  std::string big = {};       ///< id of its pieces, or empty
  std::string metadata = {};  ///< JSON text, or empty

  bool operator==(const Head&) const = default;
};

/// 32 lower-case hexadecimal digits that nothing else has: of a namespace or a big value.
std::string fresh_id(Random& random);

std::string to_json(const Head& head);
/// Failure: Internal, the store holds something else.
Result<Head> read_head(std::string_view json);

storage::Key head_key(const std::string& space, const std::string& key);
storage::Key value_key(const std::string& space, const std::string& key);
/// Piece number `index` of a big value.
storage::Key part_key(const std::string& space, const std::string& id, std::size_t index);
storage::Key big_key(const std::string& id);
/// In how many pieces a big value of that size lies.
std::size_t count_parts(std::uint64_t bytes);

}  // namespace edge::kv
