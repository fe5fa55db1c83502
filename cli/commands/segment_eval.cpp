// SPDX-License-Identifier: MIT
// Whether somebody is in segments, and why: a stored profile, one from a file, or bare attributes.
#include "cli/commands/segment_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"
#include "core/profiles/segments/definition_files.h"
#include "core/profiles/segments/explain.h"
#include "core/profiles/segments/person_file.h"

namespace edge::cli::commands {
namespace {

/// The explanations of the named segments for one person, as JSON.
struct Explained {
  std::string name = {};
  std::string json = {};
};

bool is_stored_person(const Call& call) {
  return call.has("user");
}

std::string text_in(const std::string& json, std::string_view member) {
  const auto document = json::Document::parse(json, json::kEvent);
  const auto value = document ? document->root().find(member) : std::nullopt;
  return std::string(value ? value->as_string().value_or("") : "");
}

Error no_segment(const std::string& name) {
  return {ErrorCode::NotFound, fmt::format("there is no segment \"{}\"", name)};
}

/// The segments of the configuration alone, for people who are given.
Result<std::shared_ptr<const profiles::Rulebook>> configured_book(Call& call) {
  auto definitions = profiles::configured_definitions(call.config());
  if (!definitions) {
    return Failure(definitions.error());
  }
  std::vector<profiles::Rulebook::Version> versions;
  for (profiles::Definition& definition : *definitions) {
    versions.push_back({.definition = std::move(definition), .generation = versions.size() + 1});
  }
  return profiles::Rulebook::compile(std::move(versions));
}

/// The person that `--profile` or `--attr` describe, every segment evaluated.
Result<profiles::Profile> given_person(Call& call,
                                       const profiles::Rulebook& book,
                                       const profiles::SwitchedOff& switched_off,
                                       Time now) {
  std::string text;
  if (call.has("profile")) {
    auto read = call.read(call["profile"]);
    if (!read) {
      return Failure(read.error());
    }
    text = std::move(*read);
  } else {
    const auto attributes = call.object("attr");
    if (!attributes) {
      return Failure(attributes.error());
    }
    text = fmt::format(R"({{"traits":{}}})", *attributes);
  }
  const auto document = json::Document::parse(text, json::kEvent);
  if (!document) {
    return Failure(document.error());
  }
  auto person = profiles::read_person(document->root(), book, now);
  if (person) {
    profiles::Assessor assessor(book, switched_off);
    assessor.touch_all();
    assessor.assess(*person, now, profiles::Reason::Definition);
  }
  return person;
}

Result<std::vector<Explained>> explain_with(const profiles::Rulebook& book,
                                            const profiles::SwitchedOff& switched_off,
                                            const profiles::Profile& person,
                                            std::vector<std::string> names,
                                            Time now) {
  if (names.empty()) {
    for (const profiles::Segment& segment : book.segments()) {
      if (segment.decides()) {
        names.push_back(segment.definition.name);
      }
    }
    std::ranges::sort(names);
  }
  std::vector<Explained> all;
  for (const std::string& name : names) {
    json::Writer out;
    if (!profiles::explain_segment(out, book, switched_off, name, person, now)) {
      return Failure(no_segment(name));
    }
    all.push_back({name, out.take()});
  }
  return all;
}

Result<std::vector<Explained>> explain_here(Call& call, std::vector<std::string> names) {
  const Time now = call.clock().now();
  if (!is_stored_person(call)) {
    const auto book = configured_book(call);
    const auto& off = call.config().profiles.segments_off;
    const profiles::SwitchedOff switched_off(off.begin(), off.end());
    const auto person = book ? given_person(call, **book, switched_off, now)
                             : Result<profiles::Profile>(Failure(book.error()));
    if (!person) {
      return Failure(person.error());
    }
    return explain_with(**book, switched_off, *person, std::move(names), now);
  }
  Edge& edge = call.edge(Call::Access::Read);
  const auto profile = edge.profiles.find(profiles::Name::UserId, call["user"]);
  if (!profile) {
    return Failure(profile.error());
  }
  if (!*profile) {
    return Failure(
        {ErrorCode::NotFound, fmt::format("no profile has the user id \"{}\"", call["user"])});
  }
  return explain_with(*edge.segments.current()->book,
                      edge.segments.switched_off(),
                      **profile,
                      std::move(names),
                      now);
}

Result<std::vector<std::string>> names_of(Remote& daemon) {
  const auto answer = daemon.get("/cdp/segments/definitions");
  const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                               : Result<json::Document>(Failure(answer.error()));
  const auto list = document ? document->root().find("segments") : std::nullopt;
  if (!list) {
    return Failure(document ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                            : document.error());
  }
  std::vector<std::string> names;
  for (const json::Value one : list->elements()) {
    names.emplace_back(one.find("name")->as_string().value_or(""));
  }
  std::ranges::sort(names);
  return names;
}

Result<std::vector<Explained>> explain_there(Call& call,
                                             Remote& daemon,
                                             std::vector<std::string> names) {
  if (!is_stored_person(call)) {
    return Failure(usage_error("a daemon knows people by --user only"));
  }
  const bool takes_all = names.empty();
  if (takes_all) {
    auto all = names_of(daemon);
    if (!all) {
      return Failure(all.error());
    }
    names = std::move(*all);
  }
  std::vector<Explained> explained;
  for (const std::string& name : names) {
    auto answer = daemon.get(fmt::format("/cdp/segments/definitions/{}/explain?userId={}",
                                         encoding::percent_encode(name),
                                         encoding::percent_encode(call["user"])));
    if (!answer) {
      return Failure(answer.error());
    }
    const std::string state = text_in(answer->body, "state");
    const bool decides = state == name_of(profiles::SegmentState::Ready) ||
                         state == name_of(profiles::SegmentState::Settling);
    if (decides || !takes_all) {
      explained.push_back({name, std::move(answer->body)});
    }
  }
  return explained;
}

Result<std::vector<Explained>> explained(Call& call, std::vector<std::string> names) {
  const int ways =
      (call.has("user") ? 1 : 0) + (call.has("profile") ? 1 : 0) + (call.has("attr") ? 1 : 0);
  if (ways != 1) {
    return Failure(usage_error("say who: --user, --profile or --attr"));
  }
  Remote* const daemon = call.asked_daemon();
  return daemon != nullptr ? explain_there(call, *daemon, std::move(names))
                           : explain_here(call, std::move(names));
}

/// What `--expect` says, in the forms of `decide`: `NAME` for a member, `!NAME` for none,
/// `NAME=VALUE` or `NAME!=VALUE` with true, false or undecided.
struct Expectation {
  std::string text = {};
  std::string name = {};
  std::string value = "true";
  bool is_equal = true;

