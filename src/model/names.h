// How label names and values are written.
#pragma once

#include <string>
#include <string_view>

namespace atalaya {

/// `[a-zA-Z_][a-zA-Z0-9_]*`: a name that needs no quotes.
bool is_label_name(std::string_view name);
/// The same, and colons.
bool is_metric_name(std::string_view name);
/// In double quotes, with \\, \" and \n escaped.
std::string quote_label_value(std::string_view value);

}  // namespace atalaya
