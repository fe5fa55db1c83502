// SPDX-License-Identifier: MIT
// What checks found, in the forms that continuous integration shows: JUnit XML (Jenkins, GitLab and
// others) and GitHub's annotations with a step summary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/command.h"

namespace edge::cli {

/// One thing that was checked.
struct Check {
  std::string suite = {};  ///< the file or flag that it belongs to
  std::string name = {};
  bool passed = true;
  std::string message = {};  ///< why it failed, one line
  std::string file = {};     ///< where, when it has a place
  std::size_t line = 0;
  std::size_t column = 0;
  bool is_warning = false;  ///< passes, but is worth a look
};

/// `--report KIND[:FILE]`.
Command& with_report_option(Command& command);

/// Writes the reports asked for; with none, and `by_default`, GitHub's when GITHUB_ACTIONS is set.
/// `title` heads them: `edgectl decide`. Annotations go to stderr, the summary to the file that
/// GITHUB_STEP_SUMMARY names. Failure: usage for an unknown kind; Unavailable (exit 9) for a file
/// that cannot be written.
Result<void> write_reports(const Call& call,
                           std::string_view title,
                           const std::vector<Check>& checks,
                           bool by_default);

/// The JUnit document.
std::string junit_xml(std::string_view title, const std::vector<Check>& checks);
/// One workflow command a line for what failed or warns.
std::string github_annotations(const std::vector<Check>& checks);
/// The step summary in Markdown.
std::string github_summary(std::string_view title, const std::vector<Check>& checks);

}  // namespace edge::cli
