// SPDX-License-Identifier: MIT
// What is known of one person.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "cli/command.h"
#include "cli/commands/profile_events.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/members.h"
#include "core/json/writer.h"
#include "core/profiles/profiles.h"
#include "core/profiles/segments/filter.h"
#include "core/profiles/unmerge.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kProfileSchema =
    R"({"type":"object","required":["schema","profileId","userId","anonymousId","email",)"
    R"("identifiers","traits","groups","segments","firstSeen","lastSeen","sessionCount",)"
    R"("eventCount","mergedFrom"],"properties":{"schema":{"const":"edge.profile/1"},)"
    R"("profileId":{"type":"string"},"userId":{"type":["string","null"]},)"
    R"("anonymousId":{"type":["string","null"]},"email":{"type":["string","null"]},)"
    R"("identifiers":{"type":"object"},"traits":{"type":"object"},)"
    R"("groups":{"type":"array"},"segments":{"type":"array"},)"
    R"("firstSeen":{"type":"integer"},"lastSeen":{"type":"integer"},)"
    R"("sessionCount":{"type":"integer"},"eventCount":{"type":"integer"},)"
    R"("mergedFrom":{"type":"array"},"flags":{"type":"array"},)"
    R"("lastEvents":{"type":"array"}}})";

using profiles::Name;

Error not_found(const Call& call, const std::string& id) {
  return {ErrorCode::NotFound, fmt::format("no profile has the {} id \"{}\"", call["id-type"], id)};
}

Name name_of(const Call& call) {
  const std::string type = call["id-type"];
  return type == "user" ? Name::UserId : type == "email" ? Name::Email : Name::AnonymousId;
}

/// The profile document as the daemon tells it.
Result<std::string> ask(Call& call, Remote& daemon, const std::string& id) {
  const std::string type = call["id-type"];
  json::Writer body;
  body.begin_object()
      .key(type == "user"    ? "userId"
           : type == "email" ? "email"
                             : "anonymousId")
      .string(id)
      .end_object();
  auto answer = daemon.post("/cdp/profile", body.take());
  if (!answer) {
    return Failure(answer.error());
  }
  if (answer->body == "null") {
    return Failure(not_found(call, id));
  }
  return std::move(answer->body);
}

/// The same from the local store.
Result<std::string> read(Call& call, const std::string& id) {
  Edge& edge = call.edge(Call::Access::Read);
  const auto found = edge.profiles.find(name_of(call), id);
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return Failure(not_found(call, id));
  }
  return edge.profiles.document(**found, call.clock().now());
}

Result<std::string> profile_of(Call& call, Remote* daemon, const std::string& id) {
  return daemon != nullptr ? ask(call, *daemon, id) : read(call, id);
}

std::string text_of(json::Value value) {
  const auto text = value.as_string();
  return std::string(text ? *text : value.raw());
}

std::string joined(json::Value list) {
  std::string text;
  for (const json::Value element : list.elements()) {
    text.append(text.empty() ? "" : ", ").append(text_of(element));
  }
  return text;
}

/// One line per fact.
std::string human(json::Value profile) {
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{:<16}  {}\n", name, value);
  };
  const auto member = [&](std::string_view name) { return *profile.find(name); };
  const auto time = [&](std::string_view name) {
    return events::format_time(from_ms(member(name).as_int64().value_or(0)));
  };
  line("profile", text_of(member("profileId")));
  for (const auto [type, values] : member("identifiers").members()) {
    line(type, joined(values));
  }
  for (const auto [name, value] : member("traits").members()) {
    line(fmt::format("trait {}", name), text_of(value));
  }
  line("groups", joined(member("groups")));
  line("segments", joined(member("segments")));
  line("first seen", time("firstSeen"));
  line("last seen", time("lastSeen"));
  line("sessions", text_of(member("sessionCount")));
  line("events", text_of(member("eventCount")));
  return out;
}

