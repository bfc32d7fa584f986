// Whether a result vanished because its condition ended, or because its inputs did.
#pragma once

#include "promql/engine.h"

namespace atalaya::rules {

/// An expression whose result has every label set that `expression` judges, whether it holds or not: comparisons
/// that filter become `bool`, what `unless` or topk takes away stays. Null where a vanished result never speaks
/// of missing inputs: absent() and its like, scalars.
promql::ExpressionPtr presence_of(const promql::ExpressionPtr& expression);

}  // namespace atalaya::rules
