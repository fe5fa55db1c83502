// SPDX-License-Identifier: MIT
// edged: reads its command line and configuration, builds the installation and serves it until a
// signal ends it.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <span>
#include <thread>
#include <utility>

#include "core/accounts/demo.h"
#include "core/config/env_file.h"
#include "core/config/environment.h"
#include "core/config/keys.h"
#include "core/config/private_file.h"
#include "daemon/authenticator.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/runtime_files.h"
#include "daemon/server.h"
#include "daemon/token_keys.h"

namespace edge {
namespace {

constexpr int kBadInput = 3;
constexpr int kLocalResource = 9;
constexpr int kBug = 70;

int code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
      return kBadInput;
    case ErrorCode::Internal:
      return kBug;
    default:
      return kLocalResource;
  }
}

int complain(const Error& error) {
  const std::string field = error.field.empty() ? "" : error.field + ": ";
  fmt::print(stderr, "edged: {}{}\n", field, error.message);
  return code_of(error);
}

/// Secrets must not end in a core file.
void forbid_core_files() {
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

/// As many descriptors as the system lets this user have.
void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

/// The threads that answer give back what the log writer needs next, and the other way round:
/// memory that an arena returned to the system at every lull (the default above 128 KiB) would be
/// asked for again at once. Few arenas: what one thread frees, another one of the many takes. What
/// is large and rare, as tables that grow, is not worth keeping.
void keep_freed_memory() {
  ::mallopt(M_ARENA_MAX, std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 2, 4));
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 512 << 10);
}

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Result<config::Secrets> open_secrets(const CommandLine& line,
                                     const config::Config& config,
                                     config::Environment environment) {
  config::SecretSources sources{
      .environment = std::move(environment),
      .store = config.data_dir / "secrets",
      .files = {.allow_insecure_permissions = line.allow_insecure_permissions}};
  if (!line.env_file.empty()) {
    const auto text = config::read_private_file(line.env_file, sources.files);
    if (!text) {
      Error error = text.error();
      error.code = ErrorCode::InvalidArgument;
      error.field = "--env-file";
      return Failure(std::move(error));
    }
    auto pairs = config::parse_env_file(text->view());
    if (!pairs) {
      return Failure(pairs.error());
    }
    sources.env_file = *std::move(pairs);
  }
  return config::Secrets(std::move(sources));
}

void print_config(const config::Loaded& loaded) {
  for (const config::Key& key : config::keys()) {
    const auto origin = loaded.origins.find(key.name);
    fmt::print("{} = {}  # {}\n",
               key.name,
               config::value_text(key, loaded.config),
               origin == loaded.origins.end() ? "default" : origin->second.text());
  }
}

/// Reads key ring, rules and address lists of pixels anew; each that cannot be used leaves the one
/// in force.
void reload_pixels(Edge& edge, Log& log) {
  const auto problems = edge.pixels.reload();
  for (const Error& problem : problems) {
    log.warn("pixel settings stay as they were", {{"problem", problem.message}});
  }
  if (problems.empty()) {
    log.info("pixel keys, rules and lists read");
  }
}

/// Secrets of destinations may have been rotated.
void reload_destinations(Edge& edge, Log& log) {
  if (const auto loaded = edge.destinations.refresh(); !loaded) {
    log.warn("destinations stay as they were", {{"problem", loaded.error().message}});
  }
}

/// Reads the certificate anew; one that cannot be used leaves the one in force.
void reload_certificate(Server& server, Log& log) {
  if (const auto loaded = server.reload_certificate(); !loaded) {
    log.warn("the certificate stays as it was", {{"problem", loaded.error().message}});
  }
}

/// What a service manager is told before the settings are read anew; systemd 253 and later ask for
/// the time.
std::string reloading_state() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t kMicros = 1'000'000;
  return fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * kMicros + now.tv_nsec / 1000);
}

/// Reads the key files anew; those that cannot be used leave the keys in force.
void reload_keys(Edge& edge, Log& log) {
  auto keys = read_signing_keys(edge);
  auto others = keys ? read_issuers(edge) : Result<tokens::ForeignIssuers>(Failure(keys.error()));
  if (!others) {
    log.warn("the keys of tokens stay as they were", {{"problem", others.error().message}});
    return;
  }
  edge.login.rekey(std::move(*keys));
  edge.login.trust(std::move(*others));
}

/// Makes what demo mode promises, when somebody is there to read it. Never logged.
Result<void> show_demo_credentials(Edge& edge) {
  if (!edge.is_demo() || ::isatty(STDOUT_FILENO) == 0) {
    return {};
  }
  const auto made = accounts::make_demo_credentials(edge.login, edge.api_keys, edge.random);
  if (made && *made) {
    fmt::print("demo administrator: {}  password: {}\ndemo API key: {}\nshown this once\n",
               (*made)->email,
               (*made)->password,
               (*made)->api_key);
  }
  return made ? Result<void>() : Failure(made.error());
}

