// SPDX-License-Identifier: MIT
// `doctor`: what usually goes wrong on a machine, looked at one thing after the other, each with
// what to do.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cli/command.h"
#include "cli/daemon_process.h"
#include "cli/secret_sources.h"
#include "cli/setup.h"
#include "core/config/load.h"
#include "core/json/writer.h"
#include "core/pixels/ring_file.h"

namespace edge::cli::commands {
namespace {

namespace fs = std::filesystem;

enum class Verdict { Ok, Warn, Fail };

struct Check {
  std::string name = {};
  Verdict verdict = Verdict::Ok;
  std::string found = {};
  std::string fix = {};
};

constexpr std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok:
      return "ok";
    case Verdict::Warn:
      return "warn";
    case Verdict::Fail:
      return "FAIL";
  }
  return "FAIL";
}

Check check_programs() {
  const std::string edged = find_edged();
  return edged.empty() ? Check{"programs",
                               Verdict::Fail,
                               "edgectl " EDGE_VERSION ", no edged",
                               "install edged beside edgectl"}
                       : Check{"programs", Verdict::Ok, "edgectl " EDGE_VERSION ", " + edged};
}

Check check_config(const Result<config::Loaded>& loaded) {
  if (!loaded) {
    return {"configuration", Verdict::Fail, loaded.error().message, "edgectl config validate"};
  }
  const std::vector<Finding> findings = examine_config(loaded->config);
  if (!findings.empty()) {
    return {"configuration",
            Verdict::Fail,
            fmt::format("{}: {}", findings[0].key, findings[0].message),
            "edgectl config validate"};
  }
  if (loaded->config.file.empty()) {
    return {"configuration", Verdict::Warn, "no edge.toml; defaults", "edgectl config init"};
  }
  return {"configuration", Verdict::Ok, loaded->config.file.string()};
}

Check check_data_dir(const fs::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    return {"data directory",
            Verdict::Warn,
            directory.string() + " is not there yet",
            "edgectl config init"};
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {"data directory",
            Verdict::Fail,
            directory.string() + " cannot be written",
            "use --data-dir or EDGE_DATA_DIR"};
  }
  if ((status.st_mode & 077U) != 0) {
    return {
        "data directory",
        Verdict::Warn,
        fmt::format("{} is open to others ({:03o})", directory.string(), status.st_mode & 0777U),
        fmt::format("chmod 700 {}", directory.string())};
  }
  return {"data directory", Verdict::Ok, directory.string()};
}

Check check_disk(const fs::path& directory) {
  fs::path there = directory;
  std::error_code ignored;  // the root is always there
  while (!fs::exists(there, ignored) && there.has_parent_path() && there != there.parent_path()) {
    there = there.parent_path();
  }
  struct statvfs space {};
  if (::statvfs(there.c_str(), &space) != 0) {
    return {"disk", Verdict::Warn, "cannot be looked at"};
  }
  const std::uint64_t mib = space.f_bavail * space.f_frsize >> 20U;
  const Verdict verdict = mib < 64 ? Verdict::Fail : mib < 1024 ? Verdict::Warn : Verdict::Ok;
  return {"disk",
          verdict,
          fmt::format("{} MiB free", mib),
          verdict == Verdict::Ok ? "" : "make room, or use another --data-dir"};
}

Check check_pixel_keys(const config::Secrets& secrets, const fs::path& directory) {
  const auto ring = pixels::configured_ring(secrets, directory);
  return ring ? Check{"pixel keys", Verdict::Ok, fmt::format("key {} is active", ring->active())}
              : Check{"pixel keys", Verdict::Warn, ring.error().message, "edgectl config init"};
}

