#include "promql/script_expect.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "promql/format.h"
#include "promql/lexer.h"

namespace atalaya::promql {
namespace {

std::unexpected<Error> not_understood(std::string_view line) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not understood", line.substr(0, 200)));
}

/// `msg: …`, `regex: …` or nothing.
Result<ExpectedText> text_of(std::string_view rest) {
  rest = trimmed(rest);
  if (rest.empty()) return ExpectedText{};
  const bool exact = rest.starts_with("msg:");
  if (!exact && !rest.starts_with("regex:")) return not_understood(rest);
  const auto text = trimmed(rest.substr(rest.find(':') + 1));
  if (text.empty()) return not_understood(rest);
  return ExpectedText{exact ? ExpectedText::Kind::kExact : ExpectedText::Kind::kRegex, std::string(text)};
}

Result<ExpectedRange> range_of(std::string_view rest) {
  ExpectedRange out;
  if (take_word(rest) != "vector" || take_word(rest) != "from") return not_understood(rest);
  AT_TRY(const auto from, parse_duration(take_word(rest)));
  if (take_word(rest) != "to") return not_understood(rest);
  AT_TRY(const auto to, parse_duration(take_word(rest)));
  if (take_word(rest) != "step") return not_understood(rest);
  AT_TRY(out.step, parse_duration(take_word(rest)));
  if (out.step <= Duration{0} || to < from) return not_understood(rest);
  out.from = from_ms(from.count());
  out.to = from_ms(to.count());
  return out;
}

std::string show(const std::optional<double>& value) {
  if (!value) return "_";
  return is_stale(*value) ? "stale" : format_value(*value);
}

std::string show(const SeenSeries& series) {
  auto text = to_string(series.labels);
  if (text.empty()) text = "{}";
  for (const auto& value : series.values) text += " " + show(value);
  return text;
}

std::string show(const std::vector<SeenSeries>& all) {
  if (all.empty()) return "nothing";
  std::string out;
  for (const auto& series : all) out += (out.empty() ? "" : "; ") + show(series);
  return out;
}

std::optional<std::string> compare_texts(const std::vector<ExpectedText>& expected,
                                         const std::vector<std::string>& said, std::string_view what) {
  if (expected.empty()) return std::nullopt;
  for (const auto& one : expected) {
    if (std::any_of(said.begin(), said.end(), [&](const auto& text) { return one.matches(text); })) continue;
    const auto wanted = one.kind == ExpectedText::Kind::kAny ? fmt::format("some {}", what) : one.text;
    return fmt::format("expected {} \"{}\", got {}", what, wanted,
                       said.empty() ? "none" : fmt::format("\"{}\"", said[0]));
  }
  for (const auto& text : said) {
    if (std::none_of(expected.begin(), expected.end(), [&](const auto& one) { return one.matches(text); })) {
      return fmt::format("unexpected {} \"{}\"", what, text);
    }
  }
  return std::nullopt;
}

SeenSeries as_seen(const ScriptSeries& series, std::size_t steps) {
  SeenSeries out{series.labels, {}};
  for (const auto& value : series.values) out.values.push_back(value.number);
  out.values.resize(std::max(out.values.size(), steps));
  return out;
}

}  // namespace

bool ExpectedText::matches(const std::string& said) const {
  switch (kind) {
    case Kind::kAny: return true;
    case Kind::kExact: return said == text;
    case Kind::kRegex: break;
  }
  return re2::RE2::PartialMatch(said, text);
}

bool almost_equal(double a, double b) {
  constexpr double kEpsilon = 1e-6;
  if (is_stale(a) || is_stale(b)) return is_stale(a) && is_stale(b);
  if (std::isnan(a) && std::isnan(b)) return true;
  if (a == b) return true;
  constexpr double kTiny = std::numeric_limits<double>::min();
  const double sum = std::fabs(a) + std::fabs(b);
  const double difference = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kTiny) return difference < kEpsilon * kTiny;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kEpsilon;
}

Status Expectation::read(std::string_view line) {
  auto rest = line;
  const auto word = take_word(rest);
  if (word == "expect") {
    const auto what = take_word(rest);
    if (what == "fail") {
      AT_TRY(failure, text_of(rest));
    } else if (what == "warn" || what == "info") {
      AT_TRY(auto text, text_of(rest));
      (what == "warn" ? warnings : infos).push_back(std::move(text));
    } else if (what == "no_warn") {
      no_warnings = true;
    } else if (what == "no_info") {
      no_infos = true;
    } else if (what == "ordered") {
      ordered = true;
    } else if (what == "string") {
      AT_TRY(const auto tokens, tokenize(rest));
      if (tokens.size() != 2 || tokens[0].kind != Token::Kind::kString) return not_understood(line);
      string = tokens[0].value;
    } else if (what == "range") {
      AT_TRY(range_vector, range_of(rest));
    } else {
      return not_understood(line);
    }
    return {};
  }
  if (word == "expected_fail_message") {
    failure = ExpectedText{ExpectedText::Kind::kExact, std::string(rest)};
    return {};
  }
  if (word == "expected_fail_regexp") {
    failure = ExpectedText{ExpectedText::Kind::kRegex, std::string(rest)};
    return {};
  }
  if (const auto number = parse_script_number(line)) {
    scalar = number;
    return {};
  }
  AT_TRY(auto one, parse_script_series(line));
  series.push_back(std::move(one));
  return {};
}

bool Expectation::needs_native() const {
  return std::any_of(series.begin(), series.end(), [](const auto& one) { return one.is_native(); });
}

std::optional<std::string> compare(const Expectation& expected, const std::vector<SeenSeries>& seen, std::size_t steps,
                                   bool ordered) {
  std::vector<SeenSeries> wanted;
  for (const auto& series : expected.series) wanted.push_back(as_seen(series, steps));
  const auto wrong = [&] { return fmt::format("expected {}, got {}", show(wanted), show(seen)); };
  if (wanted.size() != seen.size()) return wrong();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found =
        std::find_if(seen.begin(), seen.end(), [&](const auto& one) { return one.labels == wanted[i].labels; });
    if (found == seen.end()) return wrong();
    if (ordered && found - seen.begin() != static_cast<std::ptrdiff_t>(i)) return wrong() + ", in this order";
    if (wanted[i].values.size() != found->values.size()) return wrong();
    for (std::size_t k = 0; k < found->values.size(); ++k) {
      const auto& a = wanted[i].values[k];
      const auto& b = found->values[k];
      if (a.has_value() != b.has_value() || (a && !almost_equal(*a, *b))) return wrong();
    }
  }
  return std::nullopt;
}

std::optional<std::string> compare(const Expectation& expected, const Annotations& said) {
  if (auto wrong = compare_texts(expected.warnings, said.warnings, "warning")) return wrong;
  if (auto wrong = compare_texts(expected.infos, said.infos, "info")) return wrong;
  if (expected.no_warnings && !said.warnings.empty()) {
    return fmt::format("unexpected warning \"{}\"", said.warnings[0]);
  }
  if (expected.no_infos && !said.infos.empty()) return fmt::format("unexpected info \"{}\"", said.infos[0]);
  return std::nullopt;
}

}  // namespace atalaya::promql
