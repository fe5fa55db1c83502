// SPDX-License-Identifier: MIT
// Any text is an expression or is refused with a column. What compiles prints as an expression that
// compiles to the same tree; any JSON that is a tree survives the way through the expression and
// back. Filters take or leave an object, whatever it is.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json/document.h"
#include "core/profiles/segments/expression.h"

namespace {

using edge::profiles::Node;

void check_round_trip(const Node& tree) {
  const auto text = edge::profiles::to_expression(tree);
  if (!text) {
    return;
  }
  const auto again = edge::profiles::parse_expression(*text);
  if (!again || edge::profiles::to_expression(*again) != text) {
    std::abort();
  }
  const auto document =
      edge::json::Document::parse(edge::profiles::to_json(*again), edge::json::kEvent);
  const auto read = edge::profiles::read_conditions(document->root());
  if (!read || edge::profiles::to_json(*read) != edge::profiles::to_json(*again)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = edge::profiles::parse_expression(text);
  if (tree) {
    check_round_trip(*tree);
  } else if (tree.error().message.empty() || tree.error().reason != "bad_expression") {
    std::abort();
  }
  const auto document = edge::json::Document::parse(text, edge::json::kEvent);
  if (document) {
    if (const auto read = edge::profiles::read_conditions(document->root())) {
      check_round_trip(*read);
    }
  }
  const auto filter = edge::profiles::parse_expression(text, {.only_paths = true});
  if (filter) {
    static const auto kObject = edge::json::Document::parse(
        R"({"a":1,"b":"x","c":{"d":[1,"y",true]},"e":"2026-03-01"})", edge::json::kEvent);
    static_cast<void>(evaluate(*filter, [](const edge::profiles::Leaf& leaf) {
      edge::Time next = edge::Time::max();
      return compare(edge::profiles::at_path(kObject->root(), leaf.name),
                     leaf.comparison,
                     edge::from_ms(1'770'000'000'000),
                     next);
    }));
  }
  return 0;
}
