// SPDX-License-Identifier: MIT
#include "core/flags/datafile_cache.h"

#include <fstream>
#include <iterator>

#include "core/config/private_file.h"
#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

std::string text_of(json::Value head, std::string_view name) {
  const auto member = head.find(name);
  return std::string(member ? member->as_string().value_or("") : "");
}

}  // namespace

std::filesystem::path DatafileCache::path_of(std::string_view url) const {
  constexpr std::size_t kDigits = 32;
  return folder_ / (encoding::hex_encode(crypto::sha256(url)).substr(0, kDigits) + ".datafile");
}

std::optional<FetchedDatafile> DatafileCache::find(std::string_view url) const {
  std::ifstream file(path_of(url), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t line_end = text.find('\n');
  if (folder_.empty() || line_end == std::string::npos) {
    return std::nullopt;
  }
  const auto head = json::Document::parse(std::string_view(text).substr(0, line_end), json::kApi);
  if (!head || text_of(head->root(), "url") != url) {
    return std::nullopt;
  }
  return FetchedDatafile{.text = text.substr(line_end + 1),
                         .etag = text_of(head->root(), "etag"),
                         .last_modified = text_of(head->root(), "lastModified")};
}

Result<void> DatafileCache::put(std::string_view url, const FetchedDatafile& datafile) const {
  if (folder_.empty()) {
    return {};
  }
  json::Writer head;
  head.begin_object()
      .member("url", url)
      .member("etag", datafile.etag)
      .member("lastModified", datafile.last_modified)
      .end_object();
  return config::write_private_file(path_of(url), head.take() + '\n' + datafile.text);
}

}  // namespace edge::flags
