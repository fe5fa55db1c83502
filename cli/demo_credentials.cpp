// SPDX-License-Identifier: MIT
#include "cli/demo_credentials.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "cli/terminal.h"
#include "core/encoding/base32.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr const char* kEmail = "admin@edge.localhost";

std::string random_password(Random& random) {
  std::string octets(10, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(octets.data()), octets.size()});
  return encoding::base32_encode(octets);
}

/// Whether the daemon has an account.
Result<bool> has_accounts(Remote& daemon) {
  const auto answer = daemon.get("/admin/users?limit=1");
  const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                               : Result<json::Document>(Failure(answer.error()));
  if (!document) {
    return Failure(document.error());
  }
  const auto users = document->root().find("users");
  return users && users->size() > 0;
}

}  // namespace

Result<void> show_demo_credentials(Call& call, const RuntimeFile& daemon) {
  if (!is_terminal(STDERR_FILENO)) {
    return {};
  }
  Remote& remote = call.connect(daemon.url, local_key());
  const auto present = has_accounts(remote);
  if (!present || *present) {
    return present ? Result<void>() : Failure(present.error());
  }
  const std::string password = random_password(call.random());
  json::Writer user;
  user.begin_object().member("email", kEmail).member("password", password).member("name", "Demo");
  user.key("roles").begin_array().string("admin").end_array().end_object();
  if (const auto made = remote.post("/admin/users", user.take()); !made) {
    return Failure(made.error());
  }
  const auto key = remote.post(
      "/admin/apikeys",
      R"({"name":"demo","scopes":["track:write","track:read","pixel:generate","cdp:read","flags:read"]})");
  const auto document = key ? json::Document::parse(key->body, json::kApi)
                            : Result<json::Document>(Failure(key.error()));
  if (!document) {
    return Failure(document.error());
  }
  const auto text = document->root().find("key");
  call.note(fmt::format("demo administrator: {}  password: {}", kEmail, password));
  call.note(fmt::format("demo API key: {}", text ? text->as_string().value_or("") : ""));
  call.note("shown this once");
  return {};
}

}  // namespace edge::cli
