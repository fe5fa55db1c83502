// SPDX-License-Identifier: MIT
// Email pixels: GET /pixel/track/TOKEN, POST /pixel/generate, GET /pixel/health (identity
// spec 1.8). The image is the same for every token, good or bad, and never waits for the store.
// Rate limits do not change it either.
#include <fmt/format.h>

#include <utility>

#include "core/edge.h"
#include "core/pixels/gif.h"
#include "core/pixels/pixels.h"
#include "daemon/routes.h"
#include "daemon/routes/pixel_visit.h"

namespace edge::routes {
namespace {

constexpr std::size_t kMaxAtOnce = 10'000;

http::Response image() {
  return std::move(
      http::Response()
          .type("image/gif")
          .fixed_body(pixels::kGif)
          .fixed_fields("Cache-Control: no-store, no-cache, must-revalidate, private, max-age=0\r\n"
                        "Pragma: no-cache\r\n"
                        "Expires: 0\r\n"
                        "X-Robots-Tag: noindex, nofollow\r\n")
          .for_other_origins());
}

void write_generated(json::Writer& out, const Result<pixels::Generated>& pixel) {
  out.raw(pixels::generated_json(*pixel));
}

/// Missing ids keep the text of the original.
http::Problem refusal(const Error& error) {
  http::Problem problem = http::problem_of(error);
  if (error.reason == "missing_field") {
    problem.error = "Missing required fields: campaignId, emailId, recipientId";
  }
  return problem;
}

Result<http::Response> generate_many(const pixels::Pixels& pixels, json::Value records) {
  if (records.size() > kMaxAtOnce) {
    return Failure({ErrorCode::TooLarge, "at most 10000 pixels can be made at once"});
  }
  json::Writer out;
  out.begin_object().key("pixels").begin_array();
  std::size_t index = 0;
  for (const json::Value record : records.elements()) {
    const auto pixel = pixels.generate(record);
    if (!pixel) {
      Error error = pixel.error();
      error.field = fmt::format("/{}{}{}", index, error.field.empty() ? "" : "/", error.field);
      return http::Response(refusal(error));
    }
    write_generated(out, pixel);
    ++index;
  }
  out.end_array().end_object();
  return http::json(out);
}

Result<http::Response> generate(const pixels::Pixels& pixels, const http::Request& request) {
  const auto body = json::Document::parse(request.body(), json::kApi);
  if (!body) {
    return Failure(body.error());
  }
  if (body->root().is_array()) {
    return generate_many(pixels, body->root());
  }
  const auto pixel = pixels.generate(body->root());
  if (!pixel) {
    return http::Response(refusal(pixel.error()));
  }
  return http::json(pixels::generated_json(*pixel));
}

}  // namespace

void pixel(Mount& mount) {
  mount.get("/pixel/track/*token",
            {.needs = Public,
             .cors = Cors::Anyone,
             .any_host = true,
             .authenticates = false,
             .answers_over_limit = true},
            [&pixels = mount.edge.pixels](const http::Request& request) {
              if (request.is_over_limit()) {
                pixels.drop_visit();
              } else {
                pixels.visit(visit_of(request, pixels::TokenKind::Open, request.param("token")));
              }
              return image();
            });
  const auto make = [&pixels = mount.edge.pixels](const http::Request& request) {
    return generate(pixels, request);
  };
  const RouteOptions options{.needs = mount.edge.is_demo() ? Public : "pixel:generate",
                             .max_body = std::size_t{4} << 20U};
  mount.post("/pixel/generate", options, make);
  mount.get("/pixel/health", {.needs = Public}, [](const http::Request&) {
    return http::json(R"({"status":"ok","service":"pixel"})");
  });
}

}  // namespace edge::routes
