// SPDX-License-Identifier: MIT
// Below a + 1 the power series of the lower function converges fast (DLMF 8.7.1); above, the
// continued fraction of the upper one (DLMF 8.9.2), evaluated from the front with Lentz's method.
#include "core/flags/chi_square.h"

#include <cmath>
#include <limits>

namespace edge::flags {
namespace {

constexpr double kEnough = std::numeric_limits<double>::epsilon();
constexpr int kMaxTerms = 10'000;

/// x^a e^-x / Γ(a), the factor of both expansions.
double factor(double a, double x) {
  int sign = 0;
  return std::exp(a * std::log(x) - x - ::lgamma_r(a, &sign));
}

double lower_by_series(double a, double x) {
  double term = 1 / a;
  double sum = term;
  for (int n = 1; n < kMaxTerms && term > sum * kEnough; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * factor(a, x);
}

double upper_by_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double denominator = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / denominator;
  double value = d;
  for (int n = 1; n < kMaxTerms; ++n) {
    const double numerator = -n * (n - a);
    denominator += 2;
    d = numerator * d + denominator;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = denominator + numerator / c;
    c = std::abs(c) < kTiny ? kTiny : c;
    const double change = c * d;
    value *= change;
    if (std::abs(change - 1) < kEnough) {
      break;
    }
  }
  return value * factor(a, x);
}

}  // namespace

double chi_square_tail(double statistic, double degrees) {
  const double a = degrees / 2;
  const double x = statistic / 2;
  if (x <= 0) {
    return 1;
  }
  return x < a + 1 ? 1 - lower_by_series(a, x) : upper_by_fraction(a, x);
}

}  // namespace edge::flags
