// Values as they stand in HTML.
#pragma once

#include <string>
#include <string_view>

#include "template/ast.h"
#include "template/value.h"

namespace atalaya::templates {

/// For element text and for values within either quote: `& < > " '` as references; control characters and
/// what is not UTF-8 as U+FFFD.
std::string escape_html(std::string_view text);

/// Whether a browser that opens the address stays with http, https or mailto: such a scheme, or none.
bool is_safe_url(std::string_view address);
/// The address with its reserved characters kept, or `#blocked` when it is not safe.
std::string safe_url(std::string_view address);
/// Keeps letters, digits, `-._~` and `: @ / , ; ! $ * ( )`.
std::string encode_url_path(std::string_view text);
/// Keeps letters, digits and `-._~` only.
std::string encode_url_component(std::string_view text);

/// The value as an action prints it at such a place.
std::string escaped(const Value& value, Escape escape);

}  // namespace atalaya::templates
