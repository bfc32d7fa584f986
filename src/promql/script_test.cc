// Runs scripts in promqltest's notation: our own, which must pass whole, and other projects', of
// which the parts that this version cannot evaluate are counted as skipped.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/format.h"
#include "promql/lexer.h"
#include "promql/test_series.h"

namespace atalaya::promql {
namespace {

using Cells = std::vector<std::optional<double>>;

struct Unsupported {
  std::string why;
};

struct Expected {
  Labels labels;
  Cells values;
};

bool almost_equal(double a, double b) {
  if (is_stale(a) || is_stale(b)) return is_stale(a) && is_stale(b);
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < 2.2250738585072014e-308) return difference < 1e-6 * 2.2250738585072014e-308;
  return difference / std::min(sum, 1.7976931348623157e308) < 1e-6;
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const auto word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

/// `name{…}` at the start of the line; the rest stays.
Labels take_series(std::string_view& line) {
  bool quoted = false;
  char quote = 0;
  int braces = 0;
  std::size_t end = 0;
  for (; end < line.size(); ++end) {
    const char c = line[end];
    if (quoted) {
      if (c == '\\' && quote != '`') ++end;
      if (c == quote) quoted = false;
      continue;
    }
    if (c == '"' || c == '\'' || c == '`') {
      quoted = true;
      quote = c;
    }
    braces += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (braces == 0 && (c == ' ' || c == '\t')) break;
  }
  const auto text = std::string(trim(line.substr(0, end)));
  line = trim(line.substr(std::min(end, line.size())));
  LabelsBuilder labels;
  auto tokens = tokenize(text).value();
  std::size_t at = 0;
  if (tokens[0].kind == Token::Kind::kIdentifier) labels.set(kMetricName, tokens[at++].text);
  for (; at + 1 < tokens.size(); ++at) {
    const auto& token = tokens[at];
    if (token.kind == Token::Kind::kSymbol || token.kind == Token::Kind::kEnd) continue;
    const auto key = token.kind == Token::Kind::kString ? token.value : std::string(token.text);
    if (tokens[at + 1].text == "=") {
      labels.set(key, tokens[at + 2].value);
      at += 2;
    } else {
      labels.set(kMetricName, key);
    }
  }
  return labels.build();
}

double number(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  if (!parse_number(text, value)) throw std::runtime_error("not a number: " + std::string(text));
  return minus ? -value : value;
}

/// `1 2 _ 3x4 0+10x5 stale`.
Cells sequence(std::string_view text) {
  static const re2::RE2 kSeries(
      R"(([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]?[Ii]nf|NaN)(?:([-+][0-9.]+(?:[eE][-+]?[0-9]+)?|[-+]Inf))?x([0-9]+))");
  static const re2::RE2 kGap(R"(_(?:x([0-9]+))?)");
  Cells out;
  if (text.find("{{") != text.npos) throw Unsupported{"native histograms"};
  while (!text.empty()) {
    const std::string word(take_word(text));
    std::string start;
    std::string by;
    int count = 1;
    if (re2::RE2::FullMatch(word, kGap)) {
      if (word.size() > 1) count = std::stoi(word.substr(2));
      out.insert(out.end(), static_cast<std::size_t>(count), std::nullopt);
    } else if (word == "stale") {
      out.emplace_back(stale_marker());
    } else if (re2::RE2::FullMatch(word, kSeries, &start, &by, &count)) {
      double value = number(start);
      for (int i = 0; i <= count; ++i) {
        out.emplace_back(value);
        if (!by.empty()) value += number(by);
      }
    } else {
      out.emplace_back(number(word));
    }
  }
  return out;
}

class Script {
 public:
  int passed = 0;
  std::vector<std::string> skipped;

  void run(const std::string& path) {
    std::ifstream in(path);
    ASSERT_TRUE(in) << path;
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
      const auto trimmed = trim(line);
      lines.emplace_back(trimmed.starts_with('#') ? std::string_view() : trimmed);
    }
    for (std::size_t i = 0; i < lines.size();) {
      if (lines[i].empty()) {
        ++i;
        continue;
      }
      place_ = fmt::format("{}:{}", path, i + 1);
      std::vector<std::string> block{lines[i++]};
      while (block[0] != "clear" && i < lines.size() && !lines[i].empty()) block.push_back(lines[i++]);
      try {
        command(block);
      } catch (const Unsupported& u) {
        skipped.push_back(fmt::format("{}: {}", place_, u.why));
      }
    }
  }

