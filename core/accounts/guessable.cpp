// SPDX-License-Identifier: MIT
// Leaked lists differ in order but agree in what people do: a word they like, made "stronger" by a
// capital, a year, an exclamation mark or 3 for e. So the list holds the words and this file undoes
// the decoration; that refuses the common passwords of such lists without carrying them.
#include "core/accounts/guessable.h"

#include <algorithm>
#include <array>
#include <string>

namespace edge::accounts {
namespace {

/// Lower case, letters only, at least four.
constexpr auto kWords = std::to_array<std::string_view>(
    {"aaaa",      "abcd",       "access",     "account",   "admin",      "administrator",
     "adobe",     "alex",       "alexander",  "amanda",    "america",    "andrea",
     "andrew",    "angel",      "angela",     "anthony",   "apple",      "arsenal",
     "asdf",      "ashley",     "asshole",    "august",    "autumn",     "babygirl",
     "bailey",    "banana",     "barcelona",  "baseball",  "basketball", "batman",
     "biteme",    "blink",      "buster",     "butterfly", "casper",     "change",
     "changeme",  "charlie",    "cheese",     "chelsea",   "chocolate",  "chris",
     "christian", "company",    "computer",   "cookie",    "corvette",   "cowboy",
     "daniel",    "danielle",   "database",   "david",     "december",   "default",
     "demo",      "diamond",    "dolphin",    "donald",    "dragon",     "eagle",
     "edge",      "edgectl",    "edged",      "edward",    "elephant",   "elizabeth",
     "eminem",    "example",    "falcon",     "family",    "february",   "ferrari",
     "flower",    "football",   "freedom",    "friend",    "friends",    "fuck",
     "fuckyou",   "gabriel",    "garfield",   "george",    "ginger",     "google",
     "guest",     "guitar",     "hammer",     "hannah",    "happy",      "harley",
     "hello",     "helloworld", "hockey",     "hunter",    "iloveyou",   "internet",
     "jackson",   "january",    "jasmine",    "jennifer",  "jessica",    "jesus",
     "john",      "jordan",     "joseph",     "joshua",    "justin",     "killer",
     "letmein",   "liverpool",  "login",      "london",    "love",       "lovely",
     "lover",     "loveyou",    "madison",    "maggie",    "manager",    "manchester",
     "marina",    "martin",     "master",     "matrix",    "matthew",    "maverick",
     "mercedes",  "merlin",     "michael",    "michelle",  "mickey",     "minecraft",
     "monday",    "money",      "monkey",     "monster",   "mother",     "mustang",
     "mypass",    "mypassword", "nicole",     "ninja",     "november",   "october",
     "office",    "oliver",     "orange",     "pass",      "passport",   "passw",
     "passwd",    "password",   "passwort",   "patrick",   "pepper",     "phoenix",
     "pokemon",   "princess",   "private",    "purple",    "qazwsx",     "qwer",
     "qwert",     "qwerty",     "qwertyuiop", "qwertz",    "rachel",     "ranger",
     "robert",    "root",       "samantha",   "samsung",   "scooter",    "secret",
     "secure",    "security",   "september",  "server",    "service",    "shadow",
     "silver",    "soccer",     "sophie",     "spiderman", "spring",     "starwars",
     "steelers",  "summer",     "sunday",     "sunshine",  "superman",   "superuser",
     "support",   "system",     "taylor",     "temp",      "test",       "tester",
     "testing",   "thomas",     "thunder",    "tigger",    "trustno",    "user",
     "username",  "victoria",   "vincent",    "welcome",   "whatever",   "william",
     "winner",    "winter",     "zxcvbnm",    "yankees",   "zaqwsx"});

constexpr std::array<std::string_view, 9> kRuns = {"abcdefghijklmnopqrstuvwxyzabcdefgh",
                                                   "01234567890123456789",
                                                   "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
                                                   "1q2w3e4r5t6y7u8i9o0p",
                                                   "qwertyuiopasdfghjklzxcvbnm",
                                                   "qwertzuiopasdfghjklyxcvbnm",
                                                   "azertyuiopqsdfghjklmwxcvbn",
                                                   "qazwsxedcrfvtgbyhnujmikolp",
                                                   "1234qwerasdfzxcv"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

/// The letter that a substitute stands for.
char letter_of(char c) {
  switch (c) {
    case '0':
      return 'o';
    case '1':
    case '!':
      return 'i';
    case '3':
      return 'e';
    case '4':
    case '@':
      return 'a';
    case '5':
    case '$':
      return 's';
    case '7':
      return 't';
    default:
      return c;
  }
}

bool is_word(std::string_view text) {
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

bool is_doubled_word(std::string_view text) {
  const std::string_view half = text.substr(0, text.size() / 2);
  return is_word(text) ||
         (text.size() % 2 == 0 && half == text.substr(half.size()) && is_word(half));
}

/// A piece of a run, forwards or backwards, or a short piece repeated (`abc123abc123`, `12121212`).
bool is_run(const std::string& text) {
  const std::string backwards(text.rbegin(), text.rend());
  const bool found = std::any_of(kRuns.begin(), kRuns.end(), [&](std::string_view run) {
    return run.find(text) != std::string_view::npos ||
           run.find(backwards) != std::string_view::npos;
  });
  if (found) {
    return true;
  }
  for (std::size_t period = 1; period <= 6 && period * 2 <= text.size(); ++period) {
    bool repeats = true;
    for (std::size_t i = period; repeats && i < text.size(); ++i) {
      repeats = text[i] == text[i - period];
    }
    if (repeats) {
      return true;
    }
  }
  return false;
}

/// Only digits and date marks, at most ten: a date or a telephone number.
bool is_date(std::string_view text) {
  return text.size() <= 10 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/';
         });
}

/// `text` without digits and marks at its ends, at most six in all.
std::string_view undecorated(std::string_view text) {
  const std::size_t full = text.size();
  while (!text.empty() && !is_letter(text.back()) && full - text.size() < 6) {
    text.remove_suffix(1);
  }
  while (!text.empty() && !is_letter(text.front()) && full - text.size() < 6) {
    text.remove_prefix(1);
  }
  return text;
}

std::string as_letters(std::string_view text) {
  std::string letters(text);
  std::transform(letters.begin(), letters.end(), letters.begin(), letter_of);
  return letters;
}

}  // namespace

bool is_guessable(std::string_view password) {
  std::string small(password);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  const std::string_view bare = undecorated(small);
  // `p4ssw0rd1!`: the decoration must not be taken for letters, a substitute at the end may be one.
  return is_run(small) || is_date(small) || is_doubled_word(bare) ||
         is_doubled_word(as_letters(bare)) || is_doubled_word(as_letters(small)) ||
         (bare.size() >= 4 && is_run(std::string(bare)));
}

}  // namespace edge::accounts
