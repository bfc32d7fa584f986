// What can be known of an expression without evaluating it.
#include <algorithm>
#include <cmath>

#include "promql/ast.h"
#include "promql/evaluator.h"
#include "promql/functions.h"

namespace atalaya::promql {
namespace {

using Special = Function::Special;

void collect(const Expression& node, std::vector<Matchers>& out) {
  if (node.kind == Kind::kSelector) out.push_back(node.matchers);
  for (const auto& arg : node.args) collect(*arg, out);
}

/// No series in it: the same for every label set.
bool is_constant(const Expression& node) {
  if (node.kind == Kind::kSelector) return false;
  for (const auto& arg : node.args) {
    if (!is_constant(*arg)) return false;
  }
  return true;
}

bool joins_whole_sets(const Expression& node) {
  switch (node.kind) {
    case Kind::kAggregate:
    case Kind::kSubquery: return true;
    case Kind::kBinary:
      // A filling stands for series that other label sets decide about.
      return node.matching.written || node.matching.fill_left || node.matching.fill_right;
    case Kind::kCall:
      switch (node.function->special) {
        case Special::kScalar:
        case Special::kVector:
        case Special::kAbsent:
        case Special::kAbsentOverTime:
        case Special::kLabelReplace:
        case Special::kLabelJoin:
        case Special::kInfo:
        case Special::kHistogramQuantile:
        case Special::kHistogramQuantiles:
        case Special::kHistogramFraction: return true;
        default: return node.args.empty() && node.type == ValueType::kVector;  // hour() and its like
      }
    default: return false;
  }
}

bool any_joins(const Expression& node) {
  if (joins_whole_sets(node)) return true;
  for (const auto& arg : node.args) {
    if (any_joins(*arg)) return true;
  }
  return false;
}

/// Counts instant selectors; false for anything that needs more than the sample.
bool follows_from_sample(const Expression& node, int& selectors) {
  switch (node.kind) {
    case Kind::kNumber: return true;
    case Kind::kSelector:
      ++selectors;
      return !node.range && !node.at && !node.offset.is_set() && node.extension.empty();
    case Kind::kParen:
    case Kind::kUnary: return follows_from_sample(*node.args[0], selectors);
    case Kind::kBinary:
      if (is_set(node.op) || is_trim(node.op) || node.matching.fill_left || node.matching.fill_right) return false;
      return follows_from_sample(*node.args[0], selectors) && follows_from_sample(*node.args[1], selectors);
    case Kind::kCall:
      return node.function->element && !node.args.empty() && follows_from_sample(*node.args[0], selectors);
    default: return false;
  }
}

/// Nothing in it changes with the time of evaluation.
bool is_fixed(const Expression& node) {
  switch (node.kind) {
    case Kind::kNumber:
    case Kind::kString: return true;
    case Kind::kSelector:
    case Kind::kSubquery: return node.at.has_value();
    case Kind::kCall:
      if (node.function->special == Special::kTimestamp) {
        // The time of the sample that a selector finds; of anything else that of evaluation.
        const auto& argument = without_parens(*node.args[0]);
        return argument.kind == Kind::kSelector && argument.at.has_value();
      }
      // Labels of info() are those at the time of evaluation.
      if (node.function->reads_clock || node.function->special == Special::kInfo) return false;
      break;
    default: break;
  }
  return std::all_of(node.args.begin(), node.args.end(), [](const auto& arg) { return is_fixed(*arg); });
}

}  // namespace

bool is_step_invariant(const Expression& node) { return is_fixed(node); }

std::vector<Matchers> selectors(const Expression& expression) {
  std::vector<Matchers> out;
  collect(expression, out);
  return out;
}

bool is_per_series(const Expression& expression) {
  return expression.type == ValueType::kVector && !is_constant(expression) && !any_joins(expression);
}

bool is_single_sample(const Expression& expression) {
  int count = 0;
  return follows_from_sample(expression, count) && count == 1;
}

std::optional<double> evaluate_sample(const Expression& node, double sample) {
  switch (node.kind) {
    case Kind::kNumber: return node.number;
    case Kind::kSelector: return sample;
    case Kind::kParen: return evaluate_sample(*node.args[0], sample);
    case Kind::kUnary: {
      const auto value = evaluate_sample(*node.args[0], sample);
      return value && node.op == Op::kSub ? std::optional(-*value) : value;
    }
    case Kind::kCall: {
      const auto value = evaluate_sample(*node.args[0], sample);
      return value ? std::optional(node.function->element(*value)) : std::nullopt;
    }
    case Kind::kBinary: {
      const auto left = evaluate_sample(*node.args[0], sample);
      const auto right = evaluate_sample(*node.args[1], sample);
      if (!left || !right) return std::nullopt;
      const double value = apply(node.op, *left, *right);
      if (!is_comparison(node.op) || node.return_bool) return value;
      if (value == 0) return std::nullopt;
      return node.args[0]->type == ValueType::kVector ? left : right;
    }
    default: return std::nullopt;
  }
}

}  // namespace atalaya::promql
