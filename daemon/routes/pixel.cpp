// SPDX-License-Identifier: MIT
// Email pixels: GET /pixel/track/TOKEN, POST /pixel/generate, GET /pixel/health (identity
// spec 1.8). The image is the same for every token, good or bad, and never waits for the store.
#include <utility>

#include "core/edge.h"
#include "core/pixels/gif.h"
#include "core/pixels/pixels.h"
#include "daemon/routes.h"

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

std::string_view field(const http::Request& request, std::string_view name) {
  return request.header(name).value_or(std::string_view{});
}

std::string_view without_extension(std::string_view token) {
  for (const std::string_view extension : {".gif", ".png"}) {
    if (token.ends_with(extension)) {
      return token.substr(0, token.size() - extension.size());
    }
  }
  return token;
}

pixels::Open open_of(const http::Request& request, std::string_view token) {
  pixels::Open open{.request = {.method = request.method() == http::Method::Head ? "HEAD" : "GET",
                                .user_agent = field(request, "User-Agent"),
                                .sec_purpose = field(request, "Sec-Purpose"),
                                .purpose = field(request, "Purpose"),
                                .x_purpose = field(request, "X-Purpose"),
                                .x_moz = field(request, "X-Moz")},
                    .token = without_extension(token),
                    .client_ip = request.client(),
                    .referer = field(request, "Referer"),
                    .opted_out = field(request, "Sec-GPC") == "1" || field(request, "DNT") == "1",
                    .query = request.query(),
                    .received_at = request.received()};
  return open;
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
      error.field = "/" + std::to_string(index) + "/" + error.field;
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
  auto& opens = mount.metrics.counter(
      "edge_pixel_opens_total", "Fetched pixels by what became of them", {"fate"});
  auto& taken = opens.with({"taken"});
  auto& rejected = opens.with({"rejected"});
  auto& dropped =
      mount.metrics.counter("edge_pixel_dropped_total", "Opens that could not be stored", {})
          .with({});

  mount.get(
      "/pixel/track/*token",
      {.needs = Public, .cors = Cors::Anyone, .any_host = true, .authenticates = false},
      [&pixels = mount.edge.pixels, &taken, &rejected, &dropped](const http::Request& request) {
        pixels.open(open_of(request, request.param("token")), [&](pixels::Pixels::Fate fate) {
          (fate == pixels::Pixels::Fate::Taken      ? taken
           : fate == pixels::Pixels::Fate::Rejected ? rejected
                                                    : dropped)
              .add();
        });
        return image();
      });
  const auto make = [&pixels = mount.edge.pixels](const http::Request& request) {
    return generate(pixels, request);
  };
  if (mount.edge.is_demo()) {
    mount.post("/pixel/generate", {.needs = Public, .max_body = std::size_t{4} << 20U}, make);
  } else {
    mount.post(
        "/pixel/generate", {.needs = "pixel:generate", .max_body = std::size_t{4} << 20U}, make);
  }
  mount.get("/pixel/health", {.needs = Public}, [](const http::Request&) {
    return http::json(R"({"status":"ok","service":"pixel"})");
  });
}

}  // namespace edge::routes
