// SPDX-License-Identifier: MIT
// Pixel and link tokens: nothing but what the key made is good, and what reads reads the same
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/pixels/codec.h"
#include "core/pixels/fields.h"
#include "core/pixels/placeholder.h"

namespace pixels = edge::pixels;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pixels::KeyRing kRing =
      *pixels::KeyRing::parse(R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reading = pixels::open_token(pixels::token_in(text), kRing, {.now_s = 1'732'369'255});
  if (reading.authenticated()) {
    // Only the key makes these; what it made is written one way only.
    const auto again = pixels::seal(
        reading.claims, kRing, {.key_number = reading.key_number, .sealed = reading.sealed});
    if (!again || pixels::open_token(*again, kRing, {}).claims != reading.claims) {
      std::abort();
    }
  }
  static_cast<void>(pixels::decode_unchecked(text, kRing));
  static_cast<void>(pixels::filled_in_recipient(text));

  // Fields stand behind the seal; they are read here all the same.
  for (const auto kind :
       {pixels::TokenKind::Open, pixels::TokenKind::Click, pixels::TokenKind::Unsubscribe}) {
    pixels::Claims claims{.kind = kind};
    if (pixels::read_fields(text, claims) == pixels::FieldStatus::Ok) {
      std::string written;
      pixels::append_fields(written, claims);
      pixels::Claims again{.kind = kind};
      if (pixels::read_fields(written, again) != pixels::FieldStatus::Ok || again != claims) {
        std::abort();
      }
    }
  }
  return 0;
}
