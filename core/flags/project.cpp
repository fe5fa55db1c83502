// SPDX-License-Identifier: MIT
#include "core/flags/project.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/flags/fetch.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

Error invalid(const std::string& place, std::string_view why) {
  return {.code = ErrorCode::InvalidArgument,
          .message = fmt::format("datafile {}: {}", place, why),
          .reason = "invalid_datafile"};
}

Result<std::string> read(const std::string& path) {
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed == std::errc::no_such_file_or_directory) {
    return Failure({ErrorCode::NotFound, "there is no datafile " + path});
  }
  if (failed || size > kMaxDatafileBytes) {
    return Failure(invalid(path, failed ? failed.message() : "larger than 64 MiB"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file) {
    return Failure(invalid(path, "cannot be read"));
  }
  return text;
}

/// Replaces the file as a whole and keeps who may read it.
Result<void> write(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  std::error_code failed;
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) {
      std::filesystem::remove(temporary, failed);
      return Failure({ErrorCode::Unavailable, fmt::format("datafile {} cannot be written", path)});
    }
  }
  const auto status = std::filesystem::status(path, failed);
  if (!failed && std::filesystem::exists(status)) {
    std::filesystem::permissions(temporary, status.permissions(), failed);
  }
  std::filesystem::rename(temporary, path, failed);
  if (failed) {
    const std::string why = failed.message();
    std::filesystem::remove(temporary, failed);
    return Failure(
        {ErrorCode::Unavailable, fmt::format("datafile {} cannot be written: {}", path, why)});
  }
  return {};
}

std::string update_message(const Datafile& datafile) {
  json::Writer out;
  out.begin_object()
      .member("Type", name_of(Topic::ConfigUpdate))
      .member("Revision", datafile.revision)
      .end_object();
  return out.take();
}

}  // namespace

Project::Project(ProjectSettings settings,
                 transport::HttpClient* http,
                 const Clock& clock,
                 DatafileCache cache)
    : settings_(std::move(settings)), http_(http), clock_(clock), cache_(std::move(cache)) {}

Project::Stamp Project::stamp() const {
  struct stat found {};
  if (::stat(settings_.place.c_str(), &found) != 0) {
    return {};
  }
  return {.file = found.st_ino,
          .modified_ns = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec,
          .size = found.st_size};
}

bool Project::looks_changed() const {
  const Stamp now = stamp();
  const std::lock_guard lock(mutex_);
  return !(now == seen_);
}

Result<bool> Project::refresh(std::chrono::milliseconds patience) {
  const std::lock_guard lock(looking_);
  auto outcome = look(patience);
  note(outcome);
  return outcome;
}

Result<bool> Project::look(std::chrono::milliseconds patience) {
  return settings_.is_url ? fetch(patience) : read_file();
}

Result<bool> Project::read_file() {
  const Stamp now = stamp();  // before reading: a change meanwhile is seen by the next look
  auto text = read(settings_.place);
  {
    const std::lock_guard lock(mutex_);
    seen_ = now;
  }
  if (!text) {
    return Failure(text.error());
  }
  return accept(*text);
}

Result<bool> Project::fetch(std::chrono::milliseconds patience) {
  if (http_ == nullptr) {
    return Failure({ErrorCode::Unavailable, "nothing is fetched here"});
  }
  // What is in force came with these, unless nothing is.
  const FetchedDatafile present{.etag = etag_, .last_modified = last_modified_};
  auto answer = ask_for_datafile(
      *http_, settings_.place, current_.get() != nullptr ? &present : nullptr, patience);
  if (!answer) {
    return Failure(answer.error());
  }
  if (!*answer) {
    return false;
  }
  const FetchedDatafile& fresh = **answer;
  auto changed = accept(fresh.text);
  if (!changed) {
    return changed;
  }
  etag_ = fresh.etag;
  last_modified_ = fresh.last_modified;
  if (auto kept = cache_.put(settings_.place, fresh); !kept) {
    warning_ = "not kept for the next start: " + kept.error().message;
  }
  return changed;
}

/// Puts a text in force unless it is there already.
Result<bool> Project::accept(std::string_view text) {
  const auto present = current_.get();
  if (present != nullptr && present->text() == text) {
    return false;
  }
  auto datafile = load_datafile(text);
  if (!datafile) {
    Error error = datafile.error();
    error.message = fmt::format("datafile {}: {}", settings_.place, error.message);
    return Failure(std::move(error));
  }
  const auto fresh = *std::move(datafile);
  current_.publish(fresh);
  {
    const std::lock_guard lock(mutex_);
    status_.changed = clock_.now();  // those who are told next may ask for it
  }
  if (present != nullptr && notifications.is_heard(Topic::ConfigUpdate)) {
    notifications.publish(Topic::ConfigUpdate, update_message(*fresh));
  }
  return true;
}

void Project::note(const Result<bool>& outcome) {
  const auto datafile = current_.get();
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  status_.checked = now;
  status_.is_forbidden = !outcome && outcome.error().reason == "datafile_forbidden";
  status_.failures = outcome ? 0 : status_.failures + 1;
  status_.problem = outcome ? std::exchange(warning_, {}) : outcome.error().message;
  status_.is_from_cache = status_.is_from_cache && !outcome;
  status_.is_loaded = datafile != nullptr;
  status_.revision = datafile != nullptr ? datafile->revision : "";
}

void Project::load_cached() {
  const std::lock_guard lock(looking_);
  const auto kept = settings_.is_url ? cache_.find(settings_.place) : std::nullopt;
  if (!kept || current_.get() != nullptr || !accept(kept->text)) {
    return;
  }
  etag_ = kept->etag;
  last_modified_ = kept->last_modified;
  const auto datafile = current_.get();
  const std::lock_guard status_lock(mutex_);
  status_.is_from_cache = true;
  status_.is_loaded = true;
  status_.revision = datafile->revision;
}

Result<bool> Project::replace(std::string_view text) {
  if (settings_.is_url) {
    return Failure(
        {ErrorCode::Conflict,
         fmt::format("the datafile comes from {}; it can only be reloaded", settings_.place)});
  }
  if (auto checked = load_datafile(text); !checked) {
    return Failure(checked.error());
  }
  const std::lock_guard lock(looking_);
  if (auto written = write(settings_.place, text); !written) {
    return Failure(written.error());
  }
  auto outcome = read_file();
  note(outcome);
  return outcome;
}

ProjectStatus Project::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace edge::flags
