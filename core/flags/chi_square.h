// SPDX-License-Identifier: MIT
#pragma once

namespace edge::flags {

/// The chance that a chi-square variable with `degrees` (> 0) of freedom exceeds `statistic` (≥ 0):
/// Q(degrees/2, statistic/2), the regularised upper incomplete gamma function (DLMF 8.2.4), to
/// about 14 digits.
double chi_square_tail(double statistic, double degrees);

}  // namespace edge::flags
