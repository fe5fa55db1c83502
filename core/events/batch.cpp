// SPDX-License-Identifier: MIT
#include "core/events/batch.h"

#include <utility>

namespace edge::events {
namespace {

using json::Value;

/// What the contexts of one body may take up once they are copied into its events.
constexpr std::size_t kMaxCopiedBytes = std::size_t{64} << 20U;

tl::unexpected<Error> refuse(std::string_view code, std::string_view message) {
  return Failure({ErrorCode::InvalidArgument, std::string(message), {}, std::string(code)});
}

/// A shared object as clean text; nothing when it is absent or no object.
std::optional<Value> shared_object(Value body, std::string_view name, BatchBody& batch) {
  const auto value = body.find(name);
  if (!value || !value->is_object()) {
    return std::nullopt;
  }
  if (!batch.envelope.has_duplicates && is_clean(value->raw())) {
    return value;
  }
  auto document = cleaned(*value);
  if (!document) {
    return std::nullopt;
  }
  return batch.documents.emplace_back(std::make_unique<const json::Document>(std::move(*document)))
      ->root();
}

std::string_view write_key_of(Value body) {
  const auto key = body.find("writeKey");
  return key ? key->as_string().value_or("") : std::string_view{};
}

}  // namespace

Result<void> check_shared(std::size_t octets, std::size_t events) {
  if (events > 0 && octets > kMaxCopiedBytes / events) {
    return Failure({ErrorCode::TooLarge,
                    "context is too large for so many events: send fewer of them at once",
                    "/context",
                    "request_too_large"});
  }
  return {};
}

Result<BatchBody> read_batch(const json::Document& document) {
  const Value body = document.root();
  BatchBody batch;
  batch.envelope.has_duplicates = document.has_duplicates();
  if (!body.is_object() && !body.is_array()) {
    return refuse("body_not_object", "body must be a JSON object");
  }
  const auto list = body.is_array() ? std::optional(body) : body.find("batch");
  if (!list || !list->is_array()) {
    return refuse("batch_required", "batch must be a list of events");
  }
  batch.events.reserve(list->size());
  for (const Value event : list->elements()) {
    batch.events.push_back(event);
  }
  if (body.is_object()) {
    batch.envelope.context = shared_object(body, "context", batch);
    batch.envelope.integrations = shared_object(body, "integrations", batch);
    batch.envelope.sent_at = body.find("sentAt");
    batch.write_key = write_key_of(body);
  }
  const std::size_t shared =
      (batch.envelope.context ? batch.envelope.context->raw().size() : 0) +
      (batch.envelope.integrations ? batch.envelope.integrations->raw().size() : 0);
  if (auto fits = check_shared(shared, batch.events.size()); !fits) {
    return Failure(std::move(fits.error()));
  }
  return batch;
}

Result<BatchBody> read_single(const json::Document& document, Type type) {
  const Value body = document.root();
  if (!body.is_object()) {
    return refuse("body_not_object", "body must be a JSON object");
  }
  BatchBody batch;
  batch.events.push_back(body);
  batch.envelope.has_duplicates = document.has_duplicates();
  batch.envelope.type = type;
  batch.write_key = write_key_of(body);
  return batch;
}

}  // namespace edge::events
