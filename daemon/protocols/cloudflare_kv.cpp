// SPDX-License-Identifier: MIT
// The key-value store in Cloudflare's REST API, version 4 (platform spec 1.2): namespaces, keys and
// values. Everything behind `/values/` and `/metadata/` is the key, decoded once.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/multipart.h"
#include "core/json/writer.h"
#include "daemon/protocols/v4/kv_request.h"

namespace edge::protocols {
namespace {

using kv::Namespace;
using v4::query_integer;
using v4::query_number;

/// What stands around a value in a form.
constexpr std::size_t kMaxForm = std::size_t{64} << 10U;
constexpr std::size_t kMaxParts = 16;
constexpr std::int64_t kMaxPages = 1'000'000;
constexpr std::int64_t kLeastKeys = 10;

void write_namespace(json::Writer& out, const Namespace& one) {
  out.begin_object()
      .member("id", one.id)
      .member("title", one.title)
      .member("supports_url_encoding", true)
      .end_object();
}

Result<http::Response> shown(const Result<Namespace>& one) {
  return one.map([](const Namespace& found) {
    json::Writer out;
    write_namespace(out, found);
    return v4::success(out.text());
  });
}

Result<bool> is_one_of(const http::Request& request,
                       std::string_view name,
                       std::string_view usual,
                       std::string_view other) {
  const std::string given = request.query_value(name).value_or(std::string(usual));
  if (given != usual && given != other) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("{} must be {} or {}", name, usual, other),
                    std::string(name)});
  }
  return given == other;
}

Result<http::Response> list_namespaces(Edge& edge, const http::Request& request) {
  if (const auto account = v4::check_account(request); !account) {
    return Failure(account.error());
  }
  const auto page = query_number(request, "page", 1, 1, kMaxPages);
  const auto per_page = page ? query_number(request, "per_page", 20, 1, 1'000) : page;
  if (!per_page) {
    return Failure(per_page.error());
  }
  const auto by_title = is_one_of(request, "order", "id", "title");
  const auto down = by_title ? is_one_of(request, "direction", "asc", "desc") : by_title;
  auto all =
      down ? edge.kv.namespaces.list() : Result<std::vector<Namespace>>(Failure(down.error()));
  if (!all) {
    return Failure(all.error());
  }
  if (*by_title) {
    std::ranges::sort(*all, {}, &Namespace::title);
  }
  if (*down) {
    std::ranges::reverse(*all);
  }
  const auto total = static_cast<std::int64_t>(all->size());
  const std::int64_t first = std::min((*page - 1) * *per_page, total);
  const std::int64_t last = std::min(first + *per_page, total);
  json::Writer out;
  out.begin_array();
  for (std::int64_t i = first; i < last; ++i) {
    write_namespace(out, (*all)[static_cast<std::size_t>(i)]);
  }
  out.end_array();
  json::Writer info;
  info.begin_object()
      .member("page", *page)
      .member("per_page", *per_page)
      .member("count", last - first)
      .member("total_count", total)
      .member("total_pages", (total + *per_page - 1) / *per_page)
      .end_object();
  return v4::success(out.text(), info.text());
}

Result<std::string> title_of(const http::Request& request) {
  const auto body = v4::json_of(request);
  if (!body) {
    return Failure(body.error());
  }
  const auto title = body->root().find("title");
  const auto text = title ? title->as_string() : std::nullopt;
  if (!text) {
    return Failure({ErrorCode::InvalidArgument, "the body is {\"title\":TEXT}", "/title"});
  }
  return std::string(*text);
}

Result<http::Response> create(Edge& edge, const http::Request& request) {
  if (const auto account = v4::check_account(request); !account) {
    return Failure(account.error());
  }
  return shown(title_of(request).and_then(
      [&](const std::string& title) { return edge.kv.namespaces.create(title); }));
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  return shown(v4::namespace_of(edge, request));
}

Result<http::Response> rename(Edge& edge, const http::Request& request) {
  return shown(v4::namespace_of(edge, request).and_then([&](const Namespace& found) {
    return title_of(request).and_then(
        [&](const std::string& title) { return edge.kv.namespaces.rename(found.id, title); });
  }));
}

Result<http::Response> remove(Edge& edge, const http::Request& request) {
  const auto found = v4::namespace_of(edge, request);
  const auto done = found ? edge.kv.namespaces.remove(found->id) : Failure(found.error());
  return done ? Result<http::Response>(v4::success("{}")) : Failure(done.error());
}

Result<http::Response> list_keys(Edge& edge, const http::Request& request) {
  const auto space = v4::namespace_of(edge, request);
  const auto limit =
      space ? query_number(request, "limit", kv::kMaxPageKeys, kLeastKeys, kv::kMaxPageKeys)
            : Result<std::int64_t>(Failure(space.error()));
  if (!limit) {
    return Failure(limit.error());
  }
  const auto listing = edge.kv.list(space->id,
                                    {.prefix = request.query_value("prefix").value_or(""),
                                     .cursor = request.query_value("cursor").value_or(""),
                                     .limit = static_cast<std::size_t>(*limit)});
  if (!listing) {
    return Failure(listing.error());
  }
  json::Writer out;
  out.begin_array();
  for (const kv::Listing::Key& key : listing->keys) {
    out.begin_object().member("name", key.name);
    if (key.expires != 0) {
      out.member("expiration", key.expires / 1000);
    }
    if (!key.metadata.empty()) {
      out.key("metadata").raw(key.metadata);
    }
    out.end_object();
  }
  out.end_array();
  json::Writer info;
  info.begin_object()
      .member("count", std::uint64_t{listing->keys.size()})
      .member("cursor", listing->cursor)
      .end_object();
  return v4::success(out.text(), info.text());
}

Result<http::Response> read(Edge& edge, const http::Request& request) {
  const auto space = v4::namespace_of(edge, request);
  auto entry = space ? edge.kv.read(space->id, std::string(request.param("key")))
                     : Result<kv::Entry>(Failure(space.error()));
  if (!entry) {
    return Failure(entry.error());
  }
  http::Response response(200);
  response.type("application/octet-stream").body(std::move(entry->value));
  if (entry->expires != 0) {
    response.set("expiration", std::to_string(entry->expires / 1000));
  }
  return response;
}

Result<http::Response> read_metadata(Edge& edge, const http::Request& request) {
  const auto space = v4::namespace_of(edge, request);
  const auto entry = space ? edge.kv.describe(space->id, std::string(request.param("key")))
                           : Result<kv::Entry>(Failure(space.error()));
  if (!entry) {
    return Failure(entry.error());
  }
  return v4::success(entry->metadata.empty() ? "null" : std::string_view(entry->metadata));
}

Error bad_form(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, "bad_form"};
}

