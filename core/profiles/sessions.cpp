// SPDX-License-Identifier: MIT
#include "core/profiles/sessions.h"

#include <algorithm>

namespace edge::profiles {

std::optional<Sessions::Place> Sessions::add(Time at, std::chrono::milliseconds gap) {
  return add(Span{at, at, at}, gap);
}

void Sessions::merge(const Sessions& other, std::chrono::milliseconds gap) {
  closed += other.closed;
  closed_until = std::max(closed_until, other.closed_until);
  for (const Span& span : other.recent) {
    add(span, gap);
  }
}

void Sessions::shorten(std::size_t spans) {
  if (recent.size() <= spans) {
    return;
  }
  const auto kept = recent.end() - static_cast<std::ptrdiff_t>(spans);
  closed += static_cast<std::uint64_t>(kept - recent.begin());
  closed_until = std::max(closed_until, (kept - 1)->last);
  recent.erase(recent.begin(), kept);
}

std::optional<Sessions::Place> Sessions::add(Span span, std::chrono::milliseconds gap) {
  if (closed > 0 && span.last <= closed_until + gap) {
    return std::nullopt;
  }
  const auto behind = [&](const Span& other) { return other.first <= span.last + gap; };
  const auto before = [&](const Span& other) { return other.last + gap < span.first; };
  const auto first = std::ranges::partition_point(recent, before);
  const auto end = std::partition_point(first, recent.end(), behind);
  const bool opens = first == end;
  if (!opens) {
    span.opened = first->opened;
  }
  for (auto it = first; it != end; ++it) {
    span.first = std::min(span.first, it->first);
    span.last = std::max(span.last, it->last);
  }
  const auto at = recent.insert(recent.erase(first, end), span);
  const Place place{.id = span.opened,
                    .index = closed + static_cast<std::uint64_t>(at - recent.begin()) + 1,
                    .opens = opens};
  shorten(kMaxRecent);
  return place;
}

}  // namespace edge::profiles
