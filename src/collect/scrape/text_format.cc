#include "collect/scrape/text_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "ingest/prometheus_text.h"

namespace atalaya::collect::scrape {
namespace {

constexpr std::array<std::string_view, 9> kTypes{"counter", "gauge",    "histogram", "gaugehistogram", "summary",
                                                 "info",    "stateset", "unknown",   "untyped"};

std::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

/// For messages: what a target wrote may be long.
std::string_view shown(std::string_view text) {
  constexpr std::size_t kShown = 80;
  if (text.size() <= kShown) return text;
  auto end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }
void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}
std::string_view take_word(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && !is_blank(text[size])) ++size;
  const auto word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// `\\`, `\n` and `\"`; a backslash before anything else is text.
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'n' || next == '\\' || next == '"') {
      out += next == 'n' ? '\n' : next;
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The name in a comment: bare, or in quotes since text 1.0.0.
Result<std::string> take_name(std::string_view& text) {
  if (!text.starts_with('"')) return std::string(take_word(text));
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) return wrong("a name does not end with a quote");
  auto name = without_escapes(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return name;
}

/// Behind the `#`. Text without a blank there, or with a keyword alone, is a comment like any other.
Status read_comment(std::string_view text, Format format, const Lines& lines) {
  const bool blank = !text.empty() && is_blank(text.front());
  skip_blanks(text);
  const auto keyword = take_word(text);
  const bool open_metrics = format == Format::kOpenMetrics;
  const bool known = keyword == "HELP" || keyword == "TYPE" || (open_metrics && keyword == "UNIT");
  if (!known || !blank || (text.empty() && !open_metrics)) {
    return open_metrics ? Status(wrong("a comment is neither HELP, TYPE, UNIT nor EOF")) : Status();
  }
  skip_blanks(text);
  ScrapedNote note;
  AT_TRY(note.metric, take_name(text));
  if (note.metric.empty()) return wrong(fmt::format("{} of no metric", keyword));
  skip_blanks(text);
  note.text = std::string(text);
  if (keyword == "HELP") {
    note.text = without_escapes(text);
  } else if (keyword == "TYPE") {
    while (!note.text.empty() && is_blank(note.text.back())) note.text.pop_back();
    note.what = ScrapedNote::What::kType;
    const bool is_known = std::ranges::find(kTypes, note.text) != kTypes.end();
    if (!is_known || (open_metrics && note.text == "untyped")) {
      return wrong(fmt::format("invalid metric type \"{}\"", shown(note.text)));
    }
    if (note.text == "untyped") note.text = "unknown";
  } else {
    note.what = ScrapedNote::What::kUnit;
    if (!note.text.empty() && !note.metric.ends_with("_" + note.text)) {
      return wrong(fmt::format("unit \"{}\" is no suffix of metric \"{}\"", shown(note.text), shown(note.metric)));
    }
  }
  lines.note(std::move(note));
  return {};
}

/// Where an exemplar begins, outside of quotes; the line's size where there is none.
std::size_t exemplar_at(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\')
      ++i;
    else if (line[i] == '"')
      quoted = !quoted;
    else if (!quoted && line[i] == '#' && i > 0 && line[i - 1] == ' ')
      return i;
  }
  return line.size();
}

/// Seconds with decimals, as OpenMetrics writes times.
Result<Time> time_of_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr double kMost = 9e15;  // milliseconds that an integer still holds exactly
  if (error != std::errc() || end != text.data() + text.size() || !(std::abs(seconds) * 1000 < kMost)) {
    return wrong("the time is no number of seconds");
  }
  return from_ms(static_cast<std::int64_t>(seconds * 1000));
}

Result<Time> time_of(std::string_view text, Format format) {
  if (format == Format::kOpenMetrics) return time_of_seconds(text);
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error == std::errc() && end == text.data() + text.size() && !text.starts_with('-')) return from_ms(ms);
  return wrong("the time is no whole number of milliseconds");
}

/// `# {trace_id="x"} 0.67 1520879607.789`; the time may be missing.
Result<ScrapedExemplar> exemplar_of(std::string_view text) {
  if (!text.starts_with("# {")) return wrong("an exemplar has no labels");
  text.remove_prefix(2);
  const auto size = ingest::text_series_size(text);
  if (size == std::string_view::npos) return wrong("an exemplar's labels do not end with }");
  ScrapedExemplar out;
  AT_TRY(out.labels, ingest::parse_text_labels(text.substr(0, size)));
  text.remove_prefix(size);
  skip_blanks(text);
  const auto value = ingest::parse_text_value(take_word(text));
  if (!value) return wrong("an exemplar has no value");
  out.value = *value;
  skip_blanks(text);
  const auto time = take_word(text);
  skip_blanks(text);
  if (!text.empty()) return wrong("more follows the exemplar's time");
  if (!time.empty()) {
    AT_TRY(out.time, time_of_seconds(time));
  }
  return out;
}