Result<int> print_profile(Call& call, const std::string& profile, const std::string& more = {}) {
  const auto document = json::Document::parse(profile, json::kEvent);
  if (!document || !document->root().find("profileId")) {
    return Failure({ErrorCode::Internal, "the answer is no profile"});
  }
  return call.print(
      Document{.json = R"({"schema":"edge.profile/1",)" + profile.substr(profile.find('{') + 1),
               .human = human(document->root()) + more});
}

/// Who may read profiles may not always read events: they are left out then.
Result<int> show(Call& call) {
  const auto profile = profile_of(call, call.running_daemon(), call["ID"]);
  const auto document = profile ? json::Document::parse(*profile, json::kEvent)
                                : Result<json::Document>(Failure(profile.error()));
  if (!document) {
    return Failure(document.error());
  }
  const auto events = last_events(call, document->root());
  if (!events && events.error().code == ErrorCode::PermissionDenied) {
    return print_profile(call, *profile);
  }
  if (!events) {
    return Failure(events.error());
  }
  std::string list;
  std::string lines;
  for (const std::string& text : *events) {
    const auto event = json::Document::parse(text, json::kEvent);
    const auto part = [&event](std::string_view name) {
      return event ? json::text_in(event->root(), name) : std::string();
    };
    list += (list.empty() ? "" : ",") + text;
    lines += fmt::format("{:<16}  {} {} {}{} ({})\n",
                         "event",
                         part("receivedAt"),
                         part("type"),
                         part("event"),
                         part("name"),
                         part("messageId"));
  }
  return print_profile(
      call,
      fmt::format("{},\"lastEvents\":[{}]}}", profile->substr(0, profile->rfind('}')), list),
      lines);
}

/// The profile id behind the name, from the daemon or the store.
Result<std::string> id_of(Call& call, Remote* daemon, const std::string& name) {
  const auto document = profile_of(call, daemon, name);
  const auto parsed = document ? json::Document::parse(*document, json::kEvent)
                               : Result<json::Document>(Failure(document.error()));
  const auto id = parsed ? parsed->root().find("profileId") : std::nullopt;
  if (!id) {
    return Failure(parsed ? Error{ErrorCode::Internal, "the answer is no profile"}
                          : parsed.error());
  }
  return text_of(*id);
}

Result<std::vector<std::string>> found_there(Call& call, Remote& daemon, std::size_t limit) {
  std::vector<std::string> records;
  std::string cursor;
  do {
    const auto answer = daemon.get(fmt::format("/cdp/profiles?limit={}&where={}&cursor={}",
                                               std::min<std::size_t>(limit - records.size(), 500),
                                               encoding::percent_encode(call["where"]),
                                               encoding::percent_encode(cursor)));
    const auto page = answer ? json::Document::parse(answer->body, json::kEvent)
                             : Result<json::Document>(Failure(answer.error()));
    const auto items = page ? page->root().find("items") : std::nullopt;
    const auto next = page ? page->root().find("next") : std::nullopt;
    if (!items || !next) {
      return Failure(page ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                          : page.error());
    }
    for (const json::Value item : items->elements()) {
      records.emplace_back(item.raw());
    }
    cursor = next->as_string().value_or("");
  } while (!cursor.empty() && records.size() < limit);
  return records;
}

Result<std::vector<std::string>> found_here(Call& call, std::size_t limit) {
  Edge& edge = call.edge(Call::Access::Read);
  const auto filter = profiles::ProfileFilter::parse(call["where"], edge.segments);
  if (!filter) {
    return Failure(filter.error());
  }
  const Time now = call.clock().now();
  std::vector<std::string> records;
  std::string cursor;
  do {
    const auto page =
        edge.profiles.list(cursor, limit - records.size(), [&](const profiles::Profile& profile) {
          return filter->takes(profile, now);
        });
    if (!page) {
      return Failure(page.error());
    }
    for (const profiles::Profile& profile : page->profiles) {
      records.push_back(edge.profiles.document(profile, now));
    }
    cursor = page->next;
  } while (!cursor.empty() && records.size() < limit);
  return records;
}

