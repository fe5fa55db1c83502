// SPDX-License-Identifier: MIT
// What a call uses of the world outside its arguments, each made at its first use.
#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "cli/call.h"
#include "cli/command.h"
#include "cli/lazy.h"
#include "cli/remote.h"
#include "cli/saved_login.h"
#include "cli/terminal.h"
#include "core/config/load.h"
#include "core/transport/guard.h"
#include "core/transport/open.h"

namespace edge::cli {
namespace {

Format format_of(std::string_view name) {
  if (name == "json") {
    return Format::Json;
  }
  if (name == "jsonl") {
    return Format::JsonLines;
  }
  if (name == "csv") {
    return Format::Csv;
  }
  return name == "tsv" ? Format::Tsv : Format::Table;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

}  // namespace

Call::Call(const Tree& tree, const Command& command, Given given)
    : tree_(tree),
      command_(command),
      given_(std::move(given)),
      output_(STDOUT_FILENO, (*this)["output"]),
      lazy_(std::make_unique<Lazy>()) {
  layout_.format = flag("json") ? Format::Json : format_of((*this)["format"]);
  layout_.select = all("select");
  layout_.terminal = !has("output") && is_terminal(STDOUT_FILENO);
  layout_.width = layout_.terminal ? terminal_width(STDOUT_FILENO) : 80;
  layout_.color =
      !has("output") && wants_color(STDOUT_FILENO, flag("no-color") ? "never" : (*this)["color"]);
}

Call::~Call() = default;

Side Call::side() const {
  return lazy_->remote ? Side::Remote : Side::Local;
}

config::Sources Call::config_sources() const {
  return {.file = (*this)["config"], .overlay = (*this)["env"], .data_dir = (*this)["data-dir"]};
}

const config::Loaded& Call::loaded_config() {
  if (!lazy_->config) {
    auto loaded = config::load(config_sources());
    if (!loaded) {
      throw Stop({.error = loaded.error()});
    }
    lazy_->config = std::move(*loaded);
  }
  return *lazy_->config;
}

const config::Config& Call::config() {
  return loaded_config().config;
}

Remote& Call::connect(std::string url, std::string token) {
  detail(fmt::format("via {}", url));
  lazy_->remote =
      std::make_unique<Remote>(Remote::Options{.url = without_slash(std::move(url)),
                                               .token = std::move(token),
                                               .timeout = duration("timeout"),
                                               .trace = verbosity()},
                               transport::open_client(transport::GuardRules::trusted(), clock_));
  return *lazy_->remote;
}

std::string Call::credential_for(const std::string& url, bool is_running_here) const {
  if (has("token-file")) {
    auto token = read_whole((*this)["token-file"]);
    if (!token) {
      throw Stop({.error = token.error()});
    }
    return trimmed(std::move(*token));
  }
  const auto client = transport::open_client(transport::GuardRules::trusted(), clock_);
  auto token = login_token(url, *client, clock_);
  if (!token) {
    throw Stop(
        {.error = token.error(), .side = Side::Remote, .hint = "edgectl auth login --url " + url});
  }
  if (*token) {
    return std::move(**token);
  }
  // The local key is a credential of the daemon on this machine and goes nowhere else.
  return is_running_here ? local_key() : std::string();
}

Remote* Call::asked_daemon() {
  if (lazy_->remote) {
    return lazy_->remote.get();
  }
  const std::string url = without_slash((*this)["url"]);
  if (url.empty()) {
    return nullptr;
  }
  const auto running = find_runtime_file();
  return &connect(url, credential_for(url, running && running->url == url));
}

Remote* Call::running_daemon() {
  if (Remote* asked = asked_daemon()) {
    return asked;
  }
  if (flag("local")) {
    return nullptr;
  }
  const auto running = find_runtime_file();
  return running ? &connect(running->url, credential_for(running->url, true)) : nullptr;
}

Remote& Call::remote() {
  Remote* daemon = running_daemon();
  if (daemon == nullptr) {
    throw Stop({.error = {ErrorCode::Unavailable,
                          "no daemon is running for this user",
                          {},
                          "connect_failed"},
                .hint = "edgectl up"});
  }
  return *daemon;
}

}  // namespace edge::cli
