// SPDX-License-Identifier: MIT
#include "core/tokens/roles.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace edge::tokens {
namespace {

/// The least role that holds a permission.
enum class Least : std::uint8_t { Viewer, Editor, Admin };

struct Row {
  std::string_view permission;
  Least least;
};

constexpr std::array kTable = {
    Row{"pixel:generate", Least::Editor},    Row{"pixel:read", Least::Viewer},
    Row{"track:write", Least::Editor},       Row{"track:read", Least::Viewer},
    Row{"flags:read", Least::Viewer},        Row{"flags:write", Least::Editor},
    Row{"cdp:read", Least::Viewer},          Row{"cdp:write", Least::Editor},
    Row{"destinations:read", Least::Viewer}, Row{"destinations:operate", Least::Editor},
    Row{"destinations:write", Least::Admin}, Row{"privacy:write", Least::Admin},
    Row{"kv:read", Least::Editor},           Row{"kv:write", Least::Editor},
    Row{"files:read", Least::Editor},        Row{"files:write", Least::Editor},
    Row{"state:read", Least::Editor},        Row{"state:write", Least::Editor},
    Row{"queue:read", Least::Viewer},        Row{"queue:send", Least::Editor},
    Row{"queue:consume", Least::Editor},     Row{"queue:manage", Least::Admin},
    Row{"rooms:join", Least::Viewer},        Row{"rooms:publish", Least::Editor},
    Row{"analytics:read", Least::Viewer},    Row{"analytics:write", Least::Editor},
    Row{"sites:read", Least::Editor},        Row{"sites:write", Least::Editor},
    Row{"schedules:read", Least::Editor},    Row{"schedules:write", Least::Editor},
    Row{"limits:read", Least::Editor},       Row{"limits:write", Least::Admin},
    Row{"stats:read", Least::Viewer},        Row{"admin:users", Least::Admin},
    Row{"admin:apikeys", Least::Admin},      Row{"admin:keys", Least::Admin},
    Row{"admin:config", Least::Admin},       Row{"admin:audit", Least::Admin},
};

constexpr auto kPermissions = [] {
  std::array<std::string_view, kTable.size()> names{};
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    names[i] = kTable[i].permission;
  }
  return names;
}();

const Row* row_of(std::string_view permission) {
  const auto* const row = std::find_if(
      kTable.begin(), kTable.end(), [&](const Row& r) { return r.permission == permission; });
  return row == kTable.end() ? nullptr : row;
}

bool is_viewer(std::string_view role) {
  return role == "viewer" || role == "user";
}
bool is_editor(std::string_view role) {
  return role == "editor" || role == "operator";
}

}  // namespace

std::vector<std::string> permissions_of(std::span<const std::string> roles) {
  bool viewer = false;
  bool editor = false;
  for (const std::string& role : roles) {
    if (role == "admin") {
      return {"*"};
    }
    viewer = viewer || is_viewer(role) || is_editor(role);
    editor = editor || is_editor(role);
  }
  std::vector<std::string> held;
  for (const Row& row : kTable) {
    if ((viewer && row.least == Least::Viewer) || (editor && row.least == Least::Editor)) {
      held.emplace_back(row.permission);
    }
  }
  return held;
}

std::vector<std::string> service_permissions(std::span<const std::string> scopes) {
  std::vector<std::string> held;
  for (const std::string& scope : scopes) {
    if (scope != "*" && scope != "admin" && !scope.starts_with("admin:")) {
      held.push_back(scope);
    }
  }
  return held;
}

bool is_role(std::string_view name) {
  return name == "admin" || is_editor(name) || is_viewer(name);
}

bool is_permission(std::string_view name) {
  return row_of(name) != nullptr;
}

std::span<const std::string_view> all_permissions() {
  return kPermissions;
}

bool is_admin_only(std::string_view permission) {
  const Row* row = row_of(permission);
  return row != nullptr && row->least == Least::Admin;
}

}  // namespace edge::tokens
