// SPDX-License-Identifier: MIT
#include <array>
#include <utility>

#include "core/events/event.h"
#include "core/profiles/segments/expression.h"

namespace edge::profiles {
namespace {

constexpr std::array<std::pair<Match, std::string_view>, 8> kSigns = {{{Match::Exact, "=="},
                                                                       {Match::Ne, "!="},
                                                                       {Match::Gt, ">"},
                                                                       {Match::Ge, ">="},
                                                                       {Match::Lt, "<"},
                                                                       {Match::Le, "<="},
                                                                       {Match::NotIn, "not in"},
                                                                       {Match::Regex, "~"}}};

std::string_view sign_of(Match match) {
  for (const auto& [known, sign] : kSigns) {
    if (known == match) {
      return sign;
    }
  }
  return name_of(match);
}

class Printer {
 public:
  void node(const Node& node, bool is_where) {
    if (node.op == Node::Op::Leaf) {
      return leaf(node.leaf, is_where);
    }
    if (node.op == Node::Op::Not) {
      out += "not ";
      return node.children.empty() ? void(out += "()") : operand(node.children.front(), is_where);
    }
    if (node.children.empty()) {
      out += "()";
    }
    if (node.children.size() == 1) {
      return this->node(node.children.front(), is_where);
    }
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      out += i == 0 ? "" : node.op == Node::Op::And ? " and " : " or ";
      operand(node.children[i], is_where);
    }
  }

  std::string out;
  bool has_form = true;

 private:
  /// Compound operands stand in parentheses.
  void operand(const Node& node, bool is_where) {
    const Node* inner = &node;
    while ((inner->op == Node::Op::And || inner->op == Node::Op::Or) &&
           inner->children.size() == 1) {
      inner = &inner->children.front();
    }
    const bool is_compound =
        (inner->op == Node::Op::And || inner->op == Node::Op::Or) && !inner->children.empty();
    out += is_compound ? "(" : "";
    this->node(*inner, is_where);
    out += is_compound ? ")" : "";
  }

  void literal(const Literal& literal) {
    switch (literal.kind) {
      case Literal::Kind::Bool:
        out += literal.boolean ? "true" : "false";
        break;
      case Literal::Kind::Number:
        out += literal.text;
        break;
      case Literal::Kind::Text:
        parse_duration(literal.text) ? void(out += literal.text)
                                     : json::append_string(out, literal.text);
        break;
      case Literal::Kind::List:
        out += '[';
        for (std::size_t i = 0; i < literal.list.size(); ++i) {
          out += i == 0 ? "" : ", ";
          this->literal(literal.list[i]);
        }
        out += ']';
        break;
      default:
        has_form = false;
    }
  }

  void comparison(const Comparison& comparison) {
    out += ' ';
    out += sign_of(comparison.match);
    if (comparison.match == Match::Exists) {
      return;
    }
    out += ' ';
    const bool is_version = name_of(comparison.match).starts_with("semver_");
    // Behind `semver_…` a number is read as the text of a version.
    has_form = has_form && !(is_version && comparison.value.kind == Literal::Kind::Number);
    literal(comparison.value);
    out += comparison.ignore_case ? " ignore_case" : "";
  }

  /// A name as a path: in backticks unless it reads as the same path without.
  void path(std::string_view name, bool is_where) {
    const bool is_special = is_where
                                ? name.starts_with("context.")
                                : name.starts_with("profile.") || name.starts_with("identifier.");
    if (is_plain_path(name) && !is_special) {
      out += name;
      return;
    }
    std::string quoted;
    json::append_string(quoted, name);
    out += '`';
    for (const char c : std::string_view(quoted).substr(1, quoted.size() - 2)) {
      out += c == '`' ? "\\" : "";
      out += c;
    }
    out += '`';
  }

  void prefixed(std::string_view prefix, const std::string& name) {
    out += prefix;
    out += name;
    has_form = has_form && is_plain_path(std::string(prefix) + name);
  }

  void names(const Selector& selector) {
    if (selector.has_star) {
      out += '*';
    } else if (selector.names.size() == 1) {
      json::append_string(out, selector.names.front());
    } else if (!selector.names.empty()) {
      out += '[';
      for (std::size_t i = 0; i < selector.names.size(); ++i) {
        out += i == 0 ? "" : ", ";
        json::append_string(out, selector.names[i]);
      }
      out += ']';
    }
  }

  void selector(const Selector& selector, bool print_where) {
    const bool has_names = selector.has_star || !selector.names.empty();
    const bool has_where = print_where && selector.where;
    if (selector.kind == Selector::Kind::Track && has_names && !has_where) {
      return names(selector);
    }
    out += name_of(selector.kind);
    out += '(';
    names(selector);
    if (has_where) {
      out += has_names ? ", where: " : "where: ";
      node(*selector.where, true);
    }
    out += ')';
  }

  void window(const Window& window) {
    if (window.is_moving()) {
      out += ", " + window.from.text;
    }
    if (window.kind == Window::Kind::Between) {
      out += ", " + window.to.text;
    }
    if (window.since) {
      out += ", since: " + events::format_time(*window.since);
    }
    if (window.until) {
      out += ", until: " + events::format_time(*window.until);
    }
  }

  void event(const Leaf& leaf) {
    out += leaf.function ? name_of(*leaf.function) : "count";
    out += '(';
    selector(leaf.selector, false);
    if (leaf.function) {
      out += ", ";
      json::append_string(out, leaf.property);
    }
    window(leaf.window);
    if (leaf.selector.where) {
      out += ", where: ";
      node(*leaf.selector.where, true);
    }
    out += ')';
    comparison(leaf.comparison);
  }

  void sequence(const Leaf& leaf) {
    out += "seq(";
    for (std::size_t i = 0; i < leaf.steps.size(); ++i) {
      out += i == 0 ? "" : ", ";
      out += leaf.ends_with_not && i + 1 == leaf.steps.size() ? "not " : "";
      selector(leaf.steps[i], true);
    }
    out += leaf.max.text.empty() ? "" : ", max: " + leaf.max.text;
    window(leaf.window);
    out += ')';
  }

  void named(std::string_view function, const std::string& name) {
    out += function;
    out += '(';
    json::append_string(out, name);
    out += ')';
  }

  void leaf(const Leaf& leaf, bool is_where) {
    switch (leaf.type) {
      case Leaf::Type::Event:
        return event(leaf);
      case Leaf::Type::Sequence:
        return sequence(leaf);
      case Leaf::Type::Recency:
        out += "last_seen(";
        selector(leaf.selector, true);
        out += ')';
        return comparison(leaf.comparison);
      case Leaf::Type::Segment:
        return named("segment", leaf.name);
      case Leaf::Type::Dimension:
        return named("dimension", leaf.segment());
      case Leaf::Type::Trait:
        path(leaf.name, is_where);
        break;
      case Leaf::Type::Context:
        prefixed("context.", leaf.name);
        break;
      case Leaf::Type::Profile:
        prefixed("profile.", leaf.name);
        break;
      case Leaf::Type::Identifier:
        prefixed("identifier.", leaf.name);
        break;
      case Leaf::Type::Group:
        out += "profile.groups";
    }
    comparison(leaf.comparison);
  }
};

}  // namespace

std::optional<std::string> to_expression(const Node& tree) {
  Printer printer;
  printer.node(tree, false);
  return printer.has_form && printer.out.size() <= kMaxExpressionBytes
             ? std::optional(std::move(printer.out))
             : std::nullopt;
}

}  // namespace edge::profiles
