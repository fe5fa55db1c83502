// SPDX-License-Identifier: MIT
#include "cli/private_input.h"

#include "core/config/private_file.h"

namespace edge::cli {

Result<crypto::Secret> read_named_private(const std::string& path) {
  auto content = config::read_private_file(path);
  if (!content && content.error().code == ErrorCode::NotFound) {
    content.error().code = ErrorCode::InvalidArgument;
  }
  return content;
}

}  // namespace edge::cli
