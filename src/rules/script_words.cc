#include "rules/script_words.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "model/sample.h"
#include "promql/engine.h"

namespace atalaya::rules {
namespace {

/// The number at the beginning of `text`, which is taken off.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
  return value;
}

/// `xN` as a whole: N.
std::optional<std::size_t> take_times(std::string_view text) {
  if (!text.starts_with('x')) return std::nullopt;
  const auto count = parse_count(text.substr(1));
  return count && *count < kMaxScriptSamples ? count : std::nullopt;
}

Status add_values(const std::string& word, std::vector<std::optional<double>>& out) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is neither a value nor a series of values", word),
                "write 5, 1+2x3, 9-3x2, 4x2, _, _x5 or stale");
  };
  if (word == "_" || word.starts_with("_x")) {
    const auto times = word == "_" ? 1 : take_times(std::string_view(word).substr(1));
    if (!times) return wrong();
    out.insert(out.end(), *times, std::nullopt);
    return {};
  }
  if (const auto value = parse_value(word)) {
    out.emplace_back(*value);
    return {};
  }
  std::string_view left = word;
  const auto first = take_number(left);
  if (!first) return wrong();
  double step = 0;
  if (left.starts_with('+') || left.starts_with('-')) {
    const double sign = left[0] == '+' ? 1 : -1;
    left.remove_prefix(1);
    const auto size = take_number(left);
    if (!size) return wrong();
    step = sign * *size;
  }
  const auto times = take_times(left);
  if (!times) return wrong();
  for (std::size_t i = 0; i <= *times; ++i) out.emplace_back(*first + step * static_cast<double>(i));
  return {};
}

}  // namespace

std::vector<std::string> split_words(std::string_view text, char separator) {
  std::vector<std::string> out(1);
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`' && i + 1 < text.size()) out.back() += text[i++];
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '`') {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}') {
      --depth;
    } else if (c == separator && depth == 0) {
      out.emplace_back();
      continue;
    }
    out.back() += text[i];
  }
  if (separator == ' ') std::erase(out, "");
  return out;
}

std::string unquoted(const std::string& text) {
  if (text.size() < 2 || (text[0] != '"' && text[0] != '`')) return text;
  return text.substr(1, text.size() - 2);
}

Result<Labels> parse_series(const std::string& text) {
  AT_TRY(const auto parsed, promql::parse(text));
  const auto selectors = promql::selectors(*parsed);
  if (selectors.size() != 1) return fail(ErrorCode::kInvalidArgument, text + " is not one series");
  LabelsBuilder out;
  for (const auto& matcher : selectors.front()) {
    if (matcher.op() != Matcher::Op::kEqual)
      return fail(ErrorCode::kInvalidArgument, text + ": a series has labels with =, nothing else");
    out.set(matcher.name(), matcher.value());
  }
  return out.build();
}

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc{} && read.ptr == end ? std::optional(value) : std::nullopt;
}

std::optional<double> parse_value(std::string_view text) {
  if (text == "stale") return stale_marker();
  const auto value = take_number(text);
  return text.empty() ? value : std::nullopt;
}

Result<std::vector<std::optional<double>>> parse_values(const std::vector<std::string>& words, std::size_t first) {
  std::vector<std::optional<double>> out;
  for (std::size_t i = first; i < words.size(); ++i) {
    AT_TRY(add_values(words[i], out));
    if (out.size() > kMaxScriptSamples) return fail(ErrorCode::kInvalidArgument, "too many values");
  }
  return out;
}

}  // namespace atalaya::rules
