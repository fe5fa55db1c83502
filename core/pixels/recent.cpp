// SPDX-License-Identifier: MIT
#include "core/pixels/recent.h"

#include <algorithm>
#include <utility>

namespace edge::pixels {

std::uint64_t digest_of(std::initializer_list<std::string_view> texts) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15U;
  std::uint64_t digest = kMix;
  for (const std::string_view text : texts) {
    const std::uint64_t one = std::hash<std::string_view>{}(text);
    digest = (digest ^ one) * kMix;
    digest ^= digest >> 29U;
  }
  return digest;
}

bool RecentVisits::is_repeat(std::uint64_t key, const Repeated& visit) {
  const auto known = visits_.find(key);
  if (known != visits_.end() && visit.at < known->second.at + window_) {
    ++known->second.repeats;
    return true;
  }
  if (known != visits_.end()) {
    // Its window is over, but nobody has taken it yet: it gives its place to the new one.
    if (known->second.repeats > 0) {
      pushed_out_.push_back(std::move(known->second));
    }
    known->second = visit;
    return false;
  }
  if (visits_.size() >= kMaxVisits) {
    drop_oldest(pushed_out_);
  }
  visits_.emplace(key, visit);
  order_.push_back(key);
  return false;
}

void RecentVisits::drop_oldest(std::vector<Repeated>& ended) {
  const auto oldest = visits_.find(order_.front());
  order_.pop_front();
  if (oldest == visits_.end()) {
    return;
  }
  if (oldest->second.repeats > 0) {
    ended.push_back(std::move(oldest->second));
  }
  visits_.erase(oldest);
}

std::vector<RecentVisits::Repeated> RecentVisits::take_ended(std::optional<Time> now) {
  std::vector<Repeated> ended = std::exchange(pushed_out_, {});
  while (!order_.empty()) {
    const auto oldest = visits_.find(order_.front());
    if (oldest != visits_.end() && now && *now < oldest->second.at + window_) {
      break;
    }
    drop_oldest(ended);
  }
  return ended;
}

std::deque<Bursts::Click>& Bursts::clicks_of(std::uint64_t person, Time now) {
  while (!order_.empty() &&
         (order_.front().second + window_ < now || people_.size() >= kMaxPeople)) {
    const auto [who, at] = order_.front();
    order_.pop_front();
    const auto found = people_.find(who);
    const bool is_over =
        found != people_.end() && (found->second.empty() || found->second.back().at <= at);
    if (is_over) {
      people_.erase(found);
    }
  }
  std::deque<Click>& clicks = people_[person];
  while (!clicks.empty() && (clicks.front().at + window_ < now || clicks.size() >= kMaxClicks)) {
    clicks.pop_front();
  }
  return clicks;
}

bool Bursts::is_sweep(std::uint64_t person,
                      std::uint64_t link,
                      Time at,
                      std::vector<ReclassifiedClick>& earlier) {
  std::deque<Click>& clicks = clicks_of(person, at);
  clicks.push_back({.link = link, .at = at});
  order_.emplace_back(person, at);
  std::vector<std::uint64_t> links;
  for (const Click& click : clicks) {
    if (std::ranges::find(links, click.link) == links.end()) {
      links.push_back(click.link);
      if (links.size() == kLinks) {
        break;
      }
    }
  }
  if (links.size() < kLinks) {
    return false;
  }
  for (Click& click : clicks) {
    if (std::exchange(click.is_human, false)) {
      earlier.push_back(click.stored);
    }
  }
  return true;
}

void Bursts::remember(std::uint64_t person, std::uint64_t link, Time at, ReclassifiedClick click) {
  const auto known_person = people_.find(person);
  if (known_person == people_.end()) {
    return;
  }
  std::deque<Click>& clicks = known_person->second;
  const auto found = std::find_if(clicks.rbegin(), clicks.rend(), [&](const Click& known) {
    return known.link == link && known.at == at;
  });
  if (found != clicks.rend()) {
    found->stored = std::move(click);
    found->is_human = true;
  }
}

}  // namespace edge::pixels
