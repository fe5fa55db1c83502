// SPDX-License-Identifier: MIT
// Recursive descent over the tokens. The tree is built as the JSON reader would build it; its
// bounds (nodes, windows, names) are checked by that reader in the end, so that both forms obey one
// set of rules.
#include "core/profiles/segments/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding/utf8.h"
#include "core/events/event.h"
#include "core/profiles/segments/tokens.h"

namespace edge::profiles {
namespace {

using Kind = Token::Kind;

constexpr std::array<std::pair<std::string_view, Match>, 23> kOperators = {
    {{"=", Match::Exact},
     {"==", Match::Exact},
     {"!=", Match::Ne},
     {">", Match::Gt},
     {">=", Match::Ge},
     {"<", Match::Lt},
     {"<=", Match::Le},
     {"~", Match::Regex},
     {"contains", Match::Contains},
     {"starts_with", Match::StartsWith},
     {"ends_with", Match::EndsWith},
     {"substring", Match::Substring},
     {"in", Match::In},
     {"before", Match::Before},
     {"after", Match::After},
     {"within_last", Match::WithinLast},
     {"within_next", Match::WithinNext},
     {"older_than", Match::OlderThan},
     {"beyond_next", Match::BeyondNext},
     {"semver_eq", Match::SemverEq},
     {"semver_lt", Match::SemverLt},
     {"semver_gt", Match::SemverGt},
     {"semver_le", Match::SemverLe}}};

/// Keeps the first failure; a rule that sees one gives up at once.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, ExpressionOptions options)
      : text_(text), tokens_(std::move(tokens)), options_(options), in_where_(options.only_paths) {}

  Result<Node> run() {
    Node node = disjunction();
    if (!error_ && peek().kind != Kind::End) {
      fail("and, or or the end is expected");
    }
    if (error_) {
      return Failure(std::move(*error_));
    }
    return node;
  }

 private:
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view word) {
    if (!peek().is(word)) {
      return false;
    }
    take();
    return true;
  }
  void expect(std::string_view symbol) {
    if (!accept(symbol)) {
      fail(fmt::format("\"{}\" is expected", symbol));
    }
  }
  /// Notes what would fit in the place of the present token.
  void fail(const std::string& wish) {
    if (!error_) {
      const Token& token = peek();
      error_ = expression_error(text_,
                                token.at,
                                token.kind == Kind::End
                                    ? fmt::format("{}, but the expression ends", wish)
                                    : fmt::format("{}, not \"{}\"", wish, token.text));
    }
  }

  Node chain(std::string_view word, Node::Op op, Node (Parser::*operand)()) {
    Node first = (this->*operand)();
    if (peek().is(word)) {
      Node all{.op = op};
      all.children.push_back(std::move(first));
      while (!error_ && accept(word)) {
        all.children.push_back((this->*operand)());
      }
      first = std::move(all);
    }
    return first;
  }
  Node disjunction() { return chain("or", Node::Op::Or, &Parser::conjunction); }
  Node conjunction() { return chain("and", Node::Op::And, &Parser::negation); }

  Node negation() {
    if (!accept("not")) {
      return primary();
    }
    Node node{.op = Node::Op::Not};
    if (descend()) {
      node.children.push_back(negation());
      --depth_;
    }
    return node;
  }

  /// One level further down: a `not` or a parenthesis, as a list is in JSON.
  bool descend() {
    if (++depth_ > kMaxConditionDepth) {
      fail(fmt::format("at most {} levels of nesting are allowed", kMaxConditionDepth));
    }
    return !error_;
  }

  Node primary() {
    if (error_) {
      return {};
    }
    if (accept("(")) {
      if (accept(")")) {
        return {};  // an empty list: undecided
      }
      if (!descend()) {
        return {};
      }
      Node inner = disjunction();
      expect(")");
      --depth_;
      return inner;
    }
    Node node{.op = Node::Op::Leaf};
    if (accept("exists")) {
      node.leaf = path();
      node.leaf.comparison.match = Match::Exists;
    } else if (peek().kind == Kind::Word && peek(1).is("(")) {
      node.leaf = function();
    } else {
      node.leaf = path();
      comparison(node.leaf.comparison, true);
    }
    return node;
  }

  Leaf path() {
    const Token& token = peek();
    const bool is_word = token.kind == Kind::Word && !is_reserved(token.text);
    if (!is_word && token.kind != Kind::Path) {
      fail("a path or a function is expected");
      return {};
    }
    const std::string name = take().text;
    const auto rest = [&](std::string_view prefix) { return name.substr(prefix.size()); };
    if (is_word && in_where_ && !options_.only_paths && name.starts_with("context.")) {
      return {.type = Leaf::Type::Context, .name = rest("context.")};
    }
    if (is_word && !in_where_ && name == "profile.groups") {
      return {.type = Leaf::Type::Group};
    }
    if (is_word && !in_where_ && name.starts_with("profile.")) {
      return {.type = Leaf::Type::Profile, .name = rest("profile.")};
    }
    if (is_word && !in_where_ && name.starts_with("identifier.")) {
      return {.type = Leaf::Type::Identifier, .name = rest("identifier.")};
    }
    return {.name = name};
  }

