// SPDX-License-Identifier: MIT
// Keeps the datafiles of flags fresh: files are looked at every second, URLs are fetched on a
// thread of their own.
#include <chrono>
#include <string>

#include "core/edge.h"
#include "daemon/log.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kLookAtFiles{1};

/// What log and metrics hear. The SDK key is named as far as it tells projects apart.
std::string label_of(const flags::Project& project) {
  constexpr std::size_t kShown = 4;
  const std::string& key = project.settings().sdk_key;
  return key.empty() ? "default" : key.substr(0, kShown) + (key.size() > kShown ? "…" : "");
}

}  // namespace

void datafiles(Crew& crew) {
  auto& looks = crew.edge.metrics.counter("edge_datafile_looks_total",
                                          "Looks at datafiles that brought a change or failed",
                                          {"project", "outcome"});
  auto& loaded =
      crew.edge.metrics.gauge("edge_datafile_loaded", "1 when a datafile is in force", {"project"});
  for (const auto& project : crew.edge.flags.projects()) {
    loaded.with({label_of(*project)}).set(project->datafile() != nullptr ? 1 : 0);
  }
  crew.edge.flags.on_report([&log = crew.log, &looks, &loaded](const flags::Project& project,
                                                               const Result<bool>& outcome) {
    const std::string label = label_of(project);
    looks.with({label, outcome ? "changed" : "failed"}).add();
    loaded.with({label}).set(project.datafile() != nullptr ? 1 : 0);
    if (outcome) {
      log.info("datafile read", {{"project", label}, {"revision", project.status().revision}});
    } else {
      log.warn("the datafile stays as it was",
               {{"project", label}, {"problem", outcome.error().message}});
    }
  });
  crew.every(kLookAtFiles, "datafile files", [&edge = crew.edge] { edge.flags.look_at_files(); });
  crew.loop("datafiles",
            [&edge = crew.edge](const std::stop_token& stop) { edge.flags.fetch(stop); });
}

}  // namespace edge::workers
