// SPDX-License-Identifier: MIT
// Signing in at a daemon. The session is kept in a private file and refreshed when needed; on one
// machine the same user needs none, the local key is enough.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/prompt.h"
#include "cli/remote.h"
#include "cli/saved_login.h"
#include "core/crypto/secret.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

/// The daemon that the arguments name, else the running one. Throws `Stop` (exit 6) if none.
std::string url_of(Call& call) {
  std::string url = call["url"];
  while (url.ends_with('/')) {
    url.pop_back();
  }
  if (!url.empty()) {
    return url;
  }
  const auto running = find_runtime_file();
  if (!running) {
    throw Stop({.error = {ErrorCode::Unavailable,
                          "no daemon is running for this user",
                          {},
                          "connect_failed"},
                .hint = "edgectl up, or --url URL"});
  }
  return running->url;
}

Result<int> print_login(Call& call, const SavedLogin& login) {
  json::Writer out;
  out.begin_object()
      .member("schema", "edge.auth/1")
      .member("url", login.url)
      .member("signedIn", true)
      .member("source", "login")
      .member("email", login.email)
      .end_object();
  return call.print(
      Document{.json = out.take(), .human = fmt::format("{} at {}\n", login.email, login.url)});
}

Result<int> login(Call& call) {
  const std::string url = url_of(call);
  auto email = call.has("email") ? Result<std::string>(call["email"]) : ask_text(call, "address");
  auto password = email ? read_password(call, false) : email;
  if (!password) {
    return Failure(password.error());
  }
  json::Writer body;
  body.begin_object().member("email", *email).member("password", *password).end_object();
  crypto::wipe(*password);
  const auto answer = call.connect(url, "").post("/auth/login", body.take());
  if (!answer) {
    return Failure(answer.error());
  }
  const auto signed_in = read_login(url, answer->body, call.clock().now());
  if (!signed_in) {
    return Failure(signed_in.error());
  }
  if (auto saved = save_login(*signed_in); !saved) {
    return Failure(saved.error());
  }
  return print_login(call, *signed_in);
}

Result<int> logout(Call& call) {
  const std::string url = url_of(call);
  const auto saved = find_login(url);
  if (!saved) {
    return Failure(saved.error());
  }
  if (!*saved) {
    call.note(fmt::format("not signed in at {}", url));
    return exit_code::kDone;
  }
  if (call.dry_run()) {
    call.note(fmt::format("would sign {} out at {}", (*saved)->email, url));
    return exit_code::kDone;
  }
  const auto answer = call.connect(url, (*saved)->access_token).exchange("POST", "/auth/logout");
  if (auto gone = forget_login(url); !gone) {
    return Failure(gone.error());
  }
  if (!answer) {
    call.note("the daemon was not told: its session ends by itself");
    return Failure(answer.error());
  }
  call.note(fmt::format("signed out at {}", url));
  return exit_code::kDone;
}

/// Where the credential of this call comes from.
const char* source_of(const Call& call, const std::string& url) {
  if (call.has("token-file")) {
    return "token-file";
  }
  const auto saved = find_login(url);
  if (saved && *saved) {
    return "login";
  }
  const auto running = find_runtime_file();
  return running && running->url == url ? "local-key" : "none";
}

Result<int> status(Call& call) {
  const std::string url = url_of(call);
  const std::string source = source_of(call, url);
  const auto running = find_runtime_file();
  Remote& daemon = call.connect(url, call.credential_for(url, running && running->url == url));
  const auto answer = daemon.exchange("GET", "/auth/me");
  if (!answer) {
    return Failure(answer.error());
  }
  const bool is_known = answer->status == 200;
  const auto document = json::Document::parse(answer->body, json::kApi);
  const auto user = is_known && document ? document->root().find("user") : std::nullopt;
  if (!is_known && answer->status != 401) {
    return Failure(error_of(*answer));
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.auth/1").member("url", url);
  out.member("signedIn", user.has_value()).member("source", source);
  std::string human = fmt::format("not signed in at {}\n", url);
  if (user) {
    const auto text_of = [&](const char* name) {
      const auto member = user->find(name);
      return std::string(member ? member->as_string().value_or("") : std::string_view());
    };
    const std::string name = text_of("email").empty() ? text_of("id") : text_of("email");
    out.member("email", text_of("email")).key("user").value(*user);
    human = fmt::format("{} at {} ({})\n", name, url, source);
  }
  const auto printed =
      call.print(Document{.json = out.end_object().take(), .human = std::move(human)});
  return printed && !user ? Result<int>(exit_code::kNo) : printed;
}

constexpr std::string_view kAuthSchema =
    R"({"type":"object","required":["schema","url","signedIn","source"],"properties":{)"
    R"("schema":{"const":"edge.auth/1"},"url":{"type":"string"},"signedIn":{"type":"boolean"},)"
    R"("source":{"enum":["login","token-file","local-key","none"]},"email":{"type":"string"},)"
    R"("user":{"type":"object"}}})";

}  // namespace

void auth(Tree& tree) {
  tree.noun("auth", Section::Setup, "Signing in at a daemon");
  tree.command("auth login", "Sign in and keep the session")
      .option({.name = "email", .value = "A", .help = "address; asked for when not given"})
      .option({.name = "password-file",
               .value = "FILE",
               .help = "file with the password; else it is asked for, or read from standard input",
               .complete = Complete::Files})
      .about(
          "The tokens go into auth.json of the state directory, mode 0600, one session for each "
          "daemon. They are refreshed when needed and shown to no other daemon.")
      .example("auth login --url https://edge.example.com --email ada@example.com",
               "asks for the password")
      .exits(exit_code::kNotAllowed, "the address or the password is wrong")
      .exits(exit_code::kUnreachable, "the daemon cannot be reached")
      .exits(exit_code::kRefused, "too many attempts")
      .see("auth status")
      .output("auth", kAuthSchema)
      .runs(login);
  tree.command("auth logout", "End the session and forget it")
      .changes()
      .example("auth logout", "at the running daemon")
      .exits(exit_code::kUnreachable, "the daemon cannot be reached; the session is forgotten")
      .see("auth login")
      .runs(logout);
  tree.command("auth status", "Who the daemon takes this user for, and by which credential")
      .example("auth status --json --select /user/roles", "for a script")
      .exits(exit_code::kNo, "not signed in, or the credential is no longer good")
      .exits(exit_code::kUnreachable, "the daemon cannot be reached")
      .see("auth login")
      .output("auth", kAuthSchema)
      .runs(status);
}

}  // namespace edge::cli::commands