/// What counts one by one: a gauge has no examples.
Status check_takes_exemplars(std::string_view series) {
  auto name = series.substr(0, std::min(series.find_first_of("{ \t"), series.size()));
  std::string quoted;
  if (name.empty()) {
    AT_TRY(const auto labels, ingest::parse_text_series(series));
    quoted = labels.get(kMetricName);
    name = quoted;
  }
  if (name.ends_with("_total") || name.ends_with("_bucket")) return {};
  return wrong(fmt::format("metric name {} does not support exemplars", shown(name)));
}

/// Blanks and tabs as many as there are; in OpenMetrics one blank, and something behind it.
Status skip_between(std::string_view& line, bool open_metrics) {
  if (!open_metrics) {
    skip_blanks(line);
    return {};
  }
  if (line.empty()) return {};
  if (line.size() < 2 || line[0] != ' ' || is_blank(line[1]))
    return wrong("one blank, and no more, stands between parts");
  line.remove_prefix(1);
  return {};
}

Result<ScrapedLine> sample_of(std::string_view line, Format format) {
  ScrapedLine out;
  if (format == Format::kOpenMetrics) {
    const auto exemplar = exemplar_at(line);
    if (exemplar < line.size()) {
      AT_TRY(out.exemplar, exemplar_of(line.substr(exemplar)));
    }
    line = line.substr(0, exemplar);
    // The blank before the exemplar, and nothing else.
    if (out.exemplar) line.remove_suffix(1);
  }
  const auto size = ingest::text_series_size(line);
  if (size == std::string_view::npos) return wrong("labels do not end with }");
  out.series = line.substr(0, size);
  if (out.exemplar) AT_TRY(check_takes_exemplars(out.series));
  line.remove_prefix(size);
  const bool open_metrics = format == Format::kOpenMetrics;
  AT_TRY(skip_between(line, open_metrics));
  const auto text = take_word(line);
  if (text.empty()) return wrong("a value is missing");
  const auto value = ingest::parse_text_value(text);
  if (!value) return wrong(fmt::format("\"{}\" is no number", shown(text)));
  out.value = *value;
  AT_TRY(skip_between(line, open_metrics));
  const auto time = take_word(line);
  if (!open_metrics) skip_blanks(line);
  if (!line.empty()) return wrong("more follows the time");
  if (!time.empty()) {
    AT_TRY(out.time, time_of(time, format));
  }
  return out;
}

Status read_line(std::string_view line, Format format, const Lines& lines) {
  if (!is_utf8(line)) return wrong("not UTF-8");
  if (format == Format::kText) {
    // A carriage return is no blank: as with Prometheus, lines that end with one do not hold.
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    skip_blanks(line);
    if (line.empty()) return {};
  } else if (line.empty()) {
    return wrong("an empty line");
  }
  if (line.front() == '#') return read_comment(line.substr(1), format, lines);
  AT_TRY(const auto sample, sample_of(line, format));
  return lines.sample(sample);
}

}  // namespace

Result<Format> format_of(std::string_view content_type, std::string_view fallback) {
  auto type = lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && is_blank(type.back())) type.pop_back();
  if (type == "text/plain") return Format::kText;
  if (type == "application/openmetrics-text") return Format::kOpenMetrics;
  if (type == "application/vnd.google.protobuf") {
    return fail(ErrorCode::kInvalidArgument, "the target answers in protobuf, which is not read",
                "leave PrometheusProto out of scrape_protocols");
  }
  if (!fallback.empty()) return fallback.starts_with("OpenMetricsText") ? Format::kOpenMetrics : Format::kText;
  constexpr std::string_view kRemedy = "name the format of the job's answers with fallback_scrape_protocol";
  if (content_type.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for "
                "target",
                std::string(kRemedy));
  }
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("received unsupported Content-Type \"{}\" and no fallback_scrape_protocol specified for target",
                  content_type.substr(0, 200)),
      std::string(kRemedy));
}

Status read_lines(std::string_view body, Format format, const Lines& lines) {
  std::size_t number = 0;
  while (!body.empty()) {
    ++number;
    const auto end = std::min(body.find('\n'), body.size());
    const auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (format == Format::kOpenMetrics && line == "# EOF") {
      if (body.empty()) return {};
      return wrong(fmt::format("line {}: more follows # EOF", number));
    }
    if (auto read = read_line(line, format, lines); !read) {
      // A limit is no fault of the line's.
      if (read.error().code != ErrorCode::kInvalidArgument) return read;
      return fail_within(fmt::format("line {}", number), std::move(read).error());
    }
  }
  if (format == Format::kOpenMetrics) return wrong("data does not end with # EOF");
  return {};
}

}  // namespace atalaya::collect::scrape
