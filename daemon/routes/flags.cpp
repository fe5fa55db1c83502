// SPDX-License-Identifier: MIT
// Flags for the console and for `edgectl … --url` (decisions spec 15): the documents are those that
// the commands print.
#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/crypto/digest.h"
#include "core/edge.h"
#include "core/encoding/hex.h"
#include "core/events/event.h"
#include "core/flags/lint.h"
#include "core/flags/record.h"
#include "core/flags/simulate.h"
#include "core/flags/view.h"
#include "core/json/writer.h"
#include "daemon/deciding.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

using DatafilePointer = std::shared_ptr<const flags::Datafile>;

constexpr std::size_t kMaxDatafile = std::size_t{16} << 20U;
constexpr std::int64_t kMaxUsers = 1'000'000;
constexpr std::int64_t kUsualUsers = 100'000;
constexpr double kAlpha = 0.001;

http::Problem not_configured() {
  return {.status = 503, .code = "flags_not_configured", .error = "Optimizely is not configured"};
}

Error wrong(std::string_view field, std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), std::string(field)};
}

/// Remembers the digest of the datafile that was asked for last. Thread-safe.
class Digests {
 public:
  std::string of(const DatafilePointer& datafile) {
    {
      const std::lock_guard lock(mutex_);
      if (datafile == known_) {
        return digest_;
      }
    }
    std::string digest = encoding::hex_encode(crypto::sha256(datafile->text()));
    const std::lock_guard lock(mutex_);
    known_ = datafile;
    digest_ = digest;
    return digest;
  }

 private:
  std::mutex mutex_;
  DatafilePointer known_;  // guarded by mutex_
  std::string digest_;     // guarded by mutex_
};

Result<json::Document> object_of(const http::Request& request) {
  auto body = json::Document::parse(request.body(), json::kDecision);
  if (body && !body->root().is_object()) {
    return Failure(wrong("", "the body must be a JSON object"));
  }
  return body;
}

Result<http::Response> decide(Edge& edge, Digests& digests, const http::Request& request) {
  const auto datafile = edge.flags.datafile();
  if (!datafile) {
    return http::Response(not_configured());
  }
  const auto body = object_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto sends = body->root().find("sendEvent");
  flags::Witness witness;
  if (sends && sends->as_bool().value_or(false)) {
    if (const auto wanted = edge.reports.check_wanted(); !wanted) {
      return Failure(wanted.error());
    }
    witness = [&edge, &datafile](const flags::User& user, const auto& exposures) {
      report(edge, *datafile, user, exposures);
    };
  }
  const auto document = flags::decide_document(*datafile,
                                               {.kind = "daemon",
                                                .from = edge.flags.project().settings().place,
                                                .sha256 = digests.of(datafile)},
                                               body->root(),
                                               witness);
  return document ? Result<http::Response>(http::json(*document)) : Failure(document.error());
}

Result<http::Response> show(const Edge& edge, const http::Request& request) {
  const auto datafile = edge.flags.datafile();
  if (!datafile) {
    return http::Response(not_configured());
  }
  auto document = flags::flag_document(*datafile, request.param("key"));
  if (!document) {
    return Failure({.code = ErrorCode::NotFound,
                    .message = "there is no flag of that key",
                    .reason = "flag_not_found"});
  }
  return http::json(*std::move(document));
}

/// A whole number of the body within bounds.
Result<std::int64_t> number_of(json::Value body,
                               std::string_view name,
                               std::int64_t fallback,
                               std::int64_t most) {
  const auto member = body.find(name);
  if (!member) {
    return fallback;
  }
  const auto number = member->as_int64();
  if (!number || *number < 0 || *number > most) {
    return Failure(
        wrong("/" + std::string(name),
              std::string(name) + " must be a whole number of at most " + std::to_string(most)));
  }
  return *number;
}

Result<http::Response> simulate(const Edge& edge, const http::Request& request) {
  const auto datafile = edge.flags.datafile();
  if (!datafile) {
    return http::Response(not_configured());
  }
  const auto body = object_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto key = body->root().find("key");
  const auto users = number_of(body->root(), "users", kUsualUsers, kMaxUsers);
  const auto seed = number_of(body->root(), "seed", 1, std::int64_t{1} << 53U);
  if (!key || !key->is_string()) {
    return Failure(wrong("/key", "key must be the key of a flag"));
  }
  for (const auto& number : {users, seed}) {
    if (!number) {
      return Failure(number.error());
    }
  }
  const auto attributes = body->root().find("attributes");
  auto crowd =
      flags::CrowdReader::drawn({.users = static_cast<std::uint64_t>(*users),
                                 .seed = static_cast<std::uint64_t>(*seed),
                                 .attributes = std::string(attributes ? attributes->raw() : "{}")});
  if (!crowd) {
    return Failure(crowd.error());
  }
  const auto simulation = flags::simulate(
      *datafile, *key->as_string(), *crowd, static_cast<std::uint64_t>(*seed), kAlpha);
  if (!simulation) {
    return Failure(simulation.error());
  }
  return http::json(flags::simulation_document(*simulation));
}

