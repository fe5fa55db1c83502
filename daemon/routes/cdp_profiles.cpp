// SPDX-License-Identifier: MIT
// Reading profiles and segments. Every answer shows the effect of all events that were answered
// before the question came: it waits for the projector, no thread does.
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/profiles/profiles.h"
#include "daemon/routes.h"
#include "daemon/routes/current.h"

namespace edge::routes {
namespace {

using profiles::Name;
using profiles::Profile;

struct Question {
  Name name;
  std::string value;
};

/// In the order in which a question with several names tries them.
constexpr std::array<std::pair<std::string_view, Name>, 4> kNames = {
    {{"userId", Name::UserId},
     {"email", Name::Email},
     {"anonymousId", Name::AnonymousId},
     {"profileId", Name::ProfileId}}};

Result<std::vector<Question>> questions_of(json::Value body) {
  std::vector<Question> questions;
  for (const auto& [member, name] : kNames) {
    const auto value = body.find(member);
    if (!value || value->is_null()) {
      continue;
    }
    const auto text = value->as_string();
    if (!text) {
      return Failure({.code = ErrorCode::InvalidArgument,
                      .message = std::string(member) + " must be a string",
                      .field = "/" + std::string(member),
                      .reason = "id_not_string"});
    }
    if (!text->empty()) {
      questions.push_back({name, std::string(*text)});
    }
  }
  return questions;
}

/// The first profile that one of the names leads to.
Result<std::optional<Profile>> find_first(const profiles::Profiles& profiles,
                                          const std::vector<Question>& questions) {
  for (const Question& question : questions) {
    auto found = profiles.find(question.name, question.value);
    if (!found || *found) {
      return found;
    }
  }
  return std::nullopt;
}

void find_profile(Edge& edge, const http::Exchange& exchange) {
  const auto body = object_of(exchange.request());
  if (!body) {
    return exchange.fail(body.error());
  }
  auto questions = questions_of((*body)->root());
  if (!questions) {
    return exchange.fail(questions.error());
  }
  if (questions->empty()) {
    return exchange.fail(http::Problem{.status = 400,
                                       .code = "id_required",
                                       .error = "At least one identifier required",
                                       .detail = "give userId, email, anonymousId or profileId"});
  }
  answer_current(
      edge, exchange, [&edge, questions = std::move(*questions)]() -> Result<http::Response> {
        const auto found = find_first(edge.profiles, questions);
        if (!found) {
          return Failure(found.error());
        }
        return http::json(*found ? edge.profiles.document(**found, edge.clock.now())
                                 : std::string("null"));
      });
}

/// `{"userId":…,"segments":[…]}`, with `timestamp` where the route has one.
Result<http::Response> segments_answer(const Edge& edge,
                                       const std::string& user,
                                       std::optional<json::Value> traits,
                                       bool with_time) {
  const Time now = edge.clock.now();
  const auto segments = edge.profiles.segments_of(user, now, traits);
  if (!segments) {
    return Failure(segments.error());
  }
  json::Writer out;
  out.begin_object().member("userId", encoding::repaired_utf8(user)).key("segments").begin_array();
  for (const std::string& segment : *segments) {
    out.string(segment);
  }
  out.end_array();
  if (with_time) {
    out.member("timestamp", to_ms(now));
  }
  out.end_object();
  return http::json(out);
}

void find_segments(Edge& edge, const http::Exchange& exchange) {
  const auto body = object_of(exchange.request());
  if (!body) {
    return exchange.fail(body.error());
  }
  const json::Value root = (*body)->root();
  const auto user = root.find("userId");
  const auto name = user ? user->as_string() : std::nullopt;
  if (!name || name->empty()) {
    return exchange.fail(http::Problem{.status = 400,
                                       .code = "id_required",
                                       .error = "userId is required",
                                       .detail = "userId must be a text that is not empty",
                                       .pointer = "/userId"});
  }
  const auto traits = root.find("traits");
  if (traits && !traits->is_object() && !traits->is_null()) {
    return exchange.fail(Error{.code = ErrorCode::InvalidArgument,
                               .message = "traits must be an object",
                               .field = "/traits",
                               .reason = "traits_not_object"});
  }
  answer_current(edge, exchange, [&edge, body = *body, name = std::string(*name)] {
    return segments_answer(edge, name, body->root().find("traits"), false);
  });
}

void show_profile(Edge& edge, const http::Exchange& exchange) {
  answer_current(
      edge,
      exchange,
      [&edge, id = std::string(exchange.request().param("id"))]() -> Result<http::Response> {
        const auto found = edge.profiles.find(Name::ProfileId, id);
        if (!found) {
          return Failure(found.error());
        }
        if (!*found) {
          return Failure({ErrorCode::NotFound, "no such profile"});
        }
        return http::json(edge.profiles.document(**found, edge.clock.now()));
      });
}

}  // namespace

void cdp_profiles(Mount& mount) {
  const auto reads = RouteOptions{.needs = "cdp:read", .runs = Runs::OnPool};
  mount.post("/cdp/profile", reads, [&edge = mount.edge](const http::Exchange& exchange) {
    find_profile(edge, exchange);
  });
  mount.post("/cdp/segments", reads, [&edge = mount.edge](const http::Exchange& exchange) {
    find_segments(edge, exchange);
  });
  mount.get("/cdp/profiles/:id", reads, [&edge = mount.edge](const http::Exchange& exchange) {
    show_profile(edge, exchange);
  });
  mount.get(
      "/realtime/segments/:user", reads, [&edge = mount.edge](const http::Exchange& exchange) {
        answer_current(
            edge, exchange, [&edge, user = std::string(exchange.request().param("user"))] {
              return segments_answer(edge, user, std::nullopt, true);
            });
      });
}

}  // namespace edge::routes
