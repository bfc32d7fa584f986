// Large and small letters of all scripts.
#pragma once

#include <string>
#include <string_view>

namespace atalaya {

/// One character for one, as Unicode maps them without looking at a language or at what stands beside: `ß` stays.
/// Bytes that are no UTF-8 stay.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
/// The first letter of each word large, and the others as they are. Behind a character of ASCII that is no letter,
/// digit or `_`, and behind any blank, a word begins.
std::string to_title(std::string_view text);

}  // namespace atalaya
