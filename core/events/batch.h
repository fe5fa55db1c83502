// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/events/draft.h"
#include "core/json/document.h"

namespace edge::events {

/// The events of a request body with what the body says for all of them. Values point into the
/// body's document or into `documents`.
struct BatchBody {
  std::vector<json::Value> events = {};
  Envelope envelope = {};
  std::string_view write_key = {};
  std::vector<std::unique_ptr<const json::Document>> documents = {};
};

/// Takes `{"batch":[…],"context"?,"integrations"?,"sentAt"?,"writeKey"?}` or a bare list apart
/// (spec 1.3). A context or integrations that are no object are ignored. Borrows the document.
///
/// Failure: InvalidArgument `body_not_object`, `batch_required`; TooLarge `request_too_large` when
/// the shared context, copied into every event, would grow beyond bounds.
Result<BatchBody> read_batch(const json::Document& body);

/// Whether what is said once for all events of a body, so many octets, may be copied into each of
/// them. Failure: TooLarge `request_too_large`.
Result<void> check_shared(std::size_t octets, std::size_t events);

/// The body of a route for one event. Failure: InvalidArgument `body_not_object`.
Result<BatchBody> read_single(const json::Document& body, Type type);

}  // namespace edge::events
