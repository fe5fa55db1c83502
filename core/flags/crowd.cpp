// SPDX-License-Identifier: MIT
#include "core/flags/crowd.h"

#include <fmt/format.h>

#include <charconv>

namespace edge::flags {
namespace {

constexpr std::string_view kNumber = "{n}";
constexpr std::uint64_t kNumbers = 1'000'000'000'000;

Error wrong(std::string_view text, std::string_view why) {
  return {.code = ErrorCode::InvalidArgument,
          .message = fmt::format("distribution \"{}\" {}", text, why),
          .reason = "invalid_distribution"};
}

std::optional<double> weight_of(std::string_view text) {
  double weight = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), weight);
  const bool is_weight =
      failed == std::errc{} && end == text.data() + text.size() && weight >= 0 && weight <= 1;
  return is_weight ? std::optional(weight) : std::nullopt;
}

Result<std::unique_ptr<json::Document>> object_of(const std::string& text) {
  auto document = json::Document::parse(text, json::kDecision);
  if (!document) {
    return Failure(document.error());
  }
  if (!document->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument, "attributes must be a JSON object"});
  }
  return std::make_unique<json::Document>(std::move(*document));
}

}  // namespace

Result<Distribution> parse_distribution(std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || sign == 0) {
    return Failure(wrong(text, "is not NAME=VALUE:WEIGHT,…"));
  }
  Distribution distribution{.name = std::string(text.substr(0, sign))};
  double sum = 0;
  for (std::string_view rest = text.substr(sign + 1); !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const std::size_t colon = part.rfind(':');
    const auto weight =
        colon == std::string_view::npos ? std::nullopt : weight_of(part.substr(colon + 1));
    if (!weight) {
      return Failure(wrong(text, fmt::format("has no weight from 0 to 1 in \"{}\"", part)));
    }
    sum += *weight;
    distribution.choices.push_back({std::string(part.substr(0, colon)), *weight});
  }
  constexpr double kRounding = 1e-9;
  if (distribution.choices.empty() || sum > 1 + kRounding) {
    return Failure(
        wrong(text, distribution.choices.empty() ? "has no values" : "has weights above 1 in sum"));
  }
  return distribution;
}

Result<CrowdReader> CrowdReader::drawn(Crowd crowd) {
  CrowdReader reader;
  auto attributes = object_of(crowd.attributes);
  if (!attributes) {
    return Failure(attributes.error());
  }
  reader.attributes_ = std::move(*attributes);
  reader.crowd_ = std::move(crowd);
  reader.start_over();
  return reader;
}

Result<CrowdReader> CrowdReader::listed(std::vector<std::string> lines, std::string attributes) {
  auto reader = drawn({.attributes = std::move(attributes)});
  if (reader) {
    reader->is_listed_ = true;
    reader->lines_ = std::move(lines);
  }
  return reader;
}

void CrowdReader::start_over() {
  generator_.seed(crowd_.seed);
  position_ = 0;
}

Result<const User*> CrowdReader::next() {
  return is_listed_ ? read_line() : draw();
}

double CrowdReader::fraction() {
  constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
  return static_cast<double>(generator_() >> 11U) * kUnit;
}

Result<const User*> CrowdReader::draw() {
  if (position_ == crowd_.users) {
    return nullptr;
  }
  ++position_;
  id_ = crowd_.pattern;
  const std::string number = std::to_string(generator_() % kNumbers);
  if (const std::size_t at = id_.find(kNumber); at != std::string::npos) {
    id_.replace(at, kNumber.size(), number);
  } else {
    id_ += number;
  }
  user_ = User::named(id_);
  for (const auto& [name, value] : attributes_->root().members()) {
    user_.attributes.push_back({name, scalar_of(value)});
  }
  for (const Distribution& distribution : crowd_.distributions) {
    double left = fraction();
    for (const Distribution::Choice& choice : distribution.choices) {
      if (left < choice.weight) {
        user_.attributes.push_back(
            {distribution.name, {.kind = Scalar::Kind::Text, .text = choice.value}});
        break;
      }
      left -= choice.weight;
    }
  }
  return &user_;
}

Result<const User*> CrowdReader::read_line() {
  while (position_ < lines_.size() && lines_[position_].empty()) {
    ++position_;
  }
  if (position_ == lines_.size()) {
    return nullptr;
  }
  const std::string& line = lines_[position_++];
  if (line.front() != '{') {
    user_ = User::named(line);
    for (const auto& [name, value] : attributes_->root().members()) {
      user_.attributes.push_back({name, scalar_of(value)});
    }
    return &user_;
  }
  const auto fail = [this](const Error& error) {
    Error located = error;
    located.message = fmt::format("user on line {}: {}", position_, error.message);
    return Failure(std::move(located));
  };
  auto record = json::Document::parse(line, json::kDecision);
  if (!record) {
    return fail(record.error());
  }
  record_ = std::make_unique<json::Document>(std::move(*record));
  const json::Value root = record_->root();
  auto user = user_of(root.find("userId"), root.find("attributes"), root.find("qualifiedSegments"));
  if (!user) {
    return fail(user.error());
  }
  user_ = std::move(*user);
  for (const auto& [name, value] : attributes_->root().members()) {
    const bool is_known = root.find("attributes") && root.find("attributes")->find(name);
    if (!is_known) {
      user_.attributes.push_back({name, scalar_of(value)});
    }
  }
  return &user_;
}

}  // namespace edge::flags
