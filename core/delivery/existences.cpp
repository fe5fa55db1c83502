// SPDX-License-Identifier: MIT
#include "core/delivery/existences.h"

namespace edge::delivery {

Result<std::uint64_t> Existences::version_of(const std::string& destination) {
  auto known = versions_.find(destination);
  if (known == versions_.end()) {
    const auto number = store_.get(destinations::number_key(destination),
                                   storage::Deadline::in(std::chrono::seconds(5)));
    if (!number) {
      return Failure(number.error());
    }
    known = versions_.emplace(destination, *number ? (*number)->version : 0).first;
  }
  return known->second;
}

Result<bool> Existences::counts(const DeadLetter& letter) {
  return version_of(letter.destination).map([&](std::uint64_t version) {
    return version != 0 && version == letter.existence;
  });
}

Result<void> Existences::correct(DeadLetter& letter) {
  if (!letter.replaying) {
    return {};
  }
  return counts(letter).map([&](bool counts) { letter.replaying = counts; });
}

}  // namespace edge::delivery