 private:
  void command(const std::vector<std::string>& block) {
    std::string_view first = block[0];
    const std::string word(take_word(first));
    if (word == "clear") {
      series_.clear();
    } else if (word == "load") {
      const auto step = parse_duration(first).value();
      for (std::size_t i = 1; i < block.size(); ++i) load(block[i], step);
    } else if (word.starts_with("eval")) {
      if (word == "eval_fail") fails_ = true;
      evaluate(block, word);
    } else {
      throw Unsupported{"command " + word};
    }
  }

  void load(std::string_view line, Duration step) {
    const auto labels = take_series(line);
    const auto cells = sequence(line);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i]) series_.add(labels, from_ms(step.count() * static_cast<std::int64_t>(i)), *cells[i]);
    }
  }

  void evaluate(const std::vector<std::string>& block, const std::string& word) {
    static const re2::RE2 kInstant(R"(eval\S*\s+instant\s+(?:at\s+(\S+))?\s+(.+))");
    static const re2::RE2 kRange(R"(eval\S*\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+))");
    fails_ = word == "eval_fail";
    ordered_ = word == "eval_ordered";
    string_.reset();
    scalar_.reset();
    expected_.clear();
    std::string from, to, step, query;
    if (re2::RE2::FullMatch(block[0], kRange, &from, &to, &step, &query)) {
      expectations(block);
      range(parse_duration(from).value(), parse_duration(to).value(), parse_duration(step).value(), query);
    } else if (re2::RE2::FullMatch(block[0], kInstant, &from, &query)) {
      expectations(block);
      instant(from.empty() ? Duration{0} : parse_duration(from).value(), query);
    } else {
      ADD_FAILURE() << place_ << ": not understood: " << block[0];
    }
  }

  void expectations(const std::vector<std::string>& block) {
    for (std::size_t i = 1; i < block.size(); ++i) {
      std::string_view line = block[i];
      if (line.starts_with("expect ")) {
        take_word(line);
        const auto what = take_word(line);
        if (what == "fail") fails_ = true;
        if (what == "ordered") ordered_ = true;
        if (what == "string") string_ = tokenize(line).value()[0].value;
        if (what == "range") throw Unsupported{"expect range vector"};
        continue;
      }
      if (line.starts_with("expected_fail")) continue;
      double value = 0;
      const auto plain = line.starts_with('-') || line.starts_with('+') ? line.substr(1) : line;
      if (parse_number(plain, value)) {
        scalar_ = number(line);
        continue;
      }
      Expected one;
      one.labels = take_series(line);
      one.values = sequence(line);
      expected_.push_back(std::move(one));
    }
  }

  ExpressionPtr parsed(const std::string& query, bool& failed) {
    auto expression = parse(query);
    failed = !expression;
    if (failed && expression.error().code == ErrorCode::kUnprocessable && !fails_) {
      throw Unsupported{expression.error().message};
    }
    if (failed) return nullptr;
    return *expression;
  }

  void verdict(bool failed, const std::string& query, const std::string& why) {
    if (failed != fails_) {
      ADD_FAILURE() << place_ << ": " << query << (failed ? ": failed: " + why : ": should have failed");
    } else {
      ++passed;
    }
  }

  void instant(Duration at, const std::string& query) {
    bool failed = false;
    const auto expression = parsed(query, failed);
    if (failed) return verdict(true, query, "parse: " + to_string(parse(query).error()));
    const Engine engine(series_, limits());
    auto value = engine.instant(default_tenant(), *expression, from_ms(at.count()));
    if (!value || fails_) return verdict(!value, query, value ? "" : to_string(value.error()));
    ++passed;
    if (const auto* text = std::get_if<std::string>(&*value)) {
      EXPECT_TRUE(string_ && *string_ == *text) << place_ << ": " << query << " gave " << *text;
    } else if (const auto* scalar = std::get_if<Scalar>(&*value)) {
      EXPECT_TRUE(scalar_ && almost_equal(*scalar_, scalar->value))
          << place_ << ": " << query << " gave " << scalar->value;
    } else if (const auto* vector = std::get_if<Vector>(&*value)) {
      std::vector<Expected> got;
      for (const auto& element : *vector) got.push_back({element.labels, {element.value}});
      compare(query, got, 1);
      if (!ordered_) also_as_range(at, query, *expression);
    } else {
      throw Unsupported{"a range vector as result"};
    }
  }

  /// The middle step of a range query is the instant query.
  void also_as_range(Duration at, const std::string& query, const Expression& expression) {
    if (query.find("start()") != query.npos || query.find("end()") != query.npos) return;
    const Engine engine(series_, limits());
    const auto minute = Duration{60000};
    const auto time = from_ms(at.count());
    const auto matrix = engine.range(default_tenant(), expression, time - minute, time + minute, minute);
    if (!matrix) return;  // a neighbour step may fail where this one does not
    std::vector<Expected> got;
    for (const auto& series : *matrix) {
      for (const auto& sample : series.samples) {
        if (sample.time == time) got.push_back({series.labels, {sample.value}});
      }
    }
    compare(query + " (as a range query)", got, 1);
  }

  void range(Duration from, Duration to, Duration step, const std::string& query) {
    bool failed = false;
    const auto expression = parsed(query, failed);
    if (failed) return verdict(true, query, "parse");
    const Engine engine(series_, limits());
    const auto start = from_ms(from.count());
    const auto matrix = engine.range(default_tenant(), *expression, start, from_ms(to.count()), step);
    if (!matrix || fails_) return verdict(!matrix, query, matrix ? "" : to_string(matrix.error()));
    ++passed;
    const auto steps = static_cast<std::size_t>((to - from) / step) + 1;
    std::vector<Expected> got;
    for (const auto& series : *matrix) {
      Expected one{series.labels, Cells(steps)};
      for (const auto& sample : series.samples) {
        one.values[static_cast<std::size_t>((sample.time - start) / step)] = sample.value;
      }
      got.push_back(std::move(one));
    }
    compare(query, got, steps);
  }

  void compare(const std::string& query, const std::vector<Expected>& got, std::size_t steps) {
    std::string text;
    for (const auto& one : got) {
      text += "\n  " + to_string(one.labels);
      for (const auto& value : one.values) text += value ? " " + format_value(*value) : " _";
    }
    const auto where = fmt::format("{}: {} gave{}", place_, query, text);
    if (scalar_ && got.size() == 1 && got[0].labels.empty()) {
      EXPECT_TRUE(almost_equal(*got[0].values[0], *scalar_)) << where;
      return;
    }
    EXPECT_EQ(got.size(), expected_.size()) << where;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      const Expected* found = nullptr;
      for (std::size_t j = 0; j < got.size(); ++j) {
        if (got[j].labels == expected_[i].labels && (!ordered_ || i == j)) found = &got[j];
      }
      if (!found) {
        ADD_FAILURE() << where << "\nwithout " << to_string(expected_[i].labels);
        continue;
      }
      auto wanted = expected_[i].values;
      wanted.resize(steps);
      for (std::size_t k = 0; k < steps; ++k) {
        const auto& value = found->values[k];
        EXPECT_TRUE(value.has_value() == wanted[k].has_value() && (!value || almost_equal(*value, *wanted[k])))
            << where << "\nat step " << k << " of " << to_string(expected_[i].labels);
      }
    }
  }

  static Limits limits() { return Limits{}; }

  TestSeries series_;
  std::string place_;
  bool fails_ = false;
  bool ordered_ = false;
  std::optional<std::string> string_;
  std::optional<double> scalar_;
  std::vector<Expected> expected_;
};

