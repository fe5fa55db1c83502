// SPDX-License-Identifier: MIT
// Conditions as a tree for people: every leaf with the value that was seen and its result.
#include <algorithm>
#include <array>

#include "core/flags/audience.h"
#include "core/flags/datafile.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

void write_result(json::Writer& out, Truth truth) {
  out.key("result");
  if (truth == Truth::Unknown) {
    out.null();
  } else {
    out.boolean(truth == Truth::True);
  }
}

void write_scalar(json::Writer& out, const Scalar& scalar) {
  switch (scalar.kind) {
    case Scalar::Kind::Bool:
      out.boolean(scalar.boolean);
      return;
    case Scalar::Kind::Number:
      out.number(scalar.number);
      return;
    case Scalar::Kind::Text:
      out.string(scalar.text);
      return;
    default:
      out.null();
  }
}

std::string_view name_of(Match match) {
  static constexpr std::array<std::string_view, 12> kNames{"exists",
                                                           "exact",
                                                           "substring",
                                                           "gt",
                                                           "ge",
                                                           "lt",
                                                           "le",
                                                           "semver_eq",
                                                           "semver_gt",
                                                           "semver_ge",
                                                           "semver_lt",
                                                           "semver_le"};
  return kNames.at(static_cast<std::size_t>(match));
}

}  // namespace

void Subject::describe(const Datafile& datafile,
                       Conditions::Root root,
                       json::Writer& out,
                       std::size_t& budget) const {
  budget -= budget > 0 ? 1 : 0;
  using Op = Conditions::Op;
  const Conditions::Node node = conditions_.nodes_[root];
  out.begin_object();
  switch (node.op) {
    case Op::And:
    case Op::Or:
    case Op::Not:
      out.member("operator", node.op == Op::And ? "and" : node.op == Op::Or ? "or" : "not");
      write_result(out, evaluate(root));
      out.key("operands").begin_array();
      for (Conditions::Root child = root + 1; child < node.end && budget > 0;
           child = conditions_.nodes_[child].end) {
        describe(datafile, child, out, budget);
      }
      out.end_array();
      break;
    case Op::Attribute:
      describe_attribute(conditions_.conditions_[node.payload], out);
      break;
    case Op::Segment:
      out.member("segment", conditions_.segments_[node.payload]);
      write_result(out, evaluate(root));
      break;
    case Op::Audience: {
      const Conditions::Root audience_root = conditions_.audiences_[node.payload];
      const auto found = std::find_if(
          datafile.audiences.begin(), datafile.audiences.end(), [&node](const Audience& audience) {
            return audience.root == node.payload;
          });
      out.member("audience", found == datafile.audiences.end() ? "" : found->name);
      write_result(out, evaluate(root));
      if (budget > 0) {
        describe(datafile, audience_root, out.key("conditions"), budget);
      }
      break;
    }
    case Op::Unknown:
    case Op::False:
      out.member("unknown", true);
      write_result(out, evaluate(root));
      break;
  }
  out.end_object();
}

void Subject::describe_attribute(const Condition& condition, json::Writer& out) const {
  out.member("attribute", conditions_.name_of(condition.slot));
  out.member("match", name_of(condition.match));
  if (condition.match != Match::Exists) {
    write_scalar(out.key("value"), condition.value);
  }
  if (const Scalar* seen = slots_[condition.slot]) {
    write_scalar(out.key("seen"), *seen);
  }
  write_result(out, evaluate_attribute(condition));
}

}  // namespace edge::flags
