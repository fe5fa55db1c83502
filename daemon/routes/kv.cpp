// SPDX-License-Identifier: MIT
// JSON values by key: /api/cache/KEY and /api/kv/NAMESPACE/KEY (platform spec 1.3). The rest of the
// path is the key, whatever it looks like; it never becomes a file.
#include "core/kv/kv.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::string_view kCache = "cache";
constexpr std::chrono::seconds kLeast{1};
/// What stands around the value.
constexpr std::size_t kMaxBody = kv::kMaxValueBytes + 1024;

http::Problem problem_of(const Error& error) {
  http::Problem problem = http::problem_of(error);
  if (error.reason == "key_not_found") {
    problem.error = "Key not found";
  } else if (error.reason == "namespace_not_found") {
    problem.error = "Namespace not found";
  }
  return problem;
}

/// Where a request reads or writes.
struct Place {
  std::string space = {};
  std::string key = {};
};

Result<Place> place_of(Edge& edge, const http::Request& request) {
  const std::string_view named = request.param("namespace");
  const auto space = edge.kv.namespaces.find_named(named.empty() ? kCache : named);
  std::string key(request.param("key"));
  if (auto fits = kv::check_key(key); !fits) {
    return Failure(std::move(fits.error()));
  }
  return space ? Result<Place>(Place{space->id, std::move(key)}) : Failure(space.error());
}

/// The value as JSON; what other clients wrote may be text that is none.
Result<std::string> json_of(const kv::Entry& entry) {
  if (json::Document::parse(entry.value, json::kApi)) {
    return entry.value;
  }
  if (!encoding::is_utf8(entry.value)) {
    return Failure({ErrorCode::Conflict,
                    "the value is neither JSON nor text: read it at "
                    "/client/v4/accounts/local/storage/kv/namespaces/ID/values/KEY",
                    {},
                    "value_not_text"});
  }
  json::Writer out;
  return out.string(entry.value).take();
}

Result<http::Response> read(Edge& edge, const http::Request& request) {
  const auto place = place_of(edge, request);
  const auto entry =
      place ? edge.kv.read(place->space, place->key) : Result<kv::Entry>(Failure(place.error()));
  const auto value = entry ? json_of(*entry) : Result<std::string>(Failure(entry.error()));
  if (!value) {
    return http::Response(problem_of(value.error()));
  }
  json::Writer out;
  out.begin_object().member("key", place->key).key("value").raw(*value).end_object();
  return http::json(out);
}

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

Result<kv::Write> write_of(Edge& edge, const http::Request& request, std::string key) {
  const auto body = json::Document::parse(request.body(), json::kApi);
  if (!body) {
    return Failure(body.error());
  }
  const auto value = body->root().find("value");
  if (!value) {
    return Failure(
        wrong("the body is {\"value\":JSON,\"ttl\":SECONDS}, ttl may be left out", "/value"));
  }
  const auto ttl = body->root().find("ttl");
  kv::Expiry expiry;
  if (ttl && !ttl->is_null()) {
    expiry.ttl = ttl->as_int64();
    if (!expiry.ttl) {
      return Failure(wrong("ttl is a whole number of seconds", "/ttl"));
    }
  }
  const auto expires = kv::expires_of(expiry, edge.clock.store_now(), kLeast);
  if (!expires) {
    return Failure(expires.error());
  }
  return kv::Write{std::move(key), {.value = std::string(value->raw()), .expires = *expires}};
}

/// Tells the room `$cache` of a key when the client asks for that with `invalidate=true`.
void invalidate(Edge& edge, const http::Request& request, const std::string& key) {
  if (request.query_value("invalidate") != "true") {
    return;
  }
  const std::string_view named = request.param("namespace");
  json::Writer data;
  data.begin_object()
      .member("namespace", named.empty() ? kCache : named)
      .key("keys")
      .begin_array()
      .string(key)
      .end_array()
      .end_object();
  edge.rooms.room(std::string(state::kCacheRoom))
      ->publish(0, {.event = "invalidate", .data = data.take()}, [](const auto&) {});
}

void write(Edge& edge, const http::Exchange& exchange) {
  const auto place = place_of(edge, exchange.request());
  auto write = place ? write_of(edge, exchange.request(), place->key)
                     : Result<kv::Write>(Failure(place.error()));
  if (!write) {
    return exchange.fail(problem_of(write.error()));
  }
  std::vector<kv::Write> writes;
  writes.push_back(std::move(*write));
  edge.kv.write(place->space,
                std::move(writes),
                [&edge, exchange, key = place->key](const Result<void>& done) {
                  if (!done) {
                    return exchange.fail(problem_of(done.error()));
                  }
                  invalidate(edge, exchange.request(), key);
                  json::Writer out;
                  out.begin_object().member("success", true).member("key", key).end_object();
                  exchange.complete(http::json(out));
                });
}

void erase(Edge& edge, const http::Exchange& exchange) {
  const auto place = place_of(edge, exchange.request());
  if (!place) {
    return exchange.fail(problem_of(place.error()));
  }
  edge.kv.erase(
      place->space, {place->key}, [&edge, exchange, key = place->key](const Result<void>& done) {
        if (!done) {
          return exchange.fail(problem_of(done.error()));
        }
        invalidate(edge, exchange.request(), key);
        exchange.complete(http::json(R"({"success":true})"));
      });
}

}  // namespace

void kv(Mount& mount) {
  Edge& edge = mount.edge;
  for (const char* path : {"/api/cache/*key", "/api/kv/:namespace/*key"}) {
    mount.get(path,
              {.needs = "kv:read", .runs = Runs::OnPool},
              [&edge](const http::Request& request) { return read(edge, request); });
    mount.put(path,
              {.needs = "kv:write", .runs = Runs::OnPool, .max_body = kMaxBody},
              [&edge](const http::Exchange& exchange) { write(edge, exchange); });
    mount.del(path,
              {.needs = "kv:write", .runs = Runs::OnPool},
              [&edge](const http::Exchange& exchange) { erase(edge, exchange); });
  }
}

}  // namespace edge::routes
