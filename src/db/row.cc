#include "db/database.h"

namespace atalaya::db {

bool Row::is_null(std::size_t column) const {
  return column >= values_.size() || std::holds_alternative<std::monostate>(values_[column]);
}

std::int64_t Row::integer(std::size_t column) const {
  if (column >= values_.size()) return 0;
  if (const auto* i = std::get_if<std::int64_t>(&values_[column])) return *i;
  if (const auto* d = std::get_if<double>(&values_[column])) {
    // A real outside the range of integers would be undefined to convert.
    constexpr double kLimit = 9223372036854775808.0;
    return *d >= -kLimit && *d < kLimit ? static_cast<std::int64_t>(*d) : 0;
  }
  return 0;
}

double Row::real(std::size_t column) const {
  if (column >= values_.size()) return 0;
  if (const auto* d = std::get_if<double>(&values_[column])) return *d;
  if (const auto* i = std::get_if<std::int64_t>(&values_[column])) return static_cast<double>(*i);
  return 0;
}

const std::string& Row::text(std::size_t column) const {
  static const std::string kEmpty;
  if (column >= values_.size()) return kEmpty;
  const auto* text = std::get_if<std::string>(&values_[column]);
  return text != nullptr ? *text : kEmpty;
}

}  // namespace atalaya::db
