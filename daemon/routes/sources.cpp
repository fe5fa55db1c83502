// SPDX-License-Identifier: MIT
// GET /cdp/sources: what each source sent since the start, and which event was sent twice (events
// spec 4).
#include <algorithm>
#include <vector>

#include "core/edge.h"
#include "core/encoding/rfc3339.h"
#include "core/events/source_counts.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

using events::SourceCount;

void write(json::Writer& out, const SourceCount& count, bool is_enabled) {
  out.begin_object().member("name", count.source).member("enabled", is_enabled);
  out.member("received", count.received).member("duplicates", count.duplicates);
  if (count.duplicates > 0) {
    out.key("lastDuplicate").begin_object().member("messageId", count.last_duplicate.text);
    out.member("at", encoding::rfc3339(count.last_duplicate_at)).end_object();
  }
  out.end_object();
}

/// The configured ones in their order, then the others that sent something.
http::Response list(const Edge& edge) {
  std::vector<SourceCount> counts = edge.ingest.counts().all();
  json::Writer out;
  out.begin_object().key("sources").begin_array();
  for (const events::Source& source : edge.sources.configured()) {
    const auto found = std::ranges::find(counts, source.name, &SourceCount::source);
    write(out, found == counts.end() ? SourceCount{.source = source.name} : *found, source.enabled);
    if (found != counts.end()) {
      counts.erase(found);
    }
  }
  for (const SourceCount& count : counts) {
    write(out, count, true);
  }
  out.end_array().end_object();
  return http::json(out);
}

}  // namespace

void sources(Mount& mount) {
  mount.get("/cdp/sources", {.needs = "cdp:read"}, [&edge = mount.edge](const http::Request&) {
    return list(edge);
  });
}

}  // namespace edge::routes
