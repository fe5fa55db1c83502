// SPDX-License-Identifier: MIT
#include "core/profiles/segments/segment_report.h"

#include <charconv>
#include <unordered_map>
#include <utility>

#include "core/profiles/received.h"
#include "core/profiles/records.h"
#include "core/profiles/segments/segment_fold.h"

namespace edge::profiles {
namespace {

constexpr const char* kStream = "events";
constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxCounted = 200'000;
constexpr const char* kPreviewName = ":preview:";

storage::Deadline soon() {
  return storage::Deadline::in(kPatience);
}

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<std::int64_t> sum_since(storage::Store& store,
                               const std::string& segment,
                               bool entered,
                               Time since) {
  storage::Scan scan{.space = "segment_traffic",
                     .part = segment,
                     .from = traffic_key(segment, entered, since).key,
                     .to = entered ? "f" : "y"};
  std::int64_t sum = 0;
  const auto page = store.scan(scan, soon());
  if (!page) {
    return Failure(page.error());
  }
  for (const storage::Page::Item& item : page->items) {
    sum += number_of(item.entry.value);
  }
  return sum;
}

/// Calls `visit(key, value)` for every stored profile and redirect.
template <typename VisitEntry>
Result<void> for_each_profile(storage::Store& store, const VisitEntry& visit) {
  storage::Scan scan{.space = "profile"};
  while (true) {
    const auto page = store.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      auto stored = decode_stored(item.entry.value);
      if (!stored) {
        return Failure(stored.error());
      }
      visit(item.key, *stored);
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

using Counters = std::unordered_map<std::string, std::map<std::uint64_t, Counter>>;

/// Counts all stored events for one segment, by the profile that they belong to now.
class Recount {
 public:
  Recount(storage::Store& store, const Segment& segment, Time now)
      : store_(store), segment_(segment), now_(now) {}

  Result<Counters> run() {
    const auto redirects =
        for_each_profile(store_, [this](const std::string& id, const Stored& stored) {
          if (!stored.redirect.empty()) {
            redirects_[id] = stored.redirect.text;
          }
        });
    if (!redirects) {
      return Failure(redirects.error());
    }
    ReceivedReader receivers(store_, 0);
    std::uint64_t after = 0;
    while (true) {
      const auto slice = store_.read({.stream = kStream, .after = after}, soon());
      if (!slice) {
        return Failure(slice.error());
      }
      if (slice->records.empty()) {
        return std::move(counters_);
      }
      after = slice->reached;
      for (const storage::RecordPointer& record : slice->records) {
        const auto number = receivers.find(record->offset);
        if (!number) {
          return Failure(number.error());
        }
        if (*number && !count(*record, **number)) {
          return Failure({.code = ErrorCode::TooLarge,
                          .message =
                              "too many profiles to count their events for a preview; define "
                              "the segment instead"});
        }
      }
    }
  }

 private:
  bool count(const storage::Record& record, std::uint64_t number) {
    const auto event = events::Event::decode(record.body);
    if (!event) {
      return true;
    }
    std::string id = profile_id(record.lane, number).text;
    for (auto found = redirects_.find(id); found != redirects_.end(); found = redirects_.find(id)) {
      id = found->second;
    }
    for (std::size_t slot = 0; slot < segment_.counters.size(); ++slot) {
      Counter fresh;
      if (feed(fresh, segment_.counters[slot], *event, record.offset, now_)) {
        const std::uint64_t key = key_of(segment_.generation, static_cast<int>(slot));
        merge(counters_[id][key], fresh, segment_.counters[slot], now_);
      }
    }
    return counters_.size() <= kMaxCounted;
  }

  storage::Store& store_;
  const Segment& segment_;
  const Time now_;
  std::unordered_map<std::string, std::string> redirects_;
  Counters counters_;
};

/// The book with one more segment that asks `tree`.
Result<std::shared_ptr<const Rulebook>> with_preview(const SegmentList& list, const Node& tree) {
  std::vector<Rulebook::Version> versions;
  std::uint64_t generation = 1;
  for (const SegmentRecord& record : list.records) {
    generation = std::max(generation, record.generation + 1);
    versions.push_back({.definition = record.definition,
                        .generation = record.generation,
                        .state = record.state,
                        .had_members = record.had_members});
  }
  Definition definition{.name = kPreviewName, .tree = tree};
  versions.push_back({.definition = std::move(definition), .generation = generation});
  return Rulebook::compile(std::move(versions));
}

/// A ready segment that asks the same.
const Segment* same_rule(const Rulebook& book, const Node& tree) {
  const std::string text = to_json(tree);
  for (const Segment& segment : book.segments()) {
    if (segment.state == SegmentState::Ready && segment.definition.name != kPreviewName &&
        segment.definition.wants_backfill && to_json(segment.definition.tree) == text) {
      return &segment;
    }
  }
  return nullptr;
}

}  // namespace

Result<SegmentNumbers> numbers_of(storage::Store& store, const std::string& segment, Time now) {
  const auto size = store.get(size_key(segment), soon());
  if (!size) {
    return Failure(size.error());
  }
  const Time since = now - std::chrono::hours{24};
  const auto entered = sum_since(store, segment, true, since);
  const auto exited = entered ? sum_since(store, segment, false, since) : entered;
  if (!exited) {
    return Failure(exited.error());
  }
  return SegmentNumbers{.size = *size ? number_of((*size)->value) : 0,
                        .entered_24h = *entered,
                        .exited_24h = *exited};
}

void write_segment(json::Writer& out, const SegmentRecord& record, const SegmentNumbers& numbers) {
  write_definition_members(out, record.definition);
  out.member("state", name_of(record.state));
  out.member("origin", record.is_configured ? "configuration" : "api");
  if (record.state == SegmentState::Computing) {
    out.key("progress").begin_object();
    out.member("done", record.cursor).member("of", record.until).end_object();
  }
  out.member("size", numbers.size);
  out.member("entered24h", numbers.entered_24h).member("exited24h", numbers.exited_24h);
}

void write_preview(json::Writer& out, const Preview& preview) {
  const auto write = [&out](const char* name, const std::vector<Preview::Sample>& people) {
    out.key(name).begin_array();
    for (const Preview::Sample& one : people) {
      out.begin_object().member("profileId", one.profile).key("userId");
      one.user.empty() ? out.null() : out.string(one.user);
      out.end_object();
    }
    out.end_array();
  };
  out.member("count", preview.count).member("undecided", preview.undecided);
  write("sample", preview.sample);
  if (preview.differ) {
    out.member("differ", *preview.differ);
    write("differing", preview.differing);
  }
}

Result<Preview> preview(storage::Store& store,
                        const SegmentRegistry& segments,
                        const Node& tree,
                        std::size_t limit,
                        Time now,
                        const std::string& compared) {
  const auto book = with_preview(*segments.current(), tree);
  if (!book) {
    return Failure(book.error());
  }
  const Segment* const asked = (*book)->find(kPreviewName);
  const bool is_counted = !asked->counters.empty() && compared.empty();
  const Segment* const same = is_counted ? same_rule(**book, tree) : nullptr;
  Counters counters;
  if (!asked->counters.empty() && same == nullptr) {
    auto counted = Recount(store, *asked, now).run();
    if (!counted) {
      return Failure(counted.error());
    }
    counters = std::move(*counted);
  }
  const Segment& segment = same == nullptr ? *asked : *same;
  Assessor assessor(**book, segments.switched_off());
  Preview found;
  if (!compared.empty()) {
    found.differ = 0;
  }
  const auto walked = for_each_profile(store, [&](const std::string& id, Stored& stored) {
    if (!stored.redirect.empty()) {
      return;
    }
    Profile& profile = stored.profile;
    const Time at = std::max(now, profile.standing.clock);
    assessor.advance(profile, at);
    if (const auto counted = counters.find(id); counted != counters.end()) {
      profile.standing.counters.merge(counted->second);
    }
    const Truth truth = evaluate(segment.tree, [&](const Leaf& leaf) {
      return assessor.evaluate_leaf(segment, leaf, profile, at).truth;
    });
    const Preview::Sample person{.profile = id, .user = std::string(profile.newest(kUserId))};
    found.undecided += truth == Truth::Undecided ? 1 : 0;
    if (truth == Truth::True && ++found.count <= limit) {
      found.sample.push_back(person);
    }
    if (found.differ) {
      const auto kept = profile.standing.computed.find(compared);
      const bool is_kept = kept != profile.standing.computed.end() && kept->second.is_member;
      if (is_kept != (truth == Truth::True) && ++*found.differ <= limit) {
        found.differing.push_back(person);
      }
    }
  });
  if (!walked) {
    return Failure(walked.error());
  }
  return found;
}

}  // namespace edge::profiles
