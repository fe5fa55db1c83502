// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/problem.h"
#include "cli/values.h"
#include "core/base/clock.h"
#include "core/base/random.h"

namespace edge {
class Edge;
}
namespace edge::config {
struct Config;
struct Loaded;
struct Sources;
}  // namespace edge::config

namespace edge::cli {

class Command;
class Remote;
class Tree;

/// What the parser found: each option's and positional's texts, by name.
struct Given {
  std::map<std::string, std::vector<std::string>, std::less<>> values = {};
};

/// One run of one command: its arguments, and the world it may use. Everything expensive is made at
/// its first use. One thread only.
///
/// Typed access cannot fail: values were checked while parsing, a default is used when nothing was
/// given. Asking for a name that the command does not declare is a bug (throws std::logic_error).
class Call {
 public:
  Call(const Tree& tree, const Command& command, Given given);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Call(Call&&) = delete;
  Call& operator=(Call&&) = delete;
  ~Call();

  // --- arguments
  // -------------------------------------------------------------------------------------------------
  /// The (last) text given, else the environment's, else the default, else "". Names as declared:
  /// `campaign`, `FILE`.
  [[nodiscard]] std::string operator[](std::string_view name) const;
  /// All texts of a repeatable option or positional.
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  /// Given as an argument or through its environment variable (not: has a default).
  [[nodiscard]] bool has(std::string_view name) const;
  /// How often a flag was given; 0 is false.
  [[nodiscard]] int count(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const { return count(name) > 0; }
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const;
  [[nodiscard]] Time time(std::string_view name) const;
  [[nodiscard]] std::uint64_t size(std::string_view name) const;
  [[nodiscard]] Rate rate(std::string_view name) const;
  /// The `k=v` pairs of an option in order; reads the `k=@FILE` ones.
  [[nodiscard]] Result<std::vector<KeyValue>> pairs(std::string_view name) const;
  /// The pairs as one JSON object text, `{}` when there are none; the last of equal keys wins.
  [[nodiscard]] Result<std::string> object(std::string_view name) const;

  [[nodiscard]] bool dry_run() const { return flag("dry-run"); }
  [[nodiscard]] bool quiet() const { return flag("quiet"); }
  [[nodiscard]] int verbosity() const { return count("verbose"); }
  [[nodiscard]] Format format() const { return layout_.format; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] const Command& command() const { return command_; }
  [[nodiscard]] const Tree& tree() const { return tree_; }

  // --- input
  // -----------------------------------------------------------------------------------------------------
  /// The whole of a file, or of stdin for `-`. Failure: InvalidArgument (exit 3) naming the file.
  [[nodiscard]] Result<std::string> read(const std::string& path) const;
  /// `-i FILE`, else stdin, whole.
  [[nodiscard]] Result<std::string> input() const;
  /// Line by line, in constant memory.
  [[nodiscard]] Result<std::unique_ptr<LineReader>> open_lines(const std::string& path) const;

  // --- output
  // ----------------------------------------------------------------------------------------------------
  /// Prints a result in the format asked for; 0.
  Result<int> print(const Document& document);
  Result<int> print(const Listing& listing);
  /// For commands whose product is the data itself, and for streams: raw text to stdout or `-o
  /// FILE`.
  Output& out() { return output_; }
  /// A note on stderr, one line; nothing with `-q`.
  void note(std::string_view text) const;
  /// A line on stderr with `-v`.
  void detail(std::string_view text) const;
  /// Prints the error as cli spec 9 says and gives its exit code: `return call.fail(problem);`
  int fail(const Problem& problem);
  /// Whether `fail` was called: then `-o FILE` is left as it was.
  [[nodiscard]] bool failed() const { return failed_; }
  /// Prompts on the terminal. Failure (usage, exit 2) without a terminal and without `--yes`;
  /// `--yes` is yes.
  [[nodiscard]] Result<bool> confirm(std::string_view question) const;
  /// As `confirm`, but `name` must be typed.
  [[nodiscard]] Result<bool> confirm_name(std::string_view question, std::string_view name) const;

  // --- the world
  // -------------------------------------------------------------------------------------------------
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Random& random() { return random_; }
  /// The configuration (files, overlay, environment, flags). Throws `Stop` (exit 3) when it is
  /// wrong.
  const config::Config& config();
  /// The same with the origin of each value.
  const config::Loaded& loaded_config();
  /// Where it is looked for: the flags of this call.
  [[nodiscard]] config::Sources config_sources() const;
  /// The services on the local store, opened at the first call. `Access::Read` works beside a
  /// daemon that holds the store and writes nothing. Throws `Stop` (exit 3; 9 when another process
  /// holds the store).
  enum class Access : std::uint8_t { Write, Read };
  Edge& edge(Access access = Access::Write);
  /// The daemon to ask: `--url`/`EDGE_URL`, else (not with `--local`) the running one. Throws
  /// `Stop` (exit 6) if none.
  Remote& remote();
  /// For data commands (cli spec 3): the daemon to ask, or nullptr when the local store is to be
  /// used.
  Remote* running_daemon();
  /// For core commands: the daemon only when `--url`/`EDGE_URL` names one, else nullptr.
  Remote* asked_daemon();
  /// The daemon at `url` with a bearer token, from now on what the others above give too.
  Remote& connect(std::string url, std::string token);
  /// What is shown to the daemon at `url` (no slash at its end): the text of `--token-file`, else
  /// the login that was saved for it, else, for the daemon of this user, the local key. Throws
  /// `Stop` when the login has ended.
  [[nodiscard]] std::string credential_for(const std::string& url, bool is_running_here) const;
  /// Remote once a daemon has been asked: whom an error that a handler returns is from.
  [[nodiscard]] Side side() const;

  /// From now on SIGINT and SIGTERM only set the value to the signal's number; a second one ends
  /// the program at once. Return 128 + that number when the work was cut short.
  static const std::atomic<int>& interruption();

 private:
  struct Lazy;
  [[nodiscard]] const std::vector<std::string>* texts(std::string_view name) const;
  Result<int> show(const std::string& text);

  const Tree& tree_;
  const Command& command_;
  Given given_;
  SystemClock clock_;
  SystemRandom random_;
  Layout layout_;
  Output output_;
  bool failed_ = false;
  std::unique_ptr<Lazy> lazy_;
};

}  // namespace edge::cli
