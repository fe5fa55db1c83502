// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/oauth.h"

#include <string>

#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::protocols::agent {
namespace {

/// An error of RFC 6749 section 5.2.
http::Response refuse(int status, std::string_view error, std::string_view description = {}) {
  json::Writer out;
  out.begin_object().member("error", error);
  if (!description.empty()) {
    out.member("error_description", description);
  }
  out.end_object();
  http::Response response = http::json(out.take() + "\n", status);
  response.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

http::Response give_token(const Tokens& tokens, const http::Request& request) {
  std::string_view type = request.header("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  if (!http::equals_ignoring_case(type, "application/x-www-form-urlencoded")) {
    return refuse(
        415, "invalid_request", "the content type must be application/x-www-form-urlencoded");
  }
  std::string grant;
  std::string id;
  std::string secret;
  for (auto& [name, value] : encoding::parse_form(request.body())) {
    std::string* place = name == "grant_type"      ? &grant
                         : name == "client_id"     ? &id
                         : name == "client_secret" ? &secret
                                                   : nullptr;
    if (place != nullptr && place->empty()) {
      *place = std::move(value);
    }
  }
  if (grant.empty()) {
    return refuse(400, "invalid_request", "grant_type missing from request");
  }
  if (grant != "client_credentials") {
    return refuse(400, "unsupported_grant_type", "only client_credentials is supported");
  }
  const Client* client = id.empty() || secret.empty() ? nullptr : tokens.find_client(id, secret);
  if (client == nullptr) {
    return refuse(401, "invalid_client", "client_id or client_secret is missing or wrong");
  }
  const auto token = tokens.issue(*client);
  if (!token) {
    return refuse(500, "server_error");
  }
  json::Writer out;
  out.begin_object()
      .member("access_token", *token)
      .member("token_type", "bearer")
      .member("expires_in", tokens.ttl().count())
      .end_object();
  http::Response response = http::json(out);
  response.set("Cache-Control", "no-store");
  return response;
}

}  // namespace edge::protocols::agent
