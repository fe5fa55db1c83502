// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include <stdexcept>

namespace edge::cli {

Command& Command::in(Section section) {
  section_ = section;
  return *this;
}

Command& Command::option(Option option) {
  if (!option.takes_value()) {
    throw std::logic_error("option --" + std::string(option.name) + " has no value word");
  }
  options_.push_back(std::move(option));
  return *this;
}

Command& Command::flag(std::string_view name, std::string_view help) {
  return flag(Option{.name = name, .help = help});
}

Command& Command::flag(Option option) {
  options_.push_back(std::move(option));
  return *this;
}

Command& Command::positional(Option option) {
  option.value = option.name;
  positionals_.push_back(std::move(option));
  return *this;
}

Command& Command::changes() {
  options_.push_back(dry_run_option());
  return *this;
}

Command& Command::reads_input() {
  options_.push_back(input_option());
  return *this;
}

Command& Command::about(std::string_view paragraph) {
  paragraphs_.push_back(paragraph);
  return *this;
}

Command& Command::example(std::string_view arguments, std::string_view note) {
  examples_.push_back({arguments, note});
  return *this;
}

Command& Command::exits(int code, std::string_view note) {
  exits_.push_back({code, note});
  return *this;
}

Command& Command::see(std::string_view other) {
  see_.push_back(other);
  return *this;
}

Command& Command::output(std::string_view name, std::string_view json_schema) {
  schema_name_ = name;
  schema_ = json_schema;
  return *this;
}

Command& Command::hide() {
  hidden_ = true;
  return *this;
}

void Command::runs(Handler handler) {
  handler_ = std::move(handler);
}

std::string_view Command::verb() const {
  const std::size_t blank = name_.find(' ');
  return blank == std::string_view::npos ? std::string_view() : name_.substr(blank + 1);
}

const Option* Command::find_option(std::string_view long_name) const {
  for (const auto* list : {&options_, &global_options()}) {
    for (const Option& option : *list) {
      if (option.name == long_name) {
        return &option;
      }
    }
  }
  return nullptr;
}

const Option* Command::find_letter(char letter) const {
  for (const auto* list : {&options_, &global_options()}) {
    for (const Option& option : *list) {
      if (option.letter == letter) {
        return &option;
      }
    }
  }
  return nullptr;
}

void Tree::noun(std::string_view name, Section section, std::string_view help) {
  nouns_.push_back({name, section, help});
}

Command& Tree::command(std::string_view name, std::string_view help) {
  return commands_.emplace_back(name, help);
}

const Command* Tree::find(std::string_view name) const {
  for (const Command& command : commands_) {
    if (command.name() == name) {
      return &command;
    }
  }
  return nullptr;
}

const Noun* Tree::find_noun(std::string_view name) const {
  for (const Noun& noun : nouns_) {
    if (noun.name == name) {
      return &noun;
    }
  }
  return nullptr;
}

Section Tree::section_of(const Command& command) const {
  if (command.section()) {
    return *command.section();
  }
  const Noun* noun = find_noun(command.noun());
  return noun == nullptr ? Section::Setup : noun->section;
}

}  // namespace edge::cli
