// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/command.h"
#include "core/pixels/record.h"

namespace edge::cli::commands {

/// The pixel that the options of `pixel generate` and `pixel inject` ask for.
Result<pixels::Generated> make_pixel(Call& call);

/// A changed text; nothing: it stays as it is.
using Edit = std::function<Result<std::optional<std::string>>(const std::string& name,
                                                              const std::string& text)>;
/// Edits each of the positional FILEs (`-` is stdin): to the output, or with `-w` in place, where a
/// text that stays is not written. Failure: a file cannot be read or edited; those before it are
/// done.
Result<int> edit_files(Call& call, const Edit& edit);
/// Adds the positional FILE and `-w`.
Command& with_files(Command& command);

/// `pixel inject`.
void declare_pixel_inject(Tree& tree);

}  // namespace edge::cli::commands
