// SPDX-License-Identifier: MIT
// What is known of one person.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "cli/command.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/profiles.h"

namespace edge::cli::commands {
namespace {

using profiles::Name;

Error not_found(Call& call) {
  return {ErrorCode::NotFound,
          fmt::format("no profile has the {} id \"{}\"", call["id-type"], call["ID"])};
}

/// The profile document as the daemon tells it.
Result<std::string> ask(Call& call, Remote& daemon) {
  const std::string type = call["id-type"];
  json::Writer body;
  body.begin_object()
      .key(type == "user"    ? "userId"
           : type == "email" ? "email"
                             : "anonymousId")
      .string(call["ID"])
      .end_object();
  auto answer = daemon.post("/cdp/profile", body.take());
  if (!answer) {
    return Failure(answer.error());
  }
  if (answer->body == "null") {
    return Failure(not_found(call));
  }
  return std::move(answer->body);
}

/// The same from the local store.
Result<std::string> read(Call& call) {
  Edge& edge = call.edge(Call::Access::Read);
  const std::string type = call["id-type"];
  const Name name = type == "user"    ? Name::UserId
                    : type == "email" ? Name::Email
                                      : Name::AnonymousId;
  const auto found = edge.profiles.find(name, call["ID"]);
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return Failure(not_found(call));
  }
  return edge.profiles.document(**found, call.clock().now());
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

Result<int> show(Call& call) {
  Remote* const daemon = call.running_daemon();
  const auto profile = daemon != nullptr ? ask(call, *daemon) : read(call);
  if (!profile) {
    return Failure(profile.error());
  }
  const auto document = json::Document::parse(*profile, json::kEvent);
  if (!document || !document->root().find("profileId")) {
    return Failure({ErrorCode::Internal, "the answer is no profile"});
  }
  return call.print(
      Document{.json = R"({"schema":"edge.profile/1",)" + profile->substr(profile->find('{') + 1),
               .human = human(document->root())});
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
      .output("profile",
              R"({"type":"object","required":["schema","profileId","userId","anonymousId","email",)"
              R"("identifiers","traits","groups","segments","firstSeen","lastSeen","sessionCount",)"
              R"("eventCount","mergedFrom"],"properties":{"schema":{"const":"edge.profile/1"},)"
              R"("profileId":{"type":"string"},"userId":{"type":["string","null"]},)"
              R"("anonymousId":{"type":["string","null"]},"email":{"type":["string","null"]},)"
              R"("identifiers":{"type":"object"},"traits":{"type":"object"},)"
              R"("groups":{"type":"array"},"segments":{"type":"array"},)"
              R"("firstSeen":{"type":"integer"},"lastSeen":{"type":"integer"},)"
              R"("sessionCount":{"type":"integer"},"eventCount":{"type":"integer"},)"
              R"("mergedFrom":{"type":"array"},"flags":{"type":"array"}}})")
      .exits(5, "nobody goes by that id")
      .runs(show);
}

}  // namespace edge::cli::commands
