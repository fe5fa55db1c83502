// SPDX-License-Identifier: MIT
// Deleting and suppressing people, and handing out what is kept of them: POST /cdp/regulations,
// GET /cdp/regulations/:id, POST /cdp/regulations/:id/retry, DELETE /cdp/profiles/:id, GET
// /cdp/profiles/export (events spec 5.7).
#include "core/regulations.h"

#include <string>
#include <utility>

#include "core/profile_export.h"
#include "daemon/routes.h"
#include "daemon/routes/current.h"

namespace edge::routes {
namespace {

http::Response running(const std::string& id) {
  json::Writer out;
  out.begin_object().member("id", id).member("status", "RUNNING").end_object();
  return http::json(out);
}

Result<http::Response> start(Edge& edge, const http::Request& request) {
  const auto body = object_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto wanted = read_regulation((*body)->root());
  if (!wanted) {
    return Failure(wanted.error());
  }
  return edge.regulations.start(*wanted).map(running);
}

/// `?events=keep` leaves the events.
Result<http::Response> remove_profile(Edge& edge, const http::Request& request) {
  const std::string id(request.param("id"));
  const std::string events = request.query_value("events").value_or("");
  if (!events.empty() && events != "keep") {
    return Failure({ErrorCode::InvalidArgument, "events must be keep or absent", "events"});
  }
  return answer_later(edge, [&]() -> Result<http::Response> {
    const auto found = edge.profiles.find(profiles::Name::ProfileId, id);
    if (!found || !*found) {
      return Failure(found ? Error{ErrorCode::NotFound, "no such profile"} : found.error());
    }
    return edge.regulations
        .start({.subject = profiles::Name::ProfileId, .ids = {id}, .keep_events = events == "keep"})
        .map(running);
  });
}

Result<http::Response> hand_out(Edge& edge, const http::Request& request) {
  const auto subject = named_in([&](std::string_view name) { return request.query_value(name); });
  if (!subject) {
    return Failure(subject.error());
  }
  return answer_later(edge, [&]() -> Result<http::Response> {
    std::string lines;
    const auto written =
        export_person(edge, subject->first, subject->second, [&lines](std::string_view line) {
          lines.append(line).append(1, '\n');
        });
    if (!written || !*written) {
      return Failure(written ? Error{ErrorCode::NotFound, "nobody goes by that name"}
                             : written.error());
    }
    http::Response response;
    response.type("application/x-ndjson").body(std::move(lines));
    return response;
  });
}

}  // namespace

void regulations(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions privacy{.needs = "privacy:write", .runs = Runs::OnPool};
  mount.post("/cdp/regulations", privacy, [&edge](const http::Request& request) {
    return start(edge, request);
  });
  mount.get("/cdp/regulations/:id", privacy, [&edge](const http::Request& request) {
    return edge.regulations.document(request.param("id")).map([](std::string text) {
      return http::json(std::move(text));
    });
  });
  mount.post("/cdp/regulations/:id/retry", privacy, [&edge](const http::Request& request) {
    const std::string id(request.param("id"));
    return edge.regulations.retry(id).map([&id] { return running(id); });
  });
  mount.del("/cdp/profiles/:id", privacy, [&edge](const http::Request& request) {
    return remove_profile(edge, request);
  });
  mount.get("/cdp/profiles/export",
            {.needs = "cdp:read", .runs = Runs::OnPool},
            [&edge](const http::Request& request) { return hand_out(edge, request); });
}

}  // namespace edge::routes
