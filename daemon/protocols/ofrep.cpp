// SPDX-License-Identifier: MIT
// OpenFeature's remote evaluation protocol, OFREP 0.3 (decisions spec 17):
//
//   POST /ofrep/v1/evaluate/flags/KEY    one flag
//   POST /ofrep/v1/evaluate/flags        all flags, with an ETag of exactly this answer
//   GET  /ofrep/v1/events                tells that it is time to evaluate again
//
// Answers are deterministic: the same datafile, context and segments give the same octets.
#include "core/flags/ofrep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/flags/flags.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/deciding.h"
#include "daemon/http/validators.h"
#include "daemon/protocols/refetch_streams.h"
#include "daemon/routes.h"

namespace edge::protocols {
namespace {

namespace ofrep = flags::ofrep;
using DatafilePointer = std::shared_ptr<const flags::Datafile>;

constexpr std::chrono::seconds kReloadPatience{2};
constexpr std::chrono::seconds kBetweenReloads{1};
constexpr int kInactivitySeconds = 120;
constexpr std::string_view kFlags = "/ofrep/v1/evaluate/flags";
constexpr std::string_view kEvents = "/ofrep/v1/events";

/// Errors of the surface. The code is given by handlers; for what other stages refuse it follows
/// from the status, and credentials and limits have none.
void print_problem(const http::Request& request,
                   const http::Problem& problem,
                   http::Response& out) {
  const bool is_ours = !problem.code.empty() && problem.code[0] >= 'A' && problem.code[0] <= 'Z';
  const bool has_none = problem.status == 401 || problem.status == 403 || problem.status == 429;
  const std::string_view code = is_ours                 ? std::string_view(problem.code)
                                : has_none              ? std::string_view{}
                                : problem.status == 400 ? ofrep::kParseError
                                                        : ofrep::kGeneral;
  const std::string_view key = request.param("key");
  const std::string& details = problem.detail.empty() || problem.status >= 500
                                   ? (problem.error.empty() ? problem.code : problem.error)
                                   : problem.detail;
  out.type("application/json")
      .body(ofrep::error_body(key.empty() ? std::nullopt : std::optional(key), code, details));
}

http::Problem problem_of(const Error& error) {
  if (error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument) {
    return {.status = error.code == ErrorCode::NotFound ? 404 : 400,
            .code = error.reason.empty() ? std::string(ofrep::kParseError) : error.reason,
            .detail = error.message};
  }
  http::Problem problem = http::problem_of(error);
  problem.status = problem.status == 429 ? 429 : 500;
  return problem;
}

http::Problem no_datafile() {
  return {.status = 500,
          .code = std::string(ofrep::kGeneral),
          .error = "there is no datafile to decide with"};
}

/// The SDK key that the request names; empty: the default. A key of ours in X-API-Key is no SDK
/// key.
std::string sdk_key_of(const Edge& edge, const http::Request& request) {
  if (const auto named = request.header("X-Optimizely-SDK-Key")) {
    return std::string(named->substr(0, named->find(':')));
  }
  const auto api_key = request.header("X-API-Key");
  const auto& projects = edge.flags.projects();
  const bool is_sdk_key =
      api_key && !api_key->empty() && std::ranges::any_of(projects, [&](const auto& project) {
        return project->settings().sdk_key == *api_key;
      });
  return is_sdk_key ? std::string(*api_key) : std::string{};
}

/// A request that was read; the context points into the body.
struct Question {
  http::Exchange exchange;
  std::string sdk_key;
  flags::Project* project = nullptr;
  DatafilePointer datafile = {};
  std::optional<json::Document> body = {};
  ofrep::Context context = {};
};
using QuestionPointer = std::shared_ptr<Question>;

Result<void> read_body(Question& question) {
  auto body = json::Document::parse(question.exchange.request().body(), json::kDecision);
  if (!body) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = body.error().message,
                    .reason = std::string(ofrep::kParseError)});
  }
  question.body = std::move(*body);
  auto context = ofrep::read_context(question.body->root());
  if (!context) {
    return Failure(context.error());
  }
  question.context = std::move(*context);
  return {};
}

/// Reads the request; nothing when it was refused, with the answer on its way.
QuestionPointer question_of(const Edge& edge, const http::Exchange& exchange) {
  auto question = std::make_shared<Question>(
      Question{.exchange = exchange, .sdk_key = sdk_key_of(edge, exchange.request())});
  if (const auto read = read_body(*question); !read) {
    exchange.fail(problem_of(read.error()));
    return nullptr;
  }
  question->project = edge.flags.find(question->sdk_key);
  return question;
}

/// Whether the client knows of another datafile than the one in force; then its source is looked
/// at, though not more often than once a second.
void catch_up(const Edge& edge, Question& question) {
  const auto wanted = question.exchange.request().query_value("flagConfigEtag");
  if (!wanted || wanted->empty() || question.project == nullptr) {
    return;
  }
  const auto present = question.project->datafile();
  const bool is_present =
      present != nullptr && wanted->find(ofrep::tag_of(*present)) != std::string::npos;
  const bool is_due = edge.clock.now() - question.project->status().checked >= kBetweenReloads ||
                      question.project->looks_changed();
  if (!is_present && is_due) {
    (void)question.project->refresh(kReloadPatience);  // a failure leaves what is in force
  }
}

using Evaluate = std::function<http::Response(Edge&, const Question&, ofrep::Evaluator&)>;

