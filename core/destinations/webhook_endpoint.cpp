// SPDX-License-Identifier: MIT
#include "core/destinations/webhook_endpoint.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace edge::destinations {
namespace {

/// An error about a member that the original calls otherwise names it as it was given.
Error as_given(Error error) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNames{
      {{"retry/baseMs", "retryConfig/backoffMs"}, {"retry/maxAttempts", "retryConfig/maxRetries"}}};
  for (const auto& [ours, given] : kNames) {
    if (error.field == "/" + std::string(ours)) {
      error.field = "/" + std::string(given);
      error.message.replace(error.message.find(ours), ours.size(), given);
    }
  }
  return error;
}

}  // namespace

Result<Definition> read_webhook_endpoint(json::Value json, const Catalogue& catalogue) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : json.members()) {
    if (name == "retryConfig") {
      out.key("retry").begin_object();
      if (const auto retries = value.find("maxRetries")) {
        const std::int64_t number = retries->as_int64().value_or(-1);
        out.key("maxAttempts");
        number >= 0 ? out.integer(number + 1) : out.value(*retries);
      }
      if (const auto backoff = value.find("backoffMs")) {
        out.key("baseMs").value(*backoff);
      }
      out.end_object();
    } else if (name != "type") {
      out.key(name).value(value);
    }
  }
  const std::string text = out.member("type", "webhook").end_object().take();
  const auto document = json::Document::parse(text, json::kEvent);
  if (!document) {
    return Failure(document.error());
  }
  auto definition = read_definition(document->root(), catalogue);
  return definition ? std::move(definition) : Failure(as_given(definition.error()));
}

}  // namespace edge::destinations
