// SPDX-License-Identifier: MIT
#include "core/pixels/ring_file.h"

#include <utility>

#include "core/config/private_file.h"
#include "core/crypto/secret.h"

namespace edge::pixels {

std::filesystem::path ring_path(const std::filesystem::path& data_dir) {
  return data_dir / "keys" / "pixel.json";
}

Result<KeyRing> load_ring(const std::filesystem::path& file,
                          const config::PrivateFileRules& rules) {
  const auto text = config::read_private_file(file, rules);
  if (!text && text.error().code == ErrorCode::NotFound) {
    return Failure({ErrorCode::InvalidArgument,
                    "no pixel key ring at " + file.string() +
                        "; make one with: edgectl key generate --kind pixel",
                    {},
                    "key_missing"});
  }
  if (!text) {
    return Failure(text.error());
  }
  auto ring = KeyRing::parse(text->view());
  if (!ring) {
    Error error = ring.error();
    error.message += " (" + file.string() + ")";
    return Failure(std::move(error));
  }
  return ring;
}

Result<void> save_ring(const std::filesystem::path& file, const KeyRing& ring) {
  std::string text = ring.text();
  auto written = config::write_private_file(file, text);
  crypto::wipe(text);
  return written;
}

Result<KeyRing> configured_ring(const config::Secrets& secrets,
                                const std::filesystem::path& data_dir,
                                const std::filesystem::path& flag_file) {
  if (!flag_file.empty()) {
    return load_ring(flag_file, secrets.file_rules());
  }
  const auto found = secrets.find("EDGE_PIXEL_KEYS");
  if (!found) {
    return Failure(found.error());
  }
  return found->has_value() ? KeyRing::parse((*found)->value.view())
                            : load_ring(ring_path(data_dir), secrets.file_rules());
}

}  // namespace edge::pixels
