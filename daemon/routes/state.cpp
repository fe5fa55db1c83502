// SPDX-License-Identifier: MIT
// Named state (platform spec 4.1): /api/state/NAMESPACE/KEY, its list and its transactions. All
// behind the namespace is the key, slashes too; a POST counts up the key before `/increment`.
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/json/members.h"
#include "core/json/writer.h"
#include "core/state/named_state.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

using state::NamedState;
using state::Operation;

/// The largest value, and what stands around it.
constexpr std::size_t kMaxBody = state::kMaxEntryBytes + 1024;
constexpr std::size_t kMaxTransaction = std::size_t{16} << 20U;
constexpr std::string_view kIncrement = "/increment";

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

http::Response key_not_found() {
  return http::Response(
      http::Problem{.status = 404, .code = "key_not_found", .error = "Key not found"});
}

http::Response mismatch(const state::Mismatch& why, bool names_operation) {
  json::Writer members;
  members.begin_object();
  if (names_operation) {
    members.member("failed", std::uint64_t{why.failed});
  }
  members.member("version", why.version).end_object();
  const std::string text = members.take();
  return http::Response(http::Problem{.status = 412,
                                      .code = "version_mismatch",
                                      .error = "Version mismatch",
                                      .detail = "the version is " + std::to_string(why.version),
                                      .members = text.substr(1, text.size() - 2)});
}

std::optional<std::uint64_t> version_in(std::string_view text) {
  std::uint64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(version)
                                                                         : std::nullopt;
}

/// The version that the fields of the request ask for.
Result<std::optional<std::uint64_t>> condition_of(const http::Request& request) {
  if (const auto none = request.header("If-None-Match")) {
    return *none == "*" ? Result<std::optional<std::uint64_t>>(std::optional<std::uint64_t>(0))
                        : Failure(wrong("If-None-Match is * or is not sent", "If-None-Match"));
  }
  const auto match = request.header("If-Match");
  if (!match) {
    return std::optional<std::uint64_t>();
  }
  const bool is_quoted = match->size() > 2 && match->front() == '"' && match->back() == '"';
  const auto version = is_quoted ? version_in(match->substr(1, match->size() - 2)) : std::nullopt;
  if (!version || *version == 0) {
    return Failure(wrong("If-Match is the ETag of one version, such as \"7\"", "If-Match"));
  }
  return version;
}

/// A member that is a whole number, if it is there.
Result<std::optional<std::int64_t>> integer_in(json::Value object, std::string_view member) {
  const auto value = object.find(member);
  if (!value || value->is_null()) {
    return std::optional<std::int64_t>();
  }
  const auto number = value->as_int64();
  return number ? Result<std::optional<std::int64_t>>(number)
                : Failure(
                      wrong(std::string(member) + " is a whole number", "/" + std::string(member)));
}

Result<http::Response> read(Edge& edge, const http::Request& request) {
  const auto entry =
      NamedState(edge.store, edge.clock)
          .read(std::string(request.param("namespace")), std::string(request.param("key")));
  if (!entry || !*entry) {
    return entry ? Result<http::Response>(key_not_found()) : Failure(entry.error());
  }
  http::Response response = http::json(state::json_of(**entry));
  response.set("ETag", "\"" + std::to_string((*entry)->version) + "\"");
  return response;
}

/// Fills in what `put` and `increment` take from an object.
Result<Operation> operation_of(json::Value object, Operation::Kind kind, std::string key) {
  Operation operation{.kind = kind, .key = std::move(key)};
  const auto ttl = integer_in(object, "ttl");
  const auto by = integer_in(object, "by");
  const auto initial = integer_in(object, "initial");
  for (const auto* number : {&ttl, &by, &initial}) {
    if (!*number) {
      return Failure(number->error());
    }
  }
  operation.ttl = *ttl;
  operation.by = by->value_or(1);
  operation.initial = initial->value_or(0);
  if (kind == Operation::Kind::Put) {
    const auto value = object.find("value");
    if (!value) {
      return Failure(wrong("value is needed: any JSON", "/value"));
    }
    operation.value = value->raw();
  }
  return operation;
}

