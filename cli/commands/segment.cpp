// SPDX-License-Identifier: MIT
// Segments: who is in them and why. With --url the daemon is asked; else the definitions of the
// configuration and of the local store are used.
#include <fmt/format.h>

#include <map>

#include "cli/command.h"
#include "cli/commands/segment_eval.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"
#include "core/profiles/segments/definition_files.h"
#include "core/profiles/segments/expression.h"
#include "core/profiles/segments/segment_report.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kDefinitions = "/cdp/segments/definitions";

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", kDefinitions, encoding::percent_encode(name));
}

Result<std::string> json_of(Edge& edge, const profiles::SegmentRecord& record) {
  const auto numbers = profiles::numbers_of(edge.store, record.definition.name, edge.clock.now());
  if (!numbers) {
    return Failure(numbers.error());
  }
  json::Writer out;
  out.begin_object();
  profiles::write_segment(out, record, *numbers);
  return out.end_object().take();
}

Result<std::vector<std::string>> all(Call& call) {
  if (Remote* const daemon = call.asked_daemon()) {
    return list_of(*daemon, kDefinitions, "segments");
  }
  std::vector<std::string> records;
  Edge& edge = call.edge(Call::Access::Read);
  const auto segments = edge.segments.current();
  for (const std::string& name : segments->unreadable) {
    call.note(fmt::format(
        "the stored segment \"{}\" cannot be read and stays out; define it anew or delete it",
        name));
  }
  for (const profiles::SegmentRecord& record : segments->records) {
    auto text = json_of(edge, record);
    if (!text) {
      return Failure(text.error());
    }
    records.push_back(std::move(*text));
  }
  return records;
}

Result<int> list(Call& call) {
  auto records = all(call);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(Listing{.schema = "edge.segments/1",
                            .name = "segments",
                            .columns = {{"name", "/name"},
                                        {"state", "/state"},
                                        {"size", "/size"},
                                        {"entered24h", "/entered24h"},
                                        {"exited24h", "/exited24h"},
                                        {"when", "/when"}},
                            .records = std::move(*records)});
}

Result<int> show(Call& call) {
  const std::string name = call["NAME"];
  Result<std::string> text = Failure(Error{});
  if (Remote* const daemon = call.asked_daemon()) {
    text = daemon->get(path_of(name)).map([](const transport::IncomingResponse& answer) {
      return answer.body;
    });
  } else {
    Edge& edge = call.edge(Call::Access::Read);
    const auto segments = edge.segments.current();
    const auto* const record = segments->find(name);
    text = record != nullptr
               ? json_of(edge, *record)
               : Failure({ErrorCode::NotFound, fmt::format("there is no segment \"{}\"", name)});
  }
  return text ? call.print(Document{.json = R"({"schema":"edge.segment/1",)" + text->substr(1)})
              : Failure(text.error());
}

std::string problem_json(const std::string& file, const Error& error) {
  json::Writer out;
  out.begin_object().member("file", file).member("level", "error");
  out.member("code", reason_of(error)).member("pointer", error.field);
  return out.member("message", error.message).end_object().take();
}

Result<int> lint(Call& call) {
  Listing listing{.schema = "edge.segment-lint/1",
                  .name = "problems",
                  .columns = {{"file", "/file"},
                              {"level", "/level"},
                              {"code", "/code"},
                              {"pointer", "/pointer"},
                              {"message", "/message"}}};
  std::vector<profiles::Rulebook::Version> versions;
  std::map<std::string, std::string> places;
  std::size_t count = 0;
  for (const std::string& file : call.all("FILE")) {
    auto definitions = profiles::read_definition_file(file);
    if (!definitions) {
      listing.records.push_back(problem_json(file, definitions.error()));
      continue;
    }
    for (profiles::Definition& definition : *definitions) {
      ++count;
      const auto [place, is_new] = places.emplace(definition.name, file);
      if (!is_new) {
        listing.records.push_back(problem_json(
            file,
            {ErrorCode::InvalidArgument,
             fmt::format("\"{}\" is defined in {} already", definition.name, place->second),
             "/name",
             "bad_segment"}));
        continue;
      }
      versions.push_back({.definition = std::move(definition), .generation = count});
    }
  }
  if (const auto book = profiles::Rulebook::compile(std::move(versions)); !book) {
    listing.records.push_back(problem_json("", book.error()));
  }
  call.note(fmt::format("{} segments, {} problems", count, listing.records.size()));
  const bool is_good = listing.records.empty();
  const auto printed = call.print(listing);
  return printed ? Result<int>(is_good ? exit_code::kDone : exit_code::kNo) : printed;
}

/// The body of the preview route.
std::string question(const Call& call) {
  json::Writer out;
  out.begin_object().member("limit", call.integer("limit"));
  call.has("when") ? out.member("when", call["when"]) : out.member("name", call["NAME"]);
  if (call.flag("compare")) {
    out.member("compare", true);
  }
  return out.end_object().take();
}

