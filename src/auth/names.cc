#include "auth/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace atalaya::auth {

Result<std::string> normal_user_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789._@+-";
  std::string name(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (name.empty() || name.size() > 64 || name.find_first_not_of(kAllowed) != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument, "that is no user name",
                "use 1 to 64 letters, digits and the characters . _ @ + -");
  }
  return name;
}

Status check_host_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (text.empty() || text.size() > 253 || text.find_first_not_of(kAllowed) != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "that is no name of a host",
                "use 1 to 253 letters, digits and the characters . _ - (option --name)");
  }
  return {};
}

Status check_display_name(std::string_view what, std::string_view text) {
  const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (text.empty() || text.size() > 128 || control || !is_utf8(text)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} needs a name", what),
                "use 1 to 128 bytes of UTF-8 without control characters");
  }
  return {};
}

}  // namespace atalaya::auth
