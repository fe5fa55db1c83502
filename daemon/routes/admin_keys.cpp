// SPDX-License-Identifier: MIT
// POST /admin/keys/rotate and GET /admin/audit (identity spec 2.6, 3.2).
#include <memory>
#include <mutex>
#include <utility>

#include "core/edge.h"
#include "core/encoding/rfc3339.h"
#include "daemon/routes.h"
#include "daemon/routes/admin_request.h"
#include "daemon/routes/strict_body.h"
#include "daemon/token_keys.h"

namespace edge::routes {
namespace {

std::string rotation_json(const tokens::Rotation& done) {
  json::Writer out;
  out.begin_object().member("active", done.active).member("next", done.next);
  if (!done.retiring.empty()) {
    out.member("verify", done.retiring);
  }
  return out.end_object().take();
}

Result<http::Response> rotate(Edge& edge, const http::Request& request) {
  if (auto body = StrictBody::read(request.body(), {}); !body) {
    return Failure(std::move(body.error()));
  }
  const auto done = rotate_signing_keys(edge);
  if (!done) {
    return Failure(done.error());
  }
  const std::string keys = rotation_json(*done);
  storage::Batch batch;
  tokens::Audit(edge.store, edge.clock, edge.ids)
      .note(batch, actor_of(request), "keys.rotated", done->active, keys);
  const auto noted =
      edge.store.commit(std::move(batch), storage::Deadline::in(std::chrono::seconds(5)));
  if (!noted) {
    return Failure(noted.error());
  }
  json::Writer out;
  out.begin_object().member("success", true).key("keys").raw(keys).end_object();
  return admin_json(out);
}

Result<http::Response> audit(Edge& edge, const http::Request& request) {
  const auto range = range_of(request);
  const auto page =
      range ? tokens::Audit(edge.store, edge.clock, edge.ids).list(range->limit, range->cursor)
            : Result<tokens::AuditPage>(Failure(range.error()));
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("entries").begin_array();
  for (const tokens::AuditEntry& entry : page->entries) {
    out.begin_object()
        .member("id", entry.id)
        .member("at", encoding::rfc3339(entry.at))
        .key("actor")
        .begin_object()
        .member("id", entry.actor.id)
        .member("kind", entry.actor.kind)
        .member("client", entry.actor.client)
        .end_object()
        .member("action", entry.action)
        .member("target", entry.target)
        .member("requestId", entry.actor.request)
        .key("details")
        .raw(entry.details)
        .end_object();
  }
  out.end_array();
  if (page->before) {
    out.member("cursor", *page->before);
  }
  out.end_object();
  return admin_json(out);
}

}  // namespace

void admin_keys(Mount& mount) {
  Edge& edge = mount.edge;
  // Two at once would both read the ring before one of them writes it.
  const auto one_at_a_time = std::make_shared<std::mutex>();
  mount.post("/admin/keys/rotate",
             admin_route("admin:keys"),
             [&edge, one_at_a_time](const http::Request& r) {
               const std::lock_guard lock(*one_at_a_time);
               return rotate(edge, r);
             });
  mount.get("/admin/audit", admin_route("admin:audit"), [&edge](const http::Request& r) {
    return audit(edge, r);
  });
}

}  // namespace edge::routes
