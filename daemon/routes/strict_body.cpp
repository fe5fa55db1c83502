// SPDX-License-Identifier: MIT
#include "daemon/routes/strict_body.h"

#include <algorithm>
#include <utility>

#include "core/json/document.h"
#include "daemon/http/problem.h"

namespace edge::routes {
namespace {

Error bad_member(std::string_view name, const char* reason, std::string_view message) {
  return {ErrorCode::InvalidArgument,
          "member \"" + std::string(name) + "\" " + std::string(message),
          http::pointer_to(name),
          reason};
}

Result<std::vector<std::string>> read_texts(std::string_view name, json::Value value) {
  std::vector<std::string> texts;
  if (!value.is_array()) {
    return Failure(bad_member(name, "invalid_argument", "is no list"));
  }
  for (const json::Value element : value.elements()) {
    const auto text = element.as_string();
    if (!text) {
      Error error = bad_member(name, "invalid_argument", "holds something else than texts");
      error.field += "/" + std::to_string(texts.size());
      return Failure(std::move(error));
    }
    texts.emplace_back(*text);
  }
  return texts;
}

template <typename Map>
auto sent(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

/// Takes members into a body, each as its kind.
class StrictReader {
 public:
  static Result<void> take(StrictBody& body, const BodyMember& member, json::Value value) {
    const std::string name(member.name);
    if (member.kind == BodyMember::Kind::Texts) {
      auto texts = read_texts(name, value);
      if (!texts) {
        return Failure(std::move(texts.error()));
      }
      body.lists_.emplace(name, std::move(*texts));
      return {};
    }
    if (member.kind == BodyMember::Kind::Flag) {
      if (!value.is_bool()) {
        return Failure(bad_member(name, "invalid_argument", "is not true or false"));
      }
      body.flags_.emplace(name, *value.as_bool());
      return {};
    }
    const auto text = value.as_string();
    if (!text) {
      return Failure(bad_member(name, "invalid_argument", "is no text"));
    }
    body.texts_.emplace(name, *text);
    return {};
  }

  static bool has(const StrictBody& body, std::string_view name) {
    return body.texts_.contains(name) || body.lists_.contains(name) || body.flags_.contains(name);
  }
};

Result<StrictBody> StrictBody::read(std::string_view body,
                                    std::initializer_list<BodyMember> known) {
  const auto document = json::Document::parse(body.empty() ? "{}" : body, json::kStrict);
  if (!document) {
    return Failure(document.error());
  }
  if (!document->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument, "the body is no JSON object", {}, "bad_json"});
  }
  StrictBody read;
  for (const auto& [name, value] : document->root().members()) {
    const auto* const member = std::ranges::find(known, name, &BodyMember::name);
    if (member == known.end()) {
      return Failure(bad_member(name, "unknown_member", "is not known here"));
    }
    if (auto taken = StrictReader::take(read, *member, value); !taken) {
      return Failure(std::move(taken.error()));
    }
  }
  for (const BodyMember& member : known) {
    if (member.needed && !StrictReader::has(read, member.name)) {
      return Failure(bad_member(member.name, "missing_member", "is missing"));
    }
  }
  return read;
}

const std::string& StrictBody::text(std::string_view name) const {
  static const std::string kNone;
  const auto found = texts_.find(name);
  return found == texts_.end() ? kNone : found->second;
}

std::optional<std::string> StrictBody::sent_text(std::string_view name) const {
  return sent(texts_, name);
}

std::optional<std::vector<std::string>> StrictBody::sent_texts(std::string_view name) const {
  return sent(lists_, name);
}

std::optional<bool> StrictBody::sent_flag(std::string_view name) const {
  return sent(flags_, name);
}

}  // namespace edge::routes
