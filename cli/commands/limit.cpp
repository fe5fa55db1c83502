// SPDX-License-Identifier: MIT
// Rate limits: which there are, what is left of one for a key, and forgetting what was counted.
#include <fmt/format.h>

#include <string>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/config/config.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/ratelimit/report.h"

namespace edge::cli::commands {
namespace {

std::string path_of(const Call& call) {
  return fmt::format("/api/ratelimit/{}/{}",
                     encoding::percent_encode(call["NAME"]),
                     encoding::percent_encode(call["KEY"]));
}

/// The services with the counts of the store.
Result<Edge*> open(Call& call, Call::Access access) {
  Edge& edge = call.edge(access);
  const auto loaded = edge.limits.load(access == Call::Access::Read);
  return loaded ? Result<Edge*>(&edge) : Failure(loaded.error());
}

Result<std::vector<std::string>> all(Call& call) {
  if (Remote* daemon = call.running_daemon()) {
    return list_of(*daemon, "/api/ratelimit", "limits");
  }
  std::vector<std::string> records;
  const auto limits = ratelimit::read_limits(call.config().limits);
  if (!limits) {
    return Failure(limits.error());
  }
  for (const ratelimit::Limit& limit : *limits) {
    json::Writer out;
    ratelimit::write_limit(out, limit);
    records.push_back(out.take());
  }
  return records;
}

Result<int> list(Call& call) {
  auto records = all(call);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(Listing{.schema = "edge.limits/1",
                            .name = "limits",
                            .columns = {{"name", "/name"},
                                        {"limit", "/limit"},
                                        {"period", "/period"},
                                        {"algorithm", "/algorithm"},
                                        {"key", "/key"},
                                        {"routes", "/routes"}},
                            .records = std::move(*records)});
}

Result<std::string> count_of(Call& call) {
  if (Remote* daemon = call.running_daemon()) {
    return daemon->get(path_of(call)).map([](const auto& answer) { return answer.body; });
  }
  const auto edge = open(call, Call::Access::Read);
  const auto limit = edge ? (*edge)->limits.find(call["NAME"])
                          : Result<const ratelimit::Limit*>(Failure(edge.error()));
  return limit.map([&](const ratelimit::Limit* found) {
    const std::string key = ratelimit::key_text(*found, call["KEY"]);
    json::Writer out;
    ratelimit::write_count(out, *found, key, (*edge)->limits.check(*found, key, 0));
    return out.take();
  });
}

Result<int> show(Call& call) {
  const auto count = count_of(call);
  return count ? call.print(Document{.json = R"({"schema":"edge.limit/1",)" + count->substr(1)})
               : Failure(count.error());
}

Result<int> reset(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would forget what {} counted for {}", call["NAME"], call["KEY"]));
    return exit_code::kDone;
  }
  if (Remote* daemon = call.running_daemon()) {
    const auto answer = daemon->send("DELETE", path_of(call));
    return answer ? Result<int>(exit_code::kDone) : Failure(answer.error());
  }
  const auto edge = open(call, Call::Access::Write);
  const auto limit = edge ? (*edge)->limits.find(call["NAME"])
                          : Result<const ratelimit::Limit*>(Failure(edge.error()));
  if (!limit) {
    return Failure(limit.error());
  }
  (*edge)->limits.reset(**limit, ratelimit::key_text(**limit, call["KEY"]));
  const auto saved = (*edge)->limits.save();
  return saved ? Result<int>(exit_code::kDone) : Failure(saved.error());
}

Option name_option() {
  return {.name = "NAME", .help = "name of the limit", .required = true};
}

Option key_option() {
  return {.name = "KEY",
          .help = "what is counted by: an address, an identity; parts joined by |",
          .required = true};
}

}  // namespace

void limit(Tree& tree) {
  tree.noun("limit", Section::Manage, "How many requests clients may make");
  tree.command("limit list", "List the rate limits")
      .example("limit list", "those of edge.toml and the one that holds without any")
      .output("limits",
              R"({"type":"object","required":["schema","limits"],"properties":{)"
              R"("schema":{"const":"edge.limits/1"},"limits":{"type":"array"}}})")
      .runs(list);
  tree.command("limit show", "Show what is left of a limit for a key")
      .positional(name_option())
      .positional(key_option())
      .example("limit show api 203.0.113.7", "for one client")
      .output("limit",
              R"({"type":"object","required":["schema","name","key","limit","remaining","reset"],)"
              R"("properties":{"schema":{"const":"edge.limit/1"},"name":{"type":"string"},)"
              R"("key":{"type":"string"},"limit":{"type":"integer"},)"
              R"("remaining":{"type":"integer"},"reset":{"type":"integer"}}})")
      .exits(exit_code::kNotFound, "no such limit")
      .runs(show);
  tree.command("limit reset", "Forget what a limit counted for a key")
      .positional(name_option())
      .positional(key_option())
      .changes()
      .example("limit reset api 203.0.113.7", "its whole quota is there again")
      .exits(exit_code::kNotFound, "no such limit")
      .runs(reset);
}

}  // namespace edge::cli::commands
