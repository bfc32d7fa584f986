#include "promql/natural_order.h"

#include <charconv>
#include <cstdint>
#include <optional>

namespace atalaya::promql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The longest run of digits, or of anything else, at the beginning.
std::string_view take_run(std::string_view& text) {
  std::size_t end = 1;
  while (end < text.size() && is_digit(text[end]) == is_digit(text[0])) ++end;
  const auto run = text.substr(0, end);
  text.remove_prefix(end);
  return run;
}

std::optional<std::int64_t> number(std::string_view run) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(run.data(), run.data() + run.size(), out);
  if (!is_digit(run[0]) || error != std::errc{} || end != run.data() + run.size()) return std::nullopt;
  return out;
}

}  // namespace

std::strong_ordering natural_order(std::string_view a, std::string_view b) {
  auto left = a;
  auto right = b;
  while (!left.empty() && !right.empty()) {
    const auto x = take_run(left);
    const auto y = take_run(right);
    const auto x_number = number(x);
    const auto y_number = number(y);
    const auto order = x_number && y_number ? *x_number <=> *y_number : x.compare(y) <=> 0;
    if (order != std::strong_ordering::equal) return order;
  }
  if (left.empty() != right.empty()) return left.empty() ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.compare(b) <=> 0;
}

}  // namespace atalaya::promql
