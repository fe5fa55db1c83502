// SPDX-License-Identifier: MIT
#include "core/tokens/roles.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::tokens {
namespace {

std::set<std::string> texts_of(json::Value list) {
  std::set<std::string> texts;
  for (const json::Value member : list.elements()) {
    texts.emplace(*member.as_string());
  }
  return texts;
}

std::set<std::string> held_by(const std::string& role) {
  const auto held = permissions_of(std::vector{role});
  return {held.begin(), held.end()};
}

TEST_CASE("roles hold exactly the permissions of the table", "[tokens]") {
  const auto text = test::vector_text("identity", "roles.json");
  if (!text) {
    return;
  }
  const auto table = json::Document::parse(*text, json::kStrict);
  REQUIRE(table);
  std::size_t compared = 0;
  std::set<std::string> named;
  for (const auto& [role, permissions] : table->root().find("roles")->members()) {
    INFO(role);
    const auto wanted = texts_of(permissions);
    CHECK(held_by(std::string(role)) == wanted);
    named.insert(wanted.begin(), wanted.end());
    ++compared;
  }
  for (const auto& [alias, role] : table->root().find("aliases")->members()) {
    CHECK(held_by(std::string(alias)) == held_by(std::string(*role.as_string())));
    ++compared;
  }
  for (const std::string& permission : texts_of(*table->root().find("admin_only"))) {
    INFO(permission);
    CHECK(is_admin_only(permission));
    named.insert(permission);
    ++compared;
  }
  named.erase("*");
  const auto all = all_permissions();
  CHECK(named == std::set<std::string>(all.begin(), all.end()));
  test::report_vectors("identity", "roles.json", compared);
}

TEST_CASE("unknown roles and the star of a service grant nothing", "[tokens]") {
  CHECK(held_by("root").empty());
  CHECK(held_by("Admin").empty());
  CHECK(held_by("service").empty());
  CHECK_FALSE(is_role("service"));
  CHECK(is_role("operator"));
  CHECK_FALSE(is_permission("pixel:*"));
  CHECK(service_permissions(std::vector<std::string>{"*", "admin:users", "pixel:generate"}) ==
        std::vector<std::string>{"pixel:generate"});
}

}  // namespace
}  // namespace edge::tokens
