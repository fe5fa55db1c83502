// SPDX-License-Identifier: MIT
// What the destinations of vendors are configured by in common: a key, a region or another base, a
// batch; and how those that name pages and treat traits call these settings.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/destinations/catalogue.h"

namespace edge::destinations {

/// The form of one vendor's settings.
struct VendorForm {
  std::string key = {};  ///< the setting that holds the key
  std::string key_help = {};
  std::vector<std::string> key_also = {};
  std::string region_help = {};
  /// Regions and the bases of their APIs; the first one is the default.
  std::vector<std::pair<std::string, std::string>> bases = {};
  std::size_t batch = 1;  ///< events per request unless set
  std::int64_t max_batch = 1;
};

/// The settings `key`, `url`, `region` and `batch`, and those of its own behind them.
std::vector<Setting> vendor_settings(const VendorForm& form, std::vector<Setting> own = {});
/// `pageEvent` and `screenEvent`, and a list of traits for every name and help.
std::vector<Setting> naming_settings(
    const std::vector<std::pair<std::string, std::string>>& trait_lists);

/// The values of the common settings.
struct Vendor {
  std::string key = {};
  std::string base = {};  ///< of the API, without a slash at its end
  std::size_t batch = 1;
  bool has_default_base = true;  ///< neither `url` nor `region` names another one
};
/// Failure: InvalidArgument naming the setting, `secret_missing`.
Result<Vendor> read_vendor(const Settings& settings, const VendorForm& form);

}  // namespace edge::destinations
