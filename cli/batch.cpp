// SPDX-License-Identifier: MIT
#include "cli/batch.h"

#include <algorithm>
#include <exception>
#include <span>
#include <thread>
#include <vector>

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

struct Line {
  std::string text = {};
  std::size_t number = 0;
};

/// Answers of some lines, joined, and whether all were a yes.
struct Answers {
  std::string text = {};
  bool all_yes = true;
  std::exception_ptr fault = {};
};

void answer_line(const Line& line,
                 const json::Profile& profile,
                 const BatchAnswer& answer,
                 Answers& answers) {
  const auto document = json::Document::parse(line.text, profile);
  if (!document || !document->root().is_object()) {
    answers.text += parse_error(
        line.number, document ? "a record must be a JSON object" : document.error().message);
    answers.all_yes = false;
  } else {
    const auto [text, yes] = answer_one(document->root(), answer);
    answers.text += text;
    answers.all_yes = answers.all_yes && yes;
  }
  answers.text += '\n';
}

Answers answer_lines(std::span<const Line> lines, const Batch& batch, const BatchAnswer& answer) {
  Answers answers;
  try {
    for (const Line& line : lines) {
      answer_line(line, batch.profile, answer, answers);
    }
  } catch (...) {
    answers.fault = std::current_exception();  // rethrown on the thread that waits
  }
  return answers;
}

/// Splits the lines among the workers; the answers come in the order of the lines.
std::vector<Answers> answer_block(const std::vector<Line>& lines,
                                  const Batch& batch,
                                  const BatchAnswer& answer) {
  const std::size_t share = (lines.size() + batch.workers - 1) / batch.workers;
  std::vector<Answers> parts((lines.size() + share - 1) / share);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      threads.emplace_back([&, i] {
        const std::size_t from = i * share;
        parts[i] = answer_lines(
            std::span(lines).subspan(from, std::min(share, lines.size() - from)), batch, answer);
      });
    }
    parts[0] = answer_lines(std::span(lines).first(std::min(share, lines.size())), batch, answer);
  }
  return parts;
}

}  // namespace

Result<int> run_batch(Call& call, const Batch& batch, const BatchAnswer& answer) {
  // One worker answers line by line, so that somebody who types gets answers.
  constexpr std::size_t kLinesPerWorker = 128;
  const std::size_t block_size = batch.workers == 1 ? 1 : batch.workers * kLinesPerWorker;
  const auto lines = call.open_lines(batch.path);
  if (!lines) {
    return Failure(lines.error());
  }
  bool all_yes = true;
  bool has_more = true;
  std::vector<Line> block;
  while (has_more) {
    block.clear();
    while (has_more && block.size() < block_size) {
      Line line;
      const auto more = (*lines)->next_filled(line.text);
      if (!more) {
        return Failure(more.error());
      }
      has_more = *more;
      if (has_more) {
        line.number = (*lines)->number();
        block.push_back(std::move(line));
      }
    }
    if (block.empty()) {
      break;
    }
    for (const Answers& answers : answer_block(block, batch, answer)) {
      if (answers.fault) {
        std::rethrow_exception(answers.fault);
      }
      call.out().write(answers.text);
      all_yes = all_yes && answers.all_yes;
    }
  }
  return batch.fail_invalid && !all_yes ? exit_code::kNo : exit_code::kDone;
}

}  // namespace edge::cli