  [[nodiscard]] bool is_met(const std::string& got) const { return (got == value) == is_equal; }
};

Result<Expectation> expectation_of(const std::string& text) {
  Expectation made{.text = text, .name = text};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    made.is_equal = !text.starts_with('!');
    made.name = text.substr(made.is_equal ? 0 : 1);
  } else {
    made.is_equal = equals == 0 || text[equals - 1] != '!';
    made.name = text.substr(0, equals - (made.is_equal ? 0 : 1));
    made.value = text.substr(equals + 1);
  }
  const bool is_value = made.value == "true" || made.value == "false" || made.value == "undecided";
  if (made.name.empty() || made.name.starts_with('!') || !is_value) {
    return Failure(usage_error(
        fmt::format("\"{}\" is no expectation: NAME, !NAME, NAME=VALUE or NAME!=VALUE with true, "
                    "false or undecided",
                    text),
        "expect"));
  }
  return made;
}

Result<std::vector<Expectation>> expectations_of(const Call& call) {
  std::vector<Expectation> all;
  for (const std::string& text : call.all("expect")) {
    auto one = expectation_of(text);
    if (!one) {
      return Failure(one.error());
    }
    all.push_back(std::move(*one));
  }
  return all;
}

Result<int> eval(Call& call) {
  auto names = call.all("NAME");
  const auto expectations = expectations_of(call);
  if (!expectations) {
    return Failure(expectations.error());
  }
  for (const Expectation& one : *expectations) {
    if (std::ranges::find(names, one.name) == names.end()) {
      names.push_back(one.name);
    }
  }
  const auto all = explained(call, std::move(names));
  if (!all) {
    return Failure(all.error());
  }
  json::Writer out;
  std::string human;
  out.begin_object().member("schema", "edge.segment-eval/1");
  if (call.has("user")) {
    out.member("userId", call["user"]);
  }
  out.key("segments").begin_array();
  std::map<std::string, std::string> values;
  for (const Explained& one : *all) {
    const std::string value = text_in(one.json, "value");
    values[one.name] = value;
    out.begin_object().member("segment", one.name).member("member", value == "true");
    out.member("value", value).end_object();
    human += fmt::format("{}\t{}\n", one.name, value);
  }
  out.end_array();
  bool is_met = true;
  if (!expectations->empty()) {
    human = "EXPECTATION\tGOT\t\n";
    out.key("expectations").begin_array();
    for (const Expectation& one : *expectations) {
      const bool is_ok = one.is_met(values[one.name]);
      is_met = is_met && is_ok;
      out.begin_object().member("expectation", one.text).member("got", values[one.name]);
      out.member("ok", is_ok).end_object();
      human += fmt::format("{}\t{}\t{}\n", one.text, values[one.name], is_ok ? "ok" : "FAIL");
    }
    out.end_array();
  }
  const auto printed = call.print(Document{.json = out.end_object().take(), .human = human});
  return printed ? Result<int>(is_met ? exit_code::kDone : exit_code::kNo) : printed;
}

void print_tree(json::Value node, std::size_t depth, bool ascii, std::string& out) {
  const auto text = [&](std::string_view member) {
    const auto value = node.find(member);
    return std::string(value ? value->as_string().value_or("") : "");
  };
  const std::string value = text("value");
  const std::string_view mark = value == "true"    ? (ascii ? "+" : "✓")
                                : value == "false" ? (ascii ? "-" : "✗")
                                                   : "?";
  out += fmt::format("{:{}}{} ", "", depth * 2, mark);
  if (const auto children = node.find("children")) {
    out += text("op") + "\n";
    for (const json::Value child : children->elements()) {
      print_tree(child, depth + 1, ascii, out);
    }
    return;
  }
  const auto seen = node.find("seen");
  out += fmt::format(
      "{}    {}{}\n",
      text("when"),
      seen && !seen->is_null() ? fmt::format("seen {}", seen->raw()) : "nothing seen",
      node.find("cut") ? ", inexact: there were more events than are kept of a person" : "");
}

Result<int> explain(Call& call) {
  const auto all = explained(call, {call["NAME"]});
  if (!all) {
    return Failure(all.error());
  }
  const std::string& json = all->front().json;
  const auto document = json::Document::parse(json, json::kEvent);
  const auto tree = document ? document->root().find("tree") : std::nullopt;
  if (!tree) {
    return Failure({ErrorCode::Internal, "the explanation cannot be read"});
  }
  const std::string state = text_in(json, "state");
  std::string human =
      fmt::format("{}: {}{}\n",
                  call["NAME"],
                  text_in(json, "value") == "true" ? "member" : "no member",
                  state == "disabled" || state == "computing" ? ", " + state : std::string());
  print_tree(*tree, 0, call.flag("ascii"), human);
  return call.print(Document{.json = R"({"schema":"edge.segment-explain/1",)" + json.substr(1),
                             .human = std::move(human)});
}

Command& with_person(Command& command) {
  return command
      .option({.name = "user", .letter = 'u', .value = "ID", .help = "a stored profile by user id"})
      .option({.name = "profile",
               .value = "FILE",
               .help = "a person as JSON: traits, identifiers, groups, events",
               .complete = Complete::Files})
      .option({.name = "attr",
               .value = "KV",
               .help = "a trait of a person without a past",
               .type = Type::KeyValue,
               .repeatable = true});
}

}  // namespace

