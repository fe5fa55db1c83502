// SPDX-License-Identifier: MIT
// Flags and experiments of the original API. A decision uses the segments of the user's profile as
// qualified segments and sees every event that was answered before it.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/flags/flags.h"
#include "core/flags/older_calls.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

using DatafilePointer = std::shared_ptr<const flags::Datafile>;

http::Problem not_configured() {
  return {.status = 503, .code = "flags_not_configured", .error = "Optimizely is not configured"};
}

/// The datafile in force; nothing when there is none that decides.
DatafilePointer datafile_of(const Edge& edge) {
  auto datafile = edge.flags.datafile();
  return datafile && datafile->is_ready ? datafile : nullptr;
}

http::Problem bad_body(const Error& error) {
  json::Writer details;
  details.begin_array().string(error.message).end_array();
  return {.status = 400,
          .code = reason_of(error),
          .error = error.message,
          .pointer = error.field,
          .members = "\"details\":" + details.take()};
}

/// A request that was read; the user is built when the segments are known.
struct Question {
  DatafilePointer datafile;
  json::Document body;
};

std::optional<std::string_view> user_id_of(const Question& question) {
  const auto id = question.body.root().find("userId");
  return id ? id->as_string() : std::nullopt;
}

json::Elements list_of(json::Value body, std::string_view name) {
  const auto member = body.find(name);
  return member ? member->elements() : json::Elements{};
}

std::string answer(const Question& question, const std::vector<std::string>& segments) {
  const json::Value body = question.body.root();
  auto user = *flags::user_of(body.find("userId"), body.find("userAttributes"), std::nullopt);
  user.segments.assign(segments.begin(), segments.end());
  const flags::Datafile& datafile = *question.datafile;
  json::Writer out;
  out.begin_object().member("userId", user.id).key("experiments").begin_object();
  for (const json::Value key : list_of(body, "experiments")) {
    if (const auto text = key.as_string()) {
      const auto variation = flags::variation_key(datafile, user, *text);
      out.key(*text);
      variation ? out.string(*variation) : out.null();
    }
  }
  out.end_object().key("features").begin_object();
  for (const json::Value key : list_of(body, "features")) {
    if (const auto text = key.as_string()) {
      const flags::Feature feature = flags::feature(datafile, user, *text);
      out.key(*text).begin_object().member("enabled", feature.is_enabled);
      out.key("variables").raw(feature.variables.value_or("{}")).end_object();
    }
  }
  out.end_object().key("segments").begin_array();
  for (const std::string& segment : flags::segments_of(datafile, user)) {
    out.string(segment);
  }
  return out.end_array().end_object().take();
}

Result<std::shared_ptr<const Question>> question_of(DatafilePointer datafile,
                                                    std::string_view text) {
  auto body = json::Document::parse(text, json::kDecision);
  if (!body) {
    return Failure(body.error());
  }
  auto question = std::make_shared<Question>(Question{std::move(datafile), std::move(*body)});
  const json::Value root = question->body.root();
  if (!root.is_object()) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "body must be a JSON object",
                    .reason = "body_not_object"});
  }
  const auto user = flags::user_of(root.find("userId"), root.find("userAttributes"), std::nullopt);
  if (!user) {
    Error error = user.error();
    if (error.field == "/attributes") {
      error.field = "/userAttributes";
      error.message = "userAttributes must be an object";
    }
    return Failure(std::move(error));
  }
  return question;
}

void decide(Edge& edge, const http::Exchange& exchange) {
  auto datafile = datafile_of(edge);
  if (!datafile) {
    return exchange.complete(http::Response(not_configured()));
  }
  const auto question = question_of(std::move(datafile), exchange.request().body());
  if (!question) {
    return exchange.complete(http::Response(bad_body(question.error())));
  }
  edge.projector.when_current([&edge, exchange, question = *question](const Result<void>& reached) {
    if (!reached) {
      return exchange.fail(reached.error());
    }
    const auto segments = edge.profiles.segments_of(*user_id_of(*question), edge.clock.now());
    if (!segments) {
      return exchange.fail(segments.error());
    }
    exchange.complete(http::json(answer(*question, *segments)));
  });
}

/// Copies members of a datafile entry; absent ones are null, or empty lists where they are lists.
void copy_member(json::Writer& out,
                 json::Value entry,
                 std::string_view name,
                 std::string_view absent) {
  const auto member = entry.find(name);
  out.key(name);
  member ? out.value(*member) : out.raw(absent);
}

std::string experiments_text(const flags::Datafile& datafile) {
  json::Writer out;
  out.begin_object().key("experiments").begin_array();
  for (const flags::Rule* rule : datafile.top_experiments) {
    out.begin_object();
    for (const std::string_view name : {"id", "key", "status"}) {
      copy_member(out, *rule->source, name, "null");
    }
    copy_member(out, *rule->source, "audienceIds", "[]");
    out.key("variations").begin_array();
    for (const json::Value variation : list_of(*rule->source, "variations")) {
      out.begin_object();
      copy_member(out, variation, "id", "null");
      copy_member(out, variation, "key", "null");
      out.end_object();
    }
    out.end_array().end_object();
  }
  return out.end_array().end_object().take();
}

std::string features_text(const flags::Datafile& datafile) {
  json::Writer out;
  out.begin_object().key("features").begin_array();
  for (const flags::Flag& flag : datafile.flags) {
    out.begin_object();
    copy_member(out, *flag.source, "id", "null");
    copy_member(out, *flag.source, "key", "null");
    const auto experiments = flag.source->find("experimentIds");
    out.key("experiments");
    experiments ? out.value(*experiments) : out.raw("[]");
    out.key("variables").begin_array();
    for (const json::Value variable : list_of(*flag.source, "variables")) {
      out.begin_object();
      for (const std::string_view name : {"id", "key", "type", "defaultValue"}) {
        copy_member(out, variable, name, "null");
      }
      out.end_object();
    }
    out.end_array().end_object();
  }
  return out.end_array().end_object().take();
}

/// A route that prints something of the datafile.
template <typename Print>
auto printing(const Edge& edge, Print print) {
  return [&edge, print](const http::Request&) -> http::Response {
    const auto datafile = datafile_of(edge);
    if (!datafile) {
      return http::Response(not_configured());
    }
    return http::json(print(*datafile));
  };
}

}  // namespace

void optimizely(Mount& mount) {
  const RouteOptions reads{.needs = "flags:read"};
  const RouteOptions decides{.needs = "flags:read", .runs = Runs::OnPool};
  mount.post("/optimizely/decisions",
             decides,
             [&edge = mount.edge](const http::Exchange& exchange) { decide(edge, exchange); });
  mount.get("/optimizely/experiments", reads, printing(mount.edge, experiments_text));
  mount.get("/optimizely/features", reads, printing(mount.edge, features_text));
  mount.get(
      "/optimizely/datafile", reads, printing(mount.edge, [](const flags::Datafile& datafile) {
        return std::string(datafile.text());
      }));
  mount.get("/optimizely/health", {.needs = Public}, [](const http::Request&) {
    return http::json(R"({"status":"ok","service":"optimizely"})");
  });
}

}  // namespace edge::routes
