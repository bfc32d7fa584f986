// What users, tokens and agents may be called.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::auth {

/// Lower case, so that `Ana` and `ana` are one person. 1 to 64 of letters, digits and `. _ @ + -`.
Result<std::string> normal_user_name(std::string_view text);
/// What may be the label `instance` and stand in a command: 1 to 253 letters, digits and `. _ -`.
Status check_host_name(std::string_view text);
/// 1 to 128 bytes of UTF-8 without control characters; `what` begins the message.
Status check_display_name(std::string_view what, std::string_view text);

}  // namespace atalaya::auth
