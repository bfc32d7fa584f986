#include "collect/script/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <unordered_set>

#include "base/bytes.h"
#include "model/names.h"

namespace atalaya::collect::script {
namespace {

constexpr std::array<std::string_view, 5> kTypes{"counter", "gauge", "histogram", "summary", "untyped"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// For messages: a line may be long.
std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (text.size() <= kShown) return std::string{text};
  auto end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string{text.substr(0, end)} + "…";
}

std::unexpected<Error> wrong(std::string why) { return fail(ErrorCode::kInvalidArgument, std::move(why)); }

/// One line, from left to right.
class Line {
 public:
  explicit Line(std::string_view text) : left_(text) {}

  void skip_blanks() {
    while (!left_.empty() && is_blank(left_[0])) left_.remove_prefix(1);
  }
  bool at_end() const { return left_.empty(); }
  bool take(char c) {
    if (left_.empty() || left_[0] != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  /// Up to a blank or one of `ends`.
  std::string_view word(std::string_view ends = {}) {
    std::size_t size = 0;
    while (size < left_.size() && !is_blank(left_[size]) && ends.find(left_[size]) == std::string_view::npos) ++size;
    const auto out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }
  std::string_view left() const { return left_; }

  /// A label's value, after its first quote.
  Result<std::string> quoted() {
    std::string out;
    while (!left_.empty()) {
      const auto c = left_[0];
      left_.remove_prefix(1);
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      const auto escaped = left_.empty() ? '\0' : left_[0];
      if (escaped == 'n')
        out += '\n';
      else if (escaped == '\\' || escaped == '"')
        out += escaped;
      else
        return wrong("a backslash stands before \\, \" or n only");
      left_.remove_prefix(1);
    }
    return wrong("a label's value does not end with a quote");
  }

 private:
  std::string_view left_;
};

std::optional<double> parse_value(std::string_view text) {
  const bool negative = text.starts_with('-');
  auto number = text;
  if (negative || text.starts_with('+')) number.remove_prefix(1);
  std::string lower(number);
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (lower == "inf" || lower == "infinity")
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  if (number.empty() || !((number[0] >= '0' && number[0] <= '9') || number[0] == '.')) return std::nullopt;
  double out = 0;
  const auto parsed = std::from_chars(number.begin(), number.end(), out);
  if (parsed.ptr != number.end() || parsed.ec == std::errc::invalid_argument) return std::nullopt;
  // Beyond the range from_chars leaves the value alone; it is infinite, or too small to tell from nothing.
  if (parsed.ec == std::errc::result_out_of_range)
    out = number.find("e-") != std::string_view::npos || number.find("E-") != std::string_view::npos
              ? 0
              : std::numeric_limits<double>::infinity();
  return negative ? -out : out;
}

Status check_comment(Line line) {
  line.skip_blanks();
  const auto keyword = line.word();
  if (keyword != "HELP" && keyword != "TYPE") return {};
  line.skip_blanks();
  const auto metric = line.word();
  if (!is_metric_name(metric))
    return wrong(fmt::format("{} of \"{}\", which is no metric's name", keyword, shown(metric)));
  if (keyword == "HELP") return {};
  line.skip_blanks();
  const auto type = line.word();
  line.skip_blanks();
  if (std::ranges::find(kTypes, type) == kTypes.end() || !line.at_end())
    return wrong(fmt::format("TYPE of {} is \"{}\", not one of {}", metric, shown(type), fmt::join(kTypes, ", ")));
  return {};
}

Result<Labels> parse_labels(Line& line) {
  LabelsBuilder builder;
  std::set<std::string, std::less<>> names;
  line.skip_blanks();
  while (!line.take('}')) {
    const auto name = line.word("=,}\"");
    if (!is_label_name(name) || name.starts_with("__"))
      return wrong(fmt::format("\"{}\" cannot be a label's name", shown(name)));
    if (!names.emplace(name).second) return wrong(fmt::format("label {} is there twice", name));
    if (names.size() > kMaxLabels) return wrong(fmt::format("more than {} labels", kMaxLabels));
    line.skip_blanks();
    const bool equals = line.take('=');
    line.skip_blanks();
    if (!equals || !line.take('"')) return wrong(fmt::format("label {} has no value in quotes", name));
    AT_TRY(const auto value, line.quoted());
    builder.set(name, value);
    line.skip_blanks();
    if (line.take(',')) {
      line.skip_blanks();
      continue;
    }
    if (!line.left().starts_with('}')) return wrong("labels do not end with }");
  }
  return builder.build();
}

Result<ExpositionSample> parse_sample(Line line) {
  ExpositionSample out;
  out.metric = line.word("{");
  if (!is_metric_name(out.metric)) return wrong(fmt::format("\"{}\" is no metric's name", shown(out.metric)));
  line.skip_blanks();
  if (line.take('{')) {
    AT_TRY(out.labels, parse_labels(line));
    line.skip_blanks();
  }
  const auto text = line.word();
  const auto value = parse_value(text);
  if (!value) return wrong(fmt::format("{} has \"{}\", which is no number", out.metric, shown(text)));
  out.value = *value;
  line.skip_blanks();
  if (!line.at_end())
    return wrong(
        fmt::format("after the value of {} comes \"{}\"; a time is not taken", out.metric, shown(line.left())));
  return out;
}

}  // namespace

Result<std::vector<ExpositionSample>> parse_exposition(std::string_view text) {
  std::vector<ExpositionSample> out;
  std::unordered_set<Labels> seen;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto what = fmt::format("line {}", number);
    const auto end = std::min(text.find('\n'), text.size());
    const auto bytes = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_utf8(bytes)) return fail_within(what, wrong("not UTF-8").error());
    Line line(bytes);
    line.skip_blanks();
    if (line.at_end()) continue;
    if (line.take('#')) {
      if (auto status = check_comment(line); !status) return fail_within(what, std::move(status).error());
      continue;
    }
    auto sample = parse_sample(line);
    if (!sample) return fail_within(what, std::move(sample).error());
    if (!seen.insert(sample->labels.with(kMetricName, sample->metric)).second)
      return fail_within(what, wrong(fmt::format("series of {} is there twice", sample->metric)).error());
    if (out.size() == kMaxSeries)
      return fail_within(what, wrong(fmt::format("more than {} series", kMaxSeries)).error());
    out.push_back(std::move(*sample));
  }
  return out;
}

}  // namespace atalaya::collect::script
