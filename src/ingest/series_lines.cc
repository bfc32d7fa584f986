#include "ingest/series_lines.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "ingest/prometheus_text.h"

namespace atalaya::ingest {
namespace {

namespace json = boost::json;

std::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

/// Takes what it wants of a line as it is parsed. The text of a number and not the number is what it reads: the
/// parser's own reading may be off by the last bit, and has no negative zero.
class LineHandler {
 public:
  using Code = boost::system::error_code;
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::map<std::string, std::string> labels;
  std::vector<double> values;
  std::vector<std::int64_t> times;
  bool has_metric = false;
  bool has_values = false;
  bool has_times = false;
  std::string wrong;  ///< the first thing that is

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    begin(key_ == "metric" ? Where::kMetric : Where::kElsewhere);
    return true;
  }
  bool on_object_end(std::size_t, Code&) { return end(); }
  bool on_array_begin(Code&) {
    begin(key_ == "values" ? Where::kValues : key_ == "timestamps" ? Where::kTimes : Where::kElsewhere);
    return true;
  }
  bool on_array_end(std::size_t, Code&) { return end(); }
  bool on_key_part(std::string_view part, std::size_t, Code&) { return add(part); }
  bool on_key(std::string_view part, std::size_t, Code&) {
    add(part);
    (depth_ == 1 ? key_ : label_) = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, Code&) { return add(part); }
  bool on_string(std::string_view part, std::size_t, Code&) {
    add(part);
    const auto text = std::exchange(text_, {});
    if (depth_ != 2) return true;
    if (where_ == Where::kMetric && !labels.emplace(label_, text).second)
      complain(fmt::format("label {} twice", label_));
    if (where_ == Where::kTimes) not_a_time();
    if (where_ == Where::kValues) add_value(value_of(text));
    return true;
  }
  bool on_number_part(std::string_view part, Code&) { return add(part); }
  bool on_int64(std::int64_t number, std::string_view part, Code&) { return on_number(part, number); }
  bool on_uint64(std::uint64_t, std::string_view part, Code&) { return on_number(part, std::nullopt); }
  bool on_double(double, std::string_view part, Code&) { return on_number(part, std::nullopt); }
  bool on_bool(bool, Code&) { return on_other(std::nullopt); }
  bool on_null(Code&) { return on_other(std::numeric_limits<double>::quiet_NaN()); }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

 private:
  enum class Where : std::uint8_t { kElsewhere, kMetric, kValues, kTimes };

  void begin(Where where) {
    ++depth_;
    if (depth_ == 3 && where_ != Where::kElsewhere)
      complain("more than one level below \"metric\", \"values\" or \"timestamps\"");
    if (depth_ != 2) return;
    where_ = where;
    has_metric = has_metric || where == Where::kMetric;
    has_values = has_values || where == Where::kValues;
    has_times = has_times || where == Where::kTimes;
  }
  bool end() {
    --depth_;
    if (depth_ == 1) where_ = Where::kElsewhere;
    return true;
  }
  bool add(std::string_view part) {
    text_ += part;
    return true;
  }
  void complain(std::string what) {
    if (wrong.empty()) wrong = std::move(what);
  }
  void not_a_time() { complain(fmt::format("timestamp {} is no whole number", times.size() + 1)); }
  void not_text() { complain(fmt::format("label {} is no text", label_)); }
  void add_value(std::optional<double> value) {
    if (!value) complain(fmt::format("value {} is no number", values.size() + 1));
    values.push_back(value.value_or(0));
  }
  bool on_number(std::string_view part, std::optional<std::int64_t> whole) {
    add(part);
    const auto text = std::exchange(text_, {});
    if (depth_ != 2) return true;
    if (where_ == Where::kMetric) not_text();
    if (where_ == Where::kValues) add_value(parse_text_value(text));
    if (where_ == Where::kTimes) {
      if (!whole) not_a_time();
      times.push_back(whole.value_or(0));
    }
    return true;
  }
  bool on_other(std::optional<double> value) {
    if (depth_ != 2) return true;
    if (where_ == Where::kMetric) not_text();
    if (where_ == Where::kValues) add_value(value);
    if (where_ == Where::kTimes) not_a_time();
    return true;
  }
  static std::optional<double> value_of(std::string_view text) {
    if (text == "stale") return stale_marker();
    if (text == "NaN" || text == "Infinity" || text == "-Infinity") return parse_text_value(text);
    return std::nullopt;
  }

  int depth_ = 0;
  Where where_ = Where::kElsewhere;
  std::string key_;    ///< of the outermost object
  std::string label_;  ///< of the metric
  std::string text_;   ///< so far
};

Result<Labels> checked(const std::map<std::string, std::string>& pairs) {
  for (const auto& [name, value] : pairs) {
    if (name.empty()) return wrong("a label without a name");
    if (!is_utf8(name) || !is_utf8(value)) return wrong("a label that is not UTF-8");
  }
  Labels labels(pairs);
  if (!labels.has(kMetricName)) return wrong("a series without a name");
  return labels;
}

void append_value(std::string& out, double value) {
  if (is_stale(value))
    out += "\"stale\"";
  else if (std::isnan(value))
    out += "null";
  else if (std::isinf(value))
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  else
    fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_text(std::string& out, std::string_view text) { out += json::serialize(json::string(text)); }

}  // namespace

Result<SeriesLine> parse_series_line(std::string_view line) {
  json::basic_parser<LineHandler> parser({.max_depth = 8});
  boost::system::error_code error;
  const auto read = parser.write_some(false, line.data(), line.size(), error);
  if (error) return wrong("no JSON: " + error.message());
  if (read < line.size()) return wrong("more follows the JSON object");
  auto& found = parser.handler();
  if (!found.has_metric) return wrong("\"metric\" is no object");
  if (!found.has_values || !found.has_times) return wrong("\"values\" and \"timestamps\" are no arrays");
  if (!found.wrong.empty()) return wrong(std::move(found.wrong));
  if (found.values.size() != found.times.size()) {
    return wrong(fmt::format("{} values and {} timestamps", found.values.size(), found.times.size()));
  }
  SeriesLine out;
  AT_TRY(out.labels, checked(found.labels));
  out.samples.resize(found.values.size());
  for (std::size_t i = 0; i < out.samples.size(); ++i) out.samples[i] = {from_ms(found.times[i]), found.values[i]};
  return out;
}

void append_series_line(std::string& out, const Labels& labels, std::span<const Sample> samples) {
  out += "{\"metric\":{";
  const char* before = "";
  for (const auto& [name, value] : labels) {
    out += before;
    append_text(out, name);
    out += ':';
    append_text(out, value);
    before = ",";
  }
  out += "},\"values\":[";
  before = "";
  for (const auto& sample : samples) {
    out += before;
    append_value(out, sample.value);
    before = ",";
  }
  out += "],\"timestamps\":[";
  before = "";
  for (const auto& sample : samples) {
    fmt::format_to(std::back_inserter(out), "{}{}", before, to_ms(sample.time));
    before = ",";
  }
  out += "]}\n";
}

}  // namespace atalaya::ingest
