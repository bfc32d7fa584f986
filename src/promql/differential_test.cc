// The columnar engine against the plain evaluator, over random queries and data.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "promql/engine.h"
#include "promql/format.h"
#include "promql/memory_series.h"
#include "promql/plain_evaluator.h"

namespace atalaya::promql {
namespace {

/// Draws queries and data; the same seed draws the same.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <std::size_t N>
  std::string_view one(const std::string_view (&of)[N]) {
    return of[static_cast<std::size_t>(below(static_cast<int>(N)))];
  }

  /// Counters that are reset, gauges, gaps and stale markers, at uneven distances.
  plain::Data data() {
    plain::Data out;
    for (int i = 0, count = 2 + below(5); i < count; ++i) {
      LabelsBuilder labels;
      labels.set(kMetricName, one({"a_total", "b_total"}));
      labels.set("x", one({"1", "2", "3"}));
      if (chance(60)) labels.set("y", one({"1", "2"}));
      std::vector<Sample> samples;
      double value = below(20);
      auto ms = static_cast<std::int64_t>(below(40)) * 1000;
      for (int k = 0, size = 1 + below(25); k < size; ++k) {
        samples.push_back({from_ms(ms), chance(4) ? stale_marker() : value});
        ms += chance(80) ? 15'000 : 1'000 * (1 + below(90));
        value = chance(12) ? below(4) : chance(25) ? value : value + below(10);
      }
      out[labels.build()] = std::move(samples);
    }
    return out;
  }

  /// What two ways of rounding may answer differently (comparisons, ceil) is asked of `exact` numbers
  /// alone: sums, extremes and counts of whole numbers.
  std::string vector(int depth, bool exact = false) {
    if (depth <= 0 || chance(12)) return selector();
    switch (below(8)) {
      case 0:
      case 1: return window(depth, exact);
      case 2:
      case 3: return aggregation(depth, exact);
      case 4: return with_scalar(depth, exact);
      case 5: return both(depth, exact);
      case 6: return function(depth, exact);
      default: return chance(50) ? "-" + parens(vector(depth - 1, exact)) : selector();
    }
  }

 private:
  static std::string parens(const std::string& inner) { return "(" + inner + ")"; }

  std::string modifiers() {
    std::string out;
    if (chance(15)) out += fmt::format(" offset {}{}s", chance(30) ? "-" : "", 1 + below(100));
    if (chance(10)) out += chance(50) ? fmt::format(" @ {}", below(300)) : chance(50) ? " @ start()" : " @ end()";
    return out;
  }
  std::string plain_selector() {
    std::string out(one({"a_total", "b_total", "{__name__=~\".+_total\"}"}));
    if (chance(30) && out[0] != '{') out += fmt::format("{{x{}\"{}\"}}", one({"=", "!=", "=~"}), one({"1", "2"}));
    return out;
  }
  std::string selector() { return plain_selector() + modifiers(); }
  std::string range(int depth) {
    if (depth > 1 && chance(25)) {
      return fmt::format("{}[{}s:{}s]{}", parens(vector(depth - 2, true)), 20 + below(120), 5 + below(25), modifiers());
    }
    return fmt::format("{}[{}s]{}", plain_selector(), 5 + below(150), modifiers());
  }
  std::string window(int depth, bool exact) {
    const auto of = range(depth);
    if (!exact && chance(40)) {
      if (chance(20)) return fmt::format("quantile_over_time({}, {})", one({"0.5", "0", "0.9", "1.5"}), of);
      return fmt::format("{}({})", one({"rate", "increase", "delta", "irate", "avg_over_time", "stdvar_over_time"}),
                         of);
    }
    return fmt::format(
        "{}({})",
        one({"idelta", "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time",
             "first_over_time", "present_over_time", "changes", "resets", "ts_of_last_over_time",
             "ts_of_first_over_time", "ts_of_max_over_time", "ts_of_min_over_time", "absent_over_time"}),
        of);
  }
  std::string aggregation(int depth, bool exact) {
    const std::string by(one({"", "by (x) ", "by (x, y) ", "without (y) ", "by () ", "by (__name__) "}));
    if (chance(20)) {  // of rows in the order of the store, since ties go by it
      const auto inner = chance(50) ? selector() : window(0, true);
      return fmt::format("{} {}({}, {})", one({"topk", "bottomk"}), by, below(4), inner);
    }
    const auto inner = vector(depth - 1, exact);
    if (exact) return fmt::format("{} {}({})", one({"sum", "min", "max", "count", "group"}), by, inner);
    if (chance(15)) return fmt::format("quantile {}({}, {})", by, one({"0.3", "1", "-1"}), inner);
    return fmt::format("{} {}({})", one({"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"}), by, inner);
  }
  std::string with_scalar(int depth, bool exact) {
    const std::string number = chance(60)   ? fmt::format("{}", below(20))
                               : chance(50) ? "time()"
                                            : fmt::format("scalar({})", vector(depth - 2, true));
    const bool compares = chance(50);
    const std::string op(compares ? one({">", "<", ">=", "== bool", "!="})
                         : exact  ? one({"+", "-"})
                                  : one({"+", "*", "/"}));
    const auto inner = parens(vector(depth - 1, exact || compares));
    return chance(70) ? fmt::format("{} {} {}", inner, op, number) : fmt::format("{} {} {}", number, op, inner);
  }
  std::string both(int depth, bool exact) {
    const bool compares = chance(40);
    const auto left = parens(vector(depth - 1, exact || compares));
    const auto right = parens(vector(depth - 1, exact || compares));
    if (chance(40)) {
      const std::string on(one({"", "on (x)", "ignoring (y)"}));
      // All of them lose their name, so that rows of both sides are one series only by what they keep.
      if (chance(30)) return fmt::format("abs{} or {} abs{}", left, on, right);
      return fmt::format("{} {} {} {}", left, one({"and", "unless"}), on, right);
    }
    return fmt::format(
        "{} {} {} {}", left, compares ? one({">", "<= bool"}) : one({"+", "-"}),
        one({"", "on (x, y)", "ignoring (y)", "on (x)", "on (x) group_left ()", "on (x) group_right (y)"}), right);
  }
  std::string function(int depth, bool exact) {
    const auto inner = vector(depth - 1, true);
    if (chance(15)) return fmt::format("clamp_max({}, {})", inner, below(20));
    if (chance(10)) return fmt::format("vector(scalar({}))", inner);
    if (!exact && chance(20)) return fmt::format("sqrt({})", inner);
    return fmt::format("{}({})", one({"abs", "ceil", "sgn", "timestamp", "absent", "floor", "hour"}), inner);
  }

