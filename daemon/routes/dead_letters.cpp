// SPDX-License-Identifier: MIT
// Dead letters: list, show, hand back for delivery, remove (events spec 8.5).
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/delivery/report.h"
#include "core/edge.h"
#include "core/json/members.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::size_t kMostItems = 200;

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

/// Where the next page begins, and how many letters there were when the first was asked for: they
/// are counted once, `CURSOR~TOTAL`.
struct Cursor {
  std::string letter = {};
  std::optional<std::uint64_t> total = {};

  static Cursor read(std::string_view text) {
    const std::size_t mark = text.find(kMark);
    const std::string_view digits = text.substr(std::min(text.size(), mark + 1));
    std::uint64_t total = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), total);
    const bool is_known = mark != std::string_view::npos && error == std::errc{} &&
                          end == digits.data() + digits.size();
    return {.letter = std::string(text.substr(0, mark)),
            .total = is_known ? std::optional(total) : std::nullopt};
  }
  [[nodiscard]] std::string text() const {
    return letter + kMark + std::to_string(total.value_or(0));
  }

 private:
  static constexpr char kMark = '~';  // not in ids
};

Result<http::Response> list(Edge& edge, const http::Request& request) {
  Cursor cursor = Cursor::read(request.query_value("cursor").value_or(""));
  delivery::LetterQuery query{.destination = request.query_value("destination").value_or(""),
                              .reason = request.query_value("reason").value_or(""),
                              .cursor = cursor.letter};
  if (const auto limit = request.query_value("limit")) {
    const auto [end, error] =
        std::from_chars(limit->data(), limit->data() + limit->size(), query.limit);
    if (error != std::errc{} || end != limit->data() + limit->size() || query.limit == 0 ||
        query.limit > kMostItems) {
      return Failure(wrong("limit must be a number from 1 to 200", "limit"));
    }
  }
  const auto page = edge.forwarders.dead_letters().list(query);
  if (!page) {
    return Failure(page.error());
  }
  if (!cursor.total) {
    const auto total = edge.forwarders.dead_letters().count(query);
    if (!total) {
      return Failure(total.error());
    }
    cursor.total = *total;
  }
  json::Writer out;
  out.begin_object().key("items").begin_array();
  for (const delivery::DeadLetter& letter : page->items) {
    out.begin_object();
    delivery::write_letter(out, letter, false);
    out.end_object();
  }
  out.end_array().member("total", *cursor.total).key("next");
  if (page->next) {
    cursor.letter = *page->next;
    out.string(cursor.text());
  } else {
    out.null();
  }
  out.end_object();
  return http::json(out);
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  return edge.forwarders.dead_letters()
      .find(std::string(request.param("id")))
      .map([](const delivery::DeadLetter& letter) {
        json::Writer out;
        out.begin_object();
        delivery::write_letter(out, letter, true);
        out.end_object();
        return http::json(out);
      });
}

/// `{"ids":[…]}`, or `{"destination","reason"}`, or `{"all":true}`, and `"rate"`.
Result<delivery::Replayed> hand_back(delivery::DeadLetters& letters, json::Value body) {
  const auto given = body.find("rate");
  const auto rate = given ? destinations::rate_of(*given) : 0;
  if (!rate) {
    return Failure(wrong("rate must be letters per second or like \"30/m\"", "/rate"));
  }
  if (const auto ids = body.find("ids")) {
    std::vector<std::string> wanted;
    bool is_good = ids->is_array();
    for (const json::Value id : ids->elements()) {
      is_good = is_good && id.is_string();
      wanted.emplace_back(id.as_string().value_or(""));
    }
    return is_good && wanted.size() <= 1000
               ? letters.retry(wanted, *rate)
               : Failure(wrong("ids must be a list of at most 1000 texts", "/ids"));
  }
  const auto all = body.find("all");
  const delivery::LetterQuery query{.destination = json::text_in(body, "destination"),
                                    .reason = json::text_in(body, "reason")};
  const bool named = !query.destination.empty() || !query.reason.empty();
  if (!named && !(all && all->as_bool().value_or(false))) {
    return Failure(wrong("say which: ids, destination, reason or all", ""));
  }
  return letters.retry(query, *rate);
}

Result<http::Response> replay(Edge& edge, const http::Request& request) {
  const auto document = json::Document::parse(request.body(), json::kApi);
  if (!document) {
    return Failure(document.error());
  }
  const auto result = hand_back(edge.forwarders.dead_letters(), document->root());
  if (!result) {
    return Failure(result.error());
  }
  edge.forwarders.rows_changed();
  json::Writer out;
  out.begin_object().member("replayed", std::uint64_t{result->replayed});
  out.member("quarantined", std::uint64_t{result->quarantined}).end_object();
  return http::json(out);
}

/// `{"destination","event","reason"}`
Result<http::Response> enter(Edge& edge, const http::Request& request) {
  const auto document = json::Document::parse(request.body(), json::kApi);
  if (!document) {
    return Failure(document.error());
  }
  const json::Value body = document->root();
  const auto event = body.find("event");
  const std::string reason = json::text_in(body, "reason");
  if (!event || !event->is_object()) {
    return Failure(wrong("event must be an object", "/event"));
  }
  if (reason.empty()) {
    return Failure(wrong("say why it was given up", "/reason"));
  }
  return edge.forwarders.dead_letters()
      .enter(json::text_in(body, "destination"),
             event->raw(),
             reason,
             edge.random.below(events::Person::kBeyondLog))
      .map([&edge](const std::string& id) {
        edge.forwarders.rows_changed();  // and counters
        json::Writer out;
        out.begin_object().member("success", true).member("id", id).end_object();
        return http::json(out);
      });
}

}  // namespace

void dead_letters(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions reads{.needs = "destinations:read", .runs = Runs::OnPool};
  const RouteOptions operates{.needs = "destinations:operate", .runs = Runs::OnPool};
  const RouteOptions writes{.needs = "destinations:write", .runs = Runs::OnPool};
  mount.get("/cdp/dead-letters", reads, [&edge](const http::Request& request) {
    return list(edge, request);
  });
  mount.post("/cdp/dead-letters", operates, [&edge](const http::Request& request) {
    return enter(edge, request);
  });
  mount.get("/cdp/dead-letters/:id", reads, [&edge](const http::Request& request) {
    return show(edge, request);
  });
  mount.post("/cdp/dead-letters/replay", operates, [&edge](const http::Request& request) {
    return replay(edge, request);
  });
  // A client replayed it in vain: it counts like one of our own, and rests after five.
  mount.post("/cdp/dead-letters/:id/replays", operates, [&edge](const http::Request& request) {
    return edge.forwarders.dead_letters().count_replay(std::string(request.param("id"))).map([] {
      json::Writer out;
      out.begin_object().member("success", true).end_object();
      return http::json(out);
    });
  });
  mount.del("/cdp/dead-letters/:id", writes, [&edge](const http::Request& request) {
    using Leaving = delivery::DeadLetters::Leaving;
    const bool is_delivered = request.query_value("delivered") == "true";
    const auto why = is_delivered ? Leaving::Delivered : Leaving::Discarded;
    return edge.forwarders.dead_letters().erase(std::string(request.param("id")), why).map([] {
      json::Writer out;
      out.begin_object().member("success", true).end_object();
      return http::json(out);
    });
  });
}

}  // namespace edge::routes
