// SPDX-License-Identifier: MIT
// GET /v1/pixel/TYPE and /pixel/v1/TYPE: events of clients that can only fetch an image (events
// spec 2.5). The image is sent whatever happens inside; what was wrong is counted.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/events/ingest.h"
#include "core/events/shapes.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::protocols {
namespace {

/// The 42 octets that clients of the tracking protocol know; the image of email pixels is another.
constexpr std::string_view kImage{
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00\x00\x2c"
    "\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01\x44\x00\x3b",
    42};

http::Response image() {
  http::Response response;
  response.type("image/gif")
      .fixed_body(kImage)
      .fixed_fields("Cache-Control: no-store\r\n")
      .for_other_origins();
  return response;
}

/// What went wrong, as it is counted.
struct Counters {
  metrics::Counter& invalid;
  metrics::Counter& lost;
};

/// Takes the event in; `done` says whether the store had it. Failure: it is no event, or nobody may
/// send it; then `done` is not called.
Result<void> take(Edge& edge,
                  const http::Request& request,
                  std::string_view type,
                  events::Done done) {
  const auto query = events::from_pixel_query(type, request.query());
  if (!query) {
    return Failure(query.error());
  }
  const auto source = routes::sender_of(edge, request, query->write_key);
  if (!source) {
    return Failure(source.error());
  }
  const auto event = json::Document::parse(query->raw, json::kEvent);
  if (!event) {
    return Failure(event.error());
  }
  const json::Value root = event->root();
  edge.ingest.accept({&root, 1},
                     {.type = events::type_of(type),
                      .channel = (*source)->kind,
                      .has_duplicates = event->has_duplicates()},
                     routes::origin_of(request, **source),
                     std::move(done));
  return {};
}

/// The image leaves when the event is durable, so that who reads afterwards finds it; it leaves
/// also when there is no event.
void serve(Edge& edge,
           const http::Exchange& exchange,
           std::string_view type,
           const Counters& counters) {
  if (exchange.request().is_over_limit() || exchange.request().method() == http::Method::Head) {
    return exchange.complete(image());
  }
  const auto taken = take(edge,
                          exchange.request(),
                          type,
                          [exchange, counters](const Result<std::vector<events::Outcome>>& done) {
                            if (!done) {
                              counters.lost.add();
                            } else if (done->front().status == events::Outcome::Status::Refused) {
                              counters.invalid.add();
                            }
                            exchange.complete(image());
                          });
  if (!taken) {
    counters.invalid.add();
    exchange.complete(image());
  }
}

}  // namespace

void tracking_pixels(Mount& mount) {
  const Counters counters{
      .invalid = mount.metrics
                     .counter("edge_tracking_pixels_invalid_total",
                              "Fetched tracking pixels whose query was no event",
                              {})
                     .with({}),
      .lost = mount.metrics
                  .counter("edge_tracking_pixels_lost_total",
                           "Fetched tracking pixels whose event the store did not take",
                           {})
                  .with({})};
  const RouteOptions options{.needs = Public,
                             .surface = Surface::Tracking,
                             .any_host = true,
                             .authenticates = false,
                             .answers_over_limit = true};
  static constexpr std::array<std::string_view, 6> kTypes = {
      "track", "page", "screen", "identify", "group", "alias"};
  for (const std::string_view type : kTypes) {
    const auto handler = [&edge = mount.edge, counters, type](const http::Exchange& exchange) {
      serve(edge, exchange, type, counters);
    };
    for (const std::string_view name : routes::kTrackingRoots) {
      const std::string root(name);
      mount.get(root + "/v1/pixel/" + std::string(type), options, handler);
      if (type == "track" || type == "page") {
        mount.get(root + "/pixel/v1/" + std::string(type), options, handler);
      }
    }
  }
}

}  // namespace edge::protocols
