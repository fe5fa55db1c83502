// SPDX-License-Identifier: MIT
#include "cli/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cli/output.h"
#include "cli/problem.h"

namespace edge::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

/// Text for XML 1.0: markup escaped, control characters that it cannot hold replaced.
std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += fmt::format("&#{};", static_cast<int>(code));
    } else {
      out += code < 0x20 ? '?' : c;
    }
  }
  return out;
}

/// Text of a workflow command; properties escape two characters more.
std::string escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    const bool escapes =
        c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    out += escapes ? fmt::format("%{:02X}", static_cast<int>(c)) : std::string(1, c);
  }
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '`' || c == '<') {
      out += '\\';
    }
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::size_t failures(const std::vector<Check>& checks) {
  return static_cast<std::size_t>(std::count_if(
      checks.begin(), checks.end(), [](const Check& check) { return !check.passed; }));
}

void write_junit(const std::string& path, const std::string& text) {
  Output out(STDOUT_FILENO, path);
  out.write(text);
  out.commit();
}

void write_github(std::string_view title, const std::vector<Check>& checks) {
  const std::string annotations = github_annotations(checks);
  std::string_view rest = annotations;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written <= 0) {
      break;  // nowhere left to say so
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (const std::string path = variable("GITHUB_STEP_SUMMARY"); !path.empty()) {
    std::ofstream summary(path, std::ios::app);
    summary << github_summary(title, checks);
  }
}

}  // namespace

std::string junit_xml(std::string_view title, const std::vector<Check>& checks) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                      xml(title),
                      checks.size(),
                      failures(checks));
  text += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n",
                      xml(title),
                      checks.size(),
                      failures(checks));
  for (const Check& check : checks) {
    text += fmt::format(
        "    <testcase classname=\"{}\" name=\"{}\"", xml(check.suite), xml(check.name));
    if (!check.file.empty()) {
      text += fmt::format(" file=\"{}\" line=\"{}\"", xml(check.file), check.line);
    }
    text += check.passed ? "/>\n"
                         : fmt::format(
                               ">\n      <failure message=\"{}\">{}</failure>\n"
                               "    </testcase>\n",
                               xml(check.message),
                               xml(check.message));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

std::string github_annotations(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    if (check.passed && !check.is_warning) {
      continue;
    }
    std::string properties;
    if (!check.file.empty()) {
      properties = fmt::format("file={},line={},", escaped(check.file, true), check.line);
      properties += check.column > 0 ? fmt::format("col={},", check.column) : "";
    }
    text += fmt::format("::{} {}title={}::{}\n",
                        check.passed ? "warning" : "error",
                        properties,
                        escaped(check.name, true),
                        escaped(check.message, false));
  }
  return text;
}

std::string github_summary(std::string_view title, const std::vector<Check>& checks) {
  const std::size_t failed = failures(checks);
  std::string text = fmt::format(
      "### {}\n\n{} of {} checks passed\n", title, checks.size() - failed, checks.size());
  if (failed > 0) {
    text += "\n| Check | Where | Result |\n|---|---|---|\n";
    for (const Check& check : checks) {
      if (!check.passed) {
        text += fmt::format(
            "| {} | {} | {} |\n", cell(check.name), cell(check.suite), cell(check.message));
      }
    }
  }
  return text + "\n";
}

Command& with_report_option(Command& command) {
  return command.option({.name = "report",
                         .value = "KIND[:FILE]",
                         .help = "junit:FILE (JUnit XML), or github (annotations and step summary)",
                         .repeatable = true});
}

Result<void> write_reports(const Call& call,
                           std::string_view title,
                           const std::vector<Check>& checks,
                           bool by_default) {
  const auto asked = call.all("report");
  for (const std::string& report : asked) {
    if (report == "github") {
      write_github(title, checks);
    } else if (report.starts_with("junit:") && report.size() > 6) {
      write_junit(report.substr(6), junit_xml(title, checks));
    } else {
      return Failure(usage_error(
          fmt::format("--report \"{}\" is neither junit:FILE nor github", report), "report"));
    }
  }
  if (asked.empty() && by_default && !variable("GITHUB_ACTIONS").empty()) {
    write_github(title, checks);
  }
  return {};
}

}  // namespace edge::cli
