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
#include "daemon/deciding.h"
#include "daemon/http/validators.h"
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

/// A request that was read.
struct Question {
  http::Exchange exchange;
  DatafilePointer datafile;
  json::Document body;

  [[nodiscard]] std::optional<json::Value> member(std::string_view name) const {
    return body.root().find(name);
  }
  [[nodiscard]] Result<flags::User> user() const {
    return flags::user_of(member("userId"), member("userAttributes"), std::nullopt);
  }
};
using QuestionPointer = std::shared_ptr<const Question>;

json::Elements list_of(json::Value body, std::string_view name) {
  const auto member = body.find(name);
  return member ? member->elements() : json::Elements{};
}

/// The question of a request that names a user; nothing when it was answered.
QuestionPointer question_of(const Edge& edge, const http::Exchange& exchange) {
  auto datafile = datafile_of(edge);
  if (!datafile) {
    exchange.fail(not_configured());
    return nullptr;
  }
  auto body = json::Document::parse(exchange.request().body(), json::kDecision);
  if (!body) {
    exchange.fail(bad_body(body.error()));
    return nullptr;
  }
  auto question =
      std::make_shared<const Question>(Question{exchange, std::move(datafile), *std::move(body)});
  if (!question->body.root().is_object()) {
    exchange.fail(bad_body({.code = ErrorCode::InvalidArgument,
                            .message = "body must be a JSON object",
                            .reason = "body_not_object"}));
    return nullptr;
  }
  if (const auto user = question->user(); !user) {
    Error error = user.error();
    if (error.field == "/attributes") {
      error.field = "/userAttributes";
      error.message = "userAttributes must be an object";
    }
    exchange.fail(bad_body(error));
    return nullptr;
  }
  return question;
}

/// Answers with what the user gets; `exposures` gets what is to be reported.
std::string answer(const Question& question,
                   const flags::User& user,
                   std::vector<flags::Exposure>& exposures) {
  const json::Value body = question.body.root();
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
      if (feature.exposure) {
        exposures.push_back(*feature.exposure);
      }
    }
  }
  out.end_object().key("segments").begin_array();
  for (const std::string& segment : flags::segments_of(datafile, user)) {
    out.string(segment);
  }
  return out.end_array().end_object().take();
}

void decide(Edge& edge, const http::Exchange& exchange) {
  const QuestionPointer question = question_of(edge, exchange);
  if (question == nullptr) {
    return;
  }
  when_known(edge,
             exchange,
             {.project = edge.flags.project(),
              .user_id = std::string(question->user()->id),
              .segments = question->datafile->conditions.ask_for_segments()},
             [&edge, question](const Known& known) {
               if (known.problem) {
                 return question->exchange.fail(*known.problem);
               }
               flags::User user = *question->user();
               user.segments.assign(known.segments.begin(), known.segments.end());
               std::vector<flags::Exposure> exposures;
               std::string text = answer(*question, user, exposures);
               const auto silent = question->member("disableTracking");
               if (!silent || !silent->as_bool().value_or(false)) {
                 report(edge, *question->datafile, user, exposures);
               }
               question->exchange.complete(known.mark(http::json(std::move(text))));
             });
}

/// A conversion. An event that the datafile does not know is answered, but not a success.
void track(Edge& edge, const http::Exchange& exchange) {
  const QuestionPointer question = question_of(edge, exchange);
  if (question == nullptr) {
    return;
  }
  const auto key = question->member("eventKey");
  const auto tags = question->member("eventTags");
  if (!key || !key->is_string() || key->as_string()->empty()) {
    return exchange.fail(bad_body({.code = ErrorCode::InvalidArgument,
                                   .message = "eventKey must be a text",
                                   .field = "/eventKey",
                                   .reason = "event_key_required"}));
  }
  if (tags && !tags->is_object() && !tags->is_null()) {
    return exchange.fail(bad_body({.code = ErrorCode::InvalidArgument,
                                   .message = "eventTags must be an object",
                                   .field = "/eventTags",
                                   .reason = "event_tags_not_object"}));
  }
  const auto user = question->user();
  const bool is_known = report_conversion(edge,
                                          edge.flags.project(),
                                          *question->datafile,
                                          *user,
                                          *key->as_string(),
                                          question->member("userAttributes"),
                                          tags);
  json::Writer out;
  out.begin_object()
      .member("success", is_known)
      .member("userId", user->id)
      .member("eventKey", *key->as_string())
      .member("timestamp", events::format_time(edge.clock.now()));
  if (!is_known) {
    out.member("error",
               "the datafile has no event with the key \"" + std::string(*key->as_string()) + "\"");
  }
  out.end_object();
  exchange.complete(http::json(out));
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
  return [&edge, print](const http::Request& request) -> http::Response {
    const auto datafile = datafile_of(edge);
    if (!datafile) {
      return http::Response(not_configured());
    }
    http::Response response = http::json(print(*datafile));
    response.set("Cache-Control", "no-cache");
    return http::validated(
        request,
        std::move(response),
        {.modified = edge.flags.project().status().changed, .vary = "Authorization"});
  };
}

}  // namespace

void optimizely(Mount& mount) {
  const RouteOptions reads{.needs = "flags:read"};
  mount.post("/optimizely/decisions", reads, [&edge = mount.edge](const http::Exchange& exchange) {
    decide(edge, exchange);
  });
  mount.post("/optimizely/track",
             {.needs = "track:write"},
             [&edge = mount.edge](const http::Exchange& exchange) { track(edge, exchange); });
  const RouteOptions prints{.needs = "flags:read", .runs = Runs::OnPool};  // digests take a while
  mount.get("/optimizely/experiments", prints, printing(mount.edge, experiments_text));
  mount.get("/optimizely/features", prints, printing(mount.edge, features_text));
  mount.get(
      "/optimizely/datafile", prints, printing(mount.edge, [](const flags::Datafile& datafile) {
        return std::string(datafile.text());
      }));
  mount.get("/optimizely/health", {.needs = Public}, [](const http::Request&) {
    return http::json(R"({"status":"ok","service":"optimizely"})");
  });
}

}  // namespace edge::routes
