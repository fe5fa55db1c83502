// SPDX-License-Identifier: MIT
#include "core/destinations/destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "core/crypto/digest.h"

namespace edge::destinations {
namespace {

constexpr const char* kSpace = "destination";
constexpr const char* kDefinitions = "definition";
constexpr const char* kNumbers = "number";
constexpr const char* kSwitches = "switch";

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

Result<std::map<std::string, std::string>> read_part(storage::Store& store, const char* part) {
  std::map<std::string, std::string> found;
  storage::Scan scan = storage::Scan::prefix(kSpace, part, "");
  for (;;) {
    auto page = store.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (storage::Page::Item& item : page->items) {
      found.emplace(std::move(item.key), std::move(item.entry.value));
    }
    if (!page->next) {
      return found;
    }
    scan.resume(*page->next);
  }
}

const char* name_of(Switch position) {
  return position == Switch::Paused ? "paused" : "disabled";
}

Error unknown(std::string_view id) {
  return {ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", id)};
}

}  // namespace

std::string consumer_of(std::string_view id) {
  return fmt::format("destination:{}", id);
}
std::string queue_of(std::string_view id) {
  return fmt::format("destination:{}", id);
}
storage::Key number_key(std::string_view id) {
  return {kSpace, kNumbers, std::string(id)};
}

/// What the store holds, by id.
struct Destinations::Stored {
  std::map<std::string, std::string> definitions;
  std::map<std::string, std::string> numbers;
  std::map<std::string, std::string> switches;

  [[nodiscard]] std::optional<unsigned> number_of(const std::string& id) const {
    const auto found = numbers.find(id);
    unsigned number = kMaxDestinations;
    if (found != numbers.end()) {
      const std::string& text = found->second;
      std::from_chars(text.data(), text.data() + text.size(), number);
    }
    return number < kMaxDestinations ? std::optional(number) : std::nullopt;
  }
  /// The next free one after `last`: a number that was given up is not used again at once, because
  /// the forwarder of its old owner may not have ended yet.
  [[nodiscard]] std::optional<unsigned> free_number(unsigned last) const {
    for (unsigned i = 1; i <= kMaxDestinations; ++i) {
      const unsigned number = (last + i) % kMaxDestinations;
      const std::string text = std::to_string(number);
      if (std::ranges::none_of(numbers, [&](const auto& pair) { return pair.second == text; })) {
        return number;
      }
    }
    return std::nullopt;
  }
};

Destinations::Destinations(storage::Store& store,
                           const Catalogue& catalogue,
                           SecretFinder secrets,
                           RouteRules rules,
                           FilterMaker filters)
    : store_(store),
      catalogue_(catalogue),
      secrets_(std::move(secrets)),
      rules_(std::move(rules)),
      filters_(std::move(filters)),
      table_(std::make_shared<const Table>()) {}

Result<void> Destinations::load(std::vector<Definition> configured, bool read_only) {
  const std::lock_guard lock(changing_);
  configured_.swap(configured);
  read_only_ = read_only;
  auto loaded = reload();
  if (!loaded) {
    configured_.swap(configured);
  }
  return loaded;
}

Result<void> Destinations::reload() {
  auto stored = read_stored();
  if (!stored) {
    return Failure(stored.error());
  }
  std::vector<std::shared_ptr<const Entry>> entries;
  const auto add = [&](const Definition& definition, Origin origin) -> Result<void> {
    auto entry = ready(definition, origin, *stored);
    if (!entry) {
      return Failure(entry.error());
    }
    const bool taken = std::ranges::any_of(
        entries, [&](const auto& other) { return other->definition.id == definition.id; });
    if (taken && origin == Origin::Configuration) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("two destinations have the id \"{}\"", definition.id),
                      "destinations"});
    }
    if (!taken) {
      entries.push_back(std::move(*entry));
    }
    return {};
  };
  for (const Definition& definition : configured_) {
    if (auto added = add(definition, Origin::Configuration); !added) {
      return added;
    }
  }
  for (const auto& [id, text] : stored->definitions) {
    const auto document = json::Document::parse(text, json::kEvent);
    auto definition = document ? read_definition(document->root(), catalogue_)
                               : Result<Definition>(Failure(document.error()));
    auto added = definition ? add(*definition, Origin::Store) : Failure(definition.error());
    if (!added) {
      added.error().message =
          fmt::format("the stored destination \"{}\": {}", id, added.error().message);
      return added;
    }
  }
  if (auto numbered = number_new(entries, *stored); !numbered) {
    return numbered;
  }
  table_.publish(std::make_shared<const Table>(std::move(entries), rules_));
  return {};
}

