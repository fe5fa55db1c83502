// SPDX-License-Identifier: MIT
#include "core/flags/flags.h"

#include <fstream>
#include <string>
#include <system_error>

namespace edge::flags {
namespace {

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{64} << 20U;

Error unreadable(const std::filesystem::path& path, const std::string& why) {
  return {.code = ErrorCode::InvalidArgument,
          .message = "datafile " + path.string() + ": " + why,
          .reason = "invalid_datafile"};
}

Result<std::string> read(const std::filesystem::path& path) {
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed == std::errc::no_such_file_or_directory) {
    return Failure({ErrorCode::NotFound, "there is no datafile " + path.string()});
  }
  if (failed || size > kMaxBytes) {
    return Failure(unreadable(path, failed ? failed.message() : "larger than 64 MiB"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file) {
    return Failure(unreadable(path, "cannot be read"));
  }
  return text;
}

}  // namespace

Result<void> Flags::load(const std::filesystem::path& path) {
  const auto text = read(path);
  if (!text) {
    return Failure(text.error());
  }
  auto datafile = load_datafile(*text);
  if (!datafile) {
    Error error = datafile.error();
    error.message = path.string() + ": " + error.message;
    return Failure(std::move(error));
  }
  current_.publish(std::move(*datafile));
  return {};
}

}  // namespace edge::flags
