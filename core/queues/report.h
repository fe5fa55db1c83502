// SPDX-License-Identifier: MIT
// Queues as people and programs are told of them.
#pragma once

#include <optional>
#include <string>

#include "core/json/writer.h"
#include "core/queues/queues.h"

namespace edge::queues {

/// `{"name","id","ready","delayed","inFlight","dead","bytes","oldest","rate","paused","consumer",
/// "deadLetterQueue"}`; without a rate (no daemon counts) that is null.
void write_report(json::Writer& out,
                  const Queue& queue,
                  const Standing& standing,
                  std::optional<double> rate);
/// The same with `settings` and what the consumer is set to.
void write_details(json::Writer& out,
                   const Queue& queue,
                   const Standing& standing,
                   std::optional<double> rate);

}  // namespace edge::queues