std::vector<std::string> scripts_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  if (!std::filesystem::is_directory(folder)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(PromqlScripts, OwnScriptsPassWithoutSkips) {
  const auto scripts = scripts_in(std::filesystem::path(AT_SOURCE_DIR) / "test/scripts/promql");
  ASSERT_FALSE(scripts.empty());
  for (const auto& path : scripts) {
    Script script;
    script.run(path);
    EXPECT_TRUE(script.skipped.empty()) << script.skipped.front();
    EXPECT_GT(script.passed, 0) << path;
  }
}

TEST(PromqlScripts, PrometheusScriptsPassWhereSupported) {
  const char* wanted = std::getenv("ATALAYA_REFERENCE_DATA");
  const auto folder =
      (wanted ? std::filesystem::path(wanted) : std::filesystem::path(AT_SOURCE_DIR) / "../shared/data") / "promqltest";
  const auto scripts = scripts_in(folder);
  if (scripts.empty()) GTEST_SKIP() << "no reference data in " << folder.string();
  int passed = 0;
  std::size_t skipped = 0;
  for (const auto& path : scripts) {
    Script script;
    script.run(path);
    passed += script.passed;
    skipped += script.skipped.size();
    for (const auto& why : script.skipped) {
      if (std::getenv("ATALAYA_VERBOSE")) fmt::print("skipped {}\n", why);
    }
  }
  fmt::print("{} evaluations agree with Prometheus, {} use what this version does not evaluate\n", passed, skipped);
  EXPECT_GT(passed, 0);
}

}  // namespace
}  // namespace atalaya::promql
