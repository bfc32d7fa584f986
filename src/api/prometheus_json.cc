#include "api/prometheus_json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "api/json.h"
#include "promql/format.h"

namespace atalaya::api {
namespace {

// Written by hand rather than as a tree: a range answer has a hundred thousand points.
void append_quoted(std::string& out, std::string_view text) {
  const bool is_plain =
      std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
  if (!is_plain) {
    out += json::serialize(json::string(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void append_labels(std::string& out, const Labels& labels) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) out += ',';
    first = false;
    append_quoted(out, name);
    out += ':';
    append_quoted(out, value);
  }
  out += '}';
}

void append_number(std::string& out, std::int64_t number) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

/// Seconds, with three decimals where they are no whole ones.
void append_seconds(std::string& out, Time time) {
  const auto ms = to_ms(time);
  if (ms < 0 && ms > -1000) out += '-';
  append_number(out, ms / 1000);
  if (ms % 1000 == 0) return;
  const auto rest = std::abs(ms % 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10)};
  out.append(digits, sizeof digits);
}

void append_point(std::string& out, Time time, double value) {
  out += '[';
  append_seconds(out, time);
  out += ",\"";
  promql::append_value(out, value);
  out += "\"]";
}

/// No point is longer than about that, nor what stands around a series.
constexpr std::size_t kMostOfPoint = 48;
constexpr std::size_t kMostOfSeries = 64;

std::size_t most_of(const Labels& labels) {
  std::size_t bytes = kMostOfSeries;
  for (const auto& [name, value] : labels) bytes += name.size() + value.size() + 6;
  return bytes;
}

void append_series(std::string& out, const promql::MatrixSeries& series) {
  out += "{\"metric\":";
  append_labels(out, series.labels);
  out += ",\"values\":[";
  for (const auto& sample : series.samples) {
    if (&sample != &series.samples.front()) out += ',';
    append_point(out, sample.time, sample.value);
  }
  out += "]}";
}

void append_matrix(std::string& out, const promql::Matrix& matrix) {
  out += '[';
  for (const auto& series : matrix) {
    if (&series != &matrix.front()) out += ',';
    append_series(out, series);
  }
  out += ']';
}

void append_element(std::string& out, const promql::VectorElement& element) {
  out += "{\"metric\":";
  append_labels(out, element.labels);
  out += ",\"value\":";
  append_point(out, element.time, element.value);
  out += '}';
}

void append_vector(std::string& out, const promql::Vector& vector) {
  out += '[';
  for (const auto& element : vector) {
    if (&element != &vector.front()) out += ',';
    append_element(out, element);
  }
  out += ']';
}

}  // namespace

std::string result_json(const promql::Matrix& matrix) {
  std::string out = R"({"resultType":"matrix","result":)";
  append_matrix(out, matrix);
  out += '}';
  return out;
}

Result<std::string> result_json(promql::Matrix&& matrix, const MakeRoom& make_room,
                                const std::function<void(std::size_t)>& gone) {
  std::string out;
  AT_TRY(make_room(out, kMostOfSeries));
  out = R"({"resultType":"matrix","result":[)";
  for (auto& series : matrix) {
    AT_TRY(make_room(out, most_of(series.labels) + series.samples.size() * kMostOfPoint));
    if (&series != &matrix.front()) out += ',';
    append_series(out, series);
    gone(series.samples.capacity() * sizeof(Sample));
    std::vector<Sample>().swap(series.samples);
  }
  out += "]}";
  return out;
}

Result<std::string> result_json(promql::Value&& value, Time at, const MakeRoom& make_room,
                                const std::function<void(std::size_t)>& gone) {
  if (auto* matrix = std::get_if<promql::Matrix>(&value)) return result_json(std::move(*matrix), make_room, gone);
  const auto* vector = std::get_if<promql::Vector>(&value);
  if (!vector) return result_json(value, at);
  std::string out;
  AT_TRY(make_room(out, kMostOfSeries));
  out = R"({"resultType":"vector","result":[)";
  for (const auto& element : *vector) {
    AT_TRY(make_room(out, most_of(element.labels) + kMostOfPoint));
    if (&element != &vector->front()) out += ',';
    append_element(out, element);
  }
  out += "]}";
  return out;
}

std::string result_json(const promql::Value& value, Time at) {
  std::string out;
  if (const auto* matrix = std::get_if<promql::Matrix>(&value)) return result_json(*matrix);
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    out = R"({"resultType":"vector","result":)";
    append_vector(out, *vector);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    // Of all numbers these alone never have an exponent.
    out = R"({"resultType":"scalar","result":[)";
    append_seconds(out, scalar->time);
    out += fmt::format(",\"{}\"]", promql::format_fixed(scalar->value));
  } else {
    out = R"({"resultType":"string","result":[)";
    append_seconds(out, at);
    out += ',';
    append_quoted(out, std::get<std::string>(value));
    out += ']';
  }
  out += '}';
  return out;
}

std::string instant_vector_json(const promql::Value& value) {
  std::string out = "[";
  const auto append = [&](const Labels& labels, double number) {
    if (out.size() > 1) out += ',';
    out += "{\"metric\":";
    append_labels(out, labels);
    out += ",\"value\":\"";
    promql::append_value(out, number);
    out += "\"}";
  };
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    for (const auto& element : *vector) append(element.labels, element.value);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    append({}, scalar->value);
  }
  return out + ']';
}

std::string exemplars_json(const std::vector<storage::Exemplars::OfSeries>& found) {
  std::string out = "[";
  for (const auto& one : found) {
    if (&one != &found.front()) out += ',';
    out += "{\"seriesLabels\":";
    append_labels(out, one.series);
    out += ",\"exemplars\":[";
    for (const auto& exemplar : one.exemplars) {
      if (&exemplar != &one.exemplars.front()) out += ',';
      out += "{\"labels\":";
      append_labels(out, exemplar.labels);
      out += ",\"value\":\"";
      promql::append_value(out, exemplar.value);
      out += "\",\"timestamp\":";
      append_seconds(out, exemplar.time);
      out += '}';
    }
    out += "]}";
  }
  return out + "]";
}

}  // namespace atalaya::api