/// One change behind its condition, if there is one.
Result<state::Applied> change(Edge& edge,
                              const http::Request& request,
                              std::optional<std::uint64_t> version,
                              Operation operation) {
  return NamedState(edge.store, edge.clock)
      .change(std::string(request.param("namespace")), version, std::move(operation));
}

Result<http::Response> touch(Edge& edge, const http::Request& request, json::Value body) {
  const auto ttl = integer_in(body, "ttl");
  if (!ttl || !*ttl) {
    return Failure(ttl ? wrong("ttl is needed: seconds", "/ttl") : ttl.error());
  }
  const std::string key(request.param("key"));
  const auto done =
      NamedState(edge.store, edge.clock).touch(std::string(request.param("namespace")), key, **ttl);
  if (!done || !*done) {
    return done ? Result<http::Response>(key_not_found()) : Failure(done.error());
  }
  json::Writer out;
  out.begin_object().member("success", true).member("key", key);
  return http::json(out.member("version", (*done)->version).end_object());
}

Result<http::Response> put(Edge& edge, const http::Request& request) {
  const auto body = json::Document::parse(request.body(), json::kApi);
  if (!body) {
    return Failure(body.error());
  }
  const auto touches = body->root().find("touch");
  if (touches && touches->as_bool().value_or(false)) {
    return touch(edge, request, body->root());
  }
  auto version = condition_of(request);
  const auto wanted = integer_in(body->root(), "ifVersion");
  auto operation =
      operation_of(body->root(), Operation::Kind::Put, std::string(request.param("key")));
  if (!version || !wanted || !operation) {
    return Failure(!version ? version.error() : !wanted ? wanted.error() : operation.error());
  }
  if (*wanted) {
    if (*version || **wanted < 0) {
      return Failure(
          wrong("ifVersion is a version from 0 on, without If-Match or If-None-Match beside it",
                "/ifVersion"));
    }
    *version = static_cast<std::uint64_t>(**wanted);
  }
  const auto applied = change(edge, request, *version, std::move(*operation));
  if (!applied || applied->mismatch) {
    return applied ? Result<http::Response>(mismatch(*applied->mismatch, false))
                   : Failure(applied.error());
  }
  const state::Outcome& outcome = applied->outcomes.back();
  json::Writer out;
  out.begin_object().member("success", true).member("key", outcome.key);
  return http::json(out.member("version", outcome.version).end_object());
}

Result<http::Response> erase(Edge& edge, const http::Request& request) {
  const auto version = condition_of(request);
  if (!version) {
    return Failure(version.error());
  }
  const auto applied =
      NamedState(edge.store, edge.clock)
          .erase(
              std::string(request.param("namespace")), std::string(request.param("key")), *version);
  if (!applied || applied->mismatch) {
    return applied ? Result<http::Response>(mismatch(*applied->mismatch, false))
                   : Failure(applied.error());
  }
  return http::json(applied->outcomes.empty() ? R"({"deleted":false})" : R"({"deleted":true})");
}

Result<http::Response> increment(Edge& edge, const http::Request& request) {
  std::string_view key = request.param("key");
  if (!key.ends_with(kIncrement)) {
    return http::Response(http::Problem{
        .status = 404, .code = "not_found", .detail = "POST to a key ends with /increment"});
  }
  key.remove_suffix(kIncrement.size());
  const auto body =
      json::Document::parse(request.body().empty() ? "{}" : request.body(), json::kApi);
  auto operation = body ? operation_of(body->root(), Operation::Kind::Increment, std::string(key))
                        : Result<Operation>(Failure(body.error()));
  const auto applied = operation ? change(edge, request, {}, std::move(*operation))
                                 : Result<state::Applied>(Failure(operation.error()));
  if (!applied) {
    return Failure(applied.error());
  }
  const state::Outcome& outcome = applied->outcomes.back();
  json::Writer out;
  out.begin_object().member("key", outcome.key).key("value").raw(outcome.value);
  return http::json(out.member("version", outcome.version).end_object());
}

