// SPDX-License-Identifier: MIT
#include "cli/typed.h"

#include <algorithm>
#include <cctype>

#include "cli/command.h"

namespace edge::cli {
namespace {

bool is_plain(std::string_view argument) {
  return !argument.empty() && std::ranges::all_of(argument, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./:=,@%+").find(c) != std::string_view::npos;
  });
}

std::string quoted(std::string_view argument) {
  std::string text = "'";
  for (const char c : argument) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

void add(std::vector<std::string>& arguments, const Option& option, const std::string& value) {
  const std::string dashed = "--" + std::string(option.name);
  if (value.size() > 1 && value.starts_with('-')) {  // else it would look like a flag
    arguments.push_back(dashed + "=" + value);
    return;
  }
  arguments.insert(arguments.end(), {dashed, value});
}

}  // namespace

std::string as_typed(const std::vector<std::string>& arguments) {
  std::string line = "edgectl";
  for (const std::string& argument : arguments) {
    line += " " + (is_plain(argument) ? argument : quoted(argument));
  }
  return line;
}

std::vector<std::string> options_of(
    const Call& call, const std::map<std::string, std::string, std::less<>>& instead) {
  std::vector<std::string> arguments;
  const auto take = [&](const Option& option) {
    const auto other = instead.find(option.name);
    if (other != instead.end()) {
      if (!other->second.empty()) {
        add(arguments, option, other->second);
      }
      return;
    }
    if (!call.has(option.name)) {
      return;
    }
    if (!option.takes_value()) {
      arguments.insert(arguments.end(),
                       static_cast<std::size_t>(call.count(option.name)),
                       "--" + std::string(option.name));
    } else if (option.repeatable) {
      for (const std::string& value : call.all(option.name)) {
        add(arguments, option, value);
      }
    } else {
      add(arguments, option, call[option.name]);
    }
  };
  std::ranges::for_each(call.command().options(), take);
  std::ranges::for_each(global_options(), take);
  return arguments;
}

}  // namespace edge::cli
