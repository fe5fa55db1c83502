// SPDX-License-Identifier: MIT
#include "core/delivery/preview.h"

#include "core/delivery/sender.h"
#include "core/destinations/join.h"
#include "core/destinations/mask.h"
#include "core/events/draft.h"
#include "core/events/enrich.h"
#include "core/events/shapes.h"

namespace edge::delivery {

Result<std::string> canonical_text(std::string_view raw, Time now, Ids& ids) {
  const auto document = json::Document::parse(raw, json::kEvent);
  if (!document) {
    return Failure(document.error());
  }
  if (const auto rewritten = events::from_seed(document->root())) {
    return canonical_text(*rewritten, now, ids);
  }
  auto draft = events::normalise(document->root(), {}, now, ids);
  if (!draft) {
    return Failure(draft.error());
  }
  events::enrich(*draft, {});
  return events::encode(*draft, {});
}

Result<void> write_preview(json::Writer& out,
                           const destinations::Entry& entry,
                           std::string_view text,
                           const PreviewOptions& options,
                           const Clock& clock,
                           Ids& ids) {
  auto canonical = options.canonical ? Result<std::string>(std::string(text))
                                     : canonical_text(text, clock.now(), ids);
  const auto event = canonical ? events::Event::decode(*canonical)
                               : Result<events::Event>(Failure(canonical.error()));
  if (!event) {
    return Failure(event.error());
  }
  const auto shortened = entry.shortened(*event);
  const events::Event* batch[] = {shortened ? &*shortened : &*event};
  destinations::Encoding encoding = destinations::encode(*entry.destination, batch);
  using Kind = destinations::Mapped::Kind;
  const destinations::Mapped& mapped = encoding.events.at(0);
  out.member("result",
             mapped.kind == Kind::Send       ? "send"
             : mapped.kind == Kind::Filtered ? "filtered"
                                             : "rejected");
  if (!mapped.reason.empty()) {
    out.member("reason", mapped.reason);
  }
  out.key("requests").begin_array();
  for (destinations::Request& request : encoding.requests) {
    entry.destination->sign(request, clock.now());
    const destinations::Channel& channel = entry.destination->channels()[request.channel];
    request.headers = fields_of(request, channel, event->hops());
    if (!options.secrets) {
      destinations::mask(request, entry.destination->secrets());
    }
    out.raw(to_json(request, channel.is_form));
  }
  out.end_array();
  return {};
}

}  // namespace edge::delivery
