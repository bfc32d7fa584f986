#include "promql/script_series.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "model/sample.h"
#include "promql/lexer.h"

namespace atalaya::promql {
namespace {

constexpr std::size_t kMostValues = 1'000'000;

/// Where the series ends and its values begin.
std::size_t end_of_series(std::string_view line) {
  char quote = 0;
  int braces = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '\'' || c == '`') quote = c;
    braces += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (braces == 0 && (c == ' ' || c == '\t')) return i;
  }
  return line.size();
}

std::unexpected<Error> no_series(std::string_view text) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no series", text.substr(0, 200)));
}

Result<Labels> parse_labels(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  const auto& words = *tokens;
  LabelsBuilder labels;
  std::size_t at = 0;
  const auto is = [&](std::string_view symbol) {
    return words[at].kind == Token::Kind::kSymbol && words[at].text == symbol;
  };
  const auto is_name = [&] {
    return words[at].kind == Token::Kind::kIdentifier || words[at].kind == Token::Kind::kString;
  };
  const auto take_name = [&] {
    const auto& word = words[at++];
    return word.kind == Token::Kind::kString ? word.value : std::string(word.text);
  };
  if (words[at].kind == Token::Kind::kIdentifier) labels.set(kMetricName, take_name());
  if (is("{")) {
    ++at;
    while (!is("}")) {
      if (!is_name()) return no_series(text);
      const bool quoted = words[at].kind == Token::Kind::kString;
      const auto name = take_name();
      if (is("=")) {
        ++at;
        if (words[at].kind != Token::Kind::kString) return no_series(text);
        labels.set(name, words[at++].value);
      } else if (quoted) {
        labels.set(kMetricName, name);
      } else {
        return no_series(text);
      }
      if (is(",")) ++at;
    }
    ++at;
  }
  if (words[at].kind != Token::Kind::kEnd) return no_series(text);
  return labels.build();
}

/// The next item of the values; native histograms have blanks in them.
std::string_view take_item(std::string_view& text) {
  text = trimmed(text);
  std::size_t end = 0;
  while (end < text.size() && text[end] != ' ' && text[end] != '\t') {
    if (text.substr(end).starts_with("{{")) {
      const auto close = text.find("}}", end);
      end = close == text.npos ? text.size() : close + 2;
    } else {
      ++end;
    }
  }
  const auto item = text.substr(0, end);
  text.remove_prefix(end);
  return item;
}

/// `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN`.
void add_native(std::string_view item, std::size_t most, std::vector<ScriptValue>& out) {
  std::size_t count = 1;
  const auto behind = item.rfind("}}");
  if (behind != item.npos && item.substr(behind + 2).starts_with('x')) {
    double times = 0;
    if (parse_number(item.substr(behind + 3), times)) count = std::min(static_cast<std::size_t>(times) + 1, most);
  }
  out.insert(out.end(), count, ScriptValue{std::nullopt, true});
}

Status add_item(const std::string& item, std::vector<ScriptValue>& out) {
  static const re2::RE2 kGap(R"(_(?:x([0-9]+))?)");
  static const re2::RE2 kStale(R"(stale(?:x([0-9]+))?)");
  static const re2::RE2 kNumbers(
      R"(([-+]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[Ii][Nn][Ff]|[-+]?[Nn][Aa][Nn]))"
      R"((?:([-+](?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+][Ii][Nn][Ff]))?(x[0-9]+)?)");
  if (item.starts_with("{{")) {
    add_native(item, kMostValues, out);
    return {};
  }
  std::string start;
  std::string by;
  std::string times;
  const auto repeated = [&](std::size_t once) -> std::size_t {
    if (times.empty()) return 1;
    return std::min<std::size_t>(static_cast<std::size_t>(std::stoull(times)) + once, kMostValues);
  };
  if (re2::RE2::FullMatch(item, kGap, &times)) {
    out.insert(out.end(), repeated(0), ScriptValue{});
    return {};
  }
  if (re2::RE2::FullMatch(item, kStale, &times)) {
    out.insert(out.end(), repeated(1), ScriptValue{stale_marker(), false});
    return {};
  }
  if (!re2::RE2::FullMatch(item, kNumbers, &start, &by, &times) || (!by.empty() && times.empty()) ||
      times.size() > 10) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no value of a series", item.substr(0, 100)));
  }
  double value = *parse_script_number(start);
  const double step = by.empty() ? 0 : *parse_script_number(by);
  if (!times.empty()) times.erase(0, 1);
  for (std::size_t i = 0, count = repeated(1); i < count; ++i) {
    out.push_back({value, false});
    if (!by.empty()) value += step;
  }
  return {};
}

}  // namespace

bool ScriptSeries::is_native() const {
  return std::any_of(values.begin(), values.end(), [](const auto& value) { return value.is_native; });
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const auto word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

std::optional<double> parse_script_number(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  if (!parse_number(text, value)) return std::nullopt;
  return minus ? -value : value;
}

Result<ScriptSeries> parse_script_series(std::string_view line) {
  line = trimmed(line);
  const auto end = end_of_series(line);
  ScriptSeries out;
  AT_TRY(out.labels, parse_labels(line.substr(0, end)));
  auto rest = line.substr(end);
  for (auto item = take_item(rest); !item.empty(); item = take_item(rest)) {
    AT_TRY(add_item(std::string(item), out.values));
    if (out.values.size() > kMostValues) return no_series(line);
  }
  return out;
}

}  // namespace atalaya::promql
