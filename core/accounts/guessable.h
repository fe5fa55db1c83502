// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace edge::accounts {

/// Whether guessers try this password first: a word of the built-in list, in any case, with usual
/// letter substitutions (`p4ssw0rd`), alone, doubled, or with up to six digits and marks before or
/// behind it; a run along the keyboard or the alphabet; a date. The list times its variations
/// covers some hundred thousand passwords.
bool is_guessable(std::string_view password);

}  // namespace edge::accounts
