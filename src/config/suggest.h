// "did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atalaya::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The nearest of `candidates`, if it is near enough to be a slip of the keyboard; else "".
std::string closest(std::string_view word, const std::vector<std::string>& candidates);
/// `known are: a, b, c`, of many the first alone and how many more; "" for none.
std::string known_are(const std::vector<std::string>& candidates);
/// `did you mean "for"?`, or `known are: a, b, c`.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace atalaya::config
