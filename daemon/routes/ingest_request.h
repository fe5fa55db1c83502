// SPDX-License-Identifier: MIT
// What the ingest routes have in common (events spec 2.1, 2.2): bodies in whatever packing clients
// send, write keys in any of five places, and the facts about the request that enrichment uses.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/edge.h"
#include "core/events/enrich.h"
#include "core/events/sources.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::routes {

/// What paths of the tracking protocol begin with: each exists at the root, where some are shared
/// with other protocols, and below a prefix that is never ambiguous (events spec 2.1).
inline constexpr std::array<std::string_view, 2> kTrackingRoots = {"", "/segment"};

/// The unpacked body; nothing when it travelled as it is (then `request.body()` is it). `gzip`,
/// `deflate` and `identity`, several in reverse order; gzip is recognised without being announced.
///
/// Failure: 413 `request_too_large`, 415 `unsupported_encoding`, 400 `bad_json` for data that
/// cannot be unpacked.
tl::expected<std::optional<std::string>, http::Problem> unpack(const http::Request& request,
                                                               std::size_t limit);
/// The bound that is configured for bodies with events, after unpacking.
std::size_t max_body(const Edge& edge);
/// Whether a batch has more events than are allowed, or than a body can hold. Failure: 413
/// `too_many_events`.
tl::expected<void, http::Problem> check_count(const Edge& edge, std::size_t events);

/// The first write key that the request offers outside of its body; empty when there is none.
std::string offered_key(const http::Request& request);

/// Finds the source by the keys of the request and `body_key`, in the order of spec 2.2. Failures
/// as `Sources::find`.
Result<const events::Source*> source_of(const Edge& edge,
                                        const http::Request& request,
                                        std::string_view body_key);

/// The same for requests that bring events: each counts against the rate of its source. Failure
/// also: RateLimited `rate_limited` with a time to wait.
Result<const events::Source*> sender_of(Edge& edge,
                                        const http::Request& request,
                                        std::string_view body_key);

/// The same as `sender_of` for `/track/*` and the like: when those are public, a request without a
/// known key counts as the default source.
Result<const events::Source*> public_source_of(Edge& edge,
                                               const http::Request& request,
                                               std::string_view body_key);

/// Views point into request and source.
events::Origin origin_of(const http::Request& request, const events::Source& source);

}  // namespace edge::routes
