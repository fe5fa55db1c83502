// SPDX-License-Identifier: MIT
#include "core/events/event.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {
namespace {

using json::Writer;

void write_literal(Writer& out, const Literal& literal) {
  switch (literal.kind) {
    case Literal::Kind::None:
    case Literal::Kind::Null:
      out.null();
      break;
    case Literal::Kind::Bool:
      out.boolean(literal.boolean);
      break;
    case Literal::Kind::Text:
      out.string(literal.text);
      break;
    case Literal::Kind::Number:
    case Literal::Kind::Object:
      out.raw(literal.text);
      break;
    case Literal::Kind::List:
      out.begin_array();
      for (const Literal& element : literal.list) {
        write_literal(out, element);
      }
      out.end_array();
  }
}

void write_comparison(Writer& out, const Comparison& comparison) {
  out.member("match", name_of(comparison.match));
  if (comparison.value.kind != Literal::Kind::None) {
    write_literal(out.key("value"), comparison.value);
  }
  if (comparison.ignore_case) {
    out.member("ignoreCase", true);
  }
}

void write_node(Writer& out, const Node& node, bool is_where);

void write_selector(Writer& out, const Selector& selector) {
  const bool is_track = selector.kind == Selector::Kind::Track;
  if (!is_track) {
    out.member("kind", name_of(selector.kind));
  }
  const std::string_view member = is_track ? "event" : "name";
  if (selector.has_star) {
    out.member(member, "*");
  } else if (selector.names.size() == 1 && selector.names.front() != "*") {
    out.member(member, selector.names.front());
  } else if (!selector.names.empty()) {
    out.key(member).begin_array();
    for (const std::string& name : selector.names) {
      out.string(name);
    }
    out.end_array();
  }
  if (selector.where) {
    write_node(out.key("where"), *selector.where, true);
  }
}

void write_window(Writer& out, const Window& window) {
  if (window.kind == Window::Kind::Within) {
    out.member("within", window.from.text);
  } else if (window.kind == Window::Kind::Between) {
    out.key("between").begin_array().string(window.from.text).string(window.to.text).end_array();
  }
  if (window.since) {
    out.member("since", events::format_time(*window.since));
  }
  if (window.until) {
    out.member("until", events::format_time(*window.until));
  }
}

void write_event(Writer& out, const Leaf& leaf) {
  out.member("type", "event");
  write_selector(out, leaf.selector);
  write_window(out, leaf.window);
  if (leaf.function) {
    out.key("aggregate").begin_object();
    out.member("fn", name_of(*leaf.function)).member("property", leaf.property);
  } else {
    out.key("count").begin_object();
  }
  write_comparison(out, leaf.comparison);
  out.end_object();
}

void write_sequence(Writer& out, const Leaf& leaf) {
  out.member("type", "sequence").key("steps").begin_array();
  for (std::size_t i = 0; i < leaf.steps.size(); ++i) {
    const bool is_negated = leaf.ends_with_not && i + 1 == leaf.steps.size();
    out.begin_object();
    if (is_negated) {
      out.key("not").begin_object();
    }
    write_selector(out, leaf.steps[i]);
    if (is_negated) {
      out.end_object();
    }
    out.end_object();
  }
  out.end_array();
  if (!leaf.max.text.empty()) {
    out.member("max", leaf.max.text);
  }
  write_window(out, leaf.window);
}

void write_leaf(Writer& out, const Leaf& leaf, bool is_where) {
  switch (leaf.type) {
    case Leaf::Type::Trait:
      if (!is_where) {
        out.member("type", "custom_attribute");
      }
      out.member("name", leaf.name);
      return write_comparison(out, leaf.comparison);
    case Leaf::Type::Context:
      out.member("type", "context").member("name", leaf.name);
      return write_comparison(out, leaf.comparison);
    case Leaf::Type::Event:
      return write_event(out, leaf);
    case Leaf::Type::Recency:
      out.member("type", "recency");
      write_selector(out, leaf.selector);
      return write_comparison(out, leaf.comparison);
    case Leaf::Type::Sequence:
      return write_sequence(out, leaf);
    case Leaf::Type::Segment:
      out.member("type", "segment").member("name", leaf.name);
      return;
    case Leaf::Type::Dimension:
      out.member("type", "third_party_dimension");
      if (!leaf.name.empty()) {
        out.member("name", leaf.name);
      }
      out.member("match", "qualified").member("value", leaf.segment());
      return;
    case Leaf::Type::Profile:
    case Leaf::Type::Identifier:
      out.member("type", leaf.type == Leaf::Type::Profile ? "profile" : "identifier");
      out.member("name", leaf.name);
      return write_comparison(out, leaf.comparison);
    case Leaf::Type::Group:
      out.member("type", "group");
      return write_comparison(out, leaf.comparison);
  }
}

void write_node(Writer& out, const Node& node, bool is_where) {
  if (node.op == Node::Op::Leaf) {
    out.begin_object();
    write_leaf(out, node.leaf, is_where);
    out.end_object();
    return;
  }
  out.begin_array().string(node.op == Node::Op::And  ? "and"
                           : node.op == Node::Op::Or ? "or"
                                                     : "not");
  for (const Node& child : node.children) {
    write_node(out, child, is_where);
  }
  out.end_array();
}

}  // namespace

void write_conditions(Writer& out, const Node& tree) {
  write_node(out, tree, false);
}

std::string to_json(const Node& tree) {
  Writer out;
  write_conditions(out, tree);
  return out.take();
}

}  // namespace edge::profiles