Check check_secrets(const config::Secrets& secrets, std::vector<SecretState> states) {
  std::string missing;
  for (const SecretState& state : states) {
    if (state.shown.starts_with("(unusable")) {
      return {"secrets", Verdict::Fail, fmt::format("{} {}", state.name, state.shown)};
    }
  }
  const auto jwt = secrets.find("JWT_SECRET");
  if (jwt && *jwt && !config::check_jwt_secret((*jwt)->value.view())) {
    return {"secrets", Verdict::Fail, "JWT_SECRET is weak", "use 32 random octets or more"};
  }
  for (const SecretState& state : states) {
    if (state.origin == "env") {
      return {"secrets",
              Verdict::Warn,
              fmt::format("{} is in the environment, where other programs can see it", state.name),
              fmt::format("edgectl secret set {}", state.name)};
    }
  }
  return {"secrets", Verdict::Ok, fmt::format("{} known", states.size())};
}

Check check_daemon() {
  const auto running = find_runtime_file();
  if (!running) {
    return {"daemon", Verdict::Warn, "not running", "edgectl up"};
  }
  return {"daemon", Verdict::Ok, fmt::format("{} at {}", running->version, running->url)};
}

Check check_clock(Time now) {
  constexpr Time kRelease = from_ms(1'704'067'200'000);  // 2024
  return now < kRelease
             ? Check{"clock", Verdict::Fail, format_time(now) + " is in the past", "set the clock"}
             : Check{"clock", Verdict::Ok, format_time(now)};
}

Check check_completions() {
  const char* home = std::getenv("HOME");
  const std::string own = home == nullptr ? "" : home;
  std::error_code ignored;  // what cannot be looked at is not installed
  for (const std::string& place :
       {std::string("/usr/share/bash-completion/completions/edgectl"),
        std::string("/usr/local/share/bash-completion/completions/edgectl"),
        own + "/.local/share/bash-completion/completions/edgectl",
        own + "/.config/fish/completions/edgectl.fish",
        own + "/.zfunc/_edgectl"}) {
    if (fs::exists(place, ignored)) {
      return {"completions", Verdict::Ok, place};
    }
  }
  return {"completions", Verdict::Warn, "not installed", "edgectl completion --help"};
}

std::vector<Check> run_checks(Call& call) {
  const auto loaded = config::load(call.config_sources());
  const fs::path directory = config::find_data_dir(call.config_sources());
  const config::Secrets secrets = open_secrets(call);
  std::vector<Check> checks = {
      check_programs(), check_config(loaded), check_data_dir(directory), check_disk(directory)};
  checks.push_back(check_pixel_keys(secrets, directory));
  if (loaded) {
    checks.push_back(check_secrets(secrets, secret_states(call)));
  }
  checks.insert(checks.end(),
                {check_daemon(), check_clock(call.clock().now()), check_completions()});
  return checks;
}

Result<int> run_doctor(Call& call) {
  const std::vector<Check> checks = run_checks(call);
  Listing listing{
      .schema = "edge.doctor/1",
      .name = "checks",
      .columns = {
          {"CHECK", "/check"}, {"RESULT", "/result"}, {"FOUND", "/found"}, {"FIX", "/fix"}}};
  bool failed = false;
  for (const Check& check : checks) {
    json::Writer out;
    out.begin_object().member("check", check.name).member("result", name_of(check.verdict));
    out.member("found", check.found);
    if (!check.fix.empty()) {
      out.member("fix", check.fix);
    }
    listing.records.push_back(out.end_object().take());
    failed = failed || check.verdict == Verdict::Fail;
  }
  const auto printed = call.print(listing);
  return !printed ? printed : failed ? exit_code::kNo : exit_code::kDone;
}

}  // namespace

void doctor(Tree& tree) {
  tree.command("doctor", "Check this machine and say what to fix")
      .in(Section::Daemon)
      .example("doctor", "everything")
      .output(
          "doctor",
          R"({"type":"object","required":["schema","checks"],"properties":{)"
          R"("schema":{"const":"edge.doctor/1"},"checks":{"type":"array","items":{"type":"object",)"
          R"("required":["check","result","found"],"properties":{"check":{"type":"string"},)"
          R"("result":{"enum":["ok","warn","FAIL"]},"found":{"type":"string"},"fix":{"type":"string"}}}}}})")
      .exits(exit_code::kNo, "something is broken")
      .runs(run_doctor);
}

}  // namespace edge::cli::commands
