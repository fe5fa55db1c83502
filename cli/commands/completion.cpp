// SPDX-License-Identifier: MIT
// Completion: a small script per shell that asks the hidden `__complete`, which knows the command
// table and local files only. It answers `value<TAB>description` lines and last `:files`, `:dirs`
// or `:none`, and never fails aloud.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "core/config/load.h"
#include "core/json/document.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kBash =
    R"(# bash completion for edgectl; written by `edgectl completion bash`
_edgectl() {
  local line mode=none value current=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) mode=${line#:} ;;
      *)
        value=${line%%$'\t'*}
        [[ $value == "$current"* ]] && COMPREPLY+=("$value")
        ;;
    esac
  done < <(edgectl __complete -- "${words[@]}" 2>/dev/null)
  case $mode in
    files) compopt -o default 2>/dev/null ;;
    dirs) compopt -o dirnames 2>/dev/null ;;
  esac
  return 0
}
complete -F _edgectl edgectl
)";

constexpr std::string_view kZsh = R"(#compdef edgectl
# zsh completion for edgectl; written by `edgectl completion zsh`
_edgectl() {
  local line mode=none
  local -a described
  while IFS= read -r line; do
    case $line in
      :*) mode=${line#:} ;;
      *) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
    esac
  done < <(edgectl __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#described} )) && _describe -V edgectl described
  case $mode in
    files) _files ;;
    dirs) _files -/ ;;
  esac
}
if [ "$funcstack[1]" = "_edgectl" ]; then
  _edgectl "$@"
else
  compdef _edgectl edgectl
fi
)";

constexpr std::string_view kFish =
    R"(# fish completion for edgectl; written by `edgectl completion fish`
function __edgectl_complete
    set -l words (commandline -opc)
    set -e words[1]
    for line in (edgectl __complete -- $words (commandline -ct) 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':dirs'
                __fish_complete_directories (commandline -ct)
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c edgectl -f -a '(__edgectl_complete)'
)";

/// What `__complete` answers.
class Answer {
 public:
  void add(std::string_view value, std::string_view help) {
    text_ += fmt::format("{}\t{}\n", value, help);
  }
  void set_mode(std::string_view mode) { mode_ = mode; }
  [[nodiscard]] std::string text() const { return fmt::format("{}:{}\n", text_, mode_); }

 private:
  std::string text_;
  std::string_view mode_ = "none";
};

void add_destinations(Call& call, Answer& answer) {
  const auto loaded = config::load(call.config_sources());
  if (!loaded) {
    return;
  }
  for (const config::Item& item : loaded->config.destinations) {
    const auto document = json::Document::parse(item.json, json::kStrict);
    const auto name = document ? document->root().find("name") : std::nullopt;
    if (name && name->as_string()) {
      answer.add(*name->as_string(), "destination");
    }
  }
}

void add_words(const Tree& tree, const Noun* noun, Answer& answer) {
  if (noun == nullptr) {
    for (const Noun& one : tree.nouns()) {
      answer.add(one.name, one.help);
    }
  }
  for (const Command& command : tree.commands()) {
    const bool wanted = noun == nullptr ? command.verb().empty() : command.noun() == noun->name;
    if (wanted && !command.hidden()) {
      answer.add(noun == nullptr ? command.name() : command.verb(), command.help());
    }
  }
}

void add_values(Call& call, const Option& option, Answer& answer) {
  for (const std::string_view choice : option.choices) {
    answer.add(choice, option.help);
  }
  switch (option.complete) {
    case Complete::Files:
      answer.set_mode("files");
      break;
    case Complete::Directories:
      answer.set_mode("dirs");
      break;
    case Complete::Commands:
      add_words(call.tree(), nullptr, answer);
      break;
    case Complete::Environments:
      if (const auto loaded = config::load(call.config_sources())) {
        for (const std::string& name : loaded->overlays) {
          answer.add(name, "overlay");
        }
      }
      break;
    case Complete::Destinations:
      add_destinations(call, answer);
      break;
    case Complete::Nothing:
      break;
  }
}

