// SPDX-License-Identifier: MIT
// The queues of the configuration: `[[queues]]`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/queues/alert_rules.h"
#include "core/queues/queue.h"

namespace edge::queues {

class QueueTable;

struct ConfiguredQueue {
  std::string name = {};
  Settings settings = {};
  std::optional<Consumer> consumer = {};
  std::vector<AlertRule> alerts = {};
};

/// `{"name":…,"settings"?:{…},"consumer"?:{…},"alerts"?:["backlog > 1000 for 5m",…]}` each.
/// Failure: InvalidArgument naming the place in the file and the member: a wrong value, a member
/// that there is not, a name twice.
Result<std::vector<ConfiguredQueue>> read_configured(std::span<const config::Item> items);

/// Makes those that are missing; what is there stays as it is.
Result<void> make_missing(QueueTable& table,
                          std::span<const ConfiguredQueue> configured,
                          std::int64_t now);

}  // namespace edge::queues
