// SPDX-License-Identifier: MIT
// Tokens: whatever comes in is refused or, when it is exactly the known good token, accepted.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/tokens/jwt.h"
#include "core/tokens/keyring.h"

namespace tokens = edge::tokens;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tokens::SigningKeys kKeys =
      *tokens::SigningKeys::of_secret("0123456789abcdef0123456789abcdef");
  static const std::string kGood = *tokens::make_jws(
      R"({"alg":"HS256"})", R"({"sub":"a"})", kKeys.signer.key, edge::crypto::Algorithm::HS256);
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto verified = tokens::verify_token(token, kKeys.verifiers, {.now = 1'700'000'000});
  if (verified && token != kGood) {
    // Another token can only be good when somebody knows the key, which this input does not.
    std::abort();
  }
  const auto parts = tokens::split_token(token, tokens::kMaxTokenBytesEver);
  if (parts) {
    // The claims are judged only behind a right signature; judge them here all the same.
    (void)tokens::read_claims(
        parts->payload, {.issuers = {"i"}, .audiences = {"a"}, .subject = "s", .max_age = 1}, 1);
  }
  return 0;
}
