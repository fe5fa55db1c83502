// SPDX-License-Identifier: MIT
// Many keys of the key-value store at once in Cloudflare's REST API, version 4 (platform spec 1.2).
#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"
#include "core/kv/bulk.h"
#include "daemon/protocols/v4/kv_request.h"

namespace edge::protocols {
namespace {

Error wrong(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

Result<std::vector<kv::Write>> writes_in(const http::Request& request, Time now) {
  const auto body = v4::json_of(request);
  if (!body) {
    return Failure(body.error());
  }
  if (!body->root().is_array() || body->root().size() > kv::kMaxBulkEntries) {
    return Failure(
        wrong(fmt::format("the body is a list of at most {} entries", kv::kMaxBulkEntries)));
  }
  std::vector<kv::Write> writes;
  writes.reserve(body->root().size());
  for (const json::Value element : body->root().elements()) {
    auto one = kv::read_bulk_entry(element).and_then(
        [now](kv::BulkEntry&& entry) { return kv::write_of(std::move(entry), now); });
    if (!one) {
      Error error = one.error();
      error.message = fmt::format("entry {}: {}", writes.size(), error.message);
      error.field = fmt::format("/{}", writes.size());
      return Failure(std::move(error));
    }
    writes.push_back(std::move(*one));
  }
  return writes;
}

/// The texts of a list.
Result<std::vector<std::string>> keys_in(std::optional<json::Value> list, std::size_t most) {
  if (!list || !list->is_array() || list->size() > most) {
    return Failure(wrong(fmt::format("keys are a list of at most {} texts", most)));
  }
  std::vector<std::string> keys;
  for (const json::Value element : list->elements()) {
    const auto key = element.as_string();
    if (!key) {
      return Failure(
          wrong(fmt::format("key {} is no text", keys.size()), fmt::format("/{}", keys.size())));
    }
    keys.emplace_back(*key);
  }
  return keys;
}

std::string done_with(std::size_t count) {
  json::Writer out;
  out.begin_object().member("successful_key_count", std::uint64_t{count});
  out.key("unsuccessful_keys").begin_array().end_array().end_object();
  return out.take();
}

void write(Edge& edge, const http::Exchange& exchange) {
  const auto space = v4::namespace_of(edge, exchange.request());
  auto writes = space ? writes_in(exchange.request(), edge.clock.store_now())
                      : Result<std::vector<kv::Write>>(Failure(space.error()));
  if (!writes) {
    return v4::fail(exchange, writes.error());
  }
  const std::string result = done_with(writes->size());
  edge.kv.write(space->id, std::move(*writes), v4::answer(exchange, result));
}

void erase(Edge& edge, const http::Exchange& exchange) {
  const auto space = v4::namespace_of(edge, exchange.request());
  const auto body =
      space ? v4::json_of(exchange.request()) : Result<json::Document>(Failure(space.error()));
  const auto keys = body ? keys_in(body->root(), kv::kMaxBulkEntries)
                         : Result<std::vector<std::string>>(Failure(body.error()));
  if (!keys) {
    return v4::fail(exchange, keys.error());
  }
  edge.kv.erase(space->id, *keys, v4::answer(exchange, done_with(keys->size())));
}

/// How values are to be shown.
struct Form {
  bool is_json = false;
  bool has_metadata = false;
};

Result<Form> form_in(json::Value body) {
  const auto type = body.find("type");
  const auto metadata = body.find("withMetadata");
  const std::string_view kind =
      type && !type->is_null() ? type->as_string().value_or("") : std::string_view("text");
  if (kind != "text" && kind != "json") {
    return Failure(wrong("type must be text or json", "/type"));
  }
  if (metadata && !metadata->is_null() && !metadata->is_bool()) {
    return Failure(wrong("withMetadata must be true or false", "/withMetadata"));
  }
  return Form{kind == "json", metadata && metadata->as_bool().value_or(false)};
}

Result<void> write_value(json::Writer& out,
                         const std::string& key,
                         const std::string& value,
                         const Form& form) {
  if (!form.is_json && encoding::is_utf8(value)) {
    out.string(value);
    return {};
  }
  if (!form.is_json || !json::Document::parse(value, json::kApi)) {
    return Failure(wrong(
        fmt::format("the value of \"{}\" is no {}", key, form.is_json ? "JSON" : "UTF-8 text")));
  }
  out.raw(value);
  return {};
}

Result<void> write_entry(json::Writer& out,
                         const std::string& key,
                         const kv::Entry& entry,
                         const Form& form) {
  if (!form.has_metadata) {
    return write_value(out, key, entry.value, form);
  }
  out.begin_object().key("value");
  if (auto written = write_value(out, key, entry.value, form); !written) {
    return written;
  }
  out.key("metadata").raw(entry.metadata.empty() ? "null" : std::string_view(entry.metadata));
  if (entry.expires != 0) {
    out.member("expiration", entry.expires / 1000);
  }
  out.end_object();
  return {};
}

Result<http::Response> read(Edge& edge, const http::Request& request) {
  const auto space = v4::namespace_of(edge, request);
  const auto body = space ? v4::json_of(request) : Result<json::Document>(Failure(space.error()));
  const auto form = body ? form_in(body->root()) : Result<Form>(Failure(body.error()));
  const auto keys = form ? keys_in(body->root().find("keys"), kv::kMaxBulkKeys)
                         : Result<std::vector<std::string>>(Failure(form.error()));
  const auto entries = keys ? edge.kv.read(space->id, *keys)
                            : Result<std::vector<std::optional<kv::Entry>>>(Failure(keys.error()));
  if (!entries) {
    return Failure(entries.error());
  }
  json::Writer out;
  out.begin_object().key("values").begin_object();
  std::set<std::string_view> shown;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    if (!shown.insert((*keys)[i]).second) {
      continue;  // asked for twice, answered once
    }
    out.key((*keys)[i]);
    if (!(*entries)[i]) {
      out.null();
    } else if (auto written = write_entry(out, (*keys)[i], *(*entries)[i], *form); !written) {
      return Failure(std::move(written.error()));
    }
  }
  out.end_object().end_object();
  return v4::success(out.text());
}

}  // namespace

void cloudflare_kv_bulk(Mount& mount) {
  Edge& edge = mount.edge;
  const std::string bulk = v4::kNamespaces + "/:ns/bulk";
  mount.put(bulk,
            v4::pool_route("kv:write", kv::kMaxBulkBytes),
            [&edge](const http::Exchange& exchange) { write(edge, exchange); });
  const RouteOptions removes = v4::pool_route("kv:write", kv::kMaxBulkBytes);
  mount.post(bulk + "/delete", removes, [&edge](const http::Exchange& exchange) {
    erase(edge, exchange);
  });
  mount.del(bulk, removes, [&edge](const http::Exchange& exchange) { erase(edge, exchange); });
  mount.post(bulk + "/get", v4::pool_route("kv:read"), v4::told(edge, read));
}

}  // namespace edge::protocols
