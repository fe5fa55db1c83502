// SPDX-License-Identifier: MIT
#include "core/webhooks/inbound.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/config/keys.h"
#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::webhooks {
namespace {

using events::InboundKind;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kIdDigits = 32;

struct Kind {
  std::string_view name;
  InboundKind kind;
  Scheme scheme;
};
constexpr std::array<Kind, 3> kKinds{{{"segment", InboundKind::Segment, Scheme::Segment},
                                      {"optimizely", InboundKind::Optimizely, Scheme::HubSha1},
                                      {"custom", InboundKind::Custom, Scheme::Standard}}};
constexpr std::array<std::pair<std::string_view, crypto::Hash>, 4> kAlgorithms{
    {{"sha1", crypto::Hash::Sha1},
     {"sha256", crypto::Hash::Sha256},
     {"sha384", crypto::Hash::Sha384},
     {"sha512", crypto::Hash::Sha512}}};
constexpr std::array<std::string_view, 11> kMembers{"name",
                                                    "kind",
                                                    "scheme",
                                                    "secret",
                                                    "secrets",
                                                    "header",
                                                    "algorithm",
                                                    "encoding",
                                                    "prefix",
                                                    "tolerance",
                                                    "unsigned"};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name != "health" &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

/// Reads one table of `[[webhooks]]`.
class Reader {
 public:
  Reader(const config::Item& item, json::Value table, const SecretFinder& secrets)
      : item_(item), table_(table), secrets_(secrets) {}

  Result<Inbound> read() {
    for (const auto& [name, ignored] : table_.members()) {
      if (std::ranges::find(kMembers, name) == kMembers.end()) {
        return wrong(name, "is not known");
      }
    }
    Inbound made;
    made.name = text("name");
    if (!is_name(made.name)) {
      return wrong("name", "must be 1 to 64 letters, digits, _, - or . (and not health)");
    }
    if (auto done = read_kind(made); !done) {
      return Failure(done.error());
    }
    if (auto done = read_form(made.signing); !done) {
      return Failure(done.error());
    }
    if (auto done = read_secrets(made.signing); !done) {
      return Failure(done.error());
    }
    const auto open = table_.find("unsigned");
    if (open && !open->is_bool()) {
      return wrong("unsigned", "must be true or false");
    }
    made.accepts_unsigned = open && *open->as_bool();
    if (auto checked = check(made.signing); !checked) {
      return wrong(checked.error().field, checked.error().message);
    }
    return made;
  }

 private:
  tl::unexpected<Error> wrong(std::string_view member,
                              std::string_view problem,
                              std::string reason = "config_invalid") const {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("{}: webhooks.{}: {}", item_.where, member, problem),
                    fmt::format("webhooks.{}", member),
                    std::move(reason)});
  }
  [[nodiscard]] std::string text(std::string_view name) const {
    const auto value = table_.find(name);
    return std::string(value ? value->as_string().value_or("") : "");
  }

  Result<void> read_kind(Inbound& made) const {
    const std::string name = table_.find("kind") ? text("kind") : made.name;
    auto kind = std::ranges::find(kKinds, name, &Kind::name);
    if (kind == kKinds.end() && table_.find("kind")) {
      return wrong("kind", "must be segment, optimizely or custom");
    }
    kind = kind == kKinds.end() ? kKinds.end() - 1 : kind;
    made.kind = kind->kind;
    made.signing.scheme = kind->scheme;
    if (table_.find("scheme")) {
      const auto scheme = scheme_of(text("scheme"));
      if (!scheme) {
        return wrong("scheme", "must be standard, segment, hub-sha1, hub-sha256 or hmac");
      }
      made.signing.scheme = *scheme;
    }
    return {};
  }

  Result<void> read_form(Signing& signing) const {
    signing.field = text("header");
    signing.prefix = text("prefix");
    if (table_.find("algorithm")) {
      const auto found = std::ranges::find(
          kAlgorithms, text("algorithm"), &std::pair<std::string_view, crypto::Hash>::first);
      if (found == kAlgorithms.end()) {
        return wrong("algorithm", "must be sha1, sha256, sha384 or sha512");
      }
      signing.algorithm = found->second;
    }
    const std::string encoding = text("encoding");
    if (table_.find("encoding") && encoding != "hex" && encoding != "base64") {
      return wrong("encoding", "must be hex or base64");
    }
    signing.base64 = encoding == "base64";
    if (table_.find("tolerance")) {
      const auto span = config::parse_span(text("tolerance"));
      if (!span) {
        return wrong("tolerance", "must be a duration such as 5m");
      }
      signing.tolerance = std::chrono::duration_cast<std::chrono::seconds>(*span);
    }
    return {};
  }

  Result<void> read_secrets(Signing& signing) const {
    std::vector<std::string> names;
    if (table_.find("secret")) {
      names.push_back(text("secret"));
    }
    if (const auto list = table_.find("secrets")) {
      for (const json::Value name : list->elements()) {
        names.emplace_back(name.as_string().value_or(""));
      }
    }
    for (const std::string& name : names) {
      auto value = secrets_ ? secrets_(name) : std::nullopt;
      if (!value) {
        return wrong(
            "secret",
            fmt::format("there is no secret \"{0}\"; make it with: edgectl secret set {0}", name),
            "secret_missing");
      }
      signing.secrets.push_back(std::move(*value));
    }
    return {};
  }

  const config::Item& item_;
  json::Value table_;
  const SecretFinder& secrets_;
};

