// SPDX-License-Identifier: MIT
#include "core/encoding/gzip.h"

#include <zlib.h>

#include <new>

namespace edge::encoding {
namespace {

constexpr int kGzipWindow = 15 + 16;  // window bits of zlib's deflateInit2
constexpr int kMemoryLevel = 8;       // zlib's default

struct Deflater {
  Deflater() {
    if (deflateInit2(
            &stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  Deflater(Deflater&&) = delete;
  Deflater& operator=(Deflater&&) = delete;

  z_stream stream{};
};

}  // namespace

std::string gzip_encode(std::string_view octets) {
  Deflater deflater;
  z_stream& stream = deflater.stream;
  std::string packed(deflateBound(&stream, octets.size()), '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);  // always ends: the bound leaves room for all
  packed.resize(stream.total_out);
  return packed;
}

}  // namespace edge::encoding
