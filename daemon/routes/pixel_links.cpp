// SPDX-License-Identifier: MIT
// Links in mails: GET /pixel/click/TOKEN, GET and POST /pixel/unsubscribe/TOKEN (identity spec 1.8;
// RFC 8058). Where a link leads is inside its signed token, so nobody can make us lead elsewhere.
#include <algorithm>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/events/form_body.h"
#include "core/pixels/html.h"
#include "daemon/routes.h"
#include "daemon/routes/pixel_visit.h"

namespace edge::routes {
namespace {

constexpr std::string_view kNoStore =
    "Cache-Control: no-store\r\n"
    "X-Robots-Tag: noindex, nofollow\r\n";

Result<http::Response> follow(pixels::Pixels& pixels, const http::Request& request) {
  const std::string_view token = without_extension(request.param("token"));
  const auto target = pixels.target_of(token);
  if (!target) {
    http::Problem problem = http::problem_of(target.error());
    problem.status = target.error().reason == "expired" ? 410 : 404;
    problem.code = problem.status == 410 ? "expired" : "not_found";
    problem.log_code = target.error().reason;
    http::Response response(std::move(problem));
    response.fixed_fields(kNoStore);
    return response;
  }
  if (request.method() != http::Method::Head) {
    pixels.visit(visit_of(request, pixels::TokenKind::Click, token));
  }
  http::Response response(302);
  response.set("Location", *target).fixed_fields(kNoStore);
  return response;
}

/// A page whose only button posts what a mail program would post. It has no script and no style.
http::Response page(const pixels::Claims& claims) {
  const std::string list =
      claims.list_id.empty() ? "this list" : "<b>" + pixels::escape_html(claims.list_id) + "</b>";
  http::Response response;
  response.type("text/html; charset=utf-8")
      .fixed_fields(kNoStore)
      .set("Content-Security-Policy",
           "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
      .body(
          "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\">"
          "<title>Unsubscribe</title></head>\n<body>\n<h1>Unsubscribe</h1>\n<p>Stop mail of " +
          list +
          "?</p>\n<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" "
          "value=\"One-Click\"><button>Unsubscribe</button></form>\n</body>\n</html>\n");
  return response;
}

/// Whether a body is the one that RFC 8058 demands, as a form in either encoding.
bool is_one_click(const http::Request& request) {
  const std::string_view type = request.header("Content-Type").value_or(std::string_view{});
  const auto encoding = events::form_encoding(type, request.body());
  const auto fields = events::read_form(type, request.body());
  return fields && encoding != events::FormEncoding::Json &&
         std::ranges::any_of(*fields, [](const events::FormField& field) {
           return field.name == "List-Unsubscribe" && field.value == "One-Click";
         });
}

Result<http::Response> unsubscribe(pixels::Pixels& pixels, const http::Request& request) {
  if (!is_one_click(request)) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "the body must be the form List-Unsubscribe=One-Click",
                    .reason = "not_one_click"});
  }
  const std::string token(without_extension(request.param("token")));
  if (auto done = pixels.unsubscribe(token); !done) {
    return Failure(done.error());
  }
  http::Response response = http::text("You are unsubscribed.\n");
  response.fixed_fields(kNoStore);
  return response;
}

}  // namespace

void pixel_links(Mount& mount) {
  pixels::Pixels& pixels = mount.edge.pixels;
  const RouteOptions in_mails{
      .needs = Public, .cors = Cors::Anyone, .any_host = true, .authenticates = false};
  mount.get("/pixel/click/*token", in_mails, [&pixels](const http::Request& request) {
    return follow(pixels, request);
  });
  mount.get("/pixel/unsubscribe/*token",
            in_mails,
            [&pixels](const http::Request& request) -> Result<http::Response> {
              const auto claims =
                  pixels.unsubscribe_claims(without_extension(request.param("token")));
              return claims ? page(*claims) : Result<http::Response>(Failure(claims.error()));
            });
  RouteOptions posts = in_mails;
  posts.runs = Runs::OnPool;
  posts.max_body = static_cast<std::size_t>(mount.edge.config.server.limits.unsubscribe_body);
  posts.accepts = Accepts::Any;
  mount.post("/pixel/unsubscribe/*token", posts, [&pixels](const http::Request& request) {
    return unsubscribe(pixels, request);
  });
}

}  // namespace edge::routes
