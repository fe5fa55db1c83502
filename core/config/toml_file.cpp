// SPDX-License-Identifier: MIT
#include "core/config/toml_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace {
[[noreturn]] void refuse_toml() {
  throw std::runtime_error("malformed");
}
}  // namespace

// toml++ 3.3 asserts what malformed input can violate (`[[[`), and takes it for granted in release
// builds. The macros are the library's own way to say what shall happen instead.
#undef NDEBUG
#define TOML_ASSERT(expr) \
  ((expr) ? void() : refuse_toml())  // NOLINT(cppcoreguidelines-macro-usage)
#include <toml++/toml.h>

#include "core/json/writer.h"

namespace edge::config {
namespace {

void append_json(json::Writer& out, const toml::node& node);

void append_table(json::Writer& out, const toml::table& table) {
  out.begin_object();
  std::vector<std::pair<toml::source_position, std::string_view>> order;
  for (const auto& [key, value] : table) {
    order.emplace_back(key.source().begin, key.str());
  }
  std::sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
    return left.first < right.first;
  });
  for (const auto& [position, name] : order) {
    out.key(name);
    append_json(out, *table.get(name));
  }
  out.end_object();
}

template <typename T>
std::string printed(const T& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

void append_json(json::Writer& out, const toml::node& node) {
  if (const auto* table = node.as_table()) {
    append_table(out, *table);
  } else if (const auto* array = node.as_array()) {
    out.begin_array();
    for (const toml::node& element : *array) {
      append_json(out, element);
    }
    out.end_array();
  } else if (const auto text = node.value_exact<std::string>()) {
    out.string(*text);
  } else if (const auto flag = node.value_exact<bool>()) {
    out.boolean(*flag);
  } else if (const auto whole = node.value_exact<std::int64_t>()) {
    out.integer(*whole);
  } else if (const auto number = node.value_exact<double>()) {
    out.number(*number);
  } else if (const auto* date = node.as_date_time()) {
    out.string(printed(date->get()));
  } else if (const auto* day = node.as_date()) {
    out.string(printed(day->get()));
  } else if (const auto* time = node.as_time()) {
    out.string(printed(time->get()));
  }
}

/// Where each line begins, to turn positions into offsets.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') {
        starts_.push_back(i + 1);
      }
    }
  }
  /// Columns count code points, from 1.
  [[nodiscard]] std::size_t offset(const toml::source_position& position) const {
    if (position.line == 0 || position.line > starts_.size()) {
      return text_.size();
    }
    std::size_t at = starts_[position.line - 1];
    for (std::size_t column = 1; column < position.column && at < text_.size(); ++column) {
      ++at;
      while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80U) {
        ++at;
      }
    }
    return at;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

std::vector<TomlNode> members_of(const toml::table& table, const Lines& lines);

bool is_list_of_texts(const toml::array& array) {
  return std::all_of(array.begin(), array.end(), [](const auto& one) { return one.is_string(); });
}

void read_array(const toml::array& array, TomlNode& node) {
  if (is_list_of_texts(array)) {
    node.kind = TomlKind::Texts;
    for (const toml::node& element : array) {
      node.texts.push_back(element.value_or(std::string()));
    }
    return;
  }
  if (!array.is_array_of_tables()) {
    return;
  }
  node.kind = TomlKind::Tables;
  for (const toml::node& element : array) {
    json::Writer out;
    append_json(out, element);
    node.tables.push_back(out.take());
    node.table_lines.push_back(element.source().begin.line);
  }
}

TomlNode node_of(std::string_view name, const toml::node& value, const Lines& lines) {
  const toml::source_region& source = value.source();
  TomlNode node{.name = std::string(name),
                .line = source.begin.line,
                .column = source.begin.column,
                .value_begin = lines.offset(source.begin),
                .value_end = lines.offset(source.end)};
  if (const auto* table = value.as_table()) {
    node.kind = TomlKind::Table;
    node.members = members_of(*table, lines);
  } else if (const auto* array = value.as_array()) {
    read_array(*array, node);
  } else if (const auto text = value.value_exact<std::string>()) {
    node.kind = TomlKind::Text;
    node.text = *text;
  } else if (const auto flag = value.value_exact<bool>()) {
    node.kind = TomlKind::Boolean;
    node.text = *flag ? "true" : "false";
  } else if (const auto whole = value.value_exact<std::int64_t>()) {
    node.kind = TomlKind::Whole;
    node.text = std::to_string(*whole);
  }
  return node;
}

std::vector<TomlNode> members_of(const toml::table& table, const Lines& lines) {
  std::vector<TomlNode> members;
  for (const auto& [key, value] : table) {
    TomlNode node = node_of(key.str(), value, lines);
    if (key.source().begin.line != 0) {
      node.line = key.source().begin.line;
      node.column = key.source().begin.column;
    }
    members.push_back(std::move(node));
  }
  std::sort(members.begin(), members.end(), [](const TomlNode& left, const TomlNode& right) {
    return std::pair(left.line, left.column) < std::pair(right.line, right.column);
  });
  return members;
}

}  // namespace

Result<std::vector<TomlNode>> parse_toml(std::string_view text, const std::string& name) {
  try {
    const toml::table table = toml::parse(text, name);
    return members_of(table, Lines(text));
  } catch (const toml::parse_error& error) {
    std::string why(error.description());
    if (why.starts_with("Error while parsing ")) {
      why = why.substr(std::string_view("Error while parsing ").size());
    }
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format(
             "{}:{}:{}: {}", name, error.source().begin.line, error.source().begin.column, why),
         {},
         "config_invalid"});
  } catch (const std::runtime_error& error) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("{}: {}", name, error.what()),
                    {},
                    "config_invalid"});
  }
}

}  // namespace edge::config
