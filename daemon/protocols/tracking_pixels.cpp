// SPDX-License-Identifier: MIT
// GET /v1/pixel/TYPE and /pixel/v1/TYPE: events of clients that can only fetch an image (events
// spec 2.5). The image is sent whatever happens inside; what was wrong is counted.
#include <array>
#include <string>
#include <string_view>

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

Result<void> take(Edge& edge, const http::Request& request, std::string_view type) {
  const auto query = events::from_pixel_query(type, request.query());
  if (!query) {
    return Failure(query.error());
  }
  const auto source = routes::source_of(edge, request, query->write_key);
  if (!source) {
    return Failure(source.error());
  }
  const auto event = json::Document::parse(query->raw, json::kEvent);
  if (!event) {
    return Failure(event.error());
  }
  const auto type_of_route = events::type_of(type);
  const json::Value root = event->root();
  edge.ingest.accept({&root, 1},
                     {.type = type_of_route,
                      .channel = (*source)->kind,
                      .has_duplicates = event->has_duplicates()},
                     routes::origin_of(request, **source),
                     [](const Result<std::vector<events::Outcome>>&) {});
  return {};
}

}  // namespace

void tracking_pixels(Mount& mount) {
  auto& invalid = mount.metrics
                      .counter("edge_tracking_pixels_invalid_total",
                               "Fetched tracking pixels whose query was no event",
                               {})
                      .with({});
  const RouteOptions options{
      .needs = Public, .surface = Surface::Tracking, .any_host = true, .authenticates = false};
  static constexpr std::array<std::string_view, 6> kTypes = {
      "track", "page", "screen", "identify", "group", "alias"};
  for (const std::string_view type : kTypes) {
    const auto serve = [&edge = mount.edge, &invalid, type](const http::Request& request) {
      if (!take(edge, request, type)) {
        invalid.add();
      }
      return image();
    };
    for (const std::string_view name : routes::kTrackingRoots) {
      const std::string root(name);
      mount.get(root + "/v1/pixel/" + std::string(type), options, serve);
      if (type == "track" || type == "page") {
        mount.get(root + "/pixel/v1/" + std::string(type), options, serve);
      }
    }
  }
}

}  // namespace edge::protocols