bool is_given(json::Value event, std::string_view name) {
  const auto value = event.find(name);
  return value && !value->is_null() && value->as_string() != "";
}

/// The event with a messageId, and with an anonymousId when it names nobody, made of `id`.
std::string identified(std::string event, const std::string& id) {
  const auto document = json::Document::parse(event, json::kEvent);
  if (!document || !document->root().is_object()) {
    return event;
  }
  const json::Value root = document->root();
  const bool needs_id = !is_given(root, "messageId");
  const bool names_nobody = !is_given(root, "userId") && !is_given(root, "anonymousId");
  if (!needs_id && !names_nobody) {
    return event;
  }
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : root.members()) {
    const bool replaced =
        (needs_id && name == "messageId") || (names_nobody && name == "anonymousId");
    if (!replaced) {
      out.key(name).value(value);
    }
  }
  if (needs_id) {
    out.member("messageId", id);
  }
  if (names_nobody) {
    out.member("anonymousId", id);
  }
  return out.end_object().take();
}

}  // namespace

Result<std::vector<Inbound>> read_inbound(const std::vector<config::Item>& items,
                                          const SecretFinder& secrets) {
  std::vector<Inbound> all;
  for (const config::Item& item : items) {
    const auto table = json::Document::parse(item.json, json::kApi);
    auto made = table ? Reader(item, table->root(), secrets).read()
                      : Result<Inbound>(Failure(table.error()));
    if (!made) {
      return Failure(made.error());
    }
    if (std::ranges::find(all, made->name, &Inbound::name) != all.end()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("{}: two webhooks have the name \"{}\"", item.where, made->name),
                      "webhooks.name",
                      "config_invalid"});
    }
    all.push_back(std::move(*made));
  }
  for (const Kind& kind : kKinds) {
    if (std::ranges::find(all, kind.name, &Inbound::name) == all.end()) {
      all.push_back(
          {.name = std::string(kind.name), .kind = kind.kind, .signing = {.scheme = kind.scheme}});
    }
  }
  return all;
}

Result<std::vector<std::string>> events_of(const Inbound& inbound, const Call& call) {
  const auto document = json::Document::parse(call.body, json::kEvent);
  auto events = document ? events::from_inbound(inbound.kind, document->root(), call.source)
                         : Result<std::vector<std::string>>(Failure(document.error()));
  if (!events) {
    return events;
  }
  const std::string_view what = call.message_id.empty() ? call.body : call.message_id;
  const std::string digest =
      encoding::hex_encode(crypto::sha256(fmt::format("{}\n{}", inbound.name, what)))
          .substr(0, kIdDigits);
  for (std::size_t i = 0; i < events->size(); ++i) {
    (*events)[i] =
        identified(std::move((*events)[i]),
                   i == 0 ? fmt::format("wh-{}", digest) : fmt::format("wh-{}-{}", digest, i));
  }
  return events;
}

std::string updated_project(const Inbound& inbound, std::string_view body) {
  const auto document = json::Document::parse(body, json::kEvent);
  if (inbound.kind != InboundKind::Optimizely || !document) {
    return {};
  }
  const auto event = document->root().find("event");
  const auto project = document->root().find("project_id");
  if (!event || !project || event->as_string() != "project.datafile_updated") {
    return {};
  }
  return std::string(project->as_string().value_or(project->raw()));
}

}  // namespace edge::webhooks
