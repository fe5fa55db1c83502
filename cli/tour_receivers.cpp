// SPDX-License-Identifier: MIT
#include "cli/tour_receivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/problem.h"

namespace edge::cli {
namespace {

struct Part {
  const char* name;
  const char* type;
  const char* settings;  ///< in TOML, a comma behind each
};
constexpr std::array<Part, 4> kParts{{{"segment", "segment", "writeKey = \"demo\", "},
                                      {"amplitude", "amplitude", "apiKey = \"demo\", "},
                                      {"mixpanel", "mixpanel", "token = \"demo\", "},
                                      {"orders", "webhook", ""}}};

/// `orders` for `/orders` and `/orders/…`.
std::string_view first_part(std::string_view path) {
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  return path.substr(0, path.find_first_of("/?"));
}

}  // namespace

TourReceivers::TourReceivers() {
  auto receiver = WebhookReceiver::open(
      0,
      [this](const WebhookRequest& request) { return answer(request); },
      [this](const WebhookRequest& request, const WebhookReceiver::Answer& given) {
        note(request, given);
      });
  if (!receiver) {
    throw Stop({.error = receiver.error()});
  }
  receiver_ = *std::move(receiver);
}

std::string TourReceivers::config() const {
  std::string text;
  for (const Part& part : kParts) {
    text += fmt::format(
        "[[destinations]]\nname = \"{0}\"\ntype = \"{1}\"\nconfig = {{ {2}url = \"{3}\" }}\n"
        "filter = 'event = \"Order Completed\"'\nlingerMs = 0\n"
        "retry = {{ baseMs = 100, capMs = 200, maxAttempts = 3 }}\n",
        part.name,
        part.type,
        part.settings,
        receiver_->url(fmt::format("/{}", part.name)));
  }
  return text;
}

std::vector<TourReceivers::Taken> TourReceivers::taken_by(std::string_view destination) const {
  const std::lock_guard lock(mutex_);
  std::vector<Taken> found;
  std::ranges::copy_if(taken_, std::back_inserter(found), [&](const Taken& taken) {
    return taken.destination == destination;
  });
  return found;
}

WebhookReceiver::Answer TourReceivers::answer(const WebhookRequest& request) const {
  const bool is_webhook = first_part(request.path) == "orders";
  return {.status = is_webhook ? orders_status_.load() : 200,
          .body = is_webhook ? "" : R"({"code":200,"status":1})"};
}

void TourReceivers::note(const WebhookRequest& request, const WebhookReceiver::Answer& answer) {
  const std::string_view destination = first_part(request.path);
  const std::string_view path = std::string_view(request.path).substr(destination.size() + 1);
  const std::lock_guard lock(mutex_);
  taken_.push_back({.destination = std::string(destination),
                    .request = fmt::format("{} {}", request.method, path.empty() ? "/" : path),
                    .octets = request.body.size(),
                    .status = answer.status});
}

}  // namespace edge::cli
