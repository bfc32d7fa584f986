// JSON from strangers, where two readings of one text would be an attack.
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

#include "base/result.h"

namespace atalaya::auth {

/// As RFC 8259, UTF-8, nothing behind the value, at most 32 levels deep, and no object with the same
/// name twice. invalid_argument otherwise.
Result<boost::json::value> parse_strict_json(std::string_view text);

}  // namespace atalaya::auth
