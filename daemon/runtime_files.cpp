// SPDX-License-Identifier: MIT
#include "daemon/runtime_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "core/config/private_file.h"
#include "core/encoding/base64.h"
#include "core/json/writer.h"
#include "daemon/log.h"

namespace edge {
namespace {

/// A directory of this user that nobody else may enter.
Result<void> make_private_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failure(
        {ErrorCode::Unavailable,
         fmt::format("cannot make {}: {}", path.string(), std::generic_category().message(errno))});
  }
  struct stat found {};
  const bool is_ours = ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
                       found.st_uid == ::geteuid() && (found.st_mode & 077U) == 0;
  if (!is_ours) {
    return Failure({.code = ErrorCode::PermissionDenied,
                    .message = fmt::format("{} must be a directory of this user with mode 0700",
                                           path.string()),
                    .reason = "insecure_directory"});
  }
  return {};
}

}  // namespace

std::filesystem::path runtime_dir() {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  return directory != nullptr && *directory != '\0'
             ? std::filesystem::path(directory) / "edgectl"
             : std::filesystem::path(fmt::format("/tmp/edgectl-{}", ::getuid()));
}

std::string make_local_key(Random& random) {
  std::array<std::uint8_t, 32> octets{};
  random.fill(octets);
  return "edl_" +
         encoding::base64url_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

Result<RuntimeFiles> RuntimeFiles::write(const std::filesystem::path& directory,
                                         const Content& content) {
  if (const auto made = make_private_directory(directory); !made) {
    return Failure(made.error());
  }
  std::string started;
  append_time(started, content.started);
  json::Writer description;
  description.begin_object()
      .member("pid", static_cast<std::int64_t>(::getpid()))
      .member("url", content.url)
      .member("version", EDGE_VERSION)
      .member("started", started)
      .end_object();
  std::vector<std::pair<std::filesystem::path, std::string>> files = {
      {directory / "edged.key", content.local_key + "\n"},
      {directory / "edged.json", description.take() + "\n"}};
  if (!content.pid_file.empty()) {
    files.emplace_back(content.pid_file, fmt::format("{}\n", ::getpid()));
  }
  RuntimeFiles written({});
  for (const auto& [path, text] : files) {
    if (const auto done = config::write_private_file(path, text); !done) {
      return Failure(done.error());
    }
    written.files_.push_back(path);
  }
  return written;
}

RuntimeFiles::~RuntimeFiles() {
  for (const auto& path : files_) {
    std::error_code ignored;  // somebody may have removed it already
    std::filesystem::remove(path, ignored);
  }
}

}  // namespace edge
