#include "api/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "api/parameters.h"
#include "model/names.h"

namespace atalaya::api {
namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
/// How Go's client writes the ends of its time.
constexpr std::string_view kEarliestText = "-292273086-05-16T16:47:06Z";
constexpr double kMostSeconds = 9.2e9;  ///< as nanoseconds an integer of 64 bits
constexpr std::string_view kLatestText = "292277025-08-18T07:12:54.999999999Z";

void append_texts(std::string& out, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out += fmt::format(",\"{}\":{}", name, json::serialize(json::array(texts.begin(), texts.end())));
}

/// A number of seconds, also with `+` before it.
std::optional<double> seconds_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(seconds)) return std::nullopt;
  return seconds;
}

/// Milliseconds as Go counts them: of the fraction alone, as far as doubles hold it.
std::int64_t ms_of(double seconds) {
  constexpr double kMost = 4e15;
  seconds = std::clamp(seconds, -kMost, kMost);
  double whole = 0;
  const double fraction = std::round(std::modf(seconds, &whole) * 1000) / 1000;
  const auto nanoseconds = static_cast<std::int64_t>(fraction * 1e9);
  return static_cast<std::int64_t>(whole) * 1000 +
         std::chrono::floor<Duration>(std::chrono::nanoseconds(nanoseconds)).count();
}

}  // namespace

net::Response prometheus_success(std::string data, const promql::Annotations& notes) {
  std::string out = R"({"status":"success","data":)" + std::move(data);
  append_texts(out, "warnings", notes.warnings);
  append_texts(out, "infos", notes.infos);
  return net::Response::json(std::move(out) + "}");
}

net::Response prometheus_success(const json::value& data, const promql::Annotations& notes) {
  return prometheus_success(json::serialize(data), notes);
}

net::Parameters prometheus_parameters(const net::Request& request) {
  const bool has_form = request.method == "POST" || request.method == "PUT";
  if (!has_form || !request.headers.get("Content-Type").starts_with(kForm)) return request.query;
  // What is in both counts as the body has it.
  auto all = net::Parameters::parse(request.body);
  for (const auto& [name, value] : request.query.fields()) all.add(name, value);
  return all;
}

Result<Time> prometheus_time(std::string_view name, std::string_view text) {
  if (text == kEarliestText) return kEarliest;
  if (text == kLatestText || text == fmt::format("+{}", kLatestText)) return kLatest;
  if (const auto seconds = seconds_of(text)) return std::clamp(from_ms(ms_of(*seconds)), kEarliest, kLatest);
  if (const auto time = parse_time(text)) return std::clamp(*time, kEarliest, kLatest);
  return std::unexpected(
      wrong_parameter(name, Error{ErrorCode::kInvalidArgument,
                                  fmt::format("cannot parse \"{}\" to a valid timestamp", text.substr(0, 64)),
                                  {},
                                  "write RFC 3339 (2026-01-31T12:00:00Z) or Unix seconds"}));
}

Result<Duration> prometheus_duration(std::string_view name, std::string_view text) {
  if (const auto seconds = seconds_of(text); seconds && std::abs(*seconds) < kMostSeconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(static_cast<std::int64_t>(*seconds * 1e9)));
  }
  if (const auto duration = parse_duration(text)) return *duration;
  return std::unexpected(
      wrong_parameter(name, Error{ErrorCode::kInvalidArgument,
                                  fmt::format("cannot parse \"{}\" to a valid duration", text.substr(0, 64)),
                                  {},
                                  "write seconds, or units such as 1h30m, 15s, 250ms"}));
}

Result<std::size_t> prometheus_limit(const net::Parameters& parameters, std::string_view name) {
  const auto text = parameters.get(name);
  if (text.empty()) return 0;
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("invalid parameter \"{}\": \"{}\" is not a whole number", name, text.substr(0, 64)));
  }
  if (limit < 0) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("invalid parameter \"{}\": limit must be non-negative", name));
  }
  return static_cast<std::size_t>(limit);
}

Result<bool> prometheus_boolean(std::string_view name, std::string_view text) {
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::string_view kFalse[] = {"", "0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return false;
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("invalid parameter \"{}\": unable to parse boolean: {}", name, quote_label_value(text.substr(0, 64))),
      "write true or false");
}

Result<storage::TimeRange> prometheus_range(const net::Parameters& parameters) {
  storage::TimeRange range;
  if (const auto text = parameters.get("start"); !text.empty()) {
    AT_TRY(range.from, prometheus_time("start", text));
  }
  if (const auto text = parameters.get("end"); !text.empty()) {
    AT_TRY(range.to, prometheus_time("end", text));
  }
  return range;
}

Result<std::vector<Matchers>> prometheus_selectors(const net::Parameters& parameters) {
  std::vector<Matchers> all;
  for (const auto& text : parameters.all("match[]")) {
    AT_TRY(auto selector, selector_parameter("match[]", text));
    if (std::none_of(selector.begin(), selector.end(), [](const Matcher& m) { return !m.matches(""); })) {
      return fail(ErrorCode::kInvalidArgument, "match[] must contain at least one non-empty matcher");
    }
    all.push_back(std::move(selector));
  }
  return all;
}

}  // namespace atalaya::api
