// SPDX-License-Identifier: MIT
#include "cli/saved_login.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "cli/remote.h"
#include "core/config/private_file.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::chrono::seconds kAboutToExpire{30};

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->as_string().value_or("") : std::string_view());
}

Result<std::vector<SavedLogin>> read_all() {
  std::vector<SavedLogin> all;
  const auto content = config::read_private_file(saved_logins_path());
  if (!content) {
    return content.error().code == ErrorCode::NotFound
               ? Result<std::vector<SavedLogin>>(std::move(all))
               : Failure(content.error());
  }
  const auto document = json::Document::parse(content->view(), json::kStrict);
  const auto logins = document ? document->root().find("logins") : std::nullopt;
  if (!logins || !logins->is_array()) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("\"{}\" is no file of edgectl; remove it", saved_logins_path().string())});
  }
  for (const json::Value login : logins->elements()) {
    const auto expires = login.find("expires");
    all.push_back({.url = text_of(login, "url"),
                   .email = text_of(login, "email"),
                   .access_token = text_of(login, "accessToken"),
                   .refresh_token = text_of(login, "refreshToken"),
                   .expires = from_ms(expires ? expires->as_int64().value_or(0) : 0)});
  }
  return all;
}

Result<void> write_all(const std::vector<SavedLogin>& all) {
  json::Writer out(json::Writer::Layout::Pretty);
  out.begin_object().key("logins").begin_array();
  for (const SavedLogin& login : all) {
    out.begin_object()
        .member("url", login.url)
        .member("email", login.email)
        .member("accessToken", login.access_token)
        .member("refreshToken", login.refresh_token)
        .member("expires", to_ms(login.expires))
        .end_object();
  }
  out.end_array().end_object();
  std::string text = out.take() + "\n";
  auto written = config::write_private_file(saved_logins_path(), text);
  crypto::wipe(text);
  return written;
}

/// Held while the file is changed; two processes that refreshed at once would spend one token
/// twice.
class FileLock {
 public:
  FileLock() {
    std::error_code ignored;  // without the directory there is no file to guard either
    std::filesystem::create_directories(saved_logins_path().parent_path(), ignored);
    const std::string path = saved_logins_path().string() + ".lock";
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ >= 0) {
      ::flock(file_, LOCK_EX);
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock(FileLock&&) = delete;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

 private:
  int file_ = -1;
};

Result<bool> forget(std::string_view url) {
  auto all = read_all();
  if (!all) {
    return Failure(std::move(all.error()));
  }
  if (std::erase_if(*all, [&](const SavedLogin& login) { return login.url == url; }) == 0) {
    return false;
  }
  return write_all(*all).map([] { return true; });
}

Result<void> save(const SavedLogin& login) {
  auto all = read_all();
  if (!all) {
    return Failure(std::move(all.error()));
  }
  std::erase_if(*all, [&](const SavedLogin& other) { return other.url == login.url; });
  all->push_back(login);
  return write_all(*all);
}

Result<SavedLogin> refreshed(const SavedLogin& login,
                             transport::HttpClient& client,
                             const Clock& clock) {
  json::Writer body;
  body.begin_object().member("refreshToken", login.refresh_token).end_object();
  const auto answer = client.send({.method = "POST",
                                   .url = login.url + "/auth/refresh",
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = body.take()});
  if (!answer) {
    return Failure(answer.error());
  }
  return answer->status == 200 ? read_login(login.url, answer->body, clock.now())
                               : Failure(error_of(*answer));
}

}  // namespace

std::filesystem::path saved_logins_path() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string state = variable("XDG_STATE_HOME");
  return std::filesystem::path(state.empty() ? variable("HOME") + "/.local/state" : state) /
         "edgectl" / "auth.json";
}

Result<std::optional<SavedLogin>> find_login(std::string_view url) {
  auto all = read_all();
  if (!all) {
    return Failure(std::move(all.error()));
  }
  for (SavedLogin& login : *all) {
    if (login.url == url) {
      return std::optional(std::move(login));
    }
  }
  return std::optional<SavedLogin>();
}

Result<void> save_login(const SavedLogin& login) {
  const FileLock lock;
  return save(login);
}

Result<bool> forget_login(std::string_view url) {
  const FileLock lock;
  return forget(url);
}

Result<SavedLogin> read_login(std::string_view url, std::string_view body, Time now) {
  const auto document = json::Document::parse(body, json::kStrict);
  const auto user = document ? document->root().find("user") : std::nullopt;
  const auto lives = document ? document->root().find("expiresIn") : std::nullopt;
  if (!user || !lives || !lives->as_int64()) {
    return Failure({ErrorCode::Internal, "the daemon's answer is no login"});
  }
  return SavedLogin{.url = std::string(url),
                    .email = text_of(*user, "email"),
                    .access_token = text_of(document->root(), "accessToken"),
                    .refresh_token = text_of(document->root(), "refreshToken"),
                    .expires = now + std::chrono::seconds(*lives->as_int64())};
}

Result<std::optional<std::string>> login_token(std::string_view url,
                                               transport::HttpClient& client,
                                               const Clock& clock) {
  auto login = find_login(url);
  if (!login) {
    return Failure(std::move(login.error()));
  }
  if (!*login) {
    return std::optional<std::string>();
  }
  const auto is_fresh = [&](const SavedLogin& saved) {
    return saved.expires - kAboutToExpire > clock.now();
  };
  if (is_fresh(**login)) {
    return std::optional(std::move((*login)->access_token));
  }
  const FileLock lock;
  login = find_login(url);  // another process may have refreshed it meanwhile
  if (!login || !*login || is_fresh(**login)) {
    return std::move(login).map([](std::optional<SavedLogin>&& saved) {
      return saved ? std::optional(std::move(saved->access_token)) : std::nullopt;
    });
  }
  auto renewed = refreshed(**login, client, clock);
  if (!renewed) {
    if (renewed.error().code == ErrorCode::Unauthenticated) {
      if (auto gone = forget(url); !gone) {
        return Failure(std::move(gone.error()));
      }
      renewed.error().message = fmt::format("the login at {} has ended", url);
    }
    return Failure(std::move(renewed.error()));
  }
  if (auto saved = save(*renewed); !saved) {
    return Failure(std::move(saved.error()));
  }
  return std::optional(std::move(renewed->access_token));
}

}  // namespace edge::cli
