// SPDX-License-Identifier: MIT
#include "core/destinations/vendor.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/destinations/endpoint.h"

namespace edge::destinations {

std::vector<Setting> vendor_settings(const VendorForm& form, std::vector<Setting> own) {
  std::vector<std::string> regions;
  for (const auto& [region, base] : form.bases) {
    regions.push_back(region);
  }
  std::vector<Setting> all{
      {.name = form.key,
       .help = form.key_help,
       .required = true,
       .secret = true,
       .also = form.key_also},
      {.name = "url", .help = "another base of the API"},
      {.name = "region", .help = form.region_help, .choices = regions},
      {.name = "batch",
       .kind = Setting::Kind::Number,
       .help =
           fmt::format("events per request, 1 to {} (default {})", form.max_batch, form.batch)}};
  std::ranges::move(own, std::back_inserter(all));
  return all;
}

std::vector<Setting> naming_settings(
    const std::vector<std::pair<std::string, std::string>>& trait_lists) {
  std::vector<Setting> all{
      {.name = "pageEvent", .help = "name of page events, with {{name}} and {{category}}"},
      {.name = "screenEvent", .help = "name of screen events"}};
  for (const auto& [name, help] : trait_lists) {
    all.push_back({.name = name, .kind = Setting::Kind::Texts, .help = help});
  }
  return all;
}

Result<Vendor> read_vendor(const Settings& settings, const VendorForm& form) {
  auto key = settings.text(form.key);
  const auto url = settings.text("url");
  const auto batch = settings.batch(form.batch, form.max_batch);
  if (!key || !url || !batch) {
    return Failure(!key ? key.error() : !url ? url.error() : batch.error());
  }
  const std::string region = settings.text("region").value_or("");
  auto found = std::ranges::find(form.bases, region, &decltype(form.bases)::value_type::first);
  found = found == form.bases.end() ? form.bases.begin() : found;
  auto base = base_url(*url, found->second);
  if (!base) {
    return Failure(base.error());
  }
  return Vendor{.key = std::move(*key),
                .base = std::move(*base),
                .batch = *batch,
                .has_default_base = url->empty() && found == form.bases.begin()};
}

}  // namespace edge::destinations
