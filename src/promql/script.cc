#include "promql/script.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "promql/memory_series.h"
#include "promql/pin.h"
#include "promql/script_expect.h"
#include "promql/script_series.h"

namespace atalaya::promql {
namespace {

/// An evaluation of a script.
struct Eval {
  std::string query;
  bool is_range = false;
  Time from;
  Time to;
  Duration step{0};
  Expectation expected;

  std::size_t steps() const { return is_range ? static_cast<std::size_t>((to - from) / step) + 1 : 1; }
};

/// An error in the line `i` of a block: its first line, which the block's own place stands for, has the number 0.
Status in_line(std::size_t i, Status status) {
  if (!status) status.error().place = Place{"", static_cast<std::uint32_t>(i), 0};
  return status;
}

Result<Eval> read_eval(const std::vector<std::string>& block) {
  static const re2::RE2 kInstant(R"(eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+))");
  static const re2::RE2 kRange(
      R"(eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+))");
  Eval out;
  std::string form;
  std::string from = "0";
  std::string to;
  std::string step;
  out.is_range = re2::RE2::FullMatch(block[0], kRange, &form, &from, &to, &step, &out.query);
  if (!out.is_range && !re2::RE2::FullMatch(block[0], kInstant, &form, &from, &out.query)) {
    return fail(ErrorCode::kInvalidArgument,
                "an eval reads \"eval instant at TIME QUERY\" or \"eval range from TIME "
                "to TIME step TIME QUERY\"");
  }
  AT_TRY(const auto begin, parse_duration(from.empty() ? "0" : from));
  out.from = out.to = from_ms(begin.count());
  if (out.is_range) {
    AT_TRY(const auto end, parse_duration(to));
    AT_TRY(out.step, parse_duration(step));
    out.to = from_ms(end.count());
    if (out.step <= Duration{0} || out.to < out.from) return fail(ErrorCode::kInvalidArgument, "the range is empty");
  }
  if (form == "fail") out.expected.failure = ExpectedText{};
  if (form == "warn") out.expected.warnings.push_back({});
  if (form == "info") out.expected.infos.push_back({});
  if (form == "ordered") out.expected.ordered = true;
  for (std::size_t i = 1; i < block.size(); ++i) AT_TRY(in_line(i, out.expected.read(block[i])));
  return out;
}

std::vector<SeenSeries> seen_of(const Matrix& matrix, Time from, Duration step, std::size_t steps) {
  std::vector<SeenSeries> out;
  for (const auto& series : matrix) {
    SeenSeries one{series.labels, std::vector<std::optional<double>>(steps)};
    for (const auto& sample : series.samples) {
      const auto at = static_cast<std::size_t>((sample.time - from) / step);
      // Beside the grid, or beyond it: a value that nothing expects.
      if ((sample.time - from) % step != Duration{0} || sample.time < from || at >= steps) {
        one.values.emplace_back(sample.value);
      } else {
        one.values[at] = sample.value;
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// The elements of one step of a range.
std::vector<SeenSeries> middle_of(const Matrix& matrix, Time at) {
  std::vector<SeenSeries> out;
  for (const auto& series : matrix) {
    for (const auto& sample : series.samples) {
      if (sample.time == at) out.push_back({series.labels, {sample.value}});
    }
  }
  return out;
}

/// Runs the commands of one script, in order.
class Script {
 public:
  Script(std::string_view file, ScriptReport& report) : file_(file), report_(report) {}

  Status command(std::size_t line, const std::vector<std::string>& block) {
    line_ = line;
    std::string_view first = block[0];
    std::string word(take_word(first));
    for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (word == "clear") {
      series_.clear();
      native_.clear();
      return {};
    }
    if (word.starts_with("load")) {
      AT_TRY(const auto step, parse_duration(first));
      for (std::size_t i = 1; i < block.size(); ++i) {
        AT_TRY(in_line(i, load(block[i], step, word == "load_with_nhcb")));
      }
      return {};
    }
    if (!word.starts_with("eval")) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("there is no command \"{}\"", word));
    }
    AT_TRY(const auto eval, read_eval(block));
    run(eval);
    return {};
  }

 private:
  Status load(std::string_view line, Duration step, bool with_native) {
    auto rest = line;
    if (take_word(rest).ends_with("@st")) return {};  // start timestamps, which change nothing for floats
    AT_TRY(const auto series, parse_script_series(line));
    if (series.is_native()) native_.insert(series.labels);
    const auto name = series.labels.get(kMetricName);
    for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
      if (!with_native || !name.ends_with(suffix)) continue;
      native_.insert(series.labels.without("le").with(kMetricName, name.substr(0, name.size() - suffix.size())));
    }
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const auto at = from_ms(step.count() * static_cast<std::int64_t>(i));
      if (series.values[i].number) series_.add(series.labels, at, *series.values[i].number);
    }
    return {};
  }

  std::string place() const { return fmt::format("{}:{}: ", file_, line_); }
  void failed(const Eval& eval, std::string_view what) {
    report_.failures.push_back(fmt::format("{}{}: {}", place(), eval.query, what));
  }

  bool reads_native(const Expression& expression) const {
    for (const auto& matchers : selectors(expression)) {
      for (const auto& labels : native_) {
        if (matches(matchers, labels)) return true;
      }
    }
    return false;
  }

  void run(const Eval& eval) {
    const auto expression = parse(eval.query);
    if (eval.expected.needs_native() || (expression && reads_native(**expression))) {
      report_.skipped.push_back(fmt::format("{}{}: needs native histograms", place(), eval.query));
      return;
    }
    Annotations said;
    const auto wrong = expression ? evaluate(eval, **expression, said) : refused(eval, expression.error());
    if (wrong) return failed(eval, *wrong);
    ++report_.passed;
  }

  /// An error is right when one is expected, in these words, with or without its place before them.
  static std::optional<std::string> refused(const Eval& eval, const Error& error) {
    if (!eval.expected.failure) return "unexpected error: " + to_string(error);
    const auto& wanted = *eval.expected.failure;
    if (wanted.matches(error.message)) return std::nullopt;
    if (error.place && wanted.matches(to_string(*error.place) + ": " + error.message)) return std::nullopt;
    return fmt::format("expected the error \"{}\", got \"{}\"", wanted.text, error.message);
  }

  std::optional<std::string> evaluate(const Eval& eval, const Expression& expression, Annotations& said) {
    const Engine engine(series_, Limits{});
    Conditions conditions;
    conditions.annotations = &said;
    if (eval.is_range) {
      const auto matrix = engine.range(default_tenant(), expression, eval.from, eval.to, eval.step, conditions);
      if (!matrix) return refused(eval, matrix.error());
      if (eval.expected.failure) return "expected an error";
      if (auto wrong = compare(eval.expected, said)) return wrong;
      return compare(eval.expected, seen_of(*matrix, eval.from, eval.step, eval.steps()), eval.steps(), false);
    }
    const auto value = engine.instant(default_tenant(), expression, eval.from, {}, conditions);
    if (!value) return refused(eval, value.error());
    if (eval.expected.failure) return "expected an error";
    if (auto wrong = compare(eval.expected, said)) return wrong;
    if (auto wrong = judge(eval, *value)) return wrong;
    if (auto wrong = in_the_middle_of_a_range(eval, expression)) return "as a range query: " + *wrong;
    return at_other_times(eval, expression);
  }

  static std::optional<std::string> judge(const Eval& eval, const Value& value) {
    const auto& expected = eval.expected;
    if (const auto* text = std::get_if<std::string>(&value)) {
      if (expected.string && *expected.string == *text) return std::nullopt;
      return fmt::format("got the string \"{}\"", *text);
    }
    if (const auto* scalar = std::get_if<Scalar>(&value)) {
      if (expected.scalar && almost_equal(*expected.scalar, scalar->value)) return std::nullopt;
      return fmt::format("expected {}, got the number {}", expected.scalar.value_or(0), scalar->value);
    }
    if (expected.scalar) return fmt::format("expected the number {}, got a vector", *expected.scalar);
    if (expected.string) return "expected a string, got a vector";
    if (const auto* matrix = std::get_if<Matrix>(&value)) {
      if (!expected.range_vector) return "got a range vector; say so: expect range vector from … to … step …";
      const auto& range = *expected.range_vector;
      const auto steps = static_cast<std::size_t>((range.to - range.from) / range.step) + 1;
      return compare(expected, seen_of(*matrix, range.from, range.step, steps), steps, false);
    }
    std::vector<SeenSeries> seen;
    for (const auto& element : std::get<Vector>(value)) seen.push_back({element.labels, {element.value}});
    return compare(expected, seen, 1, expected.ordered);
  }

  /// An instant query is the middle step of a range query, unless it asks for the query's own range.
  std::optional<std::string> in_the_middle_of_a_range(const Eval& eval, const Expression& expression) {
    static const re2::RE2 kOfTheQuery(R"(\b(start|end|range|step)\s*\(\s*\))");
    if (eval.expected.ordered || eval.expected.string || eval.expected.range_vector ||
        re2::RE2::PartialMatch(eval.query, kOfTheQuery)) {
      return std::nullopt;
    }
    constexpr Duration kMinute{60'000};
    const Engine engine(series_, Limits{});
    const auto matrix = engine.range(default_tenant(), expression, eval.from - kMinute, eval.from + kMinute, kMinute);
    if (!matrix) return to_string(matrix.error());
    const auto seen = middle_of(*matrix, eval.from);
    if (!eval.expected.scalar) return compare(eval.expected, seen, 1, false);
    if (seen.size() == 1 && almost_equal(*seen[0].values[0], *eval.expected.scalar)) return std::nullopt;
    return fmt::format("expected {}", *eval.expected.scalar);
  }

  /// With every selector pinned to the instant it does not matter when one asks.
  std::optional<std::string> at_other_times(const Eval& eval, const Expression& expression) {
    if (eval.expected.range_vector) return std::nullopt;
    const auto pinned = pin(expression, eval.from);
    if (!pinned) return std::nullopt;
    const auto t = to_ms(eval.from);
    const Engine engine(series_, Limits{});
    for (const auto at : {-10 * t, std::int64_t{0}, t / 5, t, 10 * t}) {
      const auto value = engine.instant(default_tenant(), *pinned, from_ms(at));
      if (!value) return fmt::format("pinned, at {} ms: {}", at, to_string(value.error()));
      if (auto wrong = judge(eval, *value)) return fmt::format("pinned, at {} ms: {}", at, *wrong);
    }
    return std::nullopt;
  }

  std::string file_;
  ScriptReport& report_;
  MemorySeries series_;
  std::set<Labels> native_;  ///< series that hold, or would be made into, native histograms
  std::size_t line_ = 0;
};

}  // namespace

ScriptReport run_script(std::string_view file, std::string_view text) {
  ScriptReport report;
  Script script(file, report);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    lines.emplace_back(line.starts_with('#') ? std::string_view() : line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (std::size_t i = 0; i < lines.size();) {
    if (lines[i].empty()) {
      ++i;
      continue;
    }
    const auto begin = i;
    std::vector<std::string> block{lines[i++]};
    while (block[0] != "clear" && i < lines.size() && !lines[i].empty()) block.push_back(lines[i++]);
    if (auto status = script.command(begin + 1, block); !status) {
      auto error = std::move(status).error();
      const auto within = error.place && error.place->file.empty() ? error.place->line : 0;
      error.place = Place{std::string(file), static_cast<std::uint32_t>(begin + 1) + within, 0};
      report.failures.push_back(to_string(error));
      report.understood = false;
    }
  }
  return report;
}

}  // namespace atalaya::promql
