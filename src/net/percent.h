// Percent-encoding and the normal form of request paths.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::net {

/// invalid_argument for `%` without two hex digits. `plus_is_space` as in forms.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
/// Everything but unreserved characters (RFC 3986 §2.3) becomes %XX.
std::string percent_encode(std::string_view text);

/// A request's path, taken apart. Immutable.
struct NormalPath {
  /// Starts with `/`; segments still percent-encoded, no `.`, `..` or empty ones inside. What Router takes.
  std::string encoded;
  /// The same decoded, except that a `/` inside a segment stays `%2F`.
  std::string decoded;
};

/// invalid_argument: not beginning with `/`, malformed %XX, control characters, `..` above the root.
Result<NormalPath> normalise_path(std::string_view raw);

/// Between slashes: "/a/b/" gives "a", "b", "".
std::vector<std::string_view> path_segments(std::string_view path);

}  // namespace atalaya::net
