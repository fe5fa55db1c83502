// SPDX-License-Identifier: MIT
// A mailing list of a million rows becomes one with addresses and images (identity spec 8: 2 s,
// goal 1 s, on one thread): bench_pixels [ROWS] [JOBS]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/pixels/bulk.h"

int main(int count, char** arguments) {
  const std::size_t rows = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000;
  const std::size_t jobs = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  const auto ring = edge::pixels::KeyRing::parse(
      R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})");
  edge::pixels::BulkPlan plan;
  plan.constants = {.issued_at = 1'732'369'255, .campaign_id = "summer", .email_id = "summer"};
  plan.base_url = "https://t.example.com";
  plan.append = {"pixelUrl", "pixelHTML"};
  plan.jobs = jobs;
  std::size_t octets = 0;
  edge::pixels::Bulk bulk(
      std::move(plan),
      *ring,
      [&octets](std::string_view text) { octets += text.size(); },
      [](const edge::pixels::BadRow&) {});

  const auto begin = std::chrono::steady_clock::now();
  std::string piece = "id,name\n";
  for (std::size_t i = 0; i < rows; ++i) {
    piece += "user-";
    piece += std::to_string(i);
    piece += "@example.org,Somebody Somewhere\n";
    if (piece.size() > 200'000) {
      if (!bulk.feed(piece)) {
        return 1;
      }
      piece.clear();
    }
  }
  if (!bulk.feed(piece) || !bulk.finish()) {
    return 1;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  std::printf(
      "%zu rows, %zu jobs: %.2f s wall, %.2f s CPU, %.2f us per row, %zu MB out, %ld MB resident\n",
      rows,
      jobs,
      seconds.count(),
      cpu,
      cpu * 1e6 / static_cast<double>(rows),
      octets >> 20U,
      usage.ru_maxrss >> 10);
  return 0;
}
