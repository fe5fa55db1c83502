// SPDX-License-Identifier: MIT
#include "core/config/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace edge::config {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  /// False when the system reports a late write error.
  bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

Error system_error(const char* verb, const fs::path& path) {
  const int number = errno;
  const ErrorCode code = number == ENOENT || number == ENOTDIR ? ErrorCode::NotFound
                         : number == ELOOP                     ? ErrorCode::InvalidArgument
                         : number == EACCES || number == EPERM ? ErrorCode::PermissionDenied
                                                               : ErrorCode::Unavailable;
  if (number == ELOOP) {
    return {code,
            fmt::format("\"{}\" is a symbolic link, name the file itself", path.string()),
            {},
            "not_a_file"};
  }
  return {
      code,
      fmt::format(
          "cannot {} \"{}\": {}", verb, path.string(), std::generic_category().message(number))};
}

/// What is wrong with the file's kind, owner or mode, if anything.
Result<void> check_mode(const struct stat& found,
                        const fs::path& path,
                        const PrivateFileRules& rules) {
  if (!S_ISREG(found.st_mode)) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no regular file", path.string()),
                    {},
                    "not_a_file"});
  }
  if (rules.allow_insecure_permissions) {
    return {};
  }
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("\"{}\" belongs to another user; make it yours with chown", path.string()),
         {},
         "insecure_owner"});
  }
  if ((found.st_mode & (rules.group_may_read ? 037U : 077U)) != 0) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" can be read by others (mode {:04o}); run: chmod 600 {}",
                                path.string(),
                                found.st_mode & 07777U,
                                path.string()),
                    {},
                    "insecure_permissions"});
  }
  return {};
}

bool write_all(int file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t put = ::write(file, octets.data(), octets.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return false;
    }
    octets.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Result<void> make_directory(const fs::path& directory) {
  if (directory.empty() || fs::is_directory(directory)) {
    return {};
  }
  if (auto parent = make_directory(directory.parent_path()); !parent) {
    return parent;
  }
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failure(system_error("make", directory));
  }
  return {};
}

}  // namespace

Result<crypto::Secret> read_private_file(const fs::path& path, const PrivateFileRules& rules) {
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));  // no wait on a FIFO
  if (file.get() < 0) {
    return Failure(system_error("read", path));
  }
  struct stat found {};
  if (fstat(file.get(), &found) != 0) {
    return Failure(system_error("read", path));
  }
  if (auto right = check_mode(found, path, rules); !right) {
    return Failure(std::move(right.error()));
  }
  const auto stated = static_cast<std::size_t>(found.st_size);
  std::string content(std::min(stated, rules.max_bytes) + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failure(system_error("read", path));
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  crypto::Secret secret(std::string_view(content).substr(0, size));
  crypto::wipe(content);
  if (size > rules.max_bytes || size > stated) {
    return Failure(
        {ErrorCode::TooLarge,
         fmt::format("\"{}\" is larger than {} octets", path.string(), rules.max_bytes)});
  }
  return secret;
}

Result<void> write_private_file(const fs::path& path, std::string_view octets) {
  if (auto made = make_directory(path.parent_path()); !made) {
    return made;
  }
  std::string temporary = path.string() + ".XXXXXX";
  Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) {
    return Failure(system_error("write", path));
  }
  if (!write_all(file.get(), octets) || fsync(file.get()) != 0 || !file.close() ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = system_error("write", path);
    unlink(temporary.c_str());
    return Failure(error);
  }
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor folder(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || fsync(folder.get()) != 0) {
    return Failure(system_error("write", path));
  }
  return {};
}

}  // namespace edge::config
