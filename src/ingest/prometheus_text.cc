#include "ingest/prometheus_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "base/bytes.h"
#include "model/names.h"

namespace atalaya::ingest {
namespace {

std::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string_view take_word(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && !is_blank(text[size])) ++size;
  const auto word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

/// After its first quote, up to the last.
Result<std::string> take_quoted(std::string_view& text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return out;
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escaped = text.empty() ? '\0' : text.front();
    if (escaped == 'n')
      out += '\n';
    else if (escaped == '\\' || escaped == '"')
      out += escaped;
    else
      out += {c, escaped};
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return wrong("a text does not end with a quote");
}

Result<Time> time_of(std::string_view text, TextDialect dialect) {
  if (dialect == TextDialect::kOpenMetrics) {
    const auto seconds = parse_text_value(text);
    // Beyond, doubles do not tell milliseconds apart.
    constexpr double kMostMs = 9e15;
    if (!seconds || !(std::abs(*seconds * 1e3) < kMostMs)) return wrong("the time is no number of seconds");
    return from_ms(std::llround(*seconds * 1e3));
  }
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size()) {
    return wrong("the time is no whole number of milliseconds");
  }
  return from_ms(ms);
}

/// The labels of one set of braces, as they are read.
class Braces {
 public:
  explicit Braces(LabelsBuilder& out) : out_(out) {}

  Status read(std::string_view& text) {
    for (skip_blanks(text); !take(text, '}'); skip_blanks(text)) {
      AT_TRY(read_one(text));
      skip_blanks(text);
      if (!take(text, ',') && !text.starts_with('}')) return wrong("labels do not end with }");
    }
    return {};
  }
  bool named = false;

 private:
  Status read_one(std::string_view& text) {
    std::string name;
    const bool quoted = take(text, '"');
    if (quoted) {
      AT_TRY(name, take_quoted(text));
    } else {
      while (!text.empty() && std::string_view("=,}\" \t").find(text.front()) == std::string_view::npos) {
        name += text.front();
        text.remove_prefix(1);
      }
    }
    skip_blanks(text);
    if (!take(text, '=')) {
      if (!quoted || named) return wrong("a label has no value");
      return add(std::string(kMetricName), name);
    }
    if (!quoted && !is_label_name(name)) return wrong(fmt::format("{} is no label's name", quote_label_value(name)));
    skip_blanks(text);
    if (!take(text, '"')) return wrong(fmt::format("label {} has no value in quotes", name));
    AT_TRY(const auto value, take_quoted(text));
    return add(std::move(name), value);
  }
  Status add(std::string name, const std::string& value) {
    if (name.empty()) return wrong("a label without a name");
    if (!is_utf8(name) || !is_utf8(value)) return wrong("a label that is not UTF-8");
    named = named || name == kMetricName;
    if (!names_.insert(name).second) return wrong(fmt::format("label {} twice", name));
    out_.set(name, value);
    return {};
  }

  LabelsBuilder& out_;
  std::set<std::string> names_;
};

}  // namespace

std::size_t text_series_size(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && line[at] != '{' && !is_blank(line[at])) ++at;
  auto open = at;
  while (open < line.size() && is_blank(line[open])) ++open;
  if (open == line.size() || line[open] != '{') return at;
  bool quoted = false;
  for (at = open; at < line.size(); ++at) {
    if (quoted && line[at] == '\\')
      ++at;
    else if (line[at] == '"')
      quoted = !quoted;
    else if (!quoted && line[at] == '}')
      return at + 1;
  }
  return std::string_view::npos;
}

bool ends_as_open_metrics(std::string_view text) {
  constexpr std::string_view kEnd = "# EOF";
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (!text.ends_with(kEnd)) return false;
  return text.size() == kEnd.size() || text[text.size() - kEnd.size() - 1] == '\n';
}

Result<std::optional<TextSample>> split_text_line(std::string_view line, TextDialect dialect) {
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  skip_blanks(line);
  if (line.empty() || line.front() == '#') return std::nullopt;
  const auto size = text_series_size(line);
  if (size == std::string_view::npos) return wrong("labels do not end with }");
  TextSample out;
  out.series = line.substr(0, size);
  line.remove_prefix(size);
  skip_blanks(line);
  out.value = take_word(line);
  if (out.value.empty()) return wrong("a value is missing");
  const auto exemplar = [&] {
    skip_blanks(line);
    return dialect == TextDialect::kOpenMetrics && line.starts_with('#');
  };
  if (exemplar()) return out;
  const auto time = take_word(line);
  if (!exemplar() && !line.empty()) return wrong("more follows the time");
  if (time.empty()) return out;
  AT_TRY(out.time, time_of(time, dialect));
  return out;
}

namespace {

/// With or without a name.
Result<Labels> read_series(std::string_view text) {
  LabelsBuilder out;
  std::size_t size = 0;
  while (size < text.size() && text[size] != '{' && !is_blank(text[size])) ++size;
  const auto name = text.substr(0, size);
  text.remove_prefix(size);
  if (!name.empty() && !is_metric_name(name))
    return wrong(fmt::format("{} is no metric's name", quote_label_value(name)));
  skip_blanks(text);
  Braces braces(out);
  if (take(text, '{')) AT_TRY(braces.read(text));
  if (!text.empty()) return wrong("more follows the labels");
  if (!name.empty()) {
    if (braces.named) return wrong("two names");
    out.set(kMetricName, name);
  }
  return out.build();
}

}  // namespace

Result<Labels> parse_text_series(std::string_view text) {
  AT_TRY(auto labels, read_series(text));
  if (!labels.has(kMetricName)) return wrong("a series without a name");
  return labels;
}

Result<Labels> parse_text_labels(std::string_view braces) {
  if (!braces.starts_with('{')) return wrong("labels do not begin with {");
  return read_series(braces);
}

std::optional<double> parse_text_value(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string lower(text);
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  double out = std::numeric_limits<double>::infinity();
  if (lower != "inf" && lower != "infinity") {
    if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    // Beyond the range from_chars leaves the value alone: too small to tell from nothing, or no number of ours.
    if (error == std::errc::result_out_of_range) {
      if (lower.find("e-") == std::string::npos) return std::nullopt;
      out = 0;
    }
  }
  return negative ? -out : out;
}

void append_text_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_text_series(std::string& out, const Labels& labels) {
  const auto name = labels.get(kMetricName);
  const bool bare = is_metric_name(name);
  const char* before = "{";
  if (bare) {
    out += name;
  } else {
    out += "{" + quote_label_value(name);
    before = ",";
  }
  bool open = !bare;
  for (const auto& [key, value] : labels) {
    if (key == kMetricName) continue;
    out += before;
    out += is_label_name(key) ? std::string(key) : quote_label_value(key);
    out += "=" + quote_label_value(value);
    before = ",";
    open = true;
  }
  if (open) out += '}';
}

void append_text_sample(std::string& out, std::string_view series, double value, Time time) {
  out += series;
  out += ' ';
  append_text_value(out, value);
  fmt::format_to(std::back_inserter(out), " {}\n", to_ms(time));
}

}  // namespace atalaya::ingest
