// Assertions that stay on: a failed check means that we are wrong, never that the outside is.
#pragma once

namespace atalaya::detail {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

/// Nothing that came from a socket, a file or a person may trip a check: those are `Error`s.
#define AT_CHECK(expression) \
  (static_cast<bool>(expression) ? void(0) : ::atalaya::detail::check_failed(#expression, __FILE__, __LINE__))
