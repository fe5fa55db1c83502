// SPDX-License-Identifier: MIT
// The reader of WebSocket frames: any octets, in pieces of any size, give the same messages and the
// same verdict as at once; what it gives out is bounded, texts are UTF-8.
#include "daemon/http/websocket_frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/encoding/utf8.h"

namespace {

using edge::http::FrameReader;
using edge::http::Opcode;

/// What a reader makes of the octets, as one text.
std::string read(std::string_view octets, std::size_t step) {
  FrameReader reader;
  std::string said;
  while (!octets.empty()) {
    std::string_view piece = octets.substr(0, step);
    octets.remove_prefix(piece.size());
    while (!piece.empty()) {
      const FrameReader::State state = reader.feed(piece);
      if (state == FrameReader::State::Refused) {
        return said.append("refused ").append(std::to_string(reader.close_code()));
      }
      if (state == FrameReader::State::NeedsMore) {
        break;
      }
      const std::string_view payload = reader.payload();
      const bool is_message = reader.kind() == Opcode::Text || reader.kind() == Opcode::Binary;
      const std::size_t most =
          is_message ? edge::http::kMaxMessageOctets : edge::http::kMaxControlOctets;
      if (payload.size() > most ||
          (reader.kind() == Opcode::Text && !edge::encoding::is_utf8(payload))) {
        std::abort();
      }
      said.append(std::to_string(static_cast<int>(reader.kind()))).append(":").append(payload);
      if (reader.kind() == Opcode::Close) {
        said.append(std::to_string(reader.close_code()));
      }
    }
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (read(octets, std::max<std::size_t>(octets.size(), 1)) != read(octets, data[0] % 16U + 1)) {
    std::abort();
  }
  return 0;
}