Result<Destinations::Stored> Destinations::read_stored() const {
  auto definitions = read_part(store_, kDefinitions);
  auto numbers = read_part(store_, kNumbers);
  auto switches = read_part(store_, kSwitches);
  for (const auto* part : {&definitions, &numbers, &switches}) {
    if (!*part) {
      return Failure(part->error());
    }
  }
  return Stored{std::move(*definitions), std::move(*numbers), std::move(*switches)};
}

Result<std::shared_ptr<const Entry>> Destinations::ready(const Definition& definition,
                                                         Origin origin,
                                                         const Stored& stored) const {
  const Type* type = catalogue_.find(definition.type);
  const auto config = json::Document::parse(definition.config, json::kEvent);
  if (type == nullptr || !config) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no kind of destination", definition.type),
                    "/type"});
  }
  std::string named;  // the secrets that were looked up
  const SecretFinder finder = [&](const std::string& name) {
    auto value = secrets_ ? secrets_(name) : std::nullopt;
    named += fmt::format("{}={}\n", name, value.value_or(""));
    return value;
  };
  auto made = catalogue_.make(*type, config->root(), finder, {definition.id, definition.name});
  if (!made) {
    return Failure(made.error());
  }
  auto filter = filter_of(definition);
  if (!filter) {
    return Failure(filter.error());
  }
  const auto position = stored.switches.find(definition.id);
  const auto turns = turns_.find(definition.id);
  return std::make_shared<const Entry>(
      Entry{.definition = definition,
            .origin = origin,
            .position = position == stored.switches.end() ? Switch::On
                        : position->second == "paused"    ? Switch::Paused
                                                          : Switch::Disabled,
            .number = stored.number_of(definition.id).value_or(kMaxDestinations),
            .target = {.id = definition.id,
                       .name = definition.name,
                       .type_names = type->integrations,
                       .consent = definition.consent,
                       .types = definition.types,
                       .events = definition.events,
                       .filter = std::move(*filter)},
            .destination = std::move(*made),
            .ip = definition.ip.value_or(rules_.ip),
            .credentials = named.empty() ? "" : crypto::sha256(named),
            .turns = turns == turns_.end() ? 0 : turns->second});
}

Result<EventFilter> Destinations::filter_of(const Definition& definition) const {
  if (definition.filter.empty()) {
    return EventFilter{};
  }
  auto filter = filters_ ? filters_(definition.filter)
                         : Result<EventFilter>(Failure(
                               {ErrorCode::InvalidArgument, "filters are not understood here"}));
  if (!filter) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"filter\": {}", filter.error().message),
                    "/filter",
                    "bad_expression"});
  }
  return filter;
}

/// Gives those without a number one, and lets them start at the head of the log.
Result<void> Destinations::number_new(std::vector<std::shared_ptr<const Entry>>& entries,
                                      Stored& stored) {
  storage::Batch batch;
  for (std::shared_ptr<const Entry>& entry : entries) {
    if (entry->number != kMaxDestinations) {
      continue;
    }
    const auto number = stored.free_number(last_number_);
    if (!number) {
      return Failure({ErrorCode::TooLarge,
                      fmt::format("at most {} destinations are possible", kMaxDestinations)});
    }
    const std::string& id = entry->definition.id;
    if (auto removed = read_only_ ? Result<void>() : remove_delivery(id); !removed) {
      return removed;
    }
    stored.numbers[id] = std::to_string(*number);
    last_number_ = *number;
    batch.puts.push_back({number_key(id), std::to_string(*number)});
    batch.advances.push_back({.consumer = consumer_of(id),
                              .stream = kStream,
                              .lane = kLane,
                              .position = {.offset = store_.head(kStream, kLane)}});
    Entry numbered = *entry;
    numbered.number = *number;
    entry = std::make_shared<const Entry>(std::move(numbered));
  }
  if (batch.puts.empty() || read_only_) {
    return {};
  }
  return store_.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

Result<std::shared_ptr<const Entry>> Destinations::store_definition(const Definition& definition,
                                                                    bool switches_on) {
  json::Writer out;
  out.begin_object();
  write_definition(out, definition, catalogue_, false);
  storage::Batch batch;
  batch.puts.push_back({{kSpace, kDefinitions, definition.id}, out.end_object().take()});
  if (switches_on) {
    batch.dels.push_back({{kSpace, kSwitches, definition.id}});
  }
  auto committed = store_.commit(std::move(batch), soon());
  if (!committed) {
    return Failure(committed.error());
  }
  return reload().map([&] { return table_.get()->find(definition.id); });
}

Result<std::shared_ptr<const Entry>> Destinations::changeable(std::string_view id) const {
  auto entry = table_.get()->find(id);
  if (!entry) {
    return Failure(unknown(id));
  }
  if (entry->origin == Origin::Configuration) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("the destination \"{}\" stands in the configuration file", id),
                    "",
                    "configured"});
  }
  return entry;
}

