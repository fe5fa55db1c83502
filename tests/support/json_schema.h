// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/json/document.h"

namespace edge::test {

/// What a document has against a JSON Schema made of `type`, `const`, `enum`, `required`,
/// `properties` and `items`: a line for each fault, with the pointer of its place. Any other
/// keyword is a fault too, because nobody would check it. Empty when the document is right.
std::string schema_faults(json::Value schema, json::Value document);

}  // namespace edge::test
