#include "promql/durations.h"

#include <algorithm>
#include <cmath>

#include "base/time.h"
#include "promql/format.h"

namespace atalaya::promql {
namespace {

using Kind = DurationNode::Kind;

Result<double> seconds_of(const DurationNode& node, const QueryLengths& query) {
  switch (node.kind) {
    case Kind::kNumber: return node.seconds;
    case Kind::kStep: return to_seconds(query.step);
    case Kind::kRange: return to_seconds(query.range);
    default: break;
  }
  AT_TRY(const double left, seconds_of(*node.left, query));
  if (node.kind == Kind::kNegate) return -left;
  AT_TRY(const double right, seconds_of(*node.right, query));
  switch (node.kind) {
    case Kind::kAdd: return left + right;
    case Kind::kSub: return left - right;
    case Kind::kMul: return left * right;
    case Kind::kDiv:
      if (right == 0) return fail(ErrorCode::kInvalidArgument, "division by zero");
      return left / right;
    case Kind::kMod:
      if (right == 0) return fail(ErrorCode::kInvalidArgument, "modulo by zero");
      return std::fmod(left, right);
    case Kind::kPow: return std::pow(left, right);
    case Kind::kMin: return std::min(left, right);
    default: return std::max(left, right);
  }
}

std::string number(const DurationNode& node) {
  if (!node.is_duration) return format_fixed(node.seconds);
  const Duration size{static_cast<std::int64_t>(std::round(std::abs(node.seconds) * 1000))};
  return (node.seconds < 0 ? "-" : "") + format_duration(size);
}

void print(const DurationNode& node, std::string& out) {
  if (node.wrapped) out += "(";
  switch (node.kind) {
    case Kind::kNumber: out += number(node); break;
    case Kind::kStep: out += "step()"; break;
    case Kind::kRange: out += "range()"; break;
    case Kind::kNegate:
      out += "-";
      print(*node.left, out);
      break;
    case Kind::kMin:
    case Kind::kMax:
      out += node.kind == Kind::kMin ? "min_of(" : "max_of(";
      print(*node.left, out);
      out += ", ";
      print(*node.right, out);
      out += ")";
      break;
    default: {
      constexpr std::string_view kSigns[] = {" + ", " - ", " * ", " / ", " % ", " ^ "};
      // Without parentheses the sign would be of the power.
      const bool signed_base =
          node.kind == Kind::kPow && node.left->kind == Kind::kNumber && std::signbit(node.left->seconds);
      if (signed_base) out += "(";
      print(*node.left, out);
      if (signed_base) out += ")";
      out += kSigns[static_cast<int>(node.kind) - static_cast<int>(Kind::kAdd)];
      print(*node.right, out);
    }
  }
  if (node.wrapped) out += ")";
}

}  // namespace

Result<Duration> length_of(const WrittenDuration& written, const QueryLengths& query, Sign sign) {
  const auto wrong = [&](std::string message) -> Result<Duration> {
    if (!written.expression) return fail(ErrorCode::kInvalidArgument, std::move(message));
    return fail(ErrorCode::kInvalidArgument, written.place, std::move(message));
  };
  Duration out = written.constant;
  if (written.expression) {
    const auto seconds = seconds_of(*written.expression, query);
    if (!seconds) return wrong(seconds.error().message);
    if (sign == Sign::kPositive && !(*seconds > 0)) return wrong("duration must be greater than 0");
    if (!(std::abs(*seconds) < 9223372036.0)) return wrong("duration is out of range");
    out = Duration{static_cast<std::int64_t>(*seconds * 1000)};
  }
  if (sign == Sign::kPositive && out <= Duration{0}) return wrong("duration must be greater than 0");
  return out;
}

std::string to_string(const WrittenDuration& written) {
  if (!written.expression) {
    return written.constant < Duration{0} ? "-" + format_duration(-written.constant)
                                          : format_duration(written.constant);
  }
  std::string out;
  print(*written.expression, out);
  return out;
}

}  // namespace atalaya::promql
