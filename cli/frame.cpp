// SPDX-License-Identifier: MIT
#include "cli/frame.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "cli/call.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/protection.h"
#include "cli/terminal.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kMostSuggestions = 3;

void to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) {
      return;  // nowhere left to say so
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// `--json` and `--format json` anywhere; looked for in the raw arguments because parsing may fail.
ErrorStyle style_of(const std::vector<std::string>& arguments) {
  ErrorStyle style{.color = wants_color(STDERR_FILENO, "auto")};
  const char* from_environment = std::getenv("EDGE_FORMAT");
  style.json = from_environment != nullptr && std::string_view(from_environment) == "json";
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& argument = arguments[i];
    const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : std::string();
    if (argument == "--json" || argument == "--format=json" || argument == "-fjson" ||
        ((argument == "--format" || argument == "-f") && next == "json")) {
      style.json = true;
    } else if (argument == "--no-color" || argument == "--color=never" ||
               (argument == "--color" && next == "never")) {
      style.color = false;
    } else if (argument == "--color=always" || (argument == "--color" && next == "always")) {
      style.color = true;
    }
  }
  return style;
}

std::string error_json(const Problem& problem, int exit) {
  json::Writer out;
  out.begin_object().key("error").begin_object();
  out.member("code", reason_of(problem.error)).member("exit", exit);
  out.member("message", problem.error.message);
  if (!problem.error.field.empty()) {
    out.member("field", problem.error.field);
  }
  if (!problem.did_you_mean.empty()) {
    out.key("didYouMean").begin_array();
    for (const std::string& one : problem.did_you_mean) {
      out.string(one);
    }
    out.end_array();
  }
  if (!problem.hint.empty()) {
    out.member("hint", problem.hint);
  }
  if (!problem.details.empty()) {
    out.key("details").raw(problem.details);
  }
  return out.end_object().end_object().take() + "\n";
}

int print_text(const std::string& text) {
  Output out(STDOUT_FILENO, "");
  out.write(text);
  out.commit();
  return exit_code::kDone;
}

int answer_help(const Tree& tree, const Invocation& asked, const ErrorStyle& style) {
  if (style.json) {
    return print_text(help_json(tree, asked.command) + "\n");
  }
  if (asked.command != nullptr) {
    return print_text(command_help(tree, *asked.command));
  }
  return print_text(asked.noun != nullptr ? noun_help(tree, *asked.noun) : overview(tree));
}

int refuse(const Tree& tree, const Misuse& misuse, const ErrorStyle& style) {
  const std::string_view name = misuse.command != nullptr ? misuse.command->name()
                                : misuse.noun != nullptr  ? misuse.noun->name
                                                          : std::string_view();
  to_stderr(error_text(name, misuse.problem, style));
  if (!style.json) {
    to_stderr(short_help(tree, misuse.command, misuse.noun));
  }
  return exit_code::kUsage;
}

int run_command(const Tree& tree, Invocation& asked, const ErrorStyle& style) {
  const Command& command = *asked.command;
  const SystemClock clock;
  if (const auto checked = check(command, asked.given, clock.now()); !checked) {
    return refuse(tree, {{.error = checked.error()}, asked.command, nullptr}, style);
  }
  Call call(tree, command, std::move(asked.given));
  try {
    const auto allowed = ask_protected(call);
    const Result<int> result = !allowed   ? Failure(allowed.error())
                               : *allowed ? command.handler()(call)
                                          : Result<int>(exit_code::kNo);
    const int exit = result ? *result : call.fail({.error = result.error(), .side = call.side()});
    if (call.failed()) {
      call.out().abandon();
    } else {
      call.out().commit();
    }
    return exit;
  } catch (const Stop& stop) {
    return call.fail(stop.problem());
  }
}

}  // namespace

std::string error_text(std::string_view command, const Problem& problem, const ErrorStyle& style) {
  const int exit = exit_code_of(problem.error, problem.side);
  if (style.json) {
    return error_json(problem, exit);
  }
  const std::string name = command.empty() ? "edgectl" : fmt::format("edgectl {}", command);
  std::string text = style.color ? fmt::format("\x1b[31m{}:\x1b[0m ", name) : name + ": ";
  text += problem.error.message + "\n";
  if (!problem.did_you_mean.empty()) {
    const std::size_t shown = std::min(problem.did_you_mean.size(), kMostSuggestions);
    text += fmt::format("  did you mean: {}\n",
                        fmt::join(problem.did_you_mean.begin(),
                                  problem.did_you_mean.begin() + static_cast<std::ptrdiff_t>(shown),
                                  ", "));
  }
  if (!problem.hint.empty()) {
    text += fmt::format("  try: {}\n", problem.hint);
  }
  return text;
}

int run(const Tree& tree, const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const ErrorStyle style = style_of(arguments);
  try {
    auto asked = parse(tree, arguments);
    if (!asked) {
      return refuse(tree, asked.error(), style);
    }
    switch (asked->wish) {
      case Invocation::Wish::Help:
        return answer_help(tree, *asked, style);
      case Invocation::Wish::Version:
        return print_text("edgectl " EDGE_VERSION "\n");
      case Invocation::Wish::Run:
        return run_command(tree, *asked, style);
    }
    return exit_code::kBug;
  } catch (const BrokenPipe&) {
    return exit_code::kBrokenPipe;
  } catch (const Stop& stop) {
    to_stderr(error_text("", stop.problem(), style));
    return exit_code_of(stop.problem().error, stop.problem().side);
  } catch (const std::exception& fault) {
    const Problem bug{.error = {ErrorCode::Internal,
                                fmt::format("bug: {} (edgectl {}); please report it with the "
                                            "command line",
                                            fault.what(),
                                            EDGE_VERSION)}};
    to_stderr(error_text("", bug, style));
    return exit_code::kBug;
  }
}

}  // namespace edge::cli
