// Texts with numbers in them, in the order that people expect: `disk2` before `disk10`.
#pragma once

#include <compare>
#include <string_view>

namespace atalaya::promql {

/// Runs of digits are compared as numbers, all else bytewise; a beginning comes before the whole. Equal
/// only for equal texts, so that it can sort.
std::strong_ordering natural_order(std::string_view a, std::string_view b);

}  // namespace atalaya::promql