void add_flags(const Command* command, Answer& answer) {
  const auto add = [&answer](const std::vector<Option>& options) {
    for (const Option& option : options) {
      if (!option.hidden) {
        answer.add("--" + std::string(option.name), option.help);
      }
    }
  };
  if (command != nullptr) {
    add(command->options());
  }
  add(global_options());
}

/// Where the typed words have led.
struct Place {
  const Noun* noun = nullptr;
  const Command* command = nullptr;
  const Option* waiting = nullptr;  // an option whose value is the word to complete
  std::size_t positionals = 0;
};

const Option* find_flag(const Place& place, std::string_view word) {
  const auto matches = [word](const Option& option) {
    return word == "--" + std::string(option.name) ||
           (option.letter != 0 && word == "-" + std::string(1, option.letter));
  };
  for (const auto* options :
       {place.command != nullptr ? &place.command->options() : nullptr, &global_options()}) {
    if (options == nullptr) {
      continue;
    }
    const auto found = std::find_if(options->begin(), options->end(), matches);
    if (found != options->end()) {
      return &*found;
    }
  }
  return nullptr;
}

Place walk(const Tree& tree, const std::vector<std::string>& words) {
  Place place;
  for (const std::string& word : words) {
    if (place.waiting != nullptr) {
      place.waiting = nullptr;
    } else if (word.size() > 1 && word[0] == '-') {
      const Option* option = find_flag(place, word);
      place.waiting = option != nullptr && option->takes_value() ? option : nullptr;
    } else if (place.command != nullptr) {
      ++place.positionals;
    } else if (place.noun != nullptr) {
      place.command = tree.find(fmt::format("{} {}", place.noun->name, word));
    } else {
      place.noun = tree.find_noun(word);
      place.command = tree.find(word);
    }
  }
  return place;
}

Result<int> complete(Call& call) {
  std::vector<std::string> words = call.all("WORD");
  const std::string current = words.empty() ? std::string() : words.back();
  if (!words.empty()) {
    words.pop_back();
  }
  const Place place = walk(call.tree(), words);
  Answer answer;
  if (place.waiting != nullptr) {
    add_values(call, *place.waiting, answer);
  } else if (current.starts_with('-')) {
    add_flags(place.command, answer);
  } else if (place.command == nullptr) {
    add_words(call.tree(), place.noun, answer);
  } else if (!place.command->positionals().empty()) {
    const auto& positionals = place.command->positionals();
    const std::size_t which = std::min(place.positionals, positionals.size() - 1);
    if (which == place.positionals || positionals[which].repeatable) {
      add_values(call, positionals[which], answer);
    }
  }
  call.out().write(answer.text());
  return exit_code::kDone;
}

Result<int> print_script(Call& call) {
  const std::string shell = call["SHELL"];
  call.out().write(shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
  return exit_code::kDone;
}

}  // namespace

void completion(Tree& tree) {
  tree.command("completion", "Print the completion script of a shell")
      .in(Section::Setup)
      .positional({.name = "SHELL",
                   .help = "which shell",
                   .required = true,
                   .choices = {"bash", "zsh", "fish"}})
      .example("completion bash > ~/.local/share/bash-completion/completions/edgectl", "bash")
      .example("completion fish > ~/.config/fish/completions/edgectl.fish", "fish")
      .example("completion zsh -o ~/.zfunc/_edgectl", "zsh, with ~/.zfunc in fpath")
      .runs(print_script);
  tree.command("__complete", "Answer a shell that completes a command line")
      .in(Section::Setup)
      .positional({.name = "WORD", .help = "the words typed so far", .repeatable = true})
      .example("__complete -- config sh", "what may follow")
      .hide()
      .runs(complete);
}

}  // namespace edge::cli::commands
