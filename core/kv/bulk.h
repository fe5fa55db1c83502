// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/kv/entry.h"

namespace edge::kv {

/// An entry as bulks hold it (platform spec 1.2): `{"key":TEXT,"value":TEXT,"base64"?:true,
/// "expiration"?:SECONDS,"expiration_ttl"?:SECONDS,"metadata"?:JSON}`.
struct BulkEntry {
  std::string key = {};
  std::string value = {};
  std::string metadata = {};  ///< compact JSON text, empty = none
  Expiry expiry = {};
};

/// Failure: those of `check_key` and `expires_of`.
Result<Write> write_of(BulkEntry entry, Time now);

/// Unknown members are ignored. Failures: InvalidArgument, reason `bad_expiry`,
/// `metadata_too_large` or `bad_metadata`, or none for a member that is missing or of another kind.
Result<BulkEntry> read_bulk_entry(json::Value object);
/// A value that is no UTF-8 is written as base64.
void write_bulk_entry(json::Writer& out, const BulkEntry& entry);

}  // namespace edge::kv
