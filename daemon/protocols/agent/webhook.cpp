// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/webhook.h"

#include <algorithm>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {
namespace {

constexpr std::string_view kPrefix = "sha1=";

/// Whether the body was signed with the secret of the project.
bool is_signed(const Edge& edge,
               const flags::WebhookSettings& webhook,
               const http::Request& request) {
  if (webhook.secret.empty()) {
    return true;
  }
  const auto secret = edge.secrets.find(webhook.secret);
  const std::string_view given = request.header("X-Hub-Signature").value_or("");
  if (!secret || !*secret || !given.starts_with(kPrefix)) {
    return false;
  }
  const std::string expected = encoding::hex_encode(
      crypto::hmac(crypto::Hash::Sha1, (*secret)->value.view(), request.body()));
  return crypto::constant_time_equal(given.substr(kPrefix.size()), expected);
}

}  // namespace

http::Response take_webhook(Edge& edge, const http::Request& request) {
  const auto body = json::Document::parse(request.body(), json::kDecision);
  const auto project = body ? body->root().find("project_id") : std::nullopt;
  const auto number = project ? project->as_int64() : std::nullopt;
  if (!number) {
    return http::Response(problem(400, "unable to parse the webhook message"));
  }
  const auto& webhooks = edge.flags.settings().webhooks;
  const auto webhook = std::ranges::find(webhooks, *number, &flags::WebhookSettings::project);
  if (webhook == webhooks.end()) {
    return http::no_content();
  }
  if (!is_signed(edge, *webhook, request)) {
    return http::Response(problem(400, "computed signature does not match signature"));
  }
  for (flags::Project* one : edge.flags.projects_of(*webhook)) {
    edge.flags.refresh_soon(*one);
  }
  return http::no_content();
}

}  // namespace edge::protocols::agent