Result<std::string> preview_here(Call& call) {
  Edge& edge = call.edge(Call::Access::Read);
  Result<profiles::Node> rule = Failure(Error{});
  if (call.has("when")) {
    rule = profiles::parse_expression(call["when"]);
  } else {
    const auto segments = edge.segments.current();
    const auto* const record = segments->find(call["NAME"]);
    rule = record != nullptr ? Result<profiles::Node>(record->definition.tree)
                             : Failure({ErrorCode::NotFound,
                                        fmt::format("there is no segment \"{}\"", call["NAME"])});
  }
  if (!rule) {
    return Failure(rule.error());
  }
  const auto found = profiles::preview(edge.store,
                                       edge.segments,
                                       *rule,
                                       static_cast<std::size_t>(call.integer("limit")),
                                       call.clock().now(),
                                       call.flag("compare") ? call["NAME"] : std::string());
  if (!found) {
    return Failure(found.error());
  }
  json::Writer out;
  out.begin_object();
  profiles::write_preview(out, *found);
  return out.end_object().take();
}

Result<int> preview(Call& call) {
  if (call["NAME"].empty() != call.has("when")) {
    return Failure(usage_error("give the name of a segment or --when"));
  }
  if (call.flag("compare") && call.has("when")) {
    return Failure(usage_error("--compare takes the name of a segment", "compare"));
  }
  if (call.integer("limit") < 0 || call.integer("limit") > 1'000) {
    return Failure(usage_error("--limit is a number up to 1000", "limit"));
  }
  Remote* const daemon = call.running_daemon();
  auto text = daemon != nullptr
                  ? daemon->post("/cdp/segments/definitions/preview", question(call))
                        .map([](const transport::IncomingResponse& answer) { return answer.body; })
                  : preview_here(call);
  if (!text) {
    return Failure(text.error());
  }
  const auto found = json::Document::parse(*text, json::kApi);
  const auto differ = found ? found->root().find("differ") : std::nullopt;
  const auto printed =
      call.print(Document{.json = R"({"schema":"edge.segment-preview/1",)" + text->substr(1)});
  const bool is_equal = !differ || differ->as_uint64() == 0U;
  return printed && !is_equal ? Result<int>(exit_code::kNo) : printed;
}

void declare_reading(Tree& tree) {
  tree.command("segment list", "List segments with their sizes")
      .example("segment list", "names, states, sizes, rules")
      .output("segments",
              R"({"type":"object","required":["schema","segments"],"properties":{"schema":)"
              R"({"const":"edge.segments/1"},"segments":{"type":"array"}}})")
      .runs(list);
  tree.command("segment show", "Show one segment, its rule in both forms")
      .positional({.name = "NAME", .help = "the segment", .required = true})
      .example("segment show buyers", "definition, state and numbers")
      .example("segment show buyers --select /when", "the expression alone")
      .output("segment",
              R"({"type":"object","required":["schema","name","conditions","state","size"],)"
              R"("properties":{"schema":{"const":"edge.segment/1"},"name":{"type":"string"},)"
              R"("when":{"type":"string"},"state":{"enum":["computing","settling","ready",)"
              R"("disabled"]},"size":{"type":"integer"}}})")
      .exits(exit_code::kNotFound, "no such segment")
      .see("edgectl help expressions")
      .runs(show);
  tree.command("segment lint", "Check definition files")
      .positional({.name = "FILE",
                   .help = "a definition, or a list of them",
                   .required = true,
                   .repeatable = true,
                   .complete = Complete::Files})
      .example("segment lint segments/*.json", "before they are deployed")
      .output("segment-lint",
              R"({"type":"object","required":["schema","problems"],"properties":{"schema":)"
              R"({"const":"edge.segment-lint/1"},"problems":{"type":"array"}}})")
      .exits(exit_code::kNo, "something is wrong in a file")
      .runs(lint);
  tree.command("segment preview", "Count who would be in a segment now")
      .positional({.name = "NAME", .help = "a segment"})
      .option({.name = "when", .value = "EXPR", .help = "an expression instead of a segment"})
      .option({.name = "limit",
               .value = "N",
               .help = "how many are named",
               .type = Type::Integer,
               .fallback = "10"})
      .flag("compare", "count the stored events anew and name who is a member by one way only")
      .example("segment preview buyers --compare", "what is kept of events against all of them")
      .example("segment preview --when 'plan == \"pro\" and did(\"Order Completed\", 30d)'",
               "before it is defined")
      .output("segment-preview",
              R"({"type":"object","required":["schema","count","undecided","sample"],)"
              R"("properties":{"schema":{"const":"edge.segment-preview/1"},"count":)"
              R"({"type":"integer"},"undecided":{"type":"integer"},"sample":{"type":"array"},)"
              R"("differ":{"type":"integer"},"differing":{"type":"array"}}})")
      .exits(exit_code::kNo, "with --compare: somebody is a member by one way only")
      .exits(exit_code::kNotFound, "no such segment")
      .see("edgectl help expressions")
      .runs(preview);
}

}  // namespace

void segment(Tree& tree) {
  tree.noun("segment", Section::Build, "Groups of people by rule");
  declare_reading(tree);
  declare_segment_eval(tree);
}

}  // namespace edge::cli::commands
