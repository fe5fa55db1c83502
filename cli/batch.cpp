// SPDX-License-Identifier: MIT
#include "cli/batch.h"

#include "cli/exit_code.h"
#include "cli/input.h"

namespace edge::cli {
namespace {

std::string parse_error(std::size_t line, const std::string& message) {
  json::Writer out;
  out.begin_object().key("id").null().member("line", std::uint64_t{line});
  out.member("error", "parse_error").member("message", message).end_object();
  return out.take();
}

void begin(json::Writer& out, json::Value record) {
  out.begin_object();
  if (const auto id = record.find("id")) {
    out.key("id").value(*id);
  }
}

/// The answer to one record and whether it is a yes.
std::pair<std::string, bool> answer_one(json::Value record, const BatchAnswer& answer) {
  json::Writer out;
  begin(out, record);
  const auto fine = answer(record, out);
  if (fine) {
    return {out.end_object().take(), *fine};
  }
  json::Writer refusal;
  begin(refusal, record);
  refusal.member("error", reason_of(fine.error()))
      .member("message", fine.error().message)
      .end_object();
  return {refusal.take(), false};
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

Result<int> run_batch(Call& call,
                      const std::string& path,
                      const json::Profile& profile,
                      bool fail_invalid,
                      const BatchAnswer& answer) {
  const auto lines = call.open_lines(path);
  if (!lines) {
    return Failure(lines.error());
  }
  bool all_yes = true;
  std::string line;
  while (true) {
    const auto more = (*lines)->next(line);
    if (!more) {
      return Failure(more.error());
    }
    if (!*more) {
      return fail_invalid && !all_yes ? exit_code::kNo : exit_code::kDone;
    }
    if (is_blank(line)) {
      continue;
    }
    const auto document = json::Document::parse(line, profile);
    if (!document || !document->root().is_object()) {
      call.out().write(
          parse_error((*lines)->number(),
                      document ? "a record must be a JSON object" : document.error().message) +
          "\n");
      all_yes = false;
      continue;
    }
    auto [text, yes] = answer_one(document->root(), answer);
    call.out().write(text + "\n");
    all_yes = all_yes && yes;
  }
}

}  // namespace edge::cli
