// gzip (RFC 1952), with bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::net {

std::string gzip(std::string_view bytes, int level = 5);

/// All members of a gzip stream. invalid_argument when damaged, cut or followed by something else;
/// too_large when it would become more than `limit_bytes`: never more memory than that is used.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes);

}  // namespace atalaya::net
