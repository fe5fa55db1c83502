// SPDX-License-Identifier: MIT
// Segment definitions: list, show, make, change, remove, preview and explain (events spec 6.7).
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/profiles/segments/explain.h"
#include "core/profiles/segments/expression.h"
#include "core/profiles/segments/segment_report.h"
#include "core/profiles/unmerge.h"
#include "daemon/routes.h"
#include "daemon/routes/current.h"

namespace edge::routes {
namespace {

constexpr std::uint64_t kDefaultSample = 10;
constexpr std::uint64_t kMaxSample = 1'000;

Error unknown(std::string_view name) {
  return {ErrorCode::NotFound, "there is no segment \"" + std::string(name) + "\""};
}

Result<void> write_one(json::Writer& out, Edge& edge, const profiles::SegmentRecord& record) {
  const auto numbers = profiles::numbers_of(edge.store, record.definition.name, edge.clock.now());
  if (!numbers) {
    return Failure(numbers.error());
  }
  out.begin_object();
  profiles::write_segment(out, record, *numbers);
  out.end_object();
  return {};
}

Result<http::Response> show(Edge& edge, const std::string& name) {
  const auto list = edge.segments.current();
  const profiles::SegmentRecord* const record = list->find(name);
  if (record == nullptr) {
    return Failure(unknown(name));
  }
  json::Writer out;
  return write_one(out, edge, *record).map([&] { return http::json(out); });
}

Result<http::Response> list(Edge& edge) {
  json::Writer out;
  out.begin_object().key("segments").begin_array();
  for (const profiles::SegmentRecord& record : edge.segments.current()->records) {
    if (auto written = write_one(out, edge, record); !written) {
      return Failure(written.error());
    }
  }
  out.end_array().end_object();
  return http::json(out);
}

/// A destination that does not exist would never be told.
Result<void> check_sends(Edge& edge, const profiles::Definition& definition) {
  const auto table = edge.destinations.table().get();
  for (const profiles::SendTo& send : definition.send) {
    if (!table->find(send.destination)) {
      return Failure({.code = ErrorCode::InvalidArgument,
                      .message = "there is no destination \"" + send.destination + "\"",
                      .field = "/send",
                      .reason = "bad_segment"});
    }
  }
  return {};
}

void put(Edge& edge, const http::Exchange& exchange) {
  const auto body = object_of(exchange.request());
  if (!body) {
    return exchange.fail(body.error());
  }
  const std::string name(exchange.request().param("name"));
  auto definition = profiles::read_definition((*body)->root(), name);
  if (!definition) {
    return exchange.fail(definition.error());
  }
  if (const auto checked = check_sends(edge, *definition); !checked) {
    return exchange.fail(checked.error());
  }
  answer_after(edge, exchange, profiles::define_task(std::move(*definition)), [&edge, name] {
    return show(edge, name);
  });
}

void erase(Edge& edge, const http::Exchange& exchange) {
  const std::string name(exchange.request().param("name"));
  answer_after(edge, exchange, profiles::undefine_task(name), [name]() -> Result<http::Response> {
    json::Writer out;
    out.begin_object().member("success", true).member("name", name).end_object();
    return http::json(out);
  });
}

/// The rule that a preview asks about: its own, or that of a segment.
Result<profiles::Node> rule_of(Edge& edge, json::Value body) {
  if (const auto conditions = body.find("conditions")) {
    return profiles::read_conditions(*conditions);
  }
  const auto text = [&](std::string_view member) {
    const auto value = body.find(member);
    return value ? value->as_string() : std::nullopt;
  };
  if (const auto when = text("when")) {
    return profiles::parse_expression(*when);
  }
  const auto name = text("name");
  if (!name) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "give conditions, when, or the name of a segment",
                    .field = "/when",
                    .reason = "bad_segment"});
  }
  const auto segments = edge.segments.current();
  const profiles::SegmentRecord* const record = segments->find(*name);
  if (record == nullptr) {
    return Failure(unknown(*name));
  }
  return record->definition.tree;
}

Result<http::Response> preview(Edge& edge, const http::Request& request) {
  const auto body = object_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto rule = rule_of(edge, (*body)->root());
  if (!rule) {
    return Failure(rule.error());
  }
  const auto given = (*body)->root().find("limit");
  const auto limit = given ? given->as_uint64() : std::optional(kDefaultSample);
  if (!limit || *limit > kMaxSample) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "limit must be a number up to 1000",
                    .field = "/limit",
                    .reason = "bad_limit"});
  }
  const auto name = (*body)->root().find("name");
  const auto compare = (*body)->root().find("compare");
  const bool is_compared = compare && compare->as_bool().value_or(false);
  if (is_compared && ((*body)->root().find("when") || (*body)->root().find("conditions"))) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "compare takes the name of a segment, no rule of its own",
                    .field = "/compare",
                    .reason = "bad_segment"});
  }
  const std::string compared(is_compared ? name->as_string().value_or("") : "");
  return answer_later(edge, [&]() -> Result<http::Response> {
    const auto found =
        profiles::preview(edge.store, edge.segments, *rule, *limit, edge.clock.now(), compared);
    if (!found) {
      return Failure(found.error());
    }
    json::Writer out;
    out.begin_object();
    profiles::write_preview(out, *found);
    out.end_object();
    return http::json(out);
  });
}

Result<http::Response> explain(Edge& edge, const std::string& name, const std::string& user) {
  const auto list = edge.segments.current();
  const auto profile = edge.profiles.find(profiles::Name::UserId, user);
  if (!profile) {
    return Failure(profile.error());
  }
  if (!*profile) {
    return Failure({ErrorCode::NotFound, "no profile has this user id"});
  }
  json::Writer out;
  const bool is_known = profiles::explain_segment(
      out, *list->book, edge.segments.switched_off(), name, **profile, edge.clock.now());
  return is_known ? Result<http::Response>(http::json(out)) : Failure(unknown(name));
}

}  // namespace

void cdp_segments(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads{.needs = "cdp:read", .runs = Runs::OnPool};
  const RouteOptions writes{.needs = "cdp:write", .runs = Runs::OnPool};
  constexpr std::string_view kAll = "/cdp/segments/definitions";
  constexpr std::string_view kOne = "/cdp/segments/definitions/:name";
  mount.get(kAll, reads, [&edge](const http::Request&) {
    return answer_later(edge, [&edge] { return list(edge); });
  });
  mount.get(kOne, reads, [&edge](const http::Exchange& exchange) {
    answer_current(edge, exchange, [&edge, name = std::string(exchange.request().param("name"))] {
      return show(edge, name);
    });
  });
  mount.put(kOne, writes, [&edge](const http::Exchange& exchange) { put(edge, exchange); });
  mount.del(kOne, writes, [&edge](const http::Exchange& exchange) { erase(edge, exchange); });
  mount.post("/cdp/segments/definitions/preview", reads, [&edge](const http::Request& request) {
    return preview(edge, request);
  });
  mount.get(
      "/cdp/segments/definitions/:name/explain", reads, [&edge](const http::Exchange& exchange) {
        const http::Request& request = exchange.request();
        answer_current(edge,
                       exchange,
                       [&edge,
                        name = std::string(request.param("name")),
                        user = request.query_value("userId").value_or("")] {
                         return explain(edge, name, user);
                       });
      });
}

}  // namespace edge::routes
