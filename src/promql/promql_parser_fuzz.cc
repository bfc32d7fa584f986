// Any text: parse, print, parse again. The second tree must be the first one.
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "base/check.h"
#include "promql/ast.h"
#include "promql/engine.h"

namespace atalaya::promql {
namespace {

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
bool same(const std::optional<double>& a, const std::optional<double>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}
bool same(const DurationNodePtr& a, const DurationNodePtr& b) {
  if (!a || !b) return !a && !b;
  return a->kind == b->kind && a->wrapped == b->wrapped && a->is_duration == b->is_duration &&
         std::abs(a->seconds - b->seconds) < 0.001 && same(a->left, b->left) && same(a->right, b->right);
}
bool same(const WrittenDuration& a, const WrittenDuration& b) {
  return a.constant == b.constant && same(a.expression, b.expression);
}
bool same(const std::optional<WrittenDuration>& a, const std::optional<WrittenDuration>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}
bool same(const std::optional<AtModifier>& a, const std::optional<AtModifier>& b) {
  return a.has_value() == b.has_value() && (!a || (a->kind == b->kind && a->time == b->time));
}
/// In whatever order.
bool same(const Matchers& a, const Matchers& b) {
  using Facts = std::tuple<std::string, Matcher::Op, std::string>;
  const auto facts = [](const Matchers& matchers) {
    std::multiset<Facts> out;
    for (const auto& one : matchers) out.emplace(one.name(), one.op(), one.value());
    return out;
  };
  return facts(a) == facts(b);
}
bool same(const Expression& a, const Expression& b) {
  if (a.kind != b.kind || a.type != b.type || !same(a.number, b.number) || a.text != b.text || a.metric != b.metric ||
      !same(a.matchers, b.matchers) || !same(a.range, b.range) || !same(a.step, b.step) || !same(a.offset, b.offset) ||
      !same(a.at, b.at) || a.function != b.function || a.op != b.op || a.return_bool != b.return_bool ||
      a.grouping.without != b.grouping.without || a.grouping.labels != b.grouping.labels ||
      a.matching.cardinality != b.matching.cardinality || a.matching.on != b.matching.on ||
      a.matching.labels != b.matching.labels || a.matching.include != b.matching.include ||
      !same(a.matching.fill_left, b.matching.fill_left) || !same(a.matching.fill_right, b.matching.fill_right) ||
      a.aggregation != b.aggregation || a.is_duration != b.is_duration || a.extension != b.extension ||
      a.args.size() != b.args.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.args.size(); ++i) {
    if (!same(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

}  // namespace
}  // namespace atalaya::promql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya::promql;
  const auto first = parse({reinterpret_cast<const char*>(data), size});
  if (!first) return 0;
  const auto text = to_string(**first);
  const auto second = parse(text);
  AT_CHECK(second.has_value());
  AT_CHECK(same(**first, **second));
  return 0;
}
