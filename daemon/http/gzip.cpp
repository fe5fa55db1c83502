// SPDX-License-Identifier: MIT
#include "daemon/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace edge::http {
namespace {

constexpr std::size_t kMaxRatio = 100;
constexpr std::size_t kFreeOctets = std::size_t{64} << 10U;
constexpr int kGzipOnly = 15 + 16;  // window bits of zlib's inflateInit2

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK; }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  Inflater(Inflater&&) = delete;
  Inflater& operator=(Inflater&&) = delete;

  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

Result<std::string> gunzip(std::string_view packed, std::size_t limit) {
  Inflater inflater;
  if (!inflater.ready_) {
    return Failure({ErrorCode::Internal, "no memory to unpack a body"});
  }
  z_stream& stream = inflater.stream_;
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  const std::size_t ceiling = std::min(limit, std::max(packed.size() * kMaxRatio, kFreeOctets));
  std::string out;
  std::array<char, 16384> piece;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = piece.size() - stream.avail_out;
    if (out.size() + made > ceiling) {
      return Failure({ErrorCode::TooLarge, "the unpacked body is larger than allowed"});
    }
    out.append(piece.data(), made);
  }
  if (state != Z_STREAM_END || stream.avail_in != 0) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "the body is no complete gzip stream",
                    .reason = "bad_encoding"});
  }
  return out;
}

}  // namespace edge::http
