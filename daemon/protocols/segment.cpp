// SPDX-License-Identifier: MIT
// The public tracking protocol that Segment's and RudderStack's clients speak (events spec 2.1
// to 2.4). Clients in the field throw events away on a 4xx and repeat on a 5xx, so the statuses and
// bodies here are exact: success is 200 with `success`, errors have top-level `code` and `message`.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/events/batch.h"
#include "core/events/ingest.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::protocols {
namespace {

using events::Outcome;
using Outcomes = std::vector<Outcome>;

constexpr std::size_t kMaxErrors = 100;
constexpr std::string_view kSuccess = R"({"success":true})";

struct Counts {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
};

Counts count(const Outcomes& outcomes) {
  Counts counts;
  for (const Outcome& outcome : outcomes) {
    counts.accepted +=
        outcome.status == Outcome::Status::Stored || outcome.status == Outcome::Status::Withheld
            ? 1
            : 0;
    counts.duplicates += outcome.status == Outcome::Status::Duplicate ? 1 : 0;
    counts.rejected += outcome.status == Outcome::Status::Refused ? 1 : 0;
  }
  return counts;
}

void write_counts(json::Writer& out, const Outcomes& outcomes, const Counts& counts) {
  out.member("accepted", counts.accepted)
      .member("duplicates", counts.duplicates)
      .member("rejected", counts.rejected);
  out.key("errors").begin_array();
  std::size_t written = 0;
  for (std::size_t i = 0; i < outcomes.size() && written < kMaxErrors; ++i) {
    const Outcome& outcome = outcomes[i];
    if (outcome.status != Outcome::Status::Refused) {
      continue;
    }
    out.begin_object().member("index", std::uint64_t{i});
    if (!outcome.id.empty()) {
      out.member("messageId", outcome.id.text);
    }
    out.member("code", outcome.error.reason).member("message", outcome.error.message).end_object();
    ++written;
  }
  out.end_array();
  if (counts.rejected > kMaxErrors) {
    out.member("errorsTruncated", true);
  }
}

http::Response plain_success() {
  http::Response response;
  response.type("application/json").fixed_body(kSuccess);
  return response;
}

/// The answer to events that the store has taken (spec 2.4). `is_batch`: with counters when not all
/// is well.
http::Response answer(const Outcomes& outcomes, bool is_batch, bool is_verbose) {
  const Counts counts = count(outcomes);
  if (counts.rejected == 0 && !is_verbose) {
    return plain_success();
  }
  const bool is_success = counts.rejected == 0 || counts.rejected < outcomes.size();
  json::Writer out;
  out.begin_object().member("success", is_success);
  if (!is_success) {
    const Error& first = outcomes.front().error;
    out.member("code", first.reason).member("message", first.message);
  }
  if (is_batch || is_success) {
    write_counts(out, outcomes, counts);
  }
  out.end_object();
  return http::json(out, is_success ? 200 : 400);
}

/// What is told where the problem itself says nothing.
std::string_view text_of(const http::Problem& problem) {
  switch (problem.status) {
    case 404:
      return "there is nothing at this path";
    case 405:
      return "the path takes other methods: see Allow";
    default:
      return problem.code;
  }
}

/// Errors of the surface: `{"success":false,"code","message"}`; never a WWW-Authenticate, which
/// would open a dialogue.
void print_problem(const http::Request& /*request*/,
                   const http::Problem& problem,
                   http::Response& out) {
  json::Writer body;
  body.begin_object()
      .member("success", false)
      .member("code", problem.code)
      .member("message", problem.detail.empty() ? text_of(problem) : problem.detail)
      .end_object();
  out.type("application/json").body(body.take());
}

bool is_verbose(const http::Request& request) {
  return request.header("Prefer").value_or("").find("return=representation") !=
             std::string_view::npos ||
         request.query_value("verbose") == "1";
}

/// `type`: the type of the route, nothing for a batch.
void take(Edge& edge, const http::Exchange& exchange, std::optional<events::Type> type) {
  const http::Request& request = exchange.request();
  const auto unpacked = routes::unpack(request, routes::max_body(edge));
  if (!unpacked) {
    return exchange.fail(unpacked.error());
  }
  const auto body = json::Document::parse(*unpacked ? std::string_view(**unpacked) : request.body(),
                                          json::kEvent);
  auto batch = body ? (type ? events::read_single(*body, *type) : events::read_batch(*body))
                    : Failure({ErrorCode::InvalidArgument, body.error().message, {}, "bad_json"});
  const auto source =
      routes::sender_of(edge, request, batch ? batch->write_key : std::string_view{});
  if (!source) {
    return exchange.fail(source.error());
  }
  if (!batch) {
    return exchange.fail(batch.error());
  }
  if (auto fits = routes::check_count(edge, batch->events.size()); !fits) {
    return exchange.fail(std::move(fits.error()));
  }
  batch->envelope.channel = (*source)->kind;
  edge.ingest.accept(
      batch->events,
      batch->envelope,
      routes::origin_of(request, **source),
      [exchange, is_batch = !type, verbose = is_verbose(request)](Result<Outcomes> outcomes) {
        if (!outcomes) {
          return exchange.fail(outcomes.error());
        }
        exchange.complete(answer(*outcomes, is_batch, verbose));
      });
}

constexpr std::array<std::pair<std::string_view, events::Type>, 12> kSingles = {
    {{"track", events::Type::Track},
     {"t", events::Type::Track},
     {"page", events::Type::Page},
     {"p", events::Type::Page},
     {"screen", events::Type::Screen},
     {"s", events::Type::Screen},
     {"identify", events::Type::Identify},
     {"i", events::Type::Identify},
     {"group", events::Type::Group},
     {"g", events::Type::Group},
     {"alias", events::Type::Alias},
     {"a", events::Type::Alias}}};
constexpr std::array<std::string_view, 4> kBatches = {"batch", "import", "b", "batch/b"};

}  // namespace

void segment(Mount& mount) {
  const RouteOptions takes{.needs = Public,
                           .surface = Surface::Tracking,
                           .max_body = routes::max_body(mount.edge),
                           .accepts = Accepts::Packed,
                           .any_host = true,
                           .authenticates = false};
  mount.claim(Surface::Tracking,
              {"/v1", "/segment", "/beacon", "/pixel/v1", "/projects", "/sourceConfig"},
              print_problem);
  const auto takes_batch = [&edge = mount.edge](const http::Exchange& exchange) {
    take(edge, exchange, std::nullopt);
  };
  for (const std::string_view root : routes::kTrackingRoots) {
    const std::string prefix = std::string(root) + "/v1/";
    for (const std::string_view name : kBatches) {
      mount.post(prefix + std::string(name), takes, takes_batch);
    }
    for (const auto& [name, type] : kSingles) {
      mount.post(prefix + std::string(name),
                 takes,
                 [&edge = mount.edge, type = type](const http::Exchange& exchange) {
                   take(edge, exchange, type);
                 });
    }
    mount.post(std::string(root) + "/beacon/v1/batch", takes, takes_batch);
    mount.post(prefix + "m", takes, [](const http::Request&) { return plain_success(); });
  }
}

}  // namespace edge::protocols
