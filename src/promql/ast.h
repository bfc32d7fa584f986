// The syntax tree of a PromQL expression, checked for types.
#pragma once

#include <cstdint>
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
};
std::string_view name(Op op);
constexpr bool is_comparison(Op op) { return op >= Op::kEqual && op <= Op::kGreaterOrEqual; }
constexpr bool is_set(Op op) { return op >= Op::kAnd; }
/// The value of arithmetic, or of a comparison as 0 or 1. Not for set operators.
double apply(Op op, double left, double right);

struct AtModifier {
  enum class Kind : std::uint8_t { kTime, kStart, kEnd } kind = Kind::kTime;
  Time time;  ///< for kTime
};

struct Grouping {
  bool without = false;
  bool written = false;  ///< `by ()` differs from nothing only in print
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
};

/// A length of time as it was written: a constant, or an expression of the evaluation's own step
/// and range that this version does not evaluate.
struct WrittenDuration {
  Duration constant{0};
  std::string expression;  ///< canonical text when not constant
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
  std::string text;                 ///< kString: the value; kAggregate: the operator
  std::vector<ExpressionPtr> args;  ///< operands, arguments; kAggregate: the vector, then the parameter

  std::string metric;                    ///< kSelector: the name before the braces
  Matchers matchers;                     ///< kSelector: with __name__ where there is one
  std::optional<WrittenDuration> range;  ///< kSelector of a range vector, kSubquery
  std::optional<WrittenDuration> step;   ///< kSubquery
  WrittenDuration offset;                ///< kSelector, kSubquery
  std::optional<AtModifier> at;
  std::string extension;  ///< `anchored` or `smoothed`

  const Function* function = nullptr;  ///< kCall
  Op op = Op::kAdd;                    ///< kBinary; kUnary: kAdd or kSub
  bool return_bool = false;
  Grouping grouping;
  Matching matching;
};

}  // namespace atalaya::promql
