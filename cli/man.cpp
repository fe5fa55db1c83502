// SPDX-License-Identifier: MIT
// Man pages in mdoc(7) from the command table. Text lines are broken so that `mandoc -T lint` has
// nothing to say: one sentence per line, none longer than 78 octets, nothing but ASCII.
#include "cli/man.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/help.h"
#include "cli/topics.h"
#include "core/config/keys.h"
#include "core/encoding/utf8.h"

namespace edge::cli {
namespace {

constexpr std::size_t kLineWidth = 78;
constexpr std::string_view kDate = "November 24, 2026";

/// Characters with a meaning to roff, and everything beyond ASCII, as escapes.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t point = encoding::next_code_point(text, at);
    if (point == '\\') {
      out += "\\e";
    } else if (point == 0x2026) {
      out += "...";
    } else if (point < 0x80) {
      out += static_cast<char>(point);
    } else {
      out += fmt::format("\\[u{:04X}]", point);
    }
  }
  return out;
}

/// An argument of a request, in which quotes have a meaning too.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char octet : escaped(text)) {
    out += octet == '"' ? "\\(dq" : std::string(1, octet);
  }
  return out;
}

/// Text lines: sentences apart, long ones broken at blanks.
std::string prose(std::string_view text) {
  std::string out;
  std::string line;
  const auto finish = [&out, &line] {
    if (!line.empty()) {
      const bool is_request = line[0] == '.' || line[0] == '\'';
      out += fmt::format("{}{}\n", is_request ? "\\&" : "", line);
      line.clear();
    }
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word = escaped(text.substr(0, end));
    if (!line.empty() && line.size() + 1 + word.size() > kLineWidth) {
      finish();
    }
    line += (line.empty() ? "" : " ") + word;
    if (word.ends_with('.') || word.ends_with(".)")) {
      finish();
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  finish();
  return out;
}

std::string head(std::string_view name, std::string_view section, std::string_view purpose) {
  std::string title(name);
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  return fmt::format(
      ".\\\" SPDX-License-Identifier: MIT\n.\\\" Written by `edgectl __man` from the command "
      "table.\n"
      ".Dd {}\n.Dt {} {}\n.Os\n.Sh NAME\n.Nm {}\n.Nd {}\n",
      kDate,
      title,
      section,
      name,
      quoted(purpose));
}

std::string synopsis_line(const Command& command) {
  std::string line = fmt::format(".Nm edgectl\n.Cm {}\n", command.name());
  for (const Option& option : command.options()) {
    if (option.required) {
      line += fmt::format(".Fl -{} Ar {}\n", option.name, option.value);
    }
  }
  line += ".Op Ar flags\n";
  for (const Option& positional : command.positionals()) {
    line += fmt::format(".{}Ar {}{}\n",
                        positional.required ? "" : "Op ",
                        positional.name,
                        positional.repeatable ? " ..." : "");
  }
  return line;
}

std::string option_items(const std::vector<const Option*>& options) {
  std::string text = ".Bl -tag -width Ds\n";
  for (const Option* option : options) {
    text += ".It ";
    text += option->letter != 0 ? fmt::format("Fl {} , ", option->letter) : "";
    text += fmt::format("Fl -{}", option->name);
    text += option->takes_value() ? fmt::format(" Ar {}\n", option->value) : "\n";
    text += prose(explanation_of(*option) + ".");
  }
  return text + ".El\n";
}

std::vector<const Option*> own_options(const Command& command) {
  std::vector<const Option*> options;
  for (const Option& option : command.options()) {
    if (!option.hidden) {
      options.push_back(&option);
    }
  }
  return options;
}

std::string sentence(std::string_view text) {
  return fmt::format("{}.", text);
}

std::string command_section(const Command& command) {
  std::string text = fmt::format(".Ss {}\n{}", command.name(), prose(sentence(command.help())));
  for (const std::string_view paragraph : command.paragraphs()) {
    text += ".Pp\n" + prose(paragraph);
  }
  if (!command.positionals().empty()) {
    text += ".Pp\nArguments:\n.Bl -tag -width Ds\n";
    for (const Option& positional : command.positionals()) {
      text += fmt::format(
          ".It Ar {}\n{}", positional.name, prose(sentence(explanation_of(positional))));
    }
    text += ".El\n";
  }
  const std::vector<const Option*> options = own_options(command);
  if (!options.empty()) {
    text += ".Pp\nFlags:\n" + option_items(options);
  }
  if (!command.exit_notes().empty()) {
    text += ".Pp\nExit codes:\n.Bl -tag -width Ds\n";
    for (const ExitNote& note : command.exit_notes()) {
      text += fmt::format(".It {}\n{}", note.code, prose(sentence(note.note)));
    }
    text += ".El\n";
  }
  return text;
}

std::string examples_section(const std::vector<const Command*>& commands) {
  std::string text = ".Sh EXAMPLES\n";
  bool first = true;
  for (const Command* command : commands) {
    for (const Example& example : command->examples()) {
      text += first ? "" : ".Pp\n";
      text += prose(fmt::format("{}:", example.note));
      text += fmt::format(".Dl edgectl {}\n", quoted(example.arguments));
      first = false;
    }
  }
  return text;
}

std::string see_also(std::vector<std::string> pages) {
  std::sort(pages.begin(), pages.end(), [](const std::string& left, const std::string& right) {
    return std::pair(left.back(), left) < std::pair(right.back(), right);
  });
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::string text = ".Sh SEE ALSO\n";
  for (std::size_t i = 0; i < pages.size(); ++i) {
    text += fmt::format(".Xr {}{}\n", pages[i], i + 1 < pages.size() ? " ," : "");
  }
  return text;
}

ManPage noun_page(const Tree& tree, const Noun& noun) {
  const std::string name = fmt::format("edgectl-{}", noun.name);
  std::vector<const Command*> commands;
  for (const Command& command : tree.commands()) {
    if (command.noun() == noun.name && !command.hidden()) {
      commands.push_back(&command);
    }
  }
  std::string text = head(name, "1", noun.help) + ".Sh SYNOPSIS\n";
  for (const Command* command : commands) {
    text += synopsis_line(*command);
  }
  text += ".Sh DESCRIPTION\nFlags that every command takes are in\n.Xr edgectl 1 .\n";
  for (const Command* command : commands) {
    text += command_section(*command);
  }
  text += examples_section(commands);
  return {name + ".1", text + see_also({"edgectl 1", "edge.toml 5", "edged 8"})};
}

/// edge.toml(5): every key and list of the table in core/config/keys.cpp.
ManPage config_page() {
  std::string text = head("edge.toml", "5", "settings of edgectl and edged");
  text +=
      ".Sh DESCRIPTION\n"
      "The file is TOML 1.0.\nIt is looked for at\n.Fl -config ,\n.Ev EDGE_CONFIG ,\n"
      ".Pa edge.toml\nin the working directory and its parents up to one with a\n.Pa .git ,\nthen "
      "in\n"
      ".Pa $XDG_CONFIG_HOME/edgectl\nand in\n.Pa /etc/edgectl .\nThe first found is used "
      "alone.\n.Pp\n"
      "A flag wins over the environment, that over an overlay\n.Bq env.NAME\nthat\n.Fl -env\n"
      "chooses, that over the rest of the file, that over the default.\n"
      "An overlay names only what differs; lists replace.\nUnknown keys are errors.\n"
      "Relative paths are below the directory of the file.\n.Ss Keys\n.Bl -tag -width Ds\n";
  const config::Config defaults;
  for (const config::Key& key : config::keys()) {
    const std::string value = config::value_text(key, defaults);
    text += fmt::format(".It Cm {}\n{}", key.name, prose(sentence(key.help)));
    if (!key.choices.empty()) {
      text += prose(fmt::format("One of {}.", fmt::join(key.choices, ", ")));
    }
    text += prose(value.empty() ? std::string("Not set by default.")
                                : fmt::format("Default: {}.", value));
    text += fmt::format("Variable:\n.Ev {}\n", config::variable_of(key));
  }
  text += ".El\n.Ss Lists of tables\n.Bl -tag -width Ds\n";
  for (const config::List& list : config::lists()) {
    text += fmt::format(".It Bq Bq Cm {}\n{}", list.name, prose(sentence(list.help)));
  }
  text +=
      ".El\n.Pp\nA table of\n.Bq env.NAME\nmay also say\n.Cm protected\n= true: commands that "
      "delete or replay "
      "then ask\nfor its name.\n.Sh EXAMPLES\n"
      ".Bd -literal -offset indent\n[server]\nlisten = [\"127.0.0.1:9100\"]\n\n[[destinations]]\n"
      "name = \"orders\"\ntype = \"webhook\"\nurl = \"https://shop.example.com/hook\"\nenabled = "
      "true\n\n"
      "[env.staging.server]\nlisten = [\"127.0.0.1:9200\"]\n.Ed\n";
  return {"edge.toml.5", text + see_also({"edgectl 1", "edgectl-config 1", "edged 8"})};
}

std::string environment_section() {
  std::string text = ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n";
  for (const Variable& variable : environment_variables()) {
    std::string names = variable.name;
    for (std::size_t at = names.find(", "); at != std::string::npos;
         at = names.find(", ", at + 3)) {
      names.replace(at, 2, " , ");
    }
    const bool is_flag = variable.meaning.starts_with("--");
    text += fmt::format(".It Ev {}\n", names);
    text += is_flag ? fmt::format("The same as\n.Fl {} .\n", variable.meaning.substr(1))
                    : prose(sentence(variable.meaning));
  }
  return text + ".El\n.Pp\nA variable EDGE_SECTION_KEY stands for a key of\n.Xr edge.toml 5 .\n";
}

ManPage main_page(const Tree& tree) {
  std::vector<const Command*> commands;
  for (const Command& command : tree.commands()) {
    if (command.verb().empty() && !command.hidden()) {
      commands.push_back(&command);
    }
  }
  std::string text =
      head("edgectl",
           "1",
           "tracking pixels, events, profiles and feature decisions on your own machine");
  text += ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar flags\n.Op Ar argument ...\n.Sh DESCRIPTION\n";
  text +=
      "Standard output carries the result and nothing else; talk goes to standard\nerror.\n"
      "Flags may stand before or behind the words of a command.\n.Pp\nGroups of commands:\n"
      ".Bl -tag -width Ds\n";
  std::vector<std::string> pages = {"edge.toml 5", "edged 8"};
  for (const Noun& noun : tree.nouns()) {
    text += fmt::format(
        ".It Cm {}\n{}See\n.Xr edgectl-{} 1 .\n", noun.name, prose(sentence(noun.help)), noun.name);
    pages.push_back(fmt::format("edgectl-{} 1", noun.name));
  }
  text += ".El\n.Pp\nFlags that every command takes:\n";
  std::vector<const Option*> globals;
  for (const Option& option : global_options()) {
    globals.push_back(&option);
  }
  text += option_items(globals);
  for (const Command* command : commands) {
    text += command_section(*command);
  }
  text += environment_section() + ".Sh EXIT STATUS\n.Bl -tag -width Ds\n";
  for (const ExitNote& note : exit_codes()) {
    text += fmt::format(".It {}\n{}", note.code, prose(sentence(note.note)));
  }
  text += ".El\n" + examples_section(commands);
  return {"edgectl.1", text + see_also(std::move(pages))};
}

}  // namespace

std::vector<ManPage> man_pages(const Tree& tree) {
  std::vector<ManPage> pages = {main_page(tree)};
  for (const Noun& noun : tree.nouns()) {
    pages.push_back(noun_page(tree, noun));
  }
  pages.push_back(config_page());
  return pages;
}

}  // namespace edge::cli
