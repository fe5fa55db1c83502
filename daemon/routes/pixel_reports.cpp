// SPDX-License-Identifier: MIT
// What became of mails, and who does not want to be known: GET /pixel/stats, GET, PUT and DELETE
// /pixel/optouts (identity spec 1.8, 1.11, 1.12).
#include <charconv>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/pixels/pixels.h"
#include "core/pixels/stats.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::size_t kUsualPage = 100;

Result<std::size_t> limit_of(const http::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) {
    return kUsualPage;
  }
  std::size_t limit = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (failure != std::errc{} || end != text->data() + text->size() || limit < 1 ||
      limit > storage::kMaxPageItems) {
    return Failure({ErrorCode::InvalidArgument, "limit must be 1 to 1000", "limit"});
  }
  return limit;
}

Result<pixels::StatsQuery> stats_query_of(const http::Request& request, Time now) {
  const auto limit = limit_of(request);
  if (!limit) {
    return Failure(limit.error());
  }
  auto query = pixels::read_stats_query(request.query_value("campaignId"),
                                        request.query_value("by"),
                                        request.query_value("since"),
                                        now);
  if (query) {
    query->after = request.query_value("cursor").value_or("");
    query->limit = *limit;
  }
  return query;
}

/// Answers once everything that was fetched before is counted; the store is read on the counting
/// thread.
void answer_stats(Edge& edge, const http::Exchange& exchange) {
  auto query = stats_query_of(exchange.request(), edge.clock.now());
  if (!query) {
    return exchange.fail(query.error());
  }
  edge.pixels.when_counted(
      [&edge, exchange, query = std::move(*query)](const Result<void>& counted) {
        if (!counted) {
          return exchange.fail(counted.error());
        }
        exchange.complete(pixels::stats_json(edge.pixels.counts, query).map([](std::string text) {
          return http::json(std::move(text));
        }));
      });
}

std::string list_in(const http::Request& request) {
  return request.query_value("list").value_or("");
}

Result<http::Response> list_opt_outs(const pixels::OptOuts& opt_outs,
                                     const http::Request& request) {
  const auto limit = limit_of(request);
  if (!limit) {
    return Failure(limit.error());
  }
  const auto page =
      opt_outs.list(list_in(request), request.query_value("cursor").value_or(""), *limit);
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("items").begin_array();
  for (const pixels::OptOut& entry : page->items) {
    pixels::write_opt_out(out, entry);
  }
  out.end_array().key("next");
  if (page->next) {
    out.string(*page->next);
  } else {
    out.null();
  }
  return http::json(out.end_object());
}

Result<http::Response> add_opt_out(pixels::OptOuts& opt_outs, const http::Request& request) {
  const std::string recipient(request.param("recipientId"));
  const std::string list = list_in(request);
  const auto added = opt_outs.add(recipient, list, "api");
  if (!added) {
    return Failure(added.error());
  }
  json::Writer out;
  out.begin_object().member("recipientId", recipient).member("list", list);
  return http::json(out.member("added", *added).end_object(), *added ? 201 : 200);
}

Result<http::Response> remove_opt_out(pixels::OptOuts& opt_outs, const http::Request& request) {
  const auto removed = opt_outs.remove(std::string(request.param("recipientId")), list_in(request));
  if (!removed) {
    return Failure(removed.error());
  }
  if (!*removed) {
    return Failure({ErrorCode::NotFound, "the recipient is not on that list"});
  }
  return http::no_content();
}

}  // namespace

void pixel_reports(Mount& mount) {
  Edge& edge = mount.edge;
  pixels::OptOuts& opt_outs = edge.pixels.opt_outs;
  mount.get("/pixel/stats", {.needs = "pixel:read"}, [&edge](const http::Exchange& exchange) {
    answer_stats(edge, exchange);
  });
  mount.get("/pixel/optouts",
            {.needs = "pixel:read", .runs = Runs::OnPool},
            [&opt_outs](const http::Request& request) { return list_opt_outs(opt_outs, request); });
  const RouteOptions changes{.needs = "pixel:generate", .runs = Runs::OnPool};
  mount.put("/pixel/optouts/:recipientId", changes, [&opt_outs](const http::Request& request) {
    return add_opt_out(opt_outs, request);
  });
  mount.del("/pixel/optouts/:recipientId", changes, [&opt_outs](const http::Request& request) {
    return remove_opt_out(opt_outs, request);
  });
}

}  // namespace edge::routes