/// Value and metadata of a form.
Result<kv::Entry> entry_of_form(std::string_view type, std::string_view body) {
  const auto parts = encoding::read_form_data(type, body, kMaxParts);
  if (!parts) {
    return Failure(parts.error());
  }
  std::optional<std::string_view> value;
  std::string_view metadata;
  for (const encoding::Part& part : *parts) {
    if (part.name == "value") {
      value = part.content;
    } else if (part.name == "metadata") {
      metadata = part.content;
    } else if (part.name.starts_with("metadata[")) {
      return Failure(
          bad_form("metadata must be one part with JSON text: give the client "
                   "JSON.stringify(metadata)"));
    }
  }
  if (!value) {
    return Failure(bad_form("the form has no part \"value\""));
  }
  return kv::read_metadata(metadata).map([&](std::string&& text) {
    return kv::Entry{.value = std::string(*value), .metadata = std::move(text)};
  });
}

/// The entry that a request writes. A body that is no form is taken out of the request.
Result<kv::Entry> entry_of(Edge& edge, http::Request& request) {
  const auto ttl = query_integer(request, "expiration_ttl", "bad_expiry");
  const auto at = ttl ? query_integer(request, "expiration", "bad_expiry") : ttl;
  const auto expires = at ? kv::expires_of({*ttl, *at}, edge.clock.store_now())
                          : Result<std::int64_t>(Failure(at.error()));
  if (!expires) {
    return Failure(expires.error());
  }
  const std::string_view type = request.header("Content-Type").value_or("");
  auto entry = encoding::is_form_data(type)
                   ? entry_of_form(type, request.body())
                   : Result<kv::Entry>(kv::Entry{.value = std::move(request.parts().body)});
  if (entry) {
    entry->expires = *expires;
  }
  return entry;
}

void write(Edge& edge, http::Exchange& exchange) {
  const auto space = v4::namespace_of(edge, exchange.request());
  if (!space) {
    return v4::fail(exchange, space.error());
  }
  std::string key(exchange.request().param("key"));
  if (const auto fits = kv::check_key(key); !fits) {
    return v4::fail(exchange, fits.error());
  }
  auto entry = entry_of(edge, exchange.request());
  if (!entry) {
    return v4::fail(exchange, entry.error());
  }
  std::vector<kv::Write> writes;
  writes.push_back({std::move(key), std::move(*entry)});
  edge.kv.write(space->id, std::move(writes), v4::answer(exchange, "{}"));
}

void erase(Edge& edge, const http::Exchange& exchange) {
  const auto space = v4::namespace_of(edge, exchange.request());
  if (!space) {
    return v4::fail(exchange, space.error());
  }
  edge.kv.erase(
      space->id, {std::string(exchange.request().param("key"))}, v4::answer(exchange, "{}"));
}

}  // namespace

void cloudflare_kv(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads = v4::pool_route("kv:read");
  const RouteOptions writes = v4::pool_route("kv:write");
  const std::string one = v4::kNamespaces + "/:ns";
  mount.get(v4::kNamespaces, reads, v4::told(edge, list_namespaces));
  mount.post(v4::kNamespaces, writes, v4::told(edge, create));
  mount.get(one, reads, v4::told(edge, show));
  mount.put(one, writes, v4::told(edge, rename));
  mount.del(one, writes, v4::told(edge, remove));
  mount.get(one + "/keys", reads, v4::told(edge, list_keys));
  mount.get(one + "/metadata/*key", reads, v4::told(edge, read_metadata));
  mount.get(one + "/values/*key", reads, v4::told(edge, read));
  RouteOptions takes = v4::pool_route("kv:write", kv::kMaxValueBytes + kMaxForm);
  takes.accepts = Accepts::Any;
  mount.put(
      one + "/values/*key", takes, [&edge](http::Exchange exchange) { write(edge, exchange); });
  mount.del(one + "/values/*key", writes, [&edge](const http::Exchange& exchange) {
    erase(edge, exchange);
  });
}

}  // namespace edge::protocols
