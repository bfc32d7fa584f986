// An expression whose answer does not depend on when it is asked.
#pragma once

#include "promql/ast.h"

namespace atalaya::promql {

/// The same with `@ at` at every selector and subquery that has none and is in no subquery; null when a
/// function in it reads the clock all the same.
ExpressionPtr pin(const Expression& expression, Time at);

}  // namespace atalaya::promql
