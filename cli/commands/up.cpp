// SPDX-License-Identifier: MIT
// Starting and stopping the daemon of this user.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/daemon_process.h"
#include "cli/demo_credentials.h"
#include "core/config/load.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

std::vector<std::string> daemon_arguments(const Call& call) {
  std::vector<std::string> arguments;
  const std::string config = call["config"];
  const auto file =
      config == "none" ? std::string("none") : config::find_file(call.config_sources()).string();
  if (!file.empty()) {
    arguments.insert(arguments.end(), {"--config", file});
  }
  for (const char* name : {"env", "env-file"}) {
    if (call.has(name)) {
      arguments.insert(arguments.end(), {std::string("--") + name, call[name]});
    }
  }
  arguments.insert(arguments.end(),
                   {"--data-dir", config::find_data_dir(call.config_sources()).string()});
  if (call.has("listen")) {
    arguments.insert(arguments.end(), {"--listen", call["listen"]});
  } else if (call.has("port")) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:" + call["port"]});
  }
  if (call.flag("demo")) {
    arguments.emplace_back("--demo");
  }
  return arguments;
}

[[noreturn]] void run_in_foreground(std::vector<std::string> arguments) {
  const std::string program = find_edged();
  if (program.empty()) {
    throw Stop({.error = {ErrorCode::NotFound, "no program edged beside edgectl or in PATH"}});
  }
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  throw Stop({.error = {ErrorCode::Unavailable, fmt::format("cannot run '{}'", program)}});
}

std::string up_json(const RuntimeFile& runtime, const Started* started) {
  json::Writer out;
  out.begin_object().member("schema", "edge.up/1").member("url", runtime.url);
  out.member("version", runtime.version).member("pid", runtime.pid);
  out.member("alreadyRunning", started == nullptr);
  if (started != nullptr) {
    out.member("readyMs", std::int64_t{started->after.count()});
  }
  return out.member("log", log_path()).end_object().take();
}

Result<int> run_up(Call& call) {
  if (const auto running = find_runtime_file()) {
    return call.print(Document{
        .json = up_json(*running, nullptr),
        .human =
            fmt::format("edged {} is running already   {}\n", running->version, running->url)});
  }
  std::vector<std::string> arguments = daemon_arguments(call);
  if (call.flag("foreground")) {
    run_in_foreground(std::move(arguments));
  }
  arguments.insert(arguments.end(), {"--log-format", "json"});
  int exit_of = 0;
  const auto started = launch(
      {.arguments = arguments, .log = log_path(), .patience = call.duration("wait")}, exit_of);
  if (!started) {
    const bool has_run = started.error().code != ErrorCode::NotFound;
    Problem problem{.error = started.error(), .hint = has_run ? "edgectl logs" : "edgectl doctor"};
    if (exit_of == exit_code::kBadInput) {
      problem.error.code = ErrorCode::InvalidArgument;
      problem.hint = "edgectl config validate";
    } else if (exit_of == exit_code::kLocalResource &&
               problem.error.message.find("in use") != std::string::npos) {
      problem.hint = "edgectl up --port 0";
    }
    return call.fail(problem);
  }
  const RuntimeFile& runtime = started->runtime;
  if (call.flag("demo")) {
    if (const auto shown = show_demo_credentials(call, runtime); !shown) {
      return Failure(shown.error());
    }
  }
  return call.print(Document{
      .json = up_json(runtime, &*started),
      .human = fmt::format(
          "edged {} ready in {} ms   {}\n", runtime.version, started->after.count(), runtime.url)});
}

Result<int> down(Call& call) {
  const auto running = find_runtime_file();
  if (!running) {
    call.note("no daemon is running");
    return exit_code::kDone;
  }
  if (call.dry_run()) {
    call.note(fmt::format("would stop edged, process {}", running->pid));
    return exit_code::kDone;
  }
  if (!stop_daemon(running->pid, call.duration("wait"))) {
    return call.fail({.error = {ErrorCode::DeadlineExceeded,
                                fmt::format("edged, process {}, is still running", running->pid),
                                {},
                                "timeout"},
                      .hint = "edgectl down --wait 2m"});
  }
  call.note(fmt::format("stopped edged {}", running->version));
  return exit_code::kDone;
}

}  // namespace

void up(Tree& tree) {
  tree.command("up", "Start the daemon")
      .in(Section::Daemon)
      .option({.name = "port",
               .value = "PORT",
               .help = "on 127.0.0.1, instead of the configured address; 0 = any free port",
               .type = Type::Integer})
      .option(
          {.name = "listen", .value = "ADDR", .help = "address:port instead of the configured one"})
      .flag("foreground", "stay in the foreground, log to standard error")
      .flag("demo", "demo mode: looser rules, on this machine only")
      .option({.name = "env-file",
               .value = "FILE",
               .help = "lines NAME=value that count as environment",
               .complete = Complete::Files})
      .option({.name = "wait",
               .value = "DUR",
               .help = "how long to wait until it is ready",
               .type = Type::Duration,
               .fallback = "10s"})
      .example("up", "in the background; says where")
      .example("up --port 0", "on any free port")
      .output(
          "up",
          R"({"type":"object","required":["schema","url","version","pid","alreadyRunning","log"],)"
          R"("properties":{"schema":{"const":"edge.up/1"},"url":{"type":"string"},)"
          R"("version":{"type":"string"},"pid":{"type":"integer"},"alreadyRunning":{"type":"boolean"},)"
          R"("readyMs":{"type":"integer"},"log":{"type":"string"}}})")
      .exits(exit_code::kBadInput, "the daemon refuses its configuration")
      .exits(exit_code::kUnreachable, "it did not get ready in time")
      .exits(exit_code::kLocalResource, "the port is in use or the store is held")
      .see("edged(8)")
      .runs(run_up);
  tree.command("down", "Stop the daemon")
      .in(Section::Daemon)
      .option({.name = "wait",
               .value = "DUR",
               .help = "how long to wait until it has gone",
               .type = Type::Duration,
               .fallback = "30s"})
      .changes()
      .example("down", "what was accepted is kept")
      .exits(exit_code::kUnreachable, "it is still running after the wait")
      .see("edged(8)")
      .runs(down);
}

}  // namespace edge::cli::commands
