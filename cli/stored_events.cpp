// SPDX-License-Identifier: MIT
#include "cli/stored_events.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/event_report.h"
#include "core/events/event.h"
#include "core/json/document.h"

namespace edge::cli {
namespace {

constexpr std::chrono::seconds kPatience{5};

std::string target_of(const storage::Find& query, std::optional<std::uint64_t> after) {
  std::string target = fmt::format("/cdp/events?limit={}", query.limit);
  const auto add = [&target](std::string_view name, std::string_view value) {
    target += value.empty() ? "" : fmt::format("&{}={}", name, encoding::percent_encode(value));
  };
  add("type", query.kind ? events::name_of(static_cast<events::Type>(*query.kind)) : "");
  add("event", query.name);
  add("userId", query.user);
  add("since", query.since == 0 ? "" : events::format_time(from_ms(query.since)));
  add("cursor", query.before == 0 ? "" : std::to_string(query.before));
  add("after", after ? std::to_string(*after) : "");
  return target;
}

std::optional<std::uint64_t> number(json::Value text) {
  const auto digits = text.as_string().value_or("");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} && end == digits.data() + digits.size() && !digits.empty()
             ? std::optional(value)
             : std::nullopt;
}

Error not_a_daemon(const Remote& daemon, std::string_view what) {
  return {ErrorCode::NotFound,
          fmt::format("{} is no edged that lists events: GET /cdp/events {}", daemon.url(), what),
          {},
          "not_a_daemon"};
}

}  // namespace

storage::Find choice_of(const Call& call) {
  storage::Find choice{.user = call["user"],
                       .name = call["event"],
                       .since = call.has("since") ? to_ms(call.time("since")) : 0};
  if (call.has("type")) {
    choice.kind = static_cast<std::uint32_t>(*events::type_of(call["type"]));
  }
  return choice;
}

Result<events::StoredPage> stored_page(Remote& daemon,
                                       const storage::Find& query,
                                       std::optional<std::uint64_t> after) {
  const auto answer = daemon.get(target_of(query, after));
  if (!answer) {
    const bool is_elsewhere = answer.error().code == ErrorCode::NotFound;
    return Failure(is_elsewhere ? not_a_daemon(daemon, "is not found there") : answer.error());
  }
  const auto document = json::Document::parse(answer->body, json::kEvent);
  const bool is_object = document && document->root().is_object();
  const auto items = is_object ? document->root().find("items") : std::nullopt;
  const auto positions = is_object ? document->root().find("positions") : std::nullopt;
  if (!items || !items->is_array() || !positions || !positions->is_array() ||
      items->size() != positions->size()) {
    return Failure(not_a_daemon(daemon, "answers something else than events and their positions"));
  }
  events::StoredPage page;
  for (const json::Value item : items->elements()) {
    page.events.emplace_back(item.raw());
  }
  for (const json::Value position : positions->elements()) {
    page.positions.push_back(number(position).value_or(0));
  }
  const auto next = document->root().find("next");
  page.next = next ? number(*next) : std::nullopt;
  return page;
}

Result<events::StoredPage> StoredEvents::before(const storage::Find& query) {
  return daemon_ != nullptr
             ? stored_page(*daemon_, query)
             : events::stored_before(
                   call_.edge(Call::Access::Read).store, query, storage::Deadline::in(kPatience));
}

Result<events::StoredPage> StoredEvents::after(const storage::Find& query, std::uint64_t position) {
  return daemon_ != nullptr ? stored_page(*daemon_, query, position)
                            : events::stored_after(call_.edge(Call::Access::Read).store,
                                                   query,
                                                   position,
                                                   storage::Deadline::in(kPatience));
}

Result<std::string> StoredEvents::report(const std::string& message_id) {
  return daemon_ != nullptr
             ? daemon_->get("/cdp/events/" + encoding::percent_encode(message_id))
                   .map([](const transport::IncomingResponse& answer) { return answer.body; })
             : event_report(call_.edge(Call::Access::Read), message_id);
}

void StoredEvents::reconnect() {
  if (daemon_ != nullptr) {
    const std::string url = daemon_->url();
    const auto running = find_runtime_file();
    daemon_ = &call_.connect(url, call_.credential_for(url, running && running->url == url));
  }
}

}  // namespace edge::cli
