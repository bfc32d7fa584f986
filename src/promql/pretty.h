// An expression over several lines, for people.
#pragma once

#include <string>

#include "promql/ast.h"

namespace atalaya::promql {

/// As Prometheus' /format_query has it: what fits into 100 bytes stays on its line, everything else is divided
/// at its operands and arguments, two blanks a level. Parses back to the same tree.
std::string prettify(const Expression& expression);

}  // namespace atalaya::promql
