// SPDX-License-Identifier: MIT
// /auth/*: signing in and out (identity spec 3.2). Jobs that hash a password run on the threads of
// `login.hashes` and answer from there; the others wait for the store on the pool.
#include <algorithm>
#include <exception>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::size_t kMaxBody = std::size_t{16} * 1024;

using accounts::Access;
using accounts::SignedIn;

/// The members of a body: texts, and the roles of a registration.
struct Fields {
  std::map<std::string, std::string, std::less<>> texts = {};
  std::vector<std::string> roles = {};
  bool all = false;
};

struct Shape {
  std::initializer_list<std::string_view> texts = {};  ///< needed
  bool roles = false;                                  ///< may hold `roles`
  bool all = false;                                    ///< may hold `all`
};

Error bad_member(std::string_view name, const char* reason, std::string_view message) {
  return {ErrorCode::InvalidArgument,
          "member \"" + std::string(name) + "\" " + std::string(message),
          "/" + std::string(name),
          reason};
}

/// `roles` that are no list of texts are as little allowed as the wrong roles.
Result<std::vector<std::string>> read_roles(json::Value value) {
  std::vector<std::string> roles;
  if (!value.is_array()) {
    return Failure(bad_member("roles", "invalid_argument", "is no list"));
  }
  for (const json::Value role : value.elements()) {
    const auto text = role.as_string();
    if (!text) {
      return Failure(bad_member("roles", "invalid_argument", "holds something else than texts"));
    }
    roles.emplace_back(*text);
  }
  return roles;
}

bool is_text(const Shape& shape, std::string_view name) {
  return std::find(shape.texts.begin(), shape.texts.end(), name) != shape.texts.end();
}

/// Takes one member into the fields.
Result<void> take(Fields& fields, const Shape& shape, std::string_view name, json::Value value) {
  if (shape.roles && name == "roles") {
    auto roles = read_roles(value);
    if (!roles) {
      return Failure(std::move(roles.error()));
    }
    fields.roles = std::move(*roles);
    return {};
  }
  if (shape.all && name == "all") {
    if (!value.is_bool()) {
      return Failure(bad_member(name, "invalid_argument", "is not true or false"));
    }
    fields.all = *value.as_bool();
    return {};
  }
  if (!is_text(shape, name)) {
    return Failure(bad_member(name, "unknown_member", "is not known here"));
  }
  const auto text = value.as_string();
  if (!text) {
    return Failure(bad_member(name, "invalid_argument", "is no text"));
  }
  fields.texts.emplace(name, *text);
  return {};
}

Result<Fields> read_fields(std::string_view body, const Shape& shape) {
  auto document = json::Document::parse(body, json::kStrict);
  if (!document) {
    return Failure(std::move(document.error()));
  }
  if (!document->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument, "the body is no JSON object", {}, "bad_json"});
  }
  Fields fields;
  for (const auto& [name, value] : document->root().members()) {
    if (auto taken = take(fields, shape, name, value); !taken) {
      return Failure(std::move(taken.error()));
    }
  }
  for (const std::string_view name : shape.texts) {
    if (!fields.texts.contains(name)) {
      return Failure(bad_member(name, "missing_member", "is missing"));
    }
  }
  return fields;
}

http::Response no_store(json::Writer& out) {
  http::Response response = http::json(out);
  response.set("Cache-Control", "no-store");
  return response;
}

/// An error with the short text of the original.
http::Response refusal(const Error& error, const char* unauthenticated) {
  http::Problem problem = http::problem_of(error);
  if (error.code == ErrorCode::Unauthenticated) {
    problem.log_code = problem.code;
    problem.error = unauthenticated;
    problem.code = error.reason == "invalid_credentials" ? error.reason : "invalid_refresh_token";
    problem.detail.clear();
  } else if (error.code == ErrorCode::RateLimited) {
    problem.error = "Rate limit exceeded";
  }
  http::Response response(std::move(problem));
  response.set("Cache-Control", "no-store");
  return response;
}

http::Response tokens_answer(const SignedIn& done, bool with_type) {
  json::Writer out;
  out.begin_object()
      .member("accessToken", done.access_token)
      .member("refreshToken", done.refresh_token)
      .key("user")
      .raw(accounts::user_json(done.account))
      .member("expiresIn", static_cast<std::int64_t>(done.expires_in.count()));
  if (with_type) {
    out.member("tokenType", "Bearer");
  }
  out.end_object();
  return no_store(out);
}

http::Response success() {
  json::Writer out;
  out.begin_object().member("success", true).end_object();
  return no_store(out);
}

Access access_of(const http::Request& request) {
  const http::Principal& principal = *request.principal();
  return {.account = {principal.id},
          .session = {principal.session},
          .roles = principal.roles,
          .permissions = principal.permissions};
}

