// SPDX-License-Identifier: MIT
#include "core/queues/configured.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/document.h"
#include "core/queues/queue_table.h"

namespace edge::queues {
namespace {

constexpr auto kMembers =
    std::to_array<std::string_view>({"name", "settings", "consumer", "alerts"});

Error wrong(std::string message, std::string_view member) {
  return {ErrorCode::InvalidArgument, std::move(message), fmt::format("/{}", member)};
}

Result<std::vector<AlertRule>> read_rules(json::Value object) {
  std::vector<AlertRule> rules;
  const auto list = object.find("alerts");
  if (list && !list->is_array()) {
    return Failure(wrong("alerts is a list of texts", "alerts"));
  }
  for (const json::Value element : list ? list->elements() : json::Elements{}) {
    auto rule = read_alert_rule(element.as_string().value_or(""));
    if (!rule) {
      return Failure(std::move(rule.error()));
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

Result<ConfiguredQueue> read_one(json::Value object) {
  for (const auto& [name, value] : object.members()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) {
      return Failure(wrong(fmt::format("a queue has no \"{}\"; it has name, settings, consumer and "
                                       "alerts",
                                       name),
                           name));
    }
  }
  const auto name = object.find("name");
  ConfiguredQueue queue{.name = std::string(name ? name->as_string().value_or("") : "")};
  if (auto fits = check_name(queue.name); !fits) {
    return Failure(std::move(fits.error()));
  }
  if (const auto settings = object.find("settings")) {
    auto read = read_settings(*settings, {});
    if (!read) {
      return Failure(std::move(read.error()));
    }
    queue.settings = *read;
  }
  if (const auto consumer = object.find("consumer")) {
    auto read = read_consumer(*consumer, {});
    if (!read) {
      return Failure(std::move(read.error()));
    }
    if (read->dead_letter_queue == queue.name) {
      return Failure(wrong("a queue is not its own dead-letter queue", "consumer"));
    }
    queue.consumer = std::move(*read);
  }
  auto rules = read_rules(object);
  if (!rules) {
    return Failure(std::move(rules.error()));
  }
  queue.alerts = std::move(*rules);
  return queue;
}

}  // namespace

Result<std::vector<ConfiguredQueue>> read_configured(std::span<const config::Item> items) {
  std::vector<ConfiguredQueue> all;
  for (const config::Item& item : items) {
    const auto document = json::Document::parse(item.json, json::kApi);
    auto queue =
        document ? read_one(document->root()) : Result<ConfiguredQueue>(Failure(document.error()));
    if (queue && std::ranges::find(all, queue->name, &ConfiguredQueue::name) != all.end()) {
      queue = Failure(wrong(fmt::format("a queue \"{}\" stands before", queue->name), "name"));
    }
    if (!queue) {
      Error error = std::move(queue.error());
      error.message = fmt::format("{}: {}", item.where, error.message);
      return Failure(std::move(error));
    }
    all.push_back(std::move(*queue));
  }
  return all;
}

Result<void> make_missing(QueueTable& table,
                          std::span<const ConfiguredQueue> configured,
                          std::int64_t now) {
  for (const ConfiguredQueue& wanted : configured) {
    const auto found = table.find(wanted.name);
    if (found || found.error().code != ErrorCode::NotFound) {
      if (!found) {
        return Failure(found.error());
      }
      continue;
    }
    const auto made = table.create(wanted.name, wanted.settings);
    if (!made) {
      return Failure(made.error());
    }
    if (!wanted.consumer) {
      continue;
    }
    const std::string id = table.fresh_id();
    const auto changed = table.change((*made)->id, [&](Queue& queue) {
      queue.consumer = wanted.consumer;
      queue.consumer->id = id;
      queue.consumer->created = now;
      return Result<void>{};
    });
    if (!changed) {
      return Failure(changed.error());
    }
  }
  return {};
}

}  // namespace edge::queues
