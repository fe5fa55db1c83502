// SPDX-License-Identifier: MIT
// The one permission table (identity spec 3.5). A permission is `area:action`; a route declares
// one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edge::tokens {

/// What holders of these roles may do: the single `*` for an admin, else permissions in the order
/// of the table without repeats. `user` is read as viewer, `operator` as editor; unknown roles and
/// `service` grant nothing.
std::vector<std::string> permissions_of(std::span<const std::string> roles);

/// What an API key with these scopes may do: the scopes without `*` and everything of the area
/// `admin`.
std::vector<std::string> service_permissions(std::span<const std::string> scopes);

/// True for a role that an account can have: `admin`, `editor`, `viewer`, `user`, `operator`.
bool is_role(std::string_view name);
/// True for a permission of the table.
bool is_permission(std::string_view name);
/// All permissions of the table, those that only admins have included.
std::span<const std::string_view> all_permissions();
/// Whether only an admin holds the permission.
bool is_admin_only(std::string_view permission);

}  // namespace edge::tokens
