// SPDX-License-Identifier: MIT
#include "cli/commands/kv_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kNamespaces = "/client/v4/accounts/local/storage/kv/namespaces";
constexpr std::size_t kLeastPage = 10;  // that the API lists

Error not_readable() {
  return {ErrorCode::Internal, "the daemon's answer cannot be read"};
}

Error no_namespace(const std::string& name, bool can_create) {
  return {ErrorCode::NotFound,
          fmt::format("there is no namespace \"{}\"{}",
                      name,
                      can_create ? "; --create makes one of that title" : ""),
          "ns"};
}

/// No value when that is what the error says.
Result<std::optional<std::string>> absent_or(const Error& error) {
  return error.code == ErrorCode::NotFound
             ? Result<std::optional<std::string>>(std::optional<std::string>())
             : Failure(error);
}

class Here final : public KvStore {
 public:
  Here(Edge& edge, std::string id) : edge_(edge), id_(std::move(id)) {}

  Result<std::optional<std::string>> value(const std::string& key) override {
    auto entry = edge_.kv.read(id_, key);
    if (!entry) {
      return absent_or(entry.error());
    }
    return std::optional(std::move(entry->value));
  }
  Result<kv::Listing> list(const kv::ListQuery& query) override {
    return edge_.kv.list(id_, query);
  }
  Result<void> write(const std::vector<kv::BulkEntry>& entries) override {
    std::vector<kv::Write> writes;
    for (const kv::BulkEntry& entry : entries) {
      auto one = kv::write_of(entry, edge_.clock.store_now());
      if (!one) {
        return Failure(std::move(one.error()));
      }
      writes.push_back(std::move(*one));
    }
    return edge_.kv.write(id_, std::move(writes));
  }
  Result<void> erase(const std::vector<std::string>& keys) override {
    return edge_.kv.erase(id_, keys);
  }

 private:
  Edge& edge_;
  const std::string id_;
};

/// Speaks Cloudflare's API with a daemon.
class There final : public KvStore {
 public:
  There(Remote& daemon, const std::string& id)
      : daemon_(daemon), path_(fmt::format("{}/{}", kNamespaces, id)) {}

  Result<std::optional<std::string>> value(const std::string& key) override {
    auto answer = daemon_.get(fmt::format("{}/values/{}", path_, encoding::percent_encode(key)));
    if (!answer) {
      return absent_or(answer.error());
    }
    return std::optional(std::move(answer->body));
  }

  Result<kv::Listing> list(const kv::ListQuery& query) override {
    const auto answer = daemon_.get(fmt::format("{}/keys?limit={}&prefix={}&cursor={}",
                                                path_,
                                                std::max(query.limit, kLeastPage),
                                                encoding::percent_encode(query.prefix),
                                                encoding::percent_encode(query.cursor)));
    const auto body = answer ? json::Document::parse(answer->body, json::kEvent)
                             : Result<json::Document>(Failure(answer.error()));
    const auto keys = body ? body->root().find("result") : std::nullopt;
    const auto cursor = body ? body->root().at_pointer("/result_info/cursor") : std::nullopt;
    if (!keys || !cursor) {
      return Failure(body ? not_readable() : body.error());
    }
    kv::Listing listing{.cursor = std::string(cursor->as_string().value_or(""))};
    for (const json::Value key : keys->elements()) {
      if (listing.keys.size() == query.limit) {
        listing.cursor = kv::cursor_behind(listing.keys.back().name);
        break;
      }
      listing.keys.push_back(key_of(key));
    }
    return listing;
  }

  Result<void> write(const std::vector<kv::BulkEntry>& entries) override {
    json::Writer body;
    body.begin_array();
    for (const kv::BulkEntry& entry : entries) {
      write_bulk_entry(body, entry);
    }
    return sent(daemon_.send("PUT", path_ + "/bulk", body.end_array().take()));
  }

  Result<void> erase(const std::vector<std::string>& keys) override {
    json::Writer body;
    body.begin_array();
    for (const std::string& key : keys) {
      body.string(key);
    }
    return sent(daemon_.post(path_ + "/bulk/delete", body.end_array().take()));
  }

 private:
  static kv::Listing::Key key_of(json::Value key) {
    const auto name = key.find("name");
    const auto expiration = key.find("expiration");
    const auto metadata = key.find("metadata");
    return {.name = std::string(name ? name->as_string().value_or("") : ""),
            .expires = expiration ? expiration->as_int64().value_or(0) * 1000 : 0,
            .metadata = std::string(metadata ? metadata->raw() : "")};
  }
  static Result<void> sent(const Result<transport::IncomingResponse>& answer) {
    return answer ? Result<void>{} : Failure(answer.error());
  }

  Remote& daemon_;
  const std::string path_;
};

/// The id of a namespace by title, else by id; empty when there is none.
Result<std::string> find_there(Remote& daemon, const std::string& name) {
  std::string found;
  for (int page = 1;; ++page) {
    const auto answer = daemon.get(fmt::format("{}?per_page=1000&page={}", kNamespaces, page));
    const auto body = answer ? json::Document::parse(answer->body, json::kApi)
                             : Result<json::Document>(Failure(answer.error()));
    const auto list = body ? body->root().find("result") : std::nullopt;
    if (!list) {
      return Failure(body ? not_readable() : body.error());
    }
    for (const json::Value one : list->elements()) {
      const auto id = one.find("id");
      const auto title = one.find("title");
      if (id && title && title->as_string() == name) {
        return std::string(id->as_string().value_or(""));
      }
      found = id && id->as_string() == name ? name : found;
    }
    if (list->size() == 0) {
      return found;
    }
  }
}

Result<std::string> create_there(Remote& daemon, const std::string& title) {
  json::Writer body;
  body.begin_object().member("title", title).end_object();
  const auto answer = daemon.post(kNamespaces, body.take());
  const auto made = answer ? json::Document::parse(answer->body, json::kApi)
                           : Result<json::Document>(Failure(answer.error()));
  const auto id = made ? made->root().at_pointer("/result/id") : std::nullopt;
  return id ? Result<std::string>(std::string(id->as_string().value_or("")))
            : Failure(made ? not_readable() : made.error());
}

}  // namespace

Result<std::unique_ptr<KvStore>> open_kv(Call& call, Call::Access access, bool create) {
  const std::string name = call["ns"];
  if (Remote* daemon = call.running_daemon()) {
    auto id = find_there(*daemon, name);
    if (id && id->empty() && create && call.flag("create")) {
      id = create_there(*daemon, name);
    }
    if (!id || id->empty()) {
      return Failure(id ? no_namespace(name, create) : id.error());
    }
    return std::make_unique<There>(*daemon, *id);
  }
  Edge& edge = call.edge(access);
  auto found = edge.kv.namespaces.find_named(name);
  if (!found && found.error().code == ErrorCode::NotFound) {
    found = create && call.flag("create") ? edge.kv.namespaces.create(name)
                                          : Failure(no_namespace(name, create));
  }
  if (!found) {
    return Failure(found.error());
  }
  return std::make_unique<Here>(edge, found->id);
}

}  // namespace edge::cli::commands
