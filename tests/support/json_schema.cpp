// SPDX-License-Identifier: MIT
#include "tests/support/json_schema.h"

#include <cmath>

namespace edge::test {
namespace {

using json::Value;

bool is_of(Value document, std::string_view type) {
  if (type == "integer") {
    const auto number = document.as_double();
    return number && std::trunc(*number) == *number;
  }
  return (type == "object" && document.is_object()) || (type == "array" && document.is_array()) ||
         (type == "string" && document.is_string()) || (type == "null" && document.is_null()) ||
         (type == "boolean" && document.as_bool()) || (type == "number" && document.as_double());
}

/// Whether the value, or one of the elements when it is a list, fits.
template <typename Fits>
bool any_of(Value one_or_list, const Fits& fits) {
  if (!one_or_list.is_array()) {
    return fits(one_or_list);
  }
  for (const Value one : one_or_list.elements()) {
    if (fits(one)) {
      return true;
    }
  }
  return false;
}

class Checker {
 public:
  void check(Value schema, Value document, const std::string& place) {
    for (const auto& [keyword, value] : schema.members()) {
      const std::string name(keyword);
      if (name == "type") {
        expect(any_of(value, [&](Value one) { return is_of(document, *one.as_string()); }),
               place,
               "is not of type " + std::string(value.raw()));
      } else if (name == "const" || name == "enum") {
        expect(any_of(value, [&](Value one) { return json::equal(one, document); }),
               place,
               "is none of " + std::string(value.raw()));
      } else if (name == "required") {
        for (const Value member : value.elements()) {
          expect(document.find(*member.as_string()).has_value(),
                 place,
                 "lacks " + std::string(member.raw()));
        }
      } else if (name == "properties") {
        for (const auto& [member, inner] : value.members()) {
          if (const auto found = document.find(member)) {
            check(inner, *found, place + "/" + std::string(member));
          }
        }
      } else if (name == "items") {
        std::size_t index = 0;
        for (const Value element : document.elements()) {
          check(value, element, place + "/" + std::to_string(index++));
        }
      } else {
        expect(false, place, "has a schema with \"" + name + "\", which is not checked");
      }
    }
  }

  [[nodiscard]] const std::string& faults() const { return faults_; }

 private:
  void expect(bool is_right, const std::string& place, const std::string& fault) {
    if (!is_right) {
      faults_ += (place.empty() ? "/" : place) + " " + fault + "\n";
    }
  }

  std::string faults_;
};

}  // namespace

std::string schema_faults(Value schema, Value document) {
  Checker checker;
  checker.check(schema, document, "");
  return checker.faults();
}

}  // namespace edge::test