Result<int> find(Call& call) {
  if (call.integer("limit") < 1) {
    return Failure(usage_error("--limit is too small", "limit"));
  }
  if (const auto good = profiles::ProfileFilter::check(call["where"]); !good) {
    return Failure(usage_error(good.error().message, "where"));
  }
  const auto limit = static_cast<std::size_t>(call.integer("limit"));
  Remote* const daemon = call.running_daemon();
  auto records = daemon != nullptr ? found_there(call, *daemon, limit) : found_here(call, limit);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(Listing{.schema = "edge.profiles/1",
                            .name = "profiles",
                            .columns = {{"profile", "/profileId"},
                                        {"user", "/userId"},
                                        {"email", "/email"},
                                        {"events", "/eventCount"},
                                        {"lastSeen", "/lastSeen"},
                                        {"segments", "/segments"}},
                            .records = std::move(*records)});
}

Result<std::string> history_here(Call& call) {
  Edge& edge = call.edge(Call::Access::Read);
  const auto found = edge.profiles.find(name_of(call), call["ID"]);
  if (!found || !*found) {
    return Failure(found ? not_found(call, call["ID"]) : found.error());
  }
  json::Writer out;
  out.begin_object();
  if (auto written = profiles::write_history(out, edge.profiles, **found); !written) {
    return Failure(written.error());
  }
  return out.end_object().take();
}

Result<std::string> history_there(Call& call, Remote& daemon) {
  const auto id = id_of(call, &daemon, call["ID"]);
  if (!id) {
    return Failure(id.error());
  }
  return daemon.get(fmt::format("/cdp/profiles/{}/history", encoding::percent_encode(*id)))
      .map([](const transport::IncomingResponse& answer) { return answer.body; });
}

/// One line per change of a trait or a segment, newest first within each.
std::string human_history(json::Value history) {
  std::string out;
  const auto each = [&](std::string_view list, const auto& print) {
    if (const auto found = history.find(list)) {
      for (const json::Value one : found->elements()) {
        const auto at = one.find("at");
        out += events::format_time(from_ms(at ? at->as_int64().value_or(0) : 0)) + "  ";
        const auto text = [&](std::string_view member) {
          const auto value = one.find(member);
          return value ? text_of(*value) : std::string("-");
        };
        print(text);
      }
    }
  };
  each("traits", [&](const auto& text) {
    out += fmt::format("trait {}: {} -> {}\n", text("name"), text("before"), text("after"));
  });
  each("segments", [&](const auto& text) {
    out += fmt::format("{} {} ({})\n", text("change"), text("segment"), text("reason"));
  });
  each("merges", [&](const auto& text) {
    out += fmt::format("merge {}: took in {} ({})\n", text("id"), text("from"), text("how"));
  });
  return out;
}

Result<int> history(Call& call) {
  Remote* const daemon = call.running_daemon();
  const auto text = daemon != nullptr ? history_there(call, *daemon) : history_here(call);
  const auto document = text ? json::Document::parse(*text, json::kEvent)
                             : Result<json::Document>(Failure(text.error()));
  if (!document) {
    return Failure(document.error());
  }
  return call.print(Document{.json = R"({"schema":"edge.profile-history/1",)" + text->substr(1),
                             .human = human_history(document->root())});
}

/// Merges in the local store.
Result<std::string> merge_here(Call& call, const std::string& from, const std::string& into) {
  Edge& edge = call.edge();
  Result<void> outcome;
  edge.projector.submit(profiles::merge_task(ProfileId{from}, ProfileId{into}),
                        [&](Result<void> done) { outcome = std::move(done); });
  if (auto drained = edge.projector.drain(); !drained || !outcome) {
    return Failure(drained ? outcome.error() : drained.error());
  }
  const auto merged = edge.profiles.find(Name::ProfileId, into);
  if (!merged || !*merged) {
    return Failure(merged ? Error{ErrorCode::Internal, "the merged profile is gone"}
                          : merged.error());
  }
  return edge.profiles.document(**merged, call.clock().now());
}

