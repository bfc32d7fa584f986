#include "ingest/series_lines.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>

#include "base/bytes.h"

namespace atalaya::ingest {
namespace {

namespace json = boost::json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); }

bool read_value(const json::value& value, double& out) {
  if (value.is_number()) {
    out = value.to_number<double>();
    return true;
  }
  if (value.is_null()) {
    out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (!value.is_string()) return false;
  const std::string_view text = value.get_string();
  if (text == "stale")
    out = stale_marker();
  else if (text == "NaN")
    out = std::numeric_limits<double>::quiet_NaN();
  else if (text == "Infinity")
    out = kInfinity;
  else if (text == "-Infinity")
    out = -kInfinity;
  else
    return false;
  return true;
}

Result<Labels> read_labels(const json::object& metric) {
  LabelsBuilder out;
  for (const auto& [name, value] : metric) {
    if (!value.is_string()) return wrong(fmt::format("label {} is no text", std::string_view(name)));
    const std::string_view text = value.get_string();
    if (std::string_view(name).empty()) return wrong("a label without a name");
    if (!is_utf8(name) || !is_utf8(text)) return wrong("a label that is not UTF-8");
    out.set(name, text);
  }
  auto labels = out.build();
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
  boost::system::error_code error;
  const auto value = json::parse(line, error, {}, {.max_depth = 4});
  if (error) return wrong("no JSON: " + error.message());
  const auto* const object = value.if_object();
  const auto* const metric = object ? object->if_contains("metric") : nullptr;
  const auto* const values = object ? object->if_contains("values") : nullptr;
  const auto* const times = object ? object->if_contains("timestamps") : nullptr;
  if (!metric || !metric->is_object()) return wrong("\"metric\" is no object");
  if (!values || !values->is_array() || !times || !times->is_array()) {
    return wrong("\"values\" and \"timestamps\" are no arrays");
  }
  const auto& all = values->get_array();
  const auto& instants = times->get_array();
  if (all.size() != instants.size()) {
    return wrong(fmt::format("{} values and {} timestamps", all.size(), instants.size()));
  }
  SeriesLine out;
  AT_TRY(out.labels, read_labels(metric->get_object()));
  out.samples.resize(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!instants[i].is_int64()) return wrong(fmt::format("timestamp {} is no whole number", i + 1));
    out.samples[i].time = from_ms(instants[i].get_int64());
    if (!read_value(all[i], out.samples[i].value)) return wrong(fmt::format("value {} is no number", i + 1));
  }
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
