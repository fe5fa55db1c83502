// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/id.h"
#include "core/delivery/counters.h"
#include "core/delivery/dead_letter.h"
#include "core/delivery/forwarder.h"
#include "core/json/writer.h"

namespace edge::delivery {

/// The members of `GET /cdp/destinations` (events spec 2.6) into an open object; secrets show as
/// `(set)`.
void write_destination(json::Writer& out,
                       const destinations::Entry& entry,
                       const Status& status,
                       const destinations::Catalogue& catalogue);

/// What happened since a moment, as the member `since` of that object. Failure: of the store.
Result<void> write_since(json::Writer& out,
                         storage::Store& store,
                         const destinations::Entry& entry,
                         Time since);

/// What `POST …/test` answers about one attempt: success, destination, requests, responseTime.
void write_attempt(json::Writer& out, const destinations::Entry& entry, const Attempt& attempt);
/// Whether every event of the attempt was delivered.
bool succeeded(const Attempt& attempt);

/// The members of an item of `GET /cdp/dead-letters` (events spec 8.5) into an open object; with
/// `whole` also the event and the masked request.
void write_letter(json::Writer& out, const DeadLetter& letter, bool whole);

/// The event that tests send: marked in `context.test`.
std::string test_event(Time now, Ids& ids);

}  // namespace edge::delivery
