// SPDX-License-Identifier: MIT
#pragma once

#include "core/storage/empty_store.h"

namespace edge::test {

using storage::EmptyStore;

}  // namespace edge::test
