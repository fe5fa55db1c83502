// SPDX-License-Identifier: MIT
// People as a list, their history, and what joins and parts them: GET /cdp/profiles,
// /cdp/profiles/:id/history, POST …/merge, …/unmerge (events spec 2.6, 5.5).
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "core/profiles/segments/filter.h"
#include "core/profiles/unmerge.h"
#include "daemon/routes.h"
#include "daemon/routes/current.h"

namespace edge::routes {
namespace {

using profiles::Name;
using profiles::Profile;

constexpr std::size_t kDefaultItems = 50;
constexpr std::size_t kMaxItems = 500;

Result<std::size_t> limit_of(const http::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) {
    return kDefaultItems;
  }
  std::size_t limit = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (failure != std::errc{} || end != text->data() + text->size() || limit == 0) {
    return Failure(
        {ErrorCode::InvalidArgument, "limit must be a positive number", "limit", "bad_limit"});
  }
  return std::min(limit, kMaxItems);
}

Result<http::Response> list(Edge& edge, const http::Request& request) {
  const auto limit = limit_of(request);
  if (!limit) {
    return Failure(limit.error());
  }
  const auto filter =
      profiles::ProfileFilter::parse(request.query_value("where").value_or(""), edge.segments);
  if (!filter) {
    Error error = filter.error();
    error.field = "where";
    return Failure(std::move(error));
  }
  return answer_later(edge, [&]() -> Result<http::Response> {
    const Time now = edge.clock.now();
    const auto page = edge.profiles.list(
        request.query_value("cursor").value_or(""), *limit, [&](const Profile& profile) {
          return filter->takes(profile, now);
        });
    if (!page) {
      return Failure(page.error());
    }
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const Profile& profile : page->profiles) {
      out.raw(edge.profiles.document(profile, now));
    }
    out.end_array().key("next");
    page->next.empty() ? out.null() : out.string(page->next);
    out.end_object();
    return http::json(out);
  });
}

Result<Profile> profile_of(Edge& edge, const std::string& id) {
  auto found = edge.profiles.find(Name::ProfileId, id);
  if (!found) {
    return Failure(found.error());
  }
  if (!*found) {
    return Failure({ErrorCode::NotFound, "no such profile"});
  }
  return std::move(**found);
}

Result<http::Response> history(Edge& edge, const std::string& id) {
  const auto profile = profile_of(edge, id);
  if (!profile) {
    return Failure(profile.error());
  }
  json::Writer out;
  out.begin_object();
  if (auto written = profiles::write_history(out, edge.profiles, *profile); !written) {
    return Failure(written.error());
  }
  out.end_object();
  return http::json(out);
}

/// The answer once profiles were joined or split by hand.
Result<http::Response> changed(Edge& edge, const std::string& id) {
  const auto profile = profile_of(edge, id);
  if (!profile) {
    return Failure(profile.error());
  }
  edge.open_sessions.forget(profile->identifiers);
  return http::json(edge.profiles.document(*profile, edge.clock.now()));
}

/// The text member of the body that an operation needs.
Result<std::string> needed(const http::Request& request, std::string_view member) {
  const auto body = object_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto value = (*body)->root().find(member);
  const auto text = value ? value->as_string() : std::nullopt;
  if (!text || text->empty()) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = std::string(member) + " must be a text",
                    .field = "/" + std::string(member),
                    .reason = "missing_" + std::string(member)});
  }
  return std::string(*text);
}

void merge(Edge& edge, const http::Exchange& exchange) {
  const auto into = needed(exchange.request(), "into");
  if (!into) {
    return exchange.fail(into.error());
  }
  const std::string id(exchange.request().param("id"));
  answer_after(
      edge, exchange, profiles::merge_task(ProfileId{id}, ProfileId{*into}), [&edge, into = *into] {
        return changed(edge, into);
      });
}

void unmerge(Edge& edge, const http::Exchange& exchange) {
  const auto merge = needed(exchange.request(), "merge");
  if (!merge) {
    return exchange.fail(merge.error());
  }
  const std::string id(exchange.request().param("id"));
  answer_after(edge, exchange, profiles::unmerge_task(ProfileId{id}, *merge), [&edge, id] {
    return changed(edge, id);
  });
}

}  // namespace

void cdp_people(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads{.needs = "cdp:read", .runs = Runs::OnPool};
  mount.get("/cdp/profiles", reads, [&edge](const http::Request& request) {
    return list(edge, request);
  });
  mount.get("/cdp/profiles/:id/history", reads, [&edge](const http::Exchange& exchange) {
    answer_current(edge, exchange, [&edge, id = std::string(exchange.request().param("id"))] {
      return history(edge, id);
    });
  });
  mount.post("/cdp/profiles/:id/merge",
             {.needs = "cdp:write", .runs = Runs::OnPool},
             [&edge](const http::Exchange& exchange) { merge(edge, exchange); });
  mount.post("/cdp/profiles/:id/unmerge",
             {.needs = "privacy:write", .runs = Runs::OnPool},
             [&edge](const http::Exchange& exchange) { unmerge(edge, exchange); });
}

}  // namespace edge::routes
