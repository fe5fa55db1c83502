// SPDX-License-Identifier: MIT
#include "cli/call.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "cli/command.h"
#include "cli/frame.h"
#include "cli/pager.h"
#include "cli/terminal.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

// A signal handler can reach nothing else.
std::atomic<int> seen_signal{0};

void on_signal(int number) {
  if (seen_signal.exchange(number) != 0) {
    ::_exit(128 + number);
  }
}

const Option& row_of(const Command& command, std::string_view name) {
  for (const Option& positional : command.positionals()) {
    if (positional.name == name) {
      return positional;
    }
  }
  const Option* option = command.find_option(name);
  if (option == nullptr) {
    throw std::logic_error(fmt::format("'{}' has no option '{}'", command.name(), name));
  }
  return *option;
}

/// A value that was checked while parsing.
template <typename T>
T checked(Result<T> value) {
  if (!value) {
    throw std::logic_error(value.error().message);
  }
  return *std::move(value);
}

void to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) {
      return;  // nowhere left to say so
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// One line typed at the terminal, whatever stdin is.
Result<std::string> ask(std::string_view prompt) {
  if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO)) {
    return Failure(usage_error("needs a confirmation; without a terminal give --yes"));
  }
  to_stderr(prompt);
  LineReader terminal(STDIN_FILENO, false, "the terminal");
  std::string line;
  if (const auto got = terminal.next(line); !got) {
    return Failure(got.error());
  }
  return line;
}

}  // namespace

const std::vector<std::string>* Call::texts(std::string_view name) const {
  const auto found = given_.values.find(name);
  return found == given_.values.end() ? nullptr : &found->second;
}

std::string Call::operator[](std::string_view name) const {
  const Option& option = row_of(command_, name);
  const auto* given = texts(name);
  return given != nullptr ? given->back() : std::string(option.fallback);
}

std::vector<std::string> Call::all(std::string_view name) const {
  const Option& option = row_of(command_, name);
  if (const auto* given = texts(name)) {
    return *given;
  }
  return option.fallback.empty() ? std::vector<std::string>{}
                                 : std::vector<std::string>{std::string(option.fallback)};
}

bool Call::has(std::string_view name) const {
  row_of(command_, name);
  return texts(name) != nullptr;
}

int Call::count(std::string_view name) const {
  const auto* given = texts(name);
  return given == nullptr ? 0 : static_cast<int>(given->size());
}

std::int64_t Call::integer(std::string_view name) const {
  return checked(parse_integer((*this)[name]));
}
double Call::number(std::string_view name) const {
  return checked(parse_number((*this)[name]));
}
std::chrono::milliseconds Call::duration(std::string_view name) const {
  return checked(parse_duration((*this)[name]));
}
Time Call::time(std::string_view name) const {
  return checked(parse_time((*this)[name], clock_.now()));
}
std::uint64_t Call::size(std::string_view name) const {
  return checked(parse_size((*this)[name]));
}
Rate Call::rate(std::string_view name) const {
  return checked(parse_rate((*this)[name]));
}

Result<std::vector<KeyValue>> Call::pairs(std::string_view name) const {
  std::vector<KeyValue> found;
  for (const std::string& text : all(name)) {
    auto pair = parse_key_value(text);
    if (!pair) {
      return Failure(pair.error());
    }
    found.push_back(std::move(*pair));
  }
  return found;
}

Result<std::string> Call::object(std::string_view name) const {
  const auto found = pairs(name);
  if (!found) {
    return Failure(found.error());
  }
  json::Writer out;
  out.begin_object();
  for (std::size_t i = 0; i < found->size(); ++i) {
    const KeyValue& pair = (*found)[i];
    const bool repeated =
        std::any_of(found->begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    found->end(),
                    [&pair](const KeyValue& later) { return later.key == pair.key; });
    if (!repeated) {
      out.key(pair.key).raw(pair.json);
    }
  }
  return out.end_object().take();
}

Result<std::string> Call::read(const std::string& path) const {
  return read_whole(path);
}

Result<std::string> Call::input() const {
  return read_whole((*this)["input"]);
}

Result<std::unique_ptr<LineReader>> Call::open_lines(const std::string& path) const {
  return cli::open_lines(path);
}

Result<int> Call::print(const Document& document) {
  const auto text = render(document, layout_);
  if (!text) {
    return Failure(text.error());
  }
  return show(*text);
}

Result<int> Call::print(const Listing& listing) {
  const auto text = render(listing, layout_);
  if (!text) {
    return Failure(text.error());
  }
  return show(*text);
}

Result<int> Call::show(const std::string& text) {
  const bool paged = layout_.terminal && layout_.format == Format::Table && !flag("no-pager");
  if (!paged || !page(text)) {
    output_.write(text);
  }
  return exit_code::kDone;
}

void Call::note(std::string_view text) const {
  if (!quiet()) {
    to_stderr(fmt::format("{}\n", text));
  }
}

void Call::detail(std::string_view text) const {
  if (verbosity() > 0) {
    to_stderr(fmt::format("{}\n", text));
  }
}

int Call::fail(const Problem& problem) {
  failed_ = true;
  const std::string when = flag("no-color") ? "never" : (*this)["color"];
  const ErrorStyle style{
      .json = layout_.format == Format::Json || layout_.format == Format::JsonLines,
      .color = wants_color(STDERR_FILENO, when)};
  to_stderr(error_text(command_.name(), problem, style));
  return exit_code_of(problem.error, problem.side);
}

Result<bool> Call::confirm(std::string_view question) const {
  if (flag("yes")) {
    return true;
  }
  if (flag("no-input")) {
    return Failure(usage_error("needs a confirmation; give --yes"));
  }
  const auto line = ask(fmt::format("{} [y/N] ", question));
  if (!line) {
    return Failure(line.error());
  }
  return *line == "y" || *line == "Y" || *line == "yes";
}

Result<bool> Call::confirm_name(std::string_view question, std::string_view name) const {
  if (flag("yes")) {
    return true;
  }
  if (flag("no-input")) {
    return Failure(usage_error("needs a confirmation; give --yes"));
  }
  const auto line = ask(fmt::format("{} Type '{}' to go on: ", question, name));
  if (!line) {
    return Failure(line.error());
  }
  return *line == name;
}

const std::atomic<int>& Call::interruption() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return seen_signal;
}

}  // namespace edge::cli
