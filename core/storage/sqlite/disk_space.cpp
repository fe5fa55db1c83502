// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/disk_space.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace edge::storage::sqlite {
namespace {

/// A descriptor closed at the end of the scope.
class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File(File&&) = delete;
  File& operator=(File&&) = delete;
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

DiskSpace::DiskSpace(std::filesystem::path directory) : directory_(std::move(directory)) {
  is_full_ = free_bytes() < kReserveBytes || !make_reserve();
}

bool DiskSpace::make_reserve() {
  const File file(directory_ / "reserve", O_RDWR | O_CREAT);
  return file.descriptor() >= 0 &&
         ::posix_fallocate(file.descriptor(), 0, static_cast<off_t>(kReserveBytes)) == 0;
}

void DiskSpace::give_up_reserve() {
  const std::lock_guard lock(mutex_);
  is_full_ = true;
  std::error_code ignored;  // without a reserve there is nothing to give up
  std::filesystem::remove(directory_ / "reserve", ignored);
}

bool DiskSpace::is_full() {
  if (is_full_ && free_bytes() >= kRoomBytes) {
    const std::lock_guard lock(mutex_);
    is_full_ = !make_reserve();
  }
  return is_full_;
}

std::uint64_t DiskSpace::free_bytes() const {
  struct statvfs info {};
  return ::statvfs(directory_.c_str(), &info) == 0 ? info.f_bavail * info.f_frsize : 0;
}

Error DiskSpace::refusal() const {
  return {ErrorCode::Unavailable,
          fmt::format("no room on the disk of {}", directory_.string()),
          "",
          "full",
          std::chrono::seconds{5}};
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "edge.lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) {
    throw system_fault(errno, "open", path);
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(descriptor_, text.data(), text.size() - 1, 0);
    const std::string holder =
        size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "unknown";
    ::close(descriptor_);
    throw DatabaseFault({ErrorCode::Unavailable,
                         fmt::format("{} is in use by process {}", directory.string(), holder),
                         "",
                         "unavailable"});
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, pid.data(), pid.size(), 0) < 0) {
    const int error = errno;
    ::close(descriptor_);
    throw system_fault(error, "write", path);
  }
}

DirectoryLock::~DirectoryLock() {
  ::close(descriptor_);
}

std::filesystem::path wal_of(const std::filesystem::path& path) {
  return path.string() + "-wal";
}

void flush_wal(const std::filesystem::path& path) {
  const File file(wal_of(path), O_RDONLY);
  if (file.descriptor() < 0 && errno == ENOENT) {
    return;  // all is in the file itself
  }
  if (file.descriptor() < 0 || ::fdatasync(file.descriptor()) != 0) {
    throw system_fault(errno, "flush", wal_of(path));
  }
}

void flush_directory(const std::filesystem::path& directory) {
  const File file(directory, O_RDONLY | O_DIRECTORY);
  if (file.descriptor() < 0 || ::fsync(file.descriptor()) != 0) {
    throw system_fault(errno, "flush", directory);
  }
}

}  // namespace edge::storage::sqlite
