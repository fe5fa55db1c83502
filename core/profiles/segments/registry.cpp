// SPDX-License-Identifier: MIT
#include "core/profiles/segments/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/profiles/records.h"
#include "core/profiles/segments/segment_fold.h"

namespace edge::profiles {
namespace {

using json::Value;

constexpr const char* kStream = "events";
constexpr std::chrono::seconds kPatience{5};

const storage::Key kNextGeneration{"segment", "number", "next"};

storage::Key record_key(const std::string& name) {
  return {"segment", "", name};
}

storage::Deadline soon() {
  return storage::Deadline::in(kPatience);
}

std::string encode(const SegmentRecord& record) {
  json::Writer out;
  out.begin_object().key("definition").begin_object();
  write_definition_members(out, record.definition);
  out.end_object();
  out.member("generation", record.generation).member("state", name_of(record.state));
  out.member("hadMembers", record.had_members).member("configured", record.is_configured);
  out.member("until", record.until).member("cursor", record.cursor);
  out.member("visited", record.visited).member("complete", record.complete);
  if (record.before) {
    out.key("before").begin_object();
    write_definition_members(out, *record.before);
    out.end_object();
    out.member("beforeGeneration", record.before_generation);
    out.member("beforeHadMembers", record.before_had_members);
    out.member("beforeComplete", record.before_complete);
  }
  return out.end_object().take();
}

std::uint64_t number_at(Value stored, std::string_view name) {
  const auto value = stored.find(name);
  return value ? value->as_uint64().value_or(0) : 0;
}

bool flag_at(Value stored, std::string_view name) {
  const auto value = stored.find(name);
  return value && value->as_bool().value_or(false);
}

std::string text_at(Value stored, std::string_view name) {
  const auto value = stored.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

/// What `write_definition_members` wrote, from the tree alone: the expression beside it is for
/// people.
std::optional<Definition> read_stored_definition(std::optional<Value> stored) {
  json::Writer out;
  out.begin_object();
  if (stored) {
    for (const auto [name, value] : stored->members()) {
      if (name != "when") {
        out.key(name).value(value);
      }
    }
  }
  const std::string text = out.end_object().take();
  const auto document = json::Document::parse(text, json::kEvent);
  auto definition = document ? read_definition(document->root()) : Failure(document.error());
  return definition ? std::optional(std::move(*definition)) : std::nullopt;
}

/// Nothing when it cannot be read.
std::optional<SegmentRecord> decode_record(std::string_view text) {
  const auto document = json::Document::parse(text, json::kEvent);
  auto definition = document ? read_stored_definition(document->root().find("definition"))
                             : std::optional<Definition>{};
  if (!definition) {
    return std::nullopt;
  }
  const Value root = document->root();
  SegmentRecord record{.definition = std::move(*definition),
                       .generation = number_at(root, "generation"),
                       .had_members = flag_at(root, "hadMembers"),
                       .is_configured = flag_at(root, "configured"),
                       .until = number_at(root, "until"),
                       .cursor = number_at(root, "cursor"),
                       .visited = text_at(root, "visited"),
                       .complete = number_at(root, root.find("complete") ? "complete" : "until"),
                       .before_generation = number_at(root, "beforeGeneration"),
                       .before_had_members = flag_at(root, "beforeHadMembers"),
                       .before_complete = number_at(root, "beforeComplete")};
  for (const SegmentState state : {SegmentState::Computing,
                                   SegmentState::Settling,
                                   SegmentState::Ready,
                                   SegmentState::Disabled}) {
    record.state = text_at(root, "state") == name_of(state) ? state : record.state;
  }
  record.before = read_stored_definition(root.find("before"));
  return record;
}

bool decides(const SegmentRecord& record) {
  return record.state == SegmentState::Ready || record.state == SegmentState::Settling;
}

/// The definition as it decides: nobody satisfies one that is switched off.
Definition rule_in(Definition definition, SegmentState state) {
  if (!definition.is_enabled && state != SegmentState::Disabled) {
    definition.tree = {};
  }
  return definition;
}

bool has_counters(const Definition& definition) {
  bool found = false;
  for_each_leaf(definition.tree, [&](const Leaf& leaf) { found = found || leaf.needs_events(); });
  return found;
}

/// Whether the newest definitions refer to one another in a circle, also those that are not yet
/// computed: later, when they decide, nobody could be told any more.
Result<void> check_circles(const std::vector<SegmentRecord>& records) {
  std::vector<Rulebook::Version> versions;
  for (const SegmentRecord& record : records) {
    versions.push_back({.definition = record.definition, .generation = record.generation});
  }
  const auto book = Rulebook::compile(std::move(versions));
  return book ? Result<void>{} : Failure(book.error());
}

Error configured(std::string_view name) {
  return {
      .code = ErrorCode::Conflict,
      .message = fmt::format("segment \"{}\" stands in the configuration; change it there", name),
      .reason = "configured"};
}

}  // namespace

const SegmentRecord* SegmentList::find(std::string_view name) const {
  const auto found =
      std::ranges::find(records, name, [](const auto& one) { return one.definition.name; });
  return found == records.end() ? nullptr : &*found;
}

SegmentRegistry::SegmentRegistry(storage::Store& store, SwitchedOff switched_off)
    : store_(store),
      switched_off_(std::move(switched_off)),
      list_(std::make_shared<const SegmentList>()) {}

Result<void> SegmentRegistry::load(std::vector<Definition> configured_ones, bool read_only) {
  auto stored = read_stored();
  if (!stored) {
    return Failure(stored.error());
  }
  const auto position = store_.position(kConsumer, kStream, 0, soon());
  if (!position) {
    return Failure(position.error());
  }
  std::vector<SegmentRecord> records;
  storage::Batch batch;
  for (Definition& definition : configured_ones) {
    const auto old = std::ranges::find(
        *stored, definition.name, [](const auto& one) { return one.definition.name; });
    SegmentRecord record = next_version(
        std::move(definition), old == stored->end() ? nullptr : &*old, position->offset);
    record.is_configured = true;
    store(record, batch);
    if (old != stored->end()) {
      stored->erase(old);
    }
    records.push_back(std::move(record));
  }
  for (SegmentRecord& record : *stored) {
    if (record.is_configured) {
      batch.dels.push_back({.key = record_key(record.definition.name)});
    } else {
      records.push_back(std::move(record));
    }
  }
  auto published = check_circles(records);
  if (published) {
    published = publish(std::move(records));
  }
  if (!published || read_only) {
    return published;
  }
  if (batch.puts.empty() && batch.dels.empty()) {
    return {};
  }
  batch.puts.push_back({.key = kNextGeneration, .value = std::to_string(next_generation_)});
  const auto receipt = store_.commit(std::move(batch), soon());
  return receipt ? Result<void>{} : Failure(receipt.error());
}

Result<void> SegmentRegistry::put(Definition definition,
                                  std::uint64_t folded,
                                  storage::Batch& batch) {
  std::vector<SegmentRecord> records = current()->records;
  const auto old = std::ranges::find(
      records, definition.name, [](const auto& one) { return one.definition.name; });
  if (old != records.end() && old->is_configured) {
    return Failure(configured(definition.name));
  }
  if (old == records.end() && records.size() >= kMaxSegments) {
    return Failure({.code = ErrorCode::TooLarge,
                    .message = fmt::format("there are {} segments already", kMaxSegments)});
  }
  SegmentRecord record =
      next_version(std::move(definition), old == records.end() ? nullptr : &*old, folded);
  store(record, batch);
  batch.puts.push_back({.key = kNextGeneration, .value = std::to_string(next_generation_)});
  if (old == records.end()) {
    const auto place = std::ranges::find_if(records, [&](const SegmentRecord& other) {
      return !other.is_configured && other.definition.name > record.definition.name;
    });
    records.insert(place, std::move(record));
  } else {
    *old = std::move(record);
  }
  auto published = check_circles(records);
  if (published) {
    published = publish(std::move(records));
  }
  if (!published) {
    batch = {};
  }
  return published;
}

Result<void> SegmentRegistry::erase(std::string_view name, storage::Batch& batch) {
  std::vector<SegmentRecord> records = current()->records;
  const auto old =
      std::ranges::find(records, name, [](const auto& one) { return one.definition.name; });
  if (old == records.end() && std::erase(unreadable_, name) > 0) {
    batch.dels.push_back({.key = record_key(std::string(name))});
    return publish(std::move(records));
  }
  if (old == records.end()) {
    return Failure({ErrorCode::NotFound, fmt::format("there is no segment \"{}\"", name)});
  }
  if (old->is_configured) {
    return Failure(configured(name));
  }
  for (const SegmentRecord& other : records) {
    bool refers = false;
    for_each_leaf(other.definition.tree, [&](const Leaf& leaf) {
      refers =
          refers || ((leaf.type == Leaf::Type::Segment || leaf.type == Leaf::Type::Dimension) &&
                     leaf.segment() == name);
    });
    if (refers) {
      return Failure(
          {.code = ErrorCode::Conflict,
           .message = fmt::format("segment \"{}\" refers to \"{}\"", other.definition.name, name),
           .reason = "in_use"});
    }
  }
  batch.dels.push_back({.key = record_key(old->definition.name)});
  records.erase(old);
  return publish(std::move(records));
}

Result<void> SegmentRegistry::advance(const std::vector<std::uint64_t>& generations,
                                      const std::function<void(SegmentRecord&)>& change,
                                      storage::Batch& batch) {
  const auto list = current();
  std::vector<SegmentRecord> records = list->records;
  bool is_same_book = true;
  for (SegmentRecord& record : records) {
    if (std::ranges::find(generations, record.generation) != generations.end()) {
      const SegmentState before = record.state;
      change(record);
      store(record, batch);
      is_same_book = is_same_book && record.state == before;
    }
  }
  if (!is_same_book) {
    return publish(std::move(records));
  }
  auto next = std::make_shared<SegmentList>();
  next->records = std::move(records);
  next->book = list->book;
  next->unreadable = list->unreadable;
  list_.publish(std::move(next));
  return {};
}

Result<void> SegmentRegistry::publish(std::vector<SegmentRecord> records) {
  std::vector<Rulebook::Version> versions;
  for (const SegmentRecord& record : records) {
    versions.push_back({.definition = rule_in(record.definition, record.state),
                        .generation = record.generation,
                        .state = record.state,
                        .had_members = record.had_members});
    if (record.state == SegmentState::Computing && record.before) {
      versions.push_back({.definition = rule_in(*record.before, SegmentState::Ready),
                          .generation = record.before_generation,
                          .state = SegmentState::Ready,
                          .had_members = record.before_had_members});
    }
  }
  auto book = Rulebook::compile(std::move(versions));
  if (!book) {
    return Failure(book.error());
  }
  auto list = std::make_shared<SegmentList>();
  list->records = std::move(records);
  list->book = std::move(*book);
  std::erase_if(unreadable_, [&](const auto& name) { return list->find(name) != nullptr; });
  list->unreadable = unreadable_;
  list_.publish(std::move(list));
  return {};
}

Result<std::vector<SegmentRecord>> SegmentRegistry::read_stored() {
  const auto next = store_.get(kNextGeneration, soon());
  if (!next) {
    return Failure(next.error());
  }
  if (*next) {
    const std::string& text = (*next)->value;
    std::from_chars(text.data(), text.data() + text.size(), next_generation_);
  }
  std::vector<SegmentRecord> records;
  storage::Scan scan = storage::Scan::prefix("segment", "", "");
  for (;;) {
    const auto page = store_.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      if (auto record = decode_record(item.entry.value)) {
        records.push_back(std::move(*record));
      } else {
        unreadable_.push_back(item.key);
      }
    }
    if (!page->next) {
      return records;
    }
    scan.resume(*page->next);
  }
}

SegmentRecord SegmentRegistry::next_version(Definition definition,
                                            const SegmentRecord* old,
                                            std::uint64_t folded) {
  const bool is_same = old != nullptr && rule_text(old->definition) == rule_text(definition) &&
                       old->definition.is_enabled == definition.is_enabled;
  if (is_same) {
    SegmentRecord record = *old;
    record.definition = std::move(definition);
    return record;
  }
  SegmentRecord record{.generation = next_generation_++};
  const bool is_enabled = definition.is_enabled;
  const bool counts =
      is_enabled && definition.wants_backfill && folded > 0 && has_counters(definition);
  record.definition = std::move(definition);
  record.had_members = old != nullptr && (decides(*old) || old->before.has_value());
  record.state = !is_enabled && !record.had_members ? SegmentState::Disabled
                 : counts                           ? SegmentState::Computing
                 : folded > 0                       ? SegmentState::Settling
                 : is_enabled                       ? SegmentState::Ready
                                                    : SegmentState::Disabled;
  if (old != nullptr) {
    if (record.state == SegmentState::Computing) {
      record.before = decides(*old) ? std::optional(old->definition) : old->before;
      record.before_generation = decides(*old) ? old->generation : old->before_generation;
      record.before_complete = decides(*old) ? old->complete : old->before_complete;
      record.before_had_members = decides(*old) ? record.had_members : old->before_had_members;
      record.before_had_members = record.before_had_members || record.had_members;
    }
  }
  record.until = counts ? folded : 0;
  record.complete = folded;
  return record;
}

void SegmentRegistry::store(const SegmentRecord& record, storage::Batch& batch) const {
  batch.puts.push_back({.key = record_key(record.definition.name), .value = encode(record)});
  if (record.state == SegmentState::Disabled) {
    batch.dels.push_back({.key = size_key(record.definition.name)});
  }
}

}  // namespace edge::profiles