/// Runs a job that hashes on its threads and answers with what it returns.
template <typename Job>
void hash(Edge& edge, const http::Exchange& exchange, Job job) {
  const auto taken = edge.login.hashes.submit([exchange, job = std::move(job)](bool in_time) {
    if (!in_time) {
      exchange.fail(accounts::HashPool::busy());
      return;
    }
    try {
      exchange.complete(job());
    } catch (const std::exception& fault) {  // the edge of this thread: no memory, a broken store
      exchange.fail(Error{ErrorCode::Internal, fault.what()});
    }
  });
  if (!taken) {
    exchange.fail(taken.error());
  }
}

void login(Edge& edge, const http::Exchange& exchange) {
  auto fields = read_fields(exchange.request().body(), {.texts = {"email", "password"}});
  if (!fields) {
    exchange.fail(fields.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, fields = std::move(*fields)] {
    const auto done = edge.login.login(
        fields.texts.at("email"), fields.texts.at("password"), exchange.request().client());
    return done ? tokens_answer(*done, true) : refusal(done.error(), "Invalid credentials");
  });
}

void enroll(Edge& edge, const http::Exchange& exchange) {
  auto fields = read_fields(exchange.request().body(),
                            {.texts = {"email", "password", "name"}, .roles = true});
  if (!fields) {
    exchange.fail(fields.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, fields = std::move(*fields)] {
    const auto made = edge.login.enroll({.email = fields.texts.at("email"),
                                         .password = fields.texts.at("password"),
                                         .name = fields.texts.at("name"),
                                         .roles = fields.roles},
                                        exchange.request().client());
    if (!made) {
      return refusal(made.error(), "Authentication failed");
    }
    json::Writer out;
    out.begin_object().member("success", true).key("user").raw(accounts::user_json(*made));
    out.end_object();
    return no_store(out);
  });
}

Result<http::Response> refresh(Edge& edge, const http::Request& request) {
  const auto fields = read_fields(request.body(), {.texts = {"refreshToken"}});
  if (!fields) {
    return Failure(fields.error());
  }
  const auto done = edge.login.refresh(fields->texts.at("refreshToken"), request.client());
  return done ? tokens_answer(*done, false) : refusal(done.error(), "Invalid refresh token");
}

Result<http::Response> logout(Edge& edge, const http::Request& request) {
  Fields fields;
  if (!request.body().empty()) {
    auto read = read_fields(request.body(), {.all = true});
    if (!read) {
      return Failure(std::move(read.error()));
    }
    fields = std::move(*read);
  }
  if (auto done = edge.login.logout(access_of(request), fields.all); !done) {
    return Failure(std::move(done.error()));
  }
  return success();
}

Result<http::Response> me(Edge& edge, const http::Request& request) {
  const http::Principal& principal = *request.principal();
  accounts::Account account{.id = {principal.id}, .name = principal.id, .roles = principal.roles};
  if (principal.kind == http::Principal::Kind::User) {
    const auto found = edge.login.accounts.current({principal.id});
    if (!found) {
      return Failure(found.error());
    }
    if (*found) {
      account.email = (*found)->email;
      account.name = (*found)->name;
    }
  }
  json::Writer out;
  out.begin_object().key("user").begin_object();
  out.member("id", account.id.text).member("email", account.email).member("name", account.name);
  for (const auto& [name, texts] :
       {std::pair{"roles", &principal.roles}, {"permissions", &principal.permissions}}) {
    out.key(name).begin_array();
    for (const std::string& text : *texts) {
      out.string(text);
    }
    out.end_array();
  }
  out.end_object().end_object();
  return no_store(out);
}

void change_password(Edge& edge, const http::Exchange& exchange) {
  auto fields =
      read_fields(exchange.request().body(), {.texts = {"currentPassword", "newPassword"}});
  if (!fields) {
    exchange.fail(fields.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, fields = std::move(*fields)] {
    const auto done = edge.login.change_password(access_of(exchange.request()),
                                                 fields.texts.at("currentPassword"),
                                                 fields.texts.at("newPassword"),
                                                 exchange.request().client());
    return done ? success() : refusal(done.error(), "Invalid credentials");
  });
}

}  // namespace

void auth(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions open{.needs = Public, .runs = Runs::OnPool, .max_body = kMaxBody};
  const RouteOptions known{.needs = AnyIdentity, .runs = Runs::OnPool, .max_body = kMaxBody};
  RouteOptions hashing = open;
  hashing.runs = Runs::OnLoop;  // only hands on
  RouteOptions known_hashing = hashing;
  known_hashing.needs = AnyIdentity;
  mount.post("/auth/login", hashing, [&edge](http::Exchange exchange) { login(edge, exchange); });
  mount.post(
      "/auth/register", hashing, [&edge](http::Exchange exchange) { enroll(edge, exchange); });
  mount.post("/auth/password", known_hashing, [&edge](http::Exchange exchange) {
    change_password(edge, exchange);
  });
  mount.post("/auth/refresh", open, [&edge](const http::Request& r) { return refresh(edge, r); });
  mount.post("/auth/logout", known, [&edge](const http::Request& r) { return logout(edge, r); });
  mount.get("/auth/me", known, [&edge](const http::Request& r) { return me(edge, r); });
}

}  // namespace edge::routes
