// SPDX-License-Identifier: MIT
#include "core/pixels/settings.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/events/sources.h"

namespace edge::pixels {
namespace {

using std::chrono::milliseconds;

tl::unexpected<Error> out_of_range(std::string_view key, std::string_view range) {
  return Failure({ErrorCode::InvalidArgument,
                  std::string(key) + " must be " + std::string(range),
                  std::string(key)});
}

std::vector<std::filesystem::path> resolved(const config::Config& config,
                                            const std::vector<std::string>& files) {
  std::vector<std::filesystem::path> paths;
  std::ranges::transform(files, std::back_inserter(paths), [&config](const std::string& file) {
    return config.resolve(file);
  });
  return paths;
}

std::vector<std::string> lower(std::vector<std::string> hosts) {
  for (std::string& host : hosts) {
    std::ranges::transform(host, host.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  return hosts;
}

}  // namespace

Result<void> check_settings(const config::Config& config) {
  const config::Pixel& pixel = config.pixel;
  if (pixel.max_future > std::chrono::hours(24) * 7) {
    return out_of_range("pixel.max_future", "0s to 7d");
  }
  if (pixel.min_human_seconds < 0 || pixel.min_human_seconds > 86'400) {
    return out_of_range("pixel.min_human_seconds", "0 to 86400");
  }
  for (const auto& [key, window] :
       {std::pair<std::string_view, milliseconds>{"pixel.repeat_window", pixel.repeat_window},
        {"pixel.burst_window", pixel.burst_window}}) {
    if (window > std::chrono::minutes(1)) {
      return out_of_range(key, "0s to 1m");
    }
  }
  return {};
}

Pixels::Settings settings_of(const config::Config& config) {
  const config::Pixel& pixel = config.pixel;
  const auto ip = events::ip_mode_of(config.privacy.ip).value_or(events::IpMode::Truncate);
  const auto privacy = open_privacy(ip, pixel.user_agent, pixel.recipients, pixel.respect_gpc);
  Pixels::Settings settings{.base_url = pixel.base_url,
                            .follow_expired = pixel.expired_links == "follow",
                            .link_hosts = lower(pixel.link_hosts),
                            .data_dir = config.data_dir,
                            .make_missing_ring = config.auth.mode == "demo"};
  settings.collector = {.privacy = privacy.value_or(OpenPrivacy{}),
                        .legacy = pixel.accept_v1 == "reject"  ? LegacyTokens::Reject
                                  : pixel.accept_v1 == "count" ? LegacyTokens::Count
                                                               : LegacyTokens::Flag,
                        .min_human_seconds = pixel.min_human_seconds,
                        .iat_is_sent = pixel.iat_is_sent,
                        .max_future_s = pixel.max_future.count() / 1000,
                        .repeat_window = pixel.repeat_window,
                        .burst_window = pixel.burst_window,
                        .retention = pixel.retention};
  if (!pixel.rules.empty()) {
    settings.rules = config.resolve(pixel.rules);
  }
  settings.lists = {resolved(config, pixel.lists_self),
                    resolved(config, pixel.lists_prefetch),
                    resolved(config, pixel.lists_proxy),
                    resolved(config, pixel.lists_scanner)};
  return settings;
}

}  // namespace edge::pixels
