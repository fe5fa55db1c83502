// SPDX-License-Identifier: MIT
#include "core/delivery/given_up.h"

#include <fmt/format.h>

#include <utility>

#include "core/json/members.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

storage::Key key_of(std::string_view destination, std::uint64_t offset) {
  return {"given_up", std::string(destination), fmt::format("{:020}", offset)};
}

}  // namespace

void note_given_up(storage::Batch& batch,
                   std::string_view destination,
                   std::uint64_t offset,
                   const GivenUp& note,
                   Time until) {
  json::Writer out;
  out.begin_object().member("reason", note.reason);
  out.member("attempts", std::uint64_t{note.attempts}).end_object();
  batch.puts.push_back({key_of(destination, offset), out.take(), to_ms(until)});
}

void forget_given_up(storage::Batch& batch, std::string_view destination, std::uint64_t offset) {
  batch.dels.push_back({key_of(destination, offset)});
}

Result<std::optional<GivenUp>> given_up(storage::Store& store,
                                        std::string_view destination,
                                        std::uint64_t offset) {
  const auto entry =
      store.get(key_of(destination, offset), storage::Deadline::in(std::chrono::seconds(5)));
  if (!entry || !*entry) {
    return entry ? Result<std::optional<GivenUp>>(std::nullopt) : Failure(entry.error());
  }
  const auto document = json::Document::parse((*entry)->value, json::kEvent);
  if (!document) {
    return Failure(document.error());
  }
  return GivenUp{
      .reason = json::text_in(document->root(), "reason"),
      .attempts = static_cast<std::uint32_t>(json::number_in(document->root(), "attempts"))};
}

}  // namespace edge::delivery