Result<int> merge(Call& call) {
  Remote* const daemon = call.running_daemon();
  if (daemon == nullptr && !call.dry_run()) {
    call.edge();  // opened for writing before anything is read
  }
  const auto from = id_of(call, daemon, call["FROM"]);
  const auto into = from ? id_of(call, daemon, call["INTO"]) : from;
  if (!into) {
    return Failure(into.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would merge {} into {}", *from, *into));
    return 0;
  }
  json::Writer body;
  body.begin_object().member("into", *into).end_object();
  const auto merged =
      daemon != nullptr
          ? daemon
                ->post(fmt::format("/cdp/profiles/{}/merge", encoding::percent_encode(*from)),
                       body.take())
                .map([](const transport::IncomingResponse& answer) { return answer.body; })
          : merge_here(call, *from, *into);
  return merged ? print_profile(call, *merged) : Failure(merged.error());
}

Command& with_id_type(Command& command) {
  return command.option({.name = "id-type",
                         .value = "TYPE",
                         .help = "what kind of id it is",
                         .fallback = "user",
                         .choices = {"user", "anonymous", "email"}});
}

void declare_more(Tree& tree) {
  tree.command("profile find", "List profiles by what is known of them")
      .option({.name = "where",
               .value = "EXPR",
               .help = "an expression over traits, profile.X, identifier.X, segment(\"x\")"})
      .option({.name = "limit",
               .value = "N",
               .help = "at most so many",
               .type = Type::Integer,
               .fallback = "100"})
      .example("profile find --where 'plan = pro and profile.eventCount > 10'", "busy customers")
      .example("profile find --where 'segment(\"buyers\")' --format csv", "a segment as a file")
      .output("profiles",
              R"({"type":"object","required":["schema","profiles"],"properties":{"schema":)"
              R"({"const":"edge.profiles/1"},"profiles":{"type":"array"}}})")
      .see("edgectl help expressions")
      .runs(find);
  with_id_type(tree.command("profile history", "Show how traits and segments of a profile changed"))
      .positional({.name = "ID", .help = "by what the person is known", .required = true})
      .example("profile history u-42", "newest first, the last 100 of each kind")
      .output("profile-history",
              R"({"type":"object","required":["schema","profileId","traits","segments","merges"],)"
              R"("properties":{"schema":{"const":"edge.profile-history/1"},"traits":)"
              R"({"type":"array"},"segments":{"type":"array"},"merges":{"type":"array"}}})")
      .exits(5, "nobody goes by that id")
      .runs(history);
  with_id_type(tree.command("profile merge", "Join two profiles that are one person"))
      .about(
          "User ids of FROM become further names of INTO. The merge can be taken back with POST "
          "/cdp/profiles/ID/unmerge.")
      .positional({.name = "FROM", .help = "who is taken in", .required = true})
      .positional({.name = "INTO", .help = "who stays", .required = true})
      .changes()
      .example("profile merge u-42-old u-42", "two accounts of one customer")
      .output("profile", kProfileSchema)
      .exits(5, "nobody goes by one of the ids")
      .runs(merge);
}

}  // namespace

void profile(Tree& tree) {
  tree.noun("profile", Section::Manage, "What is known of people");
  tree.command("profile show", "Show one profile: identities, traits, segments")
      .positional({.name = "ID", .help = "by what the person is known", .required = true})
      .option({.name = "id-type",
               .value = "TYPE",
               .help = "what kind of id it is",
               .fallback = "user",
               .choices = {"user", "anonymous", "email"}})
      .example("profile show u-42", "as text")
      .example("profile show mia@example.org --id-type email --json", "for a script")
      .example("profile show u-42 --select /segments", "the segments, one per line")
      .output("profile", kProfileSchema)
      .exits(5, "nobody goes by that id")
      .runs(show);
  declare_more(tree);
}

}  // namespace edge::cli::commands