Result<Operation> read_operation(json::Value object) {
  const std::string name = json::text_in(object, "op");
  std::string key = json::text_in(object, "key");
  if (name == "check") {
    const auto version = integer_in(object, "version");
    if (!version || !*version || **version < 0) {
      return Failure(wrong("a check has a version, 0 = absent", "/version"));
    }
    return Operation{.kind = Operation::Kind::Check,
                     .key = std::move(key),
                     .version = static_cast<std::uint64_t>(**version)};
  }
  if (name == "put") {
    return operation_of(object, Operation::Kind::Put, std::move(key));
  }
  if (name == "delete") {
    return Operation{.kind = Operation::Kind::Delete, .key = std::move(key)};
  }
  if (name == "increment") {
    return operation_of(object, Operation::Kind::Increment, std::move(key));
  }
  return Failure(wrong("op is check, put, delete or increment", "/op"));
}

Result<http::Response> transact(Edge& edge, const http::Request& request) {
  const auto body = json::Document::parse(request.body(), json::kApi);
  if (!body) {
    return Failure(body.error());
  }
  const auto list = body->root().find("ops");
  if (!list || !list->is_array()) {
    return Failure(wrong("the body is {\"ops\":[...]}", "/ops"));
  }
  std::vector<Operation> operations;
  for (const json::Value one : list->elements()) {
    auto operation = read_operation(one);
    if (!operation) {
      operation.error().field =
          "/ops/" + std::to_string(operations.size()) + operation.error().field;
      return Failure(std::move(operation.error()));
    }
    operations.push_back(std::move(*operation));
  }
  const auto applied =
      NamedState(edge.store, edge.clock).apply(std::string(request.param("namespace")), operations);
  if (!applied || applied->mismatch) {
    return applied ? Result<http::Response>(mismatch(*applied->mismatch, true))
                   : Failure(applied.error());
  }
  json::Writer out;
  out.begin_object().member("success", true).key("results").begin_array();
  for (const state::Outcome& outcome : applied->outcomes) {
    out.begin_object().member("key", outcome.key).member("version", outcome.version);
    if (!outcome.value.empty()) {
      out.key("value").raw(outcome.value);
    }
    out.end_object();
  }
  return http::json(out.end_array().end_object());
}

Result<http::Response> list(Edge& edge, const http::Request& request) {
  const auto value = [&request](std::string_view name) {
    return request.query_value(name).value_or("");
  };
  state::StateQuery query{.prefix = value("prefix"),
                          .start = value("start"),
                          .start_after = value("startAfter"),
                          .end = value("end"),
                          .reverse = value("reverse") == "true",
                          .cursor = value("cursor")};
  if (const auto limit = request.query_value("limit")) {
    const auto number = version_in(*limit);
    if (!number || *number < 1 || *number > state::kMaxListed) {
      return Failure(wrong("limit is 1 to 1000", "limit"));
    }
    query.limit = *number;
  }
  const auto page =
      NamedState(edge.store, edge.clock).list(std::string(request.param("namespace")), query);
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("entries").begin_array();
  for (const state::StateEntry& entry : page->entries) {
    out.raw(state::json_of(entry));
  }
  out.end_array();
  if (!page->cursor.empty()) {
    out.member("cursor", page->cursor);
  }
  return http::json(out.end_object());
}

}  // namespace

void state(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads{.needs = "state:read", .runs = Runs::OnPool};
  RouteOptions writes{.needs = "state:write", .runs = Runs::OnPool, .max_body = kMaxBody};
  const auto on = [&edge](auto handler) {
    return [&edge, handler](const http::Request& request) { return handler(edge, request); };
  };
  mount.get("/api/state/:namespace", reads, on(list));
  mount.get("/api/state/:namespace/*key", reads, on(read));
  mount.put("/api/state/:namespace/*key", writes, on(put));
  mount.del("/api/state/:namespace/*key", writes, on(erase));
  mount.post("/api/state/:namespace/*key", writes, on(increment));
  writes.max_body = kMaxTransaction;
  mount.post("/api/state/:namespace", writes, on(transact));
}

}  // namespace edge::routes
