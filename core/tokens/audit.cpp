// SPDX-License-Identifier: MIT
#include "core/tokens/audit.h"

#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::tokens {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kKept = std::chrono::hours(24 * 400);

std::string text_of(json::Value object, const char* name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : std::string_view());
}

Result<AuditEntry> read_entry(const std::string& key, const std::string& value) {
  const auto document = json::Document::parse(value, json::kApi);
  if (!document) {
    return Failure({ErrorCode::Internal, "an audit entry of the store is not readable"});
  }
  const json::Value root = document->root();
  const auto at = root.find("at");
  const auto details = root.find("details");
  return AuditEntry{.id = key,
                    .at = from_ms(at ? at->as_int64().value_or(0) : 0),
                    .actor = {.id = text_of(root, "actor"),
                              .kind = text_of(root, "kind"),
                              .client = text_of(root, "client"),
                              .request = text_of(root, "request")},
                    .action = text_of(root, "action"),
                    .target = text_of(root, "target"),
                    .details = details ? std::string(details->raw()) : "{}"};
}

}  // namespace

void Audit::note(storage::Batch& batch,
                 const Actor& actor,
                 std::string_view action,
                 std::string_view target,
                 std::string_view details) const {
  const std::int64_t now = to_ms(clock_.now());
  json::Writer out;
  out.begin_object()
      .member("at", now)
      .member("actor", actor.id)
      .member("kind", actor.kind)
      .member("client", actor.client)
      .member("request", actor.request)
      .member("action", action)
      .member("target", target)
      .key("details")
      .raw(details)
      .end_object();
  batch.puts.push_back({storage::Key{"audit", "", std::to_string(now) + "-" + ids_.uuid()},
                        out.take(),
                        to_ms(clock_.store_now() + kKept)});
}

Result<AuditPage> Audit::list(std::size_t limit, const std::string& before) const {
  auto scan = storage::Scan::prefix("audit", "", "");
  scan.reverse = true;
  scan.limit = limit;
  if (!before.empty()) {
    scan.to = before;
  }
  const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  AuditPage listed{.before = page->next};
  for (const auto& item : page->items) {
    auto entry = read_entry(item.key, item.entry.value);
    if (!entry) {
      return Failure(std::move(entry.error()));
    }
    listed.entries.push_back(std::move(*entry));
  }
  return listed;
}

}  // namespace edge::tokens
