// SPDX-License-Identifier: MIT
#include "core/destinations/judge.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <charconv>

#include "core/encoding/http_date.h"

namespace edge::destinations {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestRetryAfter = std::chrono::hours(1);

/// There was no answer.
Judgement judge_error(const Error& error, std::size_t count) {
  switch (error.code) {
    case ErrorCode::PermissionDenied:
    case ErrorCode::InvalidArgument:
      return all_records(
          count, Action::Dead, error.reason.empty() ? "invalid_request" : error.reason);
    default:
      return all_records(count, Action::Retry, reason_of(error), Effect::Failing);
  }
}

/// Statuses that mean the same everywhere; nothing for the others.
std::optional<Judgement> judge_status(int status, std::size_t count) {
  const std::string plain = fmt::format("http_{}", status);
  switch (status) {
    case 401:
    case 407:
      return bad_credentials(count);
    case 408:
    case 423:
    case 425:
      return all_records(count, Action::Retry, plain);
    case 429:
      return all_records(count, Action::Retry, "throttled", Effect::Failing);
    case 501:
    case 505:
      return all_records(count, Action::Dead, plain);
    default:
      break;
  }
  if (status / 100 == 3) {
    return all_records(count, Action::Dead, "redirect");
  }
  if (status / 100 == 2 || status / 100 == 4) {
    return std::nullopt;
  }
  return all_records(count, Action::Retry, plain, Effect::Failing);
}

void take_retry_after(Judgement& judgement, const transport::IncomingResponse& answer, Time now) {
  const auto field = answer.header("retry-after");
  if (field && !judgement.records.empty() && judgement.records[0].action == Action::Retry) {
    judgement.retry_after = parse_retry_after(*field, now);
  }
}

}  // namespace

Judgement all_records(std::size_t count, Action action, std::string reason, Effect effect) {
  return {.records = std::vector<Verdict>(count, {action, std::move(reason)}), .effect = effect};
}

Judgement refused(const Request& request, std::string reason) {
  const auto& records = request.records;
  const bool several = std::ranges::any_of(
      records, [&](const Record& record) { return record.event != records.front().event; });
  return all_records(records.size(), several ? Action::Split : Action::Dead, std::move(reason));
}

Judgement bad_credentials(std::size_t count) {
  return all_records(count, Action::Retry, "auth", Effect::Pause);
}

Judgement judge_webhook(const Request& request, const Answer& answer, Time now) {
  const std::size_t count = request.records.size();
  if (!answer) {
    return judge_error(answer.error(), count);
  }
  const int status = answer->status;
  if (auto judgement = judge_status(status, count)) {
    take_retry_after(*judgement, *answer, now);
    return std::move(*judgement);
  }
  if (status / 100 == 2) {
    return all_records(count, Action::Delivered, "");
  }
  return status == 410 ? all_records(count, Action::Dead, "gone", Effect::Disable)
                       : refused(request, fmt::format("http_{}", status));
}

Judgement judge_vendor(const Request& request,
                       const Answer& answer,
                       Time now,
                       const VendorRules& rules) {
  const std::size_t count = request.records.size();
  if (!answer) {
    return judge_error(answer.error(), count);
  }
  const int status = answer->status;
  if (status == 403 && rules.forbidden_is_auth) {
    return bad_credentials(count);
  }
  if (auto judgement = judge_status(status, count)) {
    take_retry_after(*judgement, *answer, now);
    if (status == 429 && !judgement->retry_after) {
      judgement->retry_after = rules.throttled_wait;
    }
    return std::move(*judgement);
  }
  if (status == 200 || (status / 100 == 2 && rules.any_success)) {
    return all_records(count, Action::Delivered, "");
  }
  if (status / 100 == 2) {  // somebody else answered: the vendor says 200
    return all_records(count, Action::Retry, fmt::format("http_{}", status), Effect::Failing);
  }
  return refused(request,
                 status == 400   ? "bad_request"
                 : status == 403 ? "forbidden"
                 : status == 413 ? "too_large"
                                 : fmt::format("http_{}", status));
}

std::optional<milliseconds> parse_retry_after(std::string_view text, Time now) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = end == text.data() + text.size();
  if (is_number && error == std::errc::result_out_of_range) {
    return kLongestRetryAfter;
  }
  if (is_number && error == std::errc{}) {
    return std::min<milliseconds>(std::chrono::seconds{seconds}, kLongestRetryAfter);
  }
  const auto date = encoding::parse_http_date(text);
  if (!date) {
    return std::nullopt;
  }
  return std::clamp<milliseconds>(*date - now, milliseconds{0}, kLongestRetryAfter);
}

}  // namespace edge::destinations