void declare_segment_eval(Tree& tree) {
  with_person(tree.command("segment eval", "Say whether somebody is in segments"))
      .positional({.name = "NAME", .help = "segments; all when none is named", .repeatable = true})
      .option({.name = "expect",
               .value = "EXPECT",
               .help = "NAME: is a member; !NAME: is none; NAME=VALUE, NAME!=VALUE with true, "
                       "false or undecided; exit 1 when it is not so",
               .repeatable = true})
      .example("segment eval -u u-42", "every segment for a stored profile")
      .example("segment eval pros --attr plan=pro --expect pros", "in a build, without a store")
      .output("segment-eval",
              R"({"type":"object","required":["schema","segments"],"properties":{"schema":)"
              R"({"const":"edge.segment-eval/1"},"userId":{"type":"string"},"segments":)"
              R"({"type":"array"},"expectations":{"type":"array"}}})")
      .exits(exit_code::kNo, "an expectation is not met")
      .exits(exit_code::kNotFound, "no such segment or profile")
      .runs(eval);
  with_person(tree.command("segment explain", "Show why somebody is in a segment or not"))
      .positional({.name = "NAME", .help = "the segment", .required = true})
      .example("segment explain buyers -u u-42", "each condition with what was seen")
      .output("segment-explain",
              R"({"type":"object","required":["schema","segment","member","value","tree"],)"
              R"("properties":{"schema":{"const":"edge.segment-explain/1"},"member":)"
              R"({"type":"boolean"},"value":{"enum":["true","false","undecided"]},"tree":)"
              R"({"type":"object"}}})")
      .exits(exit_code::kNotFound, "no such segment or profile")
      .runs(explain);
}

}  // namespace edge::cli::commands
