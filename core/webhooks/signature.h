// SPDX-License-Identifier: MIT
// Signatures of webhooks, given and checked (events spec 9). The raw octets of the body count: they
// are checked before anything reads them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/crypto/digest.h"

namespace edge::webhooks {

enum class Scheme : std::uint8_t {
  Standard,   ///< Standard Webhooks 1.0: id, time and body; `webhook-*` or `svix-*` fields
  Segment,    ///< X-Signature: HMAC-SHA1 of the body, of a list of its first element
  HubSha1,    ///< X-Hub-Signature: `sha1=` and hex (Optimizely)
  HubSha256,  ///< X-Hub-Signature-256: `sha256=` and hex
  Hmac,       ///< a field of one's own
};
/// `standard`, `segment`, `hub-sha1`, `hub-sha256`, `hmac`.
std::string_view name_of(Scheme scheme);
std::optional<Scheme> scheme_of(std::string_view name);

/// How one sender signs.
struct Signing {
  Scheme scheme = Scheme::Standard;
  std::vector<std::string> secrets = {};  ///< any of them may match; the first one signs
  std::string field = {};                 ///< of the scheme `hmac`
  crypto::Hash algorithm = crypto::Hash::Sha256;
  bool base64 = false;  ///< instead of hex
  std::string prefix = {};
  std::chrono::seconds tolerance{300};  ///< of the scheme `standard`, into both directions
};

/// Checks that the secrets are of the form that the scheme needs, and that `hmac` names a field.
/// Failure: InvalidArgument.
Result<void> check(const Signing& signing);

/// Gives the value of a request field, case ignored; nothing when it is absent.
using Fields = std::function<std::optional<std::string_view>(std::string_view name)>;

/// Checks a request. Gives the sender's id of the message, empty when the scheme has none.
///
/// Failure: Unauthenticated with reason `missing_header`, `bad_format`, `bad_timestamp`, `too_old`,
/// `too_new` or `mismatch`.
Result<std::string> verify(const Signing& signing,
                           const Fields& fields,
                           std::string_view body,
                           Time now);

/// The request fields that sign a body, lower-case names. `id`: of the message, for `standard`.
/// Failure as `check`.
Result<std::vector<std::pair<std::string, std::string>>> sign(const Signing& signing,
                                                              std::string_view body,
                                                              std::string_view id,
                                                              Time now);

}  // namespace edge::webhooks
