// SPDX-License-Identifier: MIT
// The options that say how a webhook is signed, the same for every command that signs or checks.
#pragma once

#include <string>

#include "cli/command.h"
#include "core/transport/http_client.h"
#include "core/webhooks/signature.h"

namespace edge::cli {

/// Declares `--SCHEME_OPTION` (`signature`, or `verify-signature` without a default), `--secret`
/// and what the scheme `hmac` needs. Secrets are named, never given.
Command& with_signing(Command& command, std::string_view scheme_option);

/// How the options say it is signed; every secret that they name is there. Failure: usage when
/// `hmac` has no field or no secret is named, `secret_missing`, or a secret that is of the wrong
/// form.
Result<webhooks::Signing> signing_of(Call& call, std::string_view scheme_option);

/// `--header` as often as needed.
Option header_option();
/// `NAME: VALUE` of every `--header`. Failure: usage.
Result<transport::Headers> headers_of(const Call& call);

}  // namespace edge::cli
