// What a written length of time comes to.
#pragma once

#include <string>

#include "promql/ast.h"

namespace atalaya::promql {

/// The query's own step and range, which a length may name; an instant query has neither.
struct QueryLengths {
  Duration step{0};
  Duration range{0};
};

enum class Sign : std::uint8_t { kAny, kPositive };
/// invalid_argument for a division by nothing, for one that is not positive though it must be, and
/// for one that no Duration holds; with the place of an expression.
Result<Duration> length_of(const WrittenDuration& written, const QueryLengths& query, Sign sign);

/// As it is printed: parses back to the same.
std::string to_string(const WrittenDuration& written);

}  // namespace atalaya::promql
