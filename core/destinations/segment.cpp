// SPDX-License-Identifier: MIT
// Segment: the canonical event through the batch route of its tracking API (events spec 7.3).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/destinations/catalogue.h"
#include "core/destinations/endpoint.h"
#include "core/destinations/judge.h"
#include "core/destinations/vendor.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

constexpr std::size_t kMaxEventBytes = std::size_t{32} << 10U;
constexpr std::size_t kMaxRequestBytes = 480'000;
constexpr std::size_t kMaxBatch = 100;
constexpr std::array<std::string_view, 5> kLeftOut{
    "_edge", "originalTimestamp", "receivedAt", "sentAt", "version"};

class Segment final : public Destination {
 public:
  Segment(std::string base, std::string write_key, std::size_t batch)
      : url_(std::move(base) + "/v1/batch"),
        write_key_(std::move(write_key)),
        batch_(batch),
        channels_{{{.max_records = batch, .max_bytes = kMaxRequestBytes}}} {}

  [[nodiscard]] BatchSize batch_size() const override { return {batch_, batch_}; }
  [[nodiscard]] std::span<const Channel> channels() const override { return channels_; }

  [[nodiscard]] Mapped map(const events::Event& event) const override {
    json::Writer out;
    out.begin_object();
    for (const auto& [name, value] : event.root().members()) {
      if (std::ranges::find(kLeftOut, name) == kLeftOut.end()) {
        out.key(name).value(value);
      }
    }
    std::string text = out.end_object().take();
    if (text.size() > kMaxEventBytes) {
      return Mapped::rejected("event_too_large");
    }
    return {.pieces = {
                {.records = {{.text = std::move(text), .id = std::string(event.message_id())}}}}};
  }

  [[nodiscard]] Request request(std::size_t channel, std::vector<Record> records) const override {
    Request made{.url = url_,
                 .headers = {{"content-type", "application/json"},
                             {"authorization", basic_authorization(write_key_, "")}},
                 .body = R"({"batch":[)",
                 .channel = channel,
                 .records = std::move(records)};
    for (const Record& record : made.records) {
      made.body += made.body.ends_with('[') ? "" : ",";
      made.body += record.text;
    }
    made.body += "]}";
    return made;
  }

  void sign(Request& request, Time now) const override {
    request.body.pop_back();
    request.body += fmt::format(R"(,"sentAt":"{}"}})", events::format_time(now));
  }

  [[nodiscard]] Judgement judge(const Request& request,
                                const Answer& answer,
                                Time now) const override {
    return judge_vendor(request, answer, now, {.any_success = true});
  }

  [[nodiscard]] std::vector<std::string> secrets() const override { return {write_key_}; }

 private:
  std::string url_;
  std::string write_key_;
  std::size_t batch_;
  std::array<Channel, 1> channels_;
};

const VendorForm& form() {
  static const VendorForm kForm{
      .key = "writeKey",
      .key_help = "write key of the source",
      .key_also = {"apiKey", "token"},
      .region_help = "where the workspace is",
      .bases = {{"us", "https://api.segment.io"}, {"eu", "https://events.eu1.segmentapis.com"}},
      .batch = kMaxBatch,
      .max_batch = kMaxBatch};
  return kForm;
}

Result<std::unique_ptr<Destination>> make_segment(const Settings& settings) {
  auto vendor = read_vendor(settings, form());
  if (!vendor) {
    return Failure(vendor.error());
  }
  return std::make_unique<Segment>(std::move(vendor->base), std::move(vendor->key), vendor->batch);
}

}  // namespace

void segment(Catalogue& catalogue) {
  catalogue.add({.name = "segment",
                 .integrations = {"Segment.io", "Segment"},
                 .key = form().key,
                 .linger = std::chrono::milliseconds(500),
                 .settings = vendor_settings(form()),
                 .make = make_segment});
}

}  // namespace edge::destinations
