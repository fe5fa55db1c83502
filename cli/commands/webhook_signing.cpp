// SPDX-License-Identifier: MIT
#include "cli/commands/webhook_signing.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/problem.h"
#include "cli/secret_sources.h"

namespace edge::cli {
namespace {

crypto::Hash algorithm_of(std::string_view name) {
  return name == "sha1"     ? crypto::Hash::Sha1
         : name == "sha384" ? crypto::Hash::Sha384
         : name == "sha512" ? crypto::Hash::Sha512
                            : crypto::Hash::Sha256;
}

/// Letters, digits and `-`: what the fields of webhooks are called.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

}  // namespace

Command& with_signing(Command& command, std::string_view scheme_option) {
  return command
      .option({.name = scheme_option,
               .value = "SCHEME",
               .help = "how it is signed",
               .fallback = scheme_option == "signature" ? "standard" : "",
               .choices = {"standard", "segment", "hub-sha1", "hub-sha256", "hmac"}})
      .option({.name = "secret",
               .value = "NAME",
               .help = "name of the secret; several during a rotation, the first one signs",
               .repeatable = true})
      .option({.name = "field",
               .value = "NAME",
               .help = "hmac: the field that carries the signature",
               .group = "Scheme hmac"})
      .option({.name = "algorithm",
               .value = "NAME",
               .help = "hmac: the hash",
               .fallback = "sha256",
               .choices = {"sha1", "sha256", "sha384", "sha512"},
               .group = "Scheme hmac"})
      .option({.name = "encoding",
               .value = "NAME",
               .help = "hmac: how it is written",
               .fallback = "hex",
               .choices = {"hex", "base64"},
               .group = "Scheme hmac"})
      .option({.name = "prefix",
               .value = "TEXT",
               .help = "hmac: what stands before it",
               .group = "Scheme hmac"});
}

Result<webhooks::Signing> signing_of(Call& call, std::string_view scheme_option) {
  webhooks::Signing signing{.scheme = *webhooks::scheme_of(call[scheme_option]),
                            .field = call["field"],
                            .algorithm = algorithm_of(call["algorithm"]),
                            .base64 = call["encoding"] == "base64",
                            .prefix = call["prefix"]};
  const bool is_free = signing.scheme == webhooks::Scheme::Hmac;
  if (is_free != is_field_name(signing.field)) {
    return Failure(usage_error(
        is_free ? fmt::format("--{} hmac needs --field NAME, the field that carries the signature",
                              scheme_option)
                : "--field is for the scheme hmac",
        "field"));
  }
  if (!is_printable(signing.prefix)) {
    return Failure(usage_error("--prefix must not hold control characters", "prefix"));
  }
  const std::vector<std::string> names = call.all("secret");
  if (names.empty()) {
    return Failure(usage_error("give --secret NAME, the name of the secret that signs", "secret"));
  }
  const auto secrets = open_secrets(call);
  for (const std::string& name : names) {
    const auto secret = secrets.require(name);
    if (!secret) {
      return Failure(secret.error());
    }
    signing.secrets.emplace_back(secret->value.view());
  }
  if (auto checked = webhooks::check(signing); !checked) {
    return Failure(checked.error());
  }
  return signing;
}

Option header_option() {
  return {.name = "header",
          .value = "FIELD",
          .help = "a field of the request as NAME: VALUE",
          .repeatable = true};
}

Result<transport::Headers> headers_of(const Call& call) {
  transport::Headers headers;
  for (const std::string& line : call.all("header")) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    if (colon == line.size() || !is_field_name(line.substr(0, colon)) || !is_printable(line)) {
      return Failure(usage_error(
          fmt::format("--header \"{}\" is not of the form NAME: VALUE", line), "header"));
    }
    const std::size_t begin = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    headers.emplace_back(line.substr(0, colon), line.substr(begin));
  }
  return headers;
}

}  // namespace edge::cli