  void comparison(Comparison& comparison, bool allow_exists) {
    if (allow_exists && accept("exists")) {
      comparison.match = Match::Exists;
      return;
    }
    if (peek().is("not") && peek(1).is("in")) {
      take();
      take();
      comparison.match = Match::NotIn;
    } else {
      const Token& token = peek();
      const auto* const found =
          std::ranges::find_if(kOperators, [&](const auto& one) { return token.is(one.first); });
      const bool is_last = token.is("semver_ge");
      if ((found == kOperators.end() && !is_last) || (token.is("~") && !options_.allow_regex)) {
        fail("a comparison is expected");
        return;
      }
      comparison.match = is_last ? Match::SemverGe : found->second;
      take();
    }
    comparison.value = literal(true);
    if (is_version(comparison.match) && comparison.value.kind == Literal::Kind::Number) {
      comparison.value = Literal::of(comparison.value.text);  // 2.1 looks like a number
    }
    comparison.ignore_case = accept("ignore_case");
  }

  static bool is_version(Match match) {
    return match == Match::SemverEq || match == Match::SemverLt || match == Match::SemverGt ||
           match == Match::SemverLe || match == Match::SemverGe;
  }

  Literal literal(bool allow_list) {
    const Token& token = peek();
    if (token.is("[") && allow_list) {
      return list();
    }
    switch (token.kind) {
      case Kind::Text:
      case Kind::Duration:
      case Kind::Date:
        return Literal::of(take().text);
      case Kind::Number: {
        const auto parsed = json::Document::parse(token.text, json::kApi);
        return {.kind = Literal::Kind::Number,
                .number = parsed->root().as_double().value_or(0),
                .text = take().text};
      }
      case Kind::Word:
        if (token.is("true") || token.is("false")) {
          return {.kind = Literal::Kind::Bool, .boolean = take().text == "true"};
        }
        if (!is_reserved(token.text) && !peek(1).is("(")) {
          return Literal::of(take().text);
        }
        break;
      default:
        break;
    }
    fail("a value is expected");
    return {};
  }

  Literal list() {
    Literal list{.kind = Literal::Kind::List};
    expect("[");
    while (!error_ && !peek().is("]")) {
      list.list.push_back(literal(false));
      if (!peek().is("]")) {
        expect(",");
      }
    }
    expect("]");
    return list;
  }

  std::string text(std::string_view wish) {
    const bool is_bare = peek().kind == Kind::Word && !is_reserved(peek().text);
    if (peek().kind != Kind::Text && !is_bare) {
      fail(fmt::format("{} is expected", wish));
      return {};
    }
    return take().text;
  }

  Duration duration() {
    if (peek().kind != Kind::Duration) {
      fail("a duration such as 7d is expected");
      return {};
    }
    return parse_duration(take().text).value_or(Duration{});
  }

  Time time() {
    const Token& token = peek();
    const bool fits =
        token.kind == Kind::Date || token.kind == Kind::Text || token.kind == Kind::Number;
    const auto parsed = fits ? events::parse_time(token.text) : std::nullopt;
    if (!parsed) {
      fail("a time such as 2026-03-01T00:00:00Z is expected");
      return {};
    }
    take();
    return *parsed;
  }

  Leaf function() {
    const Token name = peek();
    if (in_where_) {
      fail("a path is expected: here are no functions");
      return {};
    }
    const bool is_known = name.is("count") || name.is("did") || name.is("last_seen") ||
                          name.is("seq") || name.is("segment") || name.is("dimension") ||
                          function_of(name.text);
    if (!is_known) {
      fail(
          "one of count, did, sum, avg, min, max, unique, first, last, last_seen, seq, segment, "
          "dimension is expected");
      return {};
    }
    take();
    expect("(");
    if (name.is("segment") || name.is("dimension")) {
      const std::string segment = text("the name of a segment");
      expect(")");
      return name.is("segment") ? Leaf{.type = Leaf::Type::Segment, .name = segment}
                                : Leaf{.type = Leaf::Type::Dimension,
                                       .name = "odp.audiences",
                                       .comparison = {.value = Literal::of(segment)}};
    }
    return name.is("seq") ? sequence() : name.is("last_seen") ? recency() : counted(name.text);
  }

