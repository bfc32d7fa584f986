#include "sense/publish/render.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/bytes.h"
#include "model/sample.h"

namespace atalaya::sense::publish {
namespace {

constexpr std::size_t kDatagramBytes = 1400;

/// UTF-8 is not cut within a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 32 || c == 127; }, ' ');
  return out;
}

std::string json_text(std::string_view text) { return boost::json::serialize(boost::json::string_view(text)); }

/// `c{host="x"} 12.5`.
std::string body_of(std::string_view stream, const Record& record) {
  const auto labels = record.labels.empty() ? "" : to_string(record.labels);
  return fmt::format("{}{} {}", stream, one_line(labels),
                     record.is_line() ? one_line(*record.text) : number_text(record.value));
}

/// Printable ASCII without blanks, as RFC 5424's head wants it; "-" for nothing.
std::string head_field(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most)) out += c > 32 && c < 127 ? c : '_';
  return out.empty() ? "-" : out;
}

std::string metric_name(const std::string& metric, const Item& item) {
  if (!metric.empty()) return metric;
  if (const auto own = item.record.labels.get(kMetricName); !own.empty()) return std::string(own);
  std::string out;
  for (const char c : item.stream) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    const bool digit = c >= '0' && c <= '9';
    if (digit && out.empty()) out += '_';
    out += letter || digit ? c : '_';
  }
  return out;
}

// Protocol buffers: tag = number × 8 + wire type (1: 8 bytes, 2: length and bytes).
void put_bytes(ByteWriter& out, std::uint64_t number, std::string_view bytes) {
  out.varint(number * 8 + 2);
  out.text(bytes);
}

std::string label_message(std::string_view name, std::string_view value) {
  std::string out;
  ByteWriter writer(out);
  put_bytes(writer, 1, name);
  put_bytes(writer, 2, value);
  return out;
}

std::string sample_message(const Sample& sample) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(1 * 8 + 1);
  writer.f64(sample.value);
  writer.varint(2 * 8);
  writer.varint(static_cast<std::uint64_t>(to_ms(sample.time)));
  return out;
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string udp_text(const Record& record) {
  if (record.is_line()) return "Data: " + std::string(cut(one_line(*record.text), kDatagramBytes - 6));
  return "Data: " + number_text(record.value);
}

std::string log_line(std::string_view stream, const Record& record) {
  return format_rfc3339(record.time) + " " + body_of(stream, record) + "\n";
}

std::string json_line(std::string_view sensor, const Item& item) {
  std::string labels;
  for (const auto& [name, value] : item.record.labels)
    labels += fmt::format("{}{}:{}", labels.empty() ? "" : ",", json_text(name), json_text(value));
  const auto& record = item.record;
  std::string what;
  if (record.is_line()) {
    what = "\"text\":" + json_text(*record.text);
  } else if (is_stale(record.value)) {
    what = "\"value\":null";
  } else {
    const auto text = number_text(record.value);
    what = "\"value\":" + (std::isfinite(record.value) ? text : json_text(text));
  }
  return fmt::format("{{\"time\":\"{}\",\"sensor\":{},\"stream\":{},\"labels\":{{{}}},{}}}\n",
                     format_rfc3339(record.time), json_text(sensor), json_text(item.stream), labels, what);
}

std::string syslog_message(const SyslogOptions& options, std::string_view stream, const Record& record) {
  return fmt::format("<{}>1 {} {} {} - - - {}", options.facility * 8 + options.severity, format_rfc3339(record.time),
                     head_field(options.host, 255), head_field(options.app, 48), body_of(stream, record));
}

std::string remote_write_body(const std::string& metric, const std::vector<Item>& items) {
  std::map<Labels, std::map<Time, double>> series;
  for (const auto& item : items) {
    if (item.record.is_line()) continue;
    series[item.record.labels.with(kMetricName, metric_name(metric, item))][item.record.time] = item.record.value;
  }
  std::string out;
  ByteWriter writer(out);
  for (const auto& [labels, samples] : series) {
    std::string one;
    ByteWriter inner(one);
    for (const auto& [name, value] : labels) put_bytes(inner, 1, label_message(name, value));
    for (const auto& [time, value] : samples) put_bytes(inner, 2, sample_message({time, value}));
    put_bytes(writer, 1, one);
  }
  return out;
}

}  // namespace atalaya::sense::publish
