// SPDX-License-Identifier: MIT
#include "cli/commands/state_store.h"

#include <fmt/format.h>

#include <utility>

#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using state::NamedState;
using state::Operation;

Error mismatch(std::uint64_t version) {
  return {ErrorCode::Conflict,
          fmt::format("the version is {}, not the one that was given", version),
          "if-version",
          "version_mismatch"};
}

/// What was applied; a version that is another one is an error here.
Result<state::Applied> matched(Result<state::Applied> applied) {
  return applied && applied->mismatch ? Failure(mismatch(applied->mismatch->version))
                                      : std::move(applied);
}

class Here final : public StateStore {
 public:
  Here(Edge& edge, std::string space) : state_(edge.store, edge.clock), space_(std::move(space)) {}

  Result<std::optional<std::string>> entry(const std::string& key) override {
    const auto found = state_.read(space_, key);
    if (!found) {
      return Failure(found.error());
    }
    return *found ? std::optional(json_of(**found)) : std::nullopt;
  }

  Result<RecordPage> list(const state::StateQuery& query) override {
    const auto page = state_.list(space_, query);
    if (!page) {
      return Failure(page.error());
    }
    RecordPage out{.cursor = page->cursor};
    for (const state::StateEntry& one : page->entries) {
      out.records.push_back(json_of(one));
    }
    return out;
  }

  Result<std::uint64_t> put(const std::string& key,
                            const std::string& value,
                            std::optional<std::int64_t> ttl,
                            std::optional<std::uint64_t> if_version) override {
    const auto applied = matched(
        state_.change(space_,
                      if_version,
                      {.kind = Operation::Kind::Put, .key = key, .value = value, .ttl = ttl}));
    return applied ? Result<std::uint64_t>(applied->outcomes.back().version)
                   : Failure(applied.error());
  }

  Result<bool> erase(const std::string& key, std::optional<std::uint64_t> if_version) override {
    const auto applied = matched(state_.erase(space_, key, if_version));
    return applied ? Result<bool>(!applied->outcomes.empty()) : Failure(applied.error());
  }

 private:
  NamedState state_;
  const std::string space_;
};

class There final : public StateStore {
 public:
  There(Remote& daemon, const std::string& space)
      : daemon_(daemon), path_("/api/state/" + encoding::percent_encode(space)) {}

  Result<std::optional<std::string>> entry(const std::string& key) override {
    auto answer = daemon_.get(path_of(key));
    if (answer) {
      return std::optional(std::move(answer->body));
    }
    return answer.error().reason == "key_not_found"
               ? Result<std::optional<std::string>>(std::nullopt)
               : Failure(answer.error());
  }

  Result<RecordPage> list(const state::StateQuery& query) override {
    const auto answer = daemon_.get(fmt::format("{}?prefix={}&limit={}&reverse={}&cursor={}",
                                                path_,
                                                encoding::percent_encode(query.prefix),
                                                query.limit,
                                                query.reverse,
                                                encoding::percent_encode(query.cursor)));
    const auto body = answer ? json::Document::parse(answer->body, json::kEvent)
                             : Result<json::Document>(Failure(answer.error()));
    const auto entries = body ? body->root().find("entries") : std::nullopt;
    if (!entries) {
      return Failure(body ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                          : body.error());
    }
    const auto cursor = body->root().find("cursor");
    RecordPage page{.cursor = std::string(cursor ? cursor->as_string().value_or("") : "")};
    for (const json::Value one : entries->elements()) {
      page.records.emplace_back(one.raw());
    }
    return page;
  }

  Result<std::uint64_t> put(const std::string& key,
                            const std::string& value,
                            std::optional<std::int64_t> ttl,
                            std::optional<std::uint64_t> if_version) override {
    json::Writer body;
    body.begin_object().key("value").raw(value);
    if (ttl) {
      body.member("ttl", *ttl);
    }
    if (if_version) {
      body.member("ifVersion", *if_version);
    }
    const auto answer = daemon_.send("PUT", path_of(key), body.end_object().take());
    const auto document = answer ? json::Document::parse(answer->body, json::kEvent)
                                 : Result<json::Document>(Failure(answer.error()));
    const auto version = document ? document->root().find("version") : std::nullopt;
    if (!version || !version->as_uint64()) {
      return Failure(document ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                              : document.error());
    }
    return *version->as_uint64();
  }

  Result<bool> erase(const std::string& key, std::optional<std::uint64_t> if_version) override {
    transport::Headers headers;
    if (if_version) {
      headers.emplace_back("If-Match", fmt::format("\"{}\"", *if_version));
    }
    const auto answer = daemon_.send("DELETE", path_of(key), {}, std::move(headers));
    return answer ? Result<bool>(answer->body.find("true") != std::string::npos)
                  : Failure(answer.error());
  }

 private:
  [[nodiscard]] std::string path_of(const std::string& key) const {
    return path_ + "/" + encoding::percent_encode(key);
  }

  Remote& daemon_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<StateStore> open_state(Call& call, Call::Access access) {
  if (Remote* daemon = call.running_daemon()) {
    return std::make_unique<There>(*daemon, call["NAMESPACE"]);
  }
  return std::make_unique<Here>(call.edge(access), call["NAMESPACE"]);
}

}  // namespace edge::cli::commands