  Leaf counted(const std::string& name) {
    Leaf leaf{.type = Leaf::Type::Event, .selector = selector()};
    leaf.function = function_of(name);
    if (leaf.function) {
      expect(",");
      leaf.property = text("the name of a property");
    }
    arguments(leaf);
    expect(")");
    if (name == "did") {
      leaf.comparison = {.match = Match::Ge, .value = Literal::of(1.0)};
    } else {
      comparison(leaf.comparison, true);
    }
    return leaf;
  }

  Leaf recency() {
    Leaf leaf{.type = Leaf::Type::Recency, .selector = selector()};
    expect(")");
    comparison(leaf.comparison, false);
    leaf.max = parse_duration(leaf.comparison.value.text).value_or(Duration{});
    return leaf;
  }

  Leaf sequence() {
    Leaf leaf{.type = Leaf::Type::Sequence};
    while (!error_) {
      leaf.ends_with_not = accept("not");
      leaf.steps.push_back(selector());
      const bool has_more =
          peek().is(",") && (peek(1).kind == Kind::Text || peek(1).is("not") || peek(1).is("*") ||
                             peek(1).is("[") || (peek(1).kind == Kind::Word && !peek(2).is(":")));
      if (!has_more || leaf.ends_with_not) {
        break;
      }
      take();
    }
    arguments(leaf);
    expect(")");
    return leaf;
  }

  Selector selector() {
    Selector selector;
    const auto kind =
        peek().kind == Kind::Word && peek(1).is("(") ? selector_kind_of(peek().text) : std::nullopt;
    if (!kind) {
      names(selector);
      return selector;
    }
    take();
    take();
    selector.kind = *kind;
    if (!peek().is(")") && !peek(1).is(":")) {
      names(selector);
      if (!peek().is(")")) {
        expect(",");
      }
    }
    if (peek().is("where")) {
      where(selector);
    }
    expect(")");
    return selector;
  }

  void names(Selector& selector) {
    if (accept("*")) {
      selector.has_star = true;
    } else if (accept("[")) {
      do {
        selector.names.push_back(text("the name of an event"));
      } while (!error_ && accept(","));
      expect("]");
    } else {
      selector.names.push_back(text("the name of an event, *, page(…), screen(…) or any()"));
    }
  }

  void where(Selector& selector) {
    take();
    expect(":");
    if (selector.where) {
      fail("only one where is allowed");
      return;
    }
    in_where_ = true;
    selector.where = std::make_shared<const Node>(disjunction());
    in_where_ = false;
  }

  void arguments(Leaf& leaf) {
    Window& window = leaf.window;
    while (!error_ && accept(",")) {
      if (peek().kind == Kind::Duration && window.kind != Window::Kind::Between) {
        const bool is_second = window.kind == Window::Kind::Within;
        (is_second ? window.to : window.from) = duration();
        window.kind = is_second ? Window::Kind::Between : Window::Kind::Within;
      } else if (peek().is("where") && leaf.type == Leaf::Type::Event) {
        where(leaf.selector);
      } else if (peek().is("max") && leaf.type == Leaf::Type::Sequence) {
        take();
        expect(":");
        leaf.max = duration();
      } else if (peek().is("since") || peek().is("until")) {
        auto& bound = take().is("since") ? window.since : window.until;
        expect(":");
        bound = time();
        window.kind = window.kind == Window::Kind::Always ? Window::Kind::Absolute : window.kind;
      } else {
        fail(leaf.type == Leaf::Type::Event ? "a duration, where:, since: or until: is expected"
                                            : "max:, a duration, since: or until: is expected");
      }
    }
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  ExpressionOptions options_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
  bool in_where_;
  std::optional<Error> error_;
};

bool has_regex(const Node& node) {
  bool found = node.op == Node::Op::Leaf && node.leaf.comparison.match == Match::Regex;
  for (const Node& child : node.children) {
    found = found || has_regex(child);
  }
  return found;
}

}  // namespace

Result<Node> parse_expression(std::string_view text, const ExpressionOptions& options) {
  if (text.size() > kMaxExpressionBytes || !encoding::is_utf8(text)) {
    return Failure(
        {.code = ErrorCode::InvalidArgument,
         .message = fmt::format("an expression is UTF-8 of at most {} octets", kMaxExpressionBytes),
         .field = "/when",
         .reason = "bad_expression"});
  }
  auto tokens = tokens_of(text);
  if (!tokens) {
    return Failure(tokens.error());
  }
  auto tree = Parser(text, std::move(*tokens), options).run();
  if (!tree || options.only_paths || has_regex(*tree)) {
    return tree;
  }
  const auto document = json::Document::parse(to_json(*tree), json::kEvent);
  auto checked = document ? read_conditions(document->root(), "/when") : Failure(document.error());
  if (!checked) {
    Error error = checked.error();
    error.field = "/when";
    error.reason = "bad_expression";
    return Failure(std::move(error));
  }
  return checked;
}

}  // namespace edge::profiles