  std::mt19937_64 random_;
};

bool close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  return std::fabs(a - b) <= 1e-9 * std::max({std::fabs(a), std::fabs(b), 1e-3});
}

/// The plain evaluator's answer in the engine's form; nothing when it is ambiguous.
std::optional<Matrix> plainly(const plain::Query& query, const Expression& expression, Duration step) {
  const plain::Evaluator evaluator(query);
  std::map<Labels, std::vector<Sample>> out;
  try {
    for (Time at = query.start; at <= query.end; at += step) {
      for (const auto& element : plain::Evaluator::finished(evaluator.vector(expression, at))) {
        out[element.labels].push_back({at, element.value});
      }
    }
  } catch (const plain::Ambiguous&) {
    return std::nullopt;
  }
  Matrix matrix;
  for (auto& [labels, samples] : out) matrix.push_back({labels, std::move(samples)});
  return matrix;
}

std::string show(const Matrix& matrix) {
  std::string out;
  for (const auto& series : matrix) {
    out += "\n  {" + to_string(series.labels) + "}";
    for (const auto& sample : series.samples) {
      out += fmt::format(" {}@{}", format_value(sample.value), to_ms(sample.time));
    }
  }
  return out;
}

bool same(const Matrix& a, const Matrix& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].labels != b[i].labels || a[i].samples.size() != b[i].samples.size()) return false;
    for (std::size_t k = 0; k < a[i].samples.size(); ++k) {
      const auto& x = a[i].samples[k];
      const auto& y = b[i].samples[k];
      if (x.time != y.time || !close(x.value, y.value)) return false;
    }
  }
  return true;
}

TEST(PromqlDifferential, ColumnsAndSingleStepsAgreeOnRandomQueries) {
  constexpr int kQueries = 12'000;
  const char* wanted = std::getenv("ATALAYA_SEED");
  const std::uint64_t seed = wanted ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  fmt::print("seed {} (ATALAYA_SEED)\n", seed);
  Draw draw(seed);
  Limits limits;
  limits.lookback = Duration{60'000};
  int compared = 0;
  int ambiguous = 0;
  int wrong = 0;
  for (int i = 0; i < kQueries && wrong < 5; ++i) {
    const auto data = draw.data();
    const auto text = draw.vector(4);
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed) << text << ": " << to_string(parsed.error());
    const auto printed = to_string(**parsed);
    const auto again = parse(printed);
    ASSERT_TRUE(again) << text << " was printed as " << printed;
    EXPECT_EQ(to_string(**again), printed);
    MemorySeries series;
    for (const auto& [labels, samples] : data) {
      for (const auto& sample : samples) series.add(labels, sample.time, sample.value);
    }
    const plain::Query query{data, from_ms(1'000 * draw.below(100)), from_ms(1'000 * (100 + draw.below(300))),
                             limits.lookback};
    const Duration step{1'000 * (20 + draw.below(90))};
    const auto expected = plainly(query, **parsed, step);
    const auto got = Engine(series, limits).range(default_tenant(), **parsed, query.start, query.end, step);
    if (!expected || !got) {
      ++ambiguous;
      // A subquery is evaluated over its whole range, also where no window lies: what is ambiguous there is
      // refused, as Prometheus does.
      const bool between_windows = expected && text.find("s:") != text.npos;
      if ((!expected && !got) || between_windows) continue;
      ADD_FAILURE() << text << "\none refuses it: " << (got ? "plain" : to_string(got.error()));
      ++wrong;
      continue;
    }
    ++compared;
    if (same(*got, *expected)) continue;
    ++wrong;
    std::string all;
    for (const auto& [labels, samples] : data) all += show({{labels, samples}});
    ADD_FAILURE() << text << " from " << to_ms(query.start) << " to " << to_ms(query.end) << " step " << step.count()
                  << "\ngave" << show(*got) << "\nplainly" << show(*expected) << "\nover" << all;
  }
  fmt::print("{} queries agree, {} are refused by both\n", compared, ambiguous);
  EXPECT_GT(compared, 9'000);
}

}  // namespace
}  // namespace atalaya::promql
