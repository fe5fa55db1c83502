// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/http/carried.h"
#include "daemon/http/tls.h"

namespace edge::http {

/// What the connections of one listener have in common. Immutable.
struct Door {
  Carried carried = {};
  const Tls* tls = nullptr;  ///< null: octets travel as they are
};

}  // namespace edge::http
