// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge {

class Edge;

/// What is known of one stored event (events spec 2.6): `{"event","source","profile":id|null,
/// "segments":[{"segment","change"}],"destinations":[{"id","name","status","reason"?,"attempts"?}]}`.
/// `status`: `delivered`, `filtered` (not routed there), `pending`, `retry`, `held`, `dead`; the
/// last three with the number of attempts and why. Failure: NotFound; of the store.
Result<std::string> event_report(Edge& edge, std::string_view message_id);

}  // namespace edge
