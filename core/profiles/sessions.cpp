// SPDX-License-Identifier: MIT
#include "core/profiles/sessions.h"

#include <algorithm>

namespace edge::profiles {

void Sessions::merge(const Sessions& other) {
  closed += other.closed;
  closed_until = std::max(closed_until, other.closed_until);
  for (const Span& span : other.recent) {
    add(span);
  }
}

void Sessions::add(Span span) {
  if (closed > 0 && span.last <= closed_until + kGap) {
    return;
  }
  const auto behind = [&](const Span& other) { return other.first <= span.last + kGap; };
  const auto before = [&](const Span& other) { return other.last + kGap < span.first; };
  const auto first = std::ranges::partition_point(recent, before);
  const auto end = std::partition_point(first, recent.end(), behind);
  for (auto it = first; it != end; ++it) {
    span = {std::min(span.first, it->first), std::max(span.last, it->last)};
  }
  recent.insert(recent.erase(first, end), span);
  if (recent.size() > kMaxRecent) {
    ++closed;
    closed_until = std::max(closed_until, recent.front().last);
    recent.erase(recent.begin());
  }
}

}  // namespace edge::profiles