Result<std::shared_ptr<const Entry>> Destinations::create(const Definition& definition) {
  const std::lock_guard lock(changing_);
  const auto table = table_.get();
  for (const auto& entry : table->entries()) {
    if (entry->definition.id == definition.id) {
      return Failure({ErrorCode::Conflict,
                      fmt::format("there is a destination \"{}\" already", definition.id),
                      "/id",
                      "exists"});
    }
  }
  if (table->entries().size() >= kMaxDestinations) {
    return Failure({ErrorCode::TooLarge,
                    fmt::format("at most {} destinations are possible", kMaxDestinations)});
  }
  if (auto checked = ready(definition, Origin::Store, {}); !checked) {
    return checked;
  }
  return store_definition(definition);
}

Result<std::shared_ptr<const Entry>> Destinations::replace(std::string_view id,
                                                           Definition definition) {
  const std::lock_guard lock(changing_);
  const auto entry = changeable(id);
  if (!entry) {
    return entry;
  }
  definition.id = (*entry)->definition.id;
  if (auto checked = ready(definition, Origin::Store, {}); !checked) {
    return checked;
  }
  return store_definition(definition, definition.enabled && (*entry)->position == Switch::Disabled);
}

Result<void> Destinations::erase(std::string_view name) {
  const std::lock_guard lock(changing_);
  const auto entry = changeable(name);
  if (!entry) {
    return Failure(entry.error());
  }
  const std::string& id = (*entry)->definition.id;
  storage::Batch batch;
  for (const char* part : {kDefinitions, kNumbers, kSwitches}) {
    batch.dels.push_back({{kSpace, part, id}});
  }
  if (auto committed = store_.commit(std::move(batch), soon()); !committed) {
    return Failure(committed.error());
  }
  if (auto reloaded = reload(); !reloaded) {
    return reloaded;
  }
  return remove_parked(id);
}

/// What is left of the deliveries of an earlier destination with that id: rows, counters, a hold.
Result<void> Destinations::remove_delivery(const std::string& id) {
  for (;;) {
    const auto page = store_.scan(storage::Scan::prefix("delivery", id, ""), soon());
    if (!page || page->items.empty()) {
      return page ? remove_parked(id) : Failure(page.error());
    }
    storage::Batch batch;
    for (const storage::Page::Item& item : page->items) {
      batch.dels.push_back({{"delivery", id, item.key}});
    }
    if (auto committed = store_.commit(std::move(batch), soon()); !committed) {
      return Failure(committed.error());
    }
  }
}

Result<void> Destinations::remove_parked(const std::string& id) {
  for (;;) {
    const auto page = store_.list({.queue = queue_of(id)}, soon());
    if (!page || page->items.empty()) {
      return page ? Result<void>() : Failure(page.error());
    }
    storage::Batch batch;
    for (const storage::Due& due : page->items) {
      batch.settles.push_back(
          {.queue = queue_of(id), .at = due.at, .number = due.number, .lease = due.lease});
    }
    if (auto committed = store_.commit(std::move(batch), soon()); !committed) {
      return Failure(committed.error());
    }
  }
}

Result<std::shared_ptr<const Entry>> Destinations::set_switch(std::string_view name,
                                                              Switch position) {
  const std::lock_guard lock(changing_);
  const auto entry = table_.get()->find(name);
  if (!entry) {
    return Failure(unknown(name));
  }
  const std::string id = entry->definition.id;
  storage::Batch batch;
  if (position == Switch::On) {
    batch.dels.push_back({{kSpace, kSwitches, id}});
  } else {
    batch.puts.push_back({{kSpace, kSwitches, id}, name_of(position)});
  }
  if (auto committed = store_.commit(std::move(batch), soon()); !committed) {
    return Failure(committed.error());
  }
  ++turns_[id];
  return reload().map([&] { return table_.get()->find(id); });
}

Result<void> Destinations::refresh() {
  const std::lock_guard lock(changing_);
  return reload();
}

}  // namespace edge::destinations