/// Waits for the signal that ends the daemon. Reports to the service manager meanwhile. Returns the
/// exit code. SIGUSR1, by which log rotation asks to reopen files, does nothing: the log goes to
/// stderr.
int wait_for_end(
    const sigset_t& signals, Edge& edge, Server& server, Log& log, const Notifier& notifier) {
  std::uint64_t faults = 0;
  while (true) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGINT || signal == SIGTERM) {
      return 0;
    }
    if (signal == SIGHUP) {
      notifier.tell(reloading_state());
      edge.flags.refresh_all_soon();
      reload_pixels(edge, log);
      reload_destinations(edge, log);
      reload_certificate(server, log);
      reload_keys(edge, log);
      log.warn("other settings are read at the start only; restart to change them");
      notifier.tell("READY=1");
    }
    notifier.tell("WATCHDOG=1");
    const storage::Health health = edge.store.health();
    if (health.callback_faults > std::exchange(faults, health.callback_faults)) {
      log.error("an answer failed behind its commit", {{"what", health.last_callback_fault}});
    }
    if (health.state == storage::Health::State::Failed) {
      log.error("the store has failed", {{"problem", health.problem}});
      return kLocalResource;
    }
  }
}

Result<int> serve(const CommandLine& line, config::Loaded loaded, const sigset_t& signals) {
  const SystemClock clock;
  SystemRandom random;
  Log log(line.log, clock);
  auto secrets = open_secrets(line, loaded.config, config::take_secret_variables());
  if (!secrets) {
    return Failure(secrets.error());
  }
  if (line.allow_insecure_permissions) {
    log.warn("files with secrets may be readable by others: --allow-insecure-permissions");
  }
  auto edge = Edge::open(std::move(loaded.config), *std::move(secrets), {}, clock, random);
  if (!edge) {
    return Failure(edge.error());
  }
  if (const auto allowed = check_bind(**edge, line.consent); !allowed) {
    return Failure(allowed.error());
  }
  if ((*edge)->is_demo()) {
    log.warn("demo mode: not for data that matters");
  }
  const auto authenticator = EdgeAuthenticator::open(**edge);
  if (!authenticator) {
    return Failure(authenticator.error());
  }
  if ((*authenticator)->has_listed_keys()) {
    log.warn("API_KEYS is in use: a list of keys that never expire");
  }
  if (const auto shown = show_demo_credentials(**edge); !shown) {
    return Failure(shown.error());
  }
  const std::string local_key = make_local_key(random);
  auto server = Server::start(**edge,
                              log,
                              {.local_key = local_key,
                               .authenticator = authenticator->get(),
                               .allow_insecure_permissions = line.allow_insecure_permissions});
  if (!server) {
    return Failure(server.error());
  }
  const std::string url = (*server)->url();
  const auto files = RuntimeFiles::write(
      runtime_dir(),
      {.url = url, .local_key = local_key, .started = clock.now(), .pid_file = line.pid_file});
  if (!files) {
    return Failure(files.error());
  }
  const char* socket = std::getenv("NOTIFY_SOCKET");
  const Notifier notifier(socket != nullptr ? socket : "");
  notifier.tell("READY=1\nSTATUS=serving " + url);
  log.info("serving", {{"url", url}, {"data", (*edge)->config.data_dir.string()}});
  const int code = wait_for_end(signals, **edge, **server, log, notifier);
  notifier.tell("STOPPING=1");
  log.info("stopping");
  (*server)->stop();
  return code;
}

int run(std::span<const char* const> arguments) {
  auto parsed = read_command_line(arguments);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
    fmt::print(early->code == 0 ? stdout : stderr, "{}", early->text);
    return early->code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  auto loaded = config::load(line.sources);
  if (!loaded) {
    return complain(loaded.error());
  }
  if (line.action == CommandLine::Action::PrintConfig) {
    print_config(*loaded);
    return 0;
  }
  const auto server = read_server_config(loaded->config);
  if (!server) {
    return complain(server.error());
  }
  if (line.action == CommandLine::Action::PrintLimits) {
    fmt::print("{}", limits_text(server->limits, loaded->config.server.limits));
    return 0;
  }
  if (line.action == CommandLine::Action::CheckConfig) {
    fmt::print("{}: good\n",
               loaded->config.file.empty() ? std::string("built-in defaults")
                                           : loaded->config.file.string());
    return 0;
  }
  ::umask(077);
  forbid_core_files();
  raise_file_limit();
  keep_freed_memory();
  const sigset_t signals = block_signals();
  const auto code = serve(line, *std::move(loaded), signals);
  return code ? *code : complain(code.error());
}

}  // namespace
}  // namespace edge

int main(int count, char** arguments) {
  try {
    return edge::run(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
  } catch (const std::exception& fault) {
    fmt::print(stderr, "edged {}: unexpected: {}\n", EDGE_VERSION, fault.what());
    return edge::kBug;
  }
}
