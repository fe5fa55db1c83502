// SPDX-License-Identifier: MIT
#include "daemon/http/inflate.h"

#include <zlib.h>

#include <array>

namespace edge::http {
namespace {

/// Window bits of zlib's inflateInit2.
int bits_of(Window window) {
  switch (window) {
    case Window::Gzip:
      return 15 + 16;
    case Window::Zlib:
      return 15;
    case Window::Raw:
      break;
  }
  return -15;
}

/// One zlib stream with its owner.
struct Inflater {
  explicit Inflater(int window) { ready = inflateInit2(&stream, window) == Z_OK; }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  Inflater(Inflater&&) = delete;
  Inflater& operator=(Inflater&&) = delete;

  z_stream stream = {};
  bool ready = false;
};

}  // namespace

Problem too_large(std::size_t limit) {
  return {.status = 413,
          .code = "request_too_large",
          .detail = "body exceeds " + std::to_string(limit) + " bytes after unpacking"};
}

tl::expected<std::string, Problem> inflate_all(std::string_view packed,
                                               Window window,
                                               std::size_t limit) {
  Inflater inflater(bits_of(window));
  z_stream& stream = inflater.stream;
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  std::array<char, 16'384> piece;
  int state = inflater.ready ? Z_OK : Z_MEM_ERROR;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > limit) {
      return tl::unexpected(too_large(limit));
    }
    if (state == Z_STREAM_END && window == Window::Gzip && stream.avail_in > 0) {
      state = inflateReset(&stream);  // RFC 1952: members follow each other
    }
  }
  if (state != Z_STREAM_END || stream.avail_in > 0) {
    return tl::unexpected(
        Problem{.status = 400, .code = "bad_json", .detail = "body cannot be unpacked"});
  }
  return out;
}

}  // namespace edge::http