/// Evaluates with all that is known of the user, remembers what is to be remembered, reports what
/// is to be reported, and only then answers.
void answer(Edge& edge, Question& question, const Known& known, bool reports, const Evaluate& run) {
  if (known.problem) {
    return question.exchange.fail(problem_of(*known.problem));
  }
  flags::User& user = question.context.user;
  user.segments.assign(known.segments.begin(), known.segments.end());
  const auto overrides = known.record->overrides_under(*question.datafile, user.id);
  std::vector<flags::Exposure> exposures;
  ofrep::Evaluator evaluator(*question.datafile,
                             question.context,
                             {.overrides = &overrides,
                              .profile = known.sticky(edge),
                              .exposures = reports ? &exposures : nullptr});
  http::Response response = run(edge, question, evaluator);
  remember(edge, *question.project, user, evaluator.decider());
  report(edge, *question.datafile, user, exposures);
  question.exchange.complete(known.mark(std::move(response)));
}

/// Takes the datafile, finds out what is known of the user, and goes on. The evaluation sees every
/// event that was answered before, if it asks for segments at all.
void evaluate(Edge& edge, const QuestionPointer& question, bool reports, Evaluate run) {
  question->datafile = question->project == nullptr ? nullptr : question->project->datafile();
  if (question->datafile == nullptr || !question->datafile->is_ready) {
    return question->exchange.fail(no_datafile());
  }
  when_known(edge,
             question->exchange,
             {.project = *question->project,
              .user_id = std::string(question->context.user.id),
              .segments = question->datafile->conditions.ask_for_segments()},
             [&edge, question, reports, run = std::move(run)](const Known& known) {
               answer(edge, *question, known, reports, run);
             });
}

void evaluate_one(Edge& edge, const http::Exchange& exchange) {
  const QuestionPointer question = question_of(edge, exchange);
  if (question == nullptr) {
    return;
  }
  const bool reports = edge.config.ofrep.decision_events != "none";
  evaluate(edge,
           question,
           reports,
           [](Edge& /*edge*/, const Question& asked, ofrep::Evaluator& evaluator) {
             json::Writer out;
             const auto done = evaluator.evaluate(asked.exchange.request().param("key"), out);
             if (!done) {
               return http::Response(problem_of(done.error()));
             }
             return std::move(http::json(out).set("Cache-Control", "no-cache"));
           });
}

std::string event_streams(const std::string& sdk_key) {
  std::string uri(kEvents);
  if (!sdk_key.empty()) {
    uri += "?sdkKey=" + encoding::percent_encode(sdk_key);
  }
  json::Writer out;
  out.begin_array().begin_object().member("type", "sse").key("endpoint").begin_object();
  out.member("requestUri", uri).end_object();
  return out.member("inactivityDelaySec", kInactivitySeconds).end_object().end_array().take();
}

http::Response all_flags(Edge& edge, const Question& question, ofrep::Evaluator& evaluator) {
  const config::Ofrep& settings = edge.config.ofrep;
  json::Writer out;
  out.begin_object().key("flags").begin_array();
  evaluator.evaluate_all(settings.variables, out);
  out.end_array().key("metadata").begin_object();
  out.member("revision", question.datafile->revision).end_object();
  if (settings.notifications) {
    out.key("eventStreams").raw(event_streams(question.sdk_key));
  }
  http::Response response = http::json(out.end_object().take());
  response.set("Cache-Control", "no-cache");
  return http::validated(question.exchange.request(), std::move(response));
}

void evaluate_all(Edge& edge, const http::Exchange& exchange) {
  const QuestionPointer question = question_of(edge, exchange);
  if (question == nullptr) {
    return;
  }
  catch_up(edge, *question);
  evaluate(edge, question, edge.config.ofrep.decision_events == "all", all_flags);
}

using StreamsByProject = std::unordered_map<const flags::Project*, std::unique_ptr<RefetchStreams>>;

std::shared_ptr<const StreamsByProject> streams_of(const Edge& edge) {
  auto streams = std::make_shared<StreamsByProject>();
  for (const auto& project : edge.flags.projects()) {
    streams->emplace(project.get(), std::make_unique<RefetchStreams>(*project));
  }
  return streams;
}

void stream_events(const Edge& edge,
                   const StreamsByProject& streams,
                   const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto found = streams.find(
      edge.flags.find(request.query_value("sdkKey").value_or(sdk_key_of(edge, request))));
  if (found == streams.end()) {
    return exchange.fail(no_datafile());
  }
  http::Response response;
  response.type("text/event-stream")
      .stream(found->second->open(request.header("Last-Event-ID")))
      .set("Cache-Control", "no-cache");
  exchange.complete(std::move(response));
}

}  // namespace

void ofrep(Mount& mount) {
  Edge& edge = mount.edge;
  const bool is_open = edge.config.ofrep.open.value_or(edge.is_loopback());
  const RouteOptions evaluates{.needs = is_open ? Public : http::Needs("flags:read"),
                               .runs = Runs::OnPool,
                               .surface = Surface::Ofrep,
                               .accepts = Accepts::Any,
                               .any_host = true};
  mount.claim(Surface::Ofrep, {"/ofrep"}, print_problem);
  // Older clients do not encode the key, so that it may hold slashes.
  mount.post(std::string(kFlags) + "/*key", evaluates, [&edge](const http::Exchange& exchange) {
    evaluate_one(edge, exchange);
  });
  for (const std::string& path : {std::string(kFlags), std::string(kFlags) + "/"}) {
    mount.post(
        path, evaluates, [&edge](const http::Exchange& exchange) { evaluate_all(edge, exchange); });
  }
  if (edge.config.ofrep.notifications) {
    // Browsers cannot send credentials along; the stream tells nothing but that something changed.
    mount.get(kEvents,
              {.needs = Public, .surface = Surface::Ofrep, .any_host = true},
              [&edge, streams = streams_of(edge)](const http::Exchange& exchange) {
                stream_events(edge, *streams, exchange);
              });
  }
}

}  // namespace edge::protocols
