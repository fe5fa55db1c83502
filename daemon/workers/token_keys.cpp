// SPDX-License-Identifier: MIT
// Takes changed key files into use: the ring after `edgectl key rotate`, the key sets of other
// issuers. Also drops keys whose time is over.
#include "daemon/token_keys.h"

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/json/document.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kLook{2};
/// Keys that run out are dropped that late at most.
constexpr std::chrono::minutes kAnyway{10};

/// What tells one version of a file from another; empty for none.
std::string stamp_of(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    return "none";
  }
  return std::to_string(found.st_ino) + "/" + std::to_string(found.st_size) + "/" +
         std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec);
}

std::string stamp_of_issuers(const Edge& edge) {
  std::string stamps;
  for (const config::Item& item : edge.config.issuers) {
    const auto document = json::Document::parse(item.json, json::kApi);
    const auto jwks = document ? document->root().find("jwks") : std::nullopt;
    const std::string path(jwks ? jwks->as_string().value_or("") : std::string_view());
    stamps += stamp_of(edge.config.resolve(path)) + " ";
  }
  return stamps;
}

class Watch {
 public:
  explicit Watch(Edge& edge)
      : edge_(edge),
        ring_(stamp_of(ring_path(edge))),
        issuers_(stamp_of_issuers(edge)),
        read_at_(edge.clock.steady()) {}

  void look() {
    const bool due = edge_.clock.steady() - read_at_ >= kAnyway;
    if (std::string ring = stamp_of(ring_path(edge_)); due || ring != ring_) {
      ring_ = std::move(ring);
      read_at_ = edge_.clock.steady();
      if (auto keys = read_signing_keys(edge_)) {
        edge_.login.rekey(std::move(*keys));
      } else {
        throw std::runtime_error("the signing keys stay as they were: " + keys.error().message);
      }
    }
    if (std::string issuers = stamp_of_issuers(edge_); issuers != issuers_) {
      issuers_ = std::move(issuers);
      if (auto read = read_issuers(edge_)) {
        edge_.login.trust(std::move(*read));
      } else {
        throw std::runtime_error("the keys of other issuers stay as they were: " +
                                 read.error().message);
      }
    }
  }

 private:
  Edge& edge_;
  std::string ring_;
  std::string issuers_;
  SteadyTime read_at_;
};

}  // namespace

void token_keys(Crew& crew) {
  crew.every(kLook, "token_keys", [watch = std::make_shared<Watch>(crew.edge)] { watch->look(); });
}

}  // namespace edge::workers
