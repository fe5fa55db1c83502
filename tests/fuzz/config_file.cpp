// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/config/load.h"
#include "core/config/toml_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (edge::config::parse_toml(text, "fuzz")) {
    const auto changed = edge::config::with_key(text, "auth.issuer", "x");
    if (changed && !edge::config::parse_toml(*changed, "fuzz")) {
      __builtin_trap();  // an edit of a good file must leave a good file
    }
  }
  return 0;
}
