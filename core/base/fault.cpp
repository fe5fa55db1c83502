// SPDX-License-Identifier: MIT
#include "core/base/fault.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>

namespace edge::fault {
namespace {

enum class Action { Kill, Hang, Eio, Enospc };

struct Plan {
  std::size_t point = 0;
  unsigned long nth = 1;
  bool and_later = false;
  Action action = Action::Kill;
};

struct State {
  std::mutex mutex;
  std::vector<Plan> plans;                             // guarded by mutex
  std::array<unsigned long, kPoints.size()> passed{};  // guarded by mutex
};

std::optional<std::size_t> index_of(std::string_view name) {
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    if (kPoints[i] == name) {
      return i;
    }
  }
  return std::nullopt;
}

std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view word = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return word;
}

bool read_action(std::string_view word, Plan& plan) {
  if (word == "kill") {
    plan.action = Action::Kill;
  } else if (word == "hang") {
    plan.action = Action::Hang;
  } else if (word == "error" || word == "eio") {
    plan.action = Action::Eio;
  } else if (word == "enospc") {
    plan.action = Action::Enospc;
  } else {
    return false;
  }
  return true;
}

bool read_number(std::string_view word, Plan& plan) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), plan.nth);
  const std::string_view rest(end, static_cast<std::size_t>(word.data() + word.size() - end));
  plan.and_later = rest == "+";
  return error == std::errc{} && plan.nth > 0 && (rest.empty() || plan.and_later);
}

std::optional<std::vector<Plan>> parse(std::string_view text) {
  std::vector<Plan> plans;
  while (!text.empty()) {
    std::string_view item = cut(text, ',');
    const auto point = index_of(cut(item, ':'));
    if (!point) {
      return std::nullopt;
    }
    Plan plan{.point = *point};
    while (!item.empty()) {
      const std::string_view word = cut(item, ':');
      if (!read_action(word, plan) && !read_number(word, plan)) {
        return std::nullopt;
      }
    }
    plans.push_back(plan);
  }
  return plans;
}

State& state() {
  static State& the_state = []() -> State& {
    static State made;
    if (const char* text = std::getenv("EDGE_FAULT"); text != nullptr) {
      made.plans = parse(text).value_or(std::vector<Plan>{});
    }
    return made;
  }();
  return the_state;
}

int act(Action action) {
  switch (action) {
    case Action::Kill:
      std::raise(SIGKILL);
      break;
    case Action::Hang:
      for (;;) {
        pause();
      }
    case Action::Eio:
      return EIO;
    case Action::Enospc:
      return ENOSPC;
  }
  return 0;
}

}  // namespace

int pass(std::string_view name) {
  std::optional<Action> action;
  {
    State& here = state();
    const std::lock_guard lock(here.mutex);
    const std::size_t point = index_of(name).value_or(0);
    const unsigned long count = ++here.passed[point];
    for (const Plan& plan : here.plans) {
      if (plan.point == point && (count == plan.nth || (plan.and_later && count > plan.nth))) {
        action = plan.action;
      }
    }
  }
  return action ? act(*action) : 0;
}

bool arm(std::string_view text) {
  auto plans = parse(text);
  if (!plans) {
    return false;
  }
  State& here = state();
  const std::lock_guard lock(here.mutex);
  here.plans = std::move(*plans);
  here.passed.fill(0);
  return true;
}

std::vector<unsigned long> passages() {
  State& here = state();
  const std::lock_guard lock(here.mutex);
  return {here.passed.begin(), here.passed.end()};
}

}  // namespace edge::fault
