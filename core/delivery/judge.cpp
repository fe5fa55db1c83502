// SPDX-License-Identifier: MIT
#include "core/delivery/judge.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace edge::delivery {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestRetryAfter = std::chrono::hours(1);

Judgement all(std::size_t batch, Action action, std::string reason, Effect effect = Effect::None) {
  return {.events = std::vector<Verdict>(batch, {action, std::move(reason)}), .effect = effect};
}

Judgement judge_error(const Error& error, std::size_t batch) {
  switch (error.code) {
    case ErrorCode::PermissionDenied:
    case ErrorCode::InvalidArgument:
      return all(batch, Action::Dead, error.reason.empty() ? "invalid_request" : error.reason);
    default:
      return all(batch, Action::Retry, reason_of(error), Effect::Failing);
  }
}

Judgement judge_status(int status, std::size_t batch) {
  const std::string plain = fmt::format("http_{}", status);
  const Action refused = batch > 1 ? Action::Split : Action::Dead;
  switch (status) {
    case 401:
    case 407:
      return all(batch, Action::Retry, "auth", Effect::Pause);
    case 408:
    case 423:
    case 425:
      return all(batch, Action::Retry, plain);
    case 410:
      return all(batch, Action::Dead, "gone", Effect::Disable);
    case 429:
      return all(batch, Action::Retry, "throttled", Effect::Failing);
    case 501:
    case 505:
      return all(batch, Action::Dead, plain);
    default:
      break;
  }
  if (status / 100 == 2) {
    return all(batch, Action::Delivered, "");
  }
  if (status / 100 == 3) {
    return all(batch, Action::Dead, "redirect");
  }
  return status / 100 == 4 ? all(batch, refused, plain)
                           : all(batch, Action::Retry, plain, Effect::Failing);
}

template <typename Number>
bool read(std::string_view digits, Number& out) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size();
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that senders must use.
std::optional<Time> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (month == kMonths.end() || !read(text.substr(5, 2), day) || !read(text.substr(12, 4), year) ||
      !read(text.substr(17, 2), hour) || !read(text.substr(20, 2), minute) ||
      !read(text.substr(23, 2), second)) {
    return std::nullopt;
  }
  const auto number = static_cast<unsigned>(month - kMonths.begin()) + 1;
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{number}, std::chrono::day{day}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second};
}

}  // namespace

Judgement judge(const Result<transport::IncomingResponse>& answer, std::size_t batch, Time now) {
  if (!answer) {
    return judge_error(answer.error(), batch);
  }
  Judgement judgement = judge_status(answer->status, batch);
  const auto field = answer->header("retry-after");
  if (field && !judgement.events.empty() && judgement.events[0].action == Action::Retry) {
    judgement.retry_after = parse_retry_after(*field, now);
  }
  return judgement;
}

std::optional<milliseconds> parse_retry_after(std::string_view text, Time now) {
  std::uint32_t seconds = 0;
  if (read(text, seconds)) {
    return std::min<milliseconds>(std::chrono::seconds{seconds}, kLongestRetryAfter);
  }
  const auto date = parse_http_date(text);
  if (!date) {
    return std::nullopt;
  }
  return std::clamp<milliseconds>(*date - now, milliseconds{0}, kLongestRetryAfter);
}

}  // namespace edge::delivery
