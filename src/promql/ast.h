// The syntax tree of a PromQL expression, checked for types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "promql/engine.h"

namespace atalaya::promql {

struct Function;  ///< `functions.h`

enum class ValueType : std::uint8_t { kScalar, kVector, kMatrix, kString };
/// Prometheus' words: "scalar", "instant vector", "range vector", "string".
std::string_view name(ValueType type);

enum class Kind : std::uint8_t {
  kNumber,
  kString,
  kSelector,  ///< with `range`: a range vector
  kSubquery,
  kCall,
  kAggregate,
  kBinary,
  kUnary,
  kParen,
};

enum class Op : std::uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kUnless,
  kTrimUpper,  ///< `</`: cuts a native histogram; between floats it has no value
  kTrimLower,  ///< `>/`
};
std::string_view name(Op op);
constexpr bool is_comparison(Op op) { return op >= Op::kEqual && op <= Op::kGreaterOrEqual; }
constexpr bool is_set(Op op) { return op >= Op::kAnd && op <= Op::kUnless; }
constexpr bool is_trim(Op op) { return op >= Op::kTrimUpper; }
/// Gives the result another meaning than the operands have, so that the name goes.
constexpr bool is_arithmetic(Op op) { return op <= Op::kAtan2; }
/// The value of arithmetic, or of a comparison as 0 or 1. Not for the other operators.
double apply(Op op, double left, double right);

struct AtModifier {
  enum class Kind : std::uint8_t { kTime, kStart, kEnd } kind = Kind::kTime;
  Time time;  ///< for kTime
};

enum class Aggregation : std::uint8_t {
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kQuantile,
  kCountValues,
  kLimitk,
  kLimitRatio,
};
std::string_view name(Aggregation aggregation);
constexpr bool takes_parameter(Aggregation aggregation) { return aggregation >= Aggregation::kTopk; }

struct Grouping {
  bool without = false;
  bool written = false;  ///< `by (…)` or `without (…)` was there
  std::vector<std::string> labels;
};

enum class Cardinality : std::uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
/// Which elements of two vectors belong together.
struct Matching {
  Cardinality cardinality = Cardinality::kOneToOne;
  bool on = false;
  bool written = false;  ///< `on (…)` or `ignoring (…)` was there
  std::vector<std::string> labels;
  std::vector<std::string> include;  ///< of group_left and group_right
  std::optional<double> fill_left;   ///< stands for an element that the left side lacks
  std::optional<double> fill_right;
};

/// Arithmetic over lengths of time, in seconds: `5m * 2`, `step()`, `max_of(range(), 1h)`. Immutable.
struct DurationNode {
  enum class Kind : std::uint8_t { kNumber, kStep, kRange, kNegate, kAdd, kSub, kMul, kDiv, kMod, kPow, kMin, kMax };
  Kind kind = Kind::kNumber;
  double seconds = 0;        ///< kNumber
  bool is_duration = false;  ///< kNumber: written with units
  bool wrapped = false;      ///< in parentheses
  std::uint32_t depth = 1;
  std::shared_ptr<const DurationNode> left;  ///< also the only operand
  std::shared_ptr<const DurationNode> right;
};
using DurationNodePtr = std::shared_ptr<const DurationNode>;

/// A length of time as it was written: a constant, or what follows from the query's own step and range.
struct WrittenDuration {
  Duration constant{0};
  DurationNodePtr expression;  ///< null for a constant
  Place place;                 ///< of the expression
  bool is_set() const { return expression || constant != Duration{0}; }
};

/// One node; which members count follows from `kind`. Immutable once parsed.
struct Expression {
  Kind kind = Kind::kNumber;
  ValueType type = ValueType::kScalar;
  std::uint32_t begin = 0;  ///< bytes of the text that it covers
  std::uint32_t end = 0;
  Place place;              ///< of `begin`
  std::uint32_t depth = 1;  ///< of the tree from here; bounded, since everything walks it by recursion

  double number = 0;                ///< kNumber
  bool is_duration = false;         ///< kNumber: written with units
  std::string text;                 ///< kString: the value
  std::vector<ExpressionPtr> args;  ///< operands, arguments; kAggregate: the vector, then the parameter

  std::string metric;                    ///< kSelector: the name before the braces
  Matchers matchers;                     ///< kSelector: with __name__ where there is one
  std::optional<WrittenDuration> range;  ///< kSelector of a range vector, kSubquery
  std::optional<WrittenDuration> step;   ///< kSubquery
  WrittenDuration offset;                ///< kSelector, kSubquery
  std::optional<AtModifier> at;
  std::string extension;  ///< `anchored` or `smoothed`

  const Function* function = nullptr;           ///< kCall
  Aggregation aggregation = Aggregation::kSum;  ///< kAggregate
  Op op = Op::kAdd;                             ///< kBinary; kUnary: kAdd or kSub
  bool return_bool = false;
  Grouping grouping;
  Matching matching;
};

/// The expression inside of any parentheses around it.
const Expression& without_parens(const Expression& node);

}  // namespace atalaya::promql