/// What section 2.1 says of a text: `ok`, `not_ready` or `invalid`.
struct Judged {
  std::string_view result = "invalid";
  std::string revision = {};
};

Judged judge(std::string_view text) {
  const auto datafile = flags::load_datafile(text);
  if (!datafile) {
    return {};
  }
  return {(*datafile)->is_ready ? "ok" : "not_ready", (*datafile)->revision};
}

/// The members of a judgement with everything that looks like a mistake.
std::string judgement_members(std::string_view text) {
  const Judged judged = judge(text);
  const auto problems = flags::lint(text);
  const auto errors = std::ranges::count_if(problems, &flags::LintProblem::is_error);
  json::Writer out;
  out.begin_object().member("result", judged.result).member("revision", judged.revision);
  out.member("errorCount", std::int64_t{errors})
      .member("warningCount", static_cast<std::int64_t>(problems.size()) - errors)
      .key("problems")
      .begin_array();
  for (const flags::LintProblem& problem : problems) {
    out.begin_object()
        .member("line", std::uint64_t{problem.line})
        .member("column", std::uint64_t{problem.column})
        .member("level", problem.is_error ? "error" : "warning")
        .member("code", problem.code)
        .member("message", problem.message)
        .end_object();
  }
  out.end_array().end_object();
  const std::string object = out.take();
  return object.substr(1, object.size() - 2);
}

Result<http::Response> replace(Edge& edge, const http::Request& request) {
  const auto changed = edge.flags.project().replace(request.body());
  if (!changed && changed.error().code != ErrorCode::InvalidArgument) {
    return Failure(changed.error());
  }
  std::string members = judgement_members(request.body());
  if (!changed) {
    return http::Response(http::Problem{.status = 400,
                                        .code = "invalid_datafile",
                                        .error = "the datafile cannot be used",
                                        .detail = changed.error().message,
                                        .members = std::move(members)});
  }
  return http::json("{\"changed\":" + std::string(*changed ? "true" : "false") + "," + members +
                    "}");
}

void write_project(json::Writer& out, flags::Project& project) {
  const auto outcome = project.refresh();
  const flags::ProjectStatus status = project.status();
  const auto datafile = project.datafile();
  out.begin_object()
      .member("sdkKey", project.settings().sdk_key)
      .member("source", project.settings().place)
      .member("result",
              datafile == nullptr  ? "missing"
              : datafile->is_ready ? "ok"
                                   : "not_ready")
      .member("changed", outcome && *outcome)
      .member("revision", status.revision)
      .member("checkedAt", events::format_time(status.checked));
  if (!status.problem.empty()) {
    out.member("problem", status.problem);
  }
  out.end_object();
}

http::Response reload(const Edge& edge) {
  json::Writer out;
  out.begin_object().key("projects").begin_array();
  for (const auto& project : edge.flags.projects()) {
    write_project(out, *project);
  }
  out.end_array().end_object();
  return http::json(out);
}

}  // namespace

void flags(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads{.needs = "flags:read", .runs = Runs::OnPool};
  const RouteOptions writes{.needs = "flags:write", .runs = Runs::OnPool, .max_body = kMaxDatafile};
  const auto digests = std::make_shared<Digests>();
  mount.post("/api/decide", reads, [&edge, digests](const http::Request& request) {
    return decide(edge, *digests, request);
  });
  mount.get("/api/flags", reads, [&edge](const http::Request&) -> http::Response {
    const auto datafile = edge.flags.datafile();
    return datafile ? http::json(flags::flag_list_document(*datafile))
                    : http::Response(not_configured());
  });
  mount.get("/api/flags/:key", reads, [&edge](const http::Request& request) {
    return show(edge, request);
  });
  mount.post("/api/flags/simulate", reads, [&edge](const http::Request& request) {
    return simulate(edge, request);
  });
  mount.put("/api/flags/datafile", writes, [&edge](const http::Request& request) {
    return replace(edge, request);
  });
  mount.post("/api/flags/validate", writes, [](const http::Request& request) {
    return http::json("{" + judgement_members(request.body()) + "}");
  });
  mount.post("/api/flags/reload", writes, [&edge](const http::Request&) { return reload(edge); });
}

}  // namespace edge::routes
