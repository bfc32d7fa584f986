#include "net/response_writer.h"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "net/gzip.h"

namespace atalaya::net {
namespace {

constexpr std::size_t kWorthCompressing = 1024;

bool is_text(std::string_view content_type) {
  constexpr std::string_view kTextual[] = {
      "application/json", "application/javascript",       "application/xml",      "image/svg+xml",
      "application/yaml", "application/openmetrics-text", "application/x-ndjson", "application/manifest+json"};
  return content_type.starts_with("text/") ||
         std::any_of(std::begin(kTextual), std::end(kTextual),
                     [&](std::string_view type) { return content_type.starts_with(type); });
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

/// RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(Time time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  out += "\r\n";
}

bool origin_allowed(const std::string& origin, const std::vector<std::string>& allowed) {
  return !origin.empty() && std::any_of(allowed.begin(), allowed.end(),
                                        [&](const std::string& one) { return one == "*" || one == origin; });
}

void append_cors(std::string& out, const AnswerContext& context, const ServerOptions& options) {
  if (options.cors_origins.empty()) return;
  append_field(out, "Vary", "Origin");
  if (!origin_allowed(context.origin, options.cors_origins)) return;
  append_field(out, "Access-Control-Allow-Origin", context.origin);
  append_field(out, "Access-Control-Expose-Headers", "Content-Length, Date, ETag, Location, Retry-After");
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    auto item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size() : comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    const auto name = item.substr(0, item.find_first_of("; "));
    if (name != "gzip" && name != "x-gzip" && name != "*") continue;
    const auto q = item.find("q=");
    // q=0, q=0.0, q=0.000 all refuse.
    return q == std::string_view::npos || item.find_first_of("123456789", q + 2) != std::string_view::npos;
  }
  return false;
}

void compress_if_worth_it(Response& response, const AnswerContext& context) {
  if (response.static_body || response.body.size() <= kWorthCompressing || has_no_body(response.status)) return;
  if (!response.headers.get("Content-Encoding").empty() || !is_text(response.headers.get("Content-Type"))) return;
  response.headers.add("Vary", "Accept-Encoding");
  if (!context.accepts_gzip) return;
  response.body = gzip(response.body);
  response.headers.add("Content-Encoding", "gzip");
}

Response preflight_answer(const AnswerContext& context, const ServerOptions& options) {
  auto response = Response::empty(204);
  if (!origin_allowed(context.origin, options.cors_origins)) return response;
  response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  response.headers.add("Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Content-Encoding, If-None-Match, X-API-Key, X-Scope-OrgID");
  response.headers.add("Access-Control-Max-Age", "600");
  return response;
}

std::string answer_head(const Response& response, const AnswerContext& context, const ServerOptions& options,
                        Time now) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
  append_field(out, "Date", http_date(now));
  for (const auto& [name, value] : response.headers.fields()) append_field(out, name, value);
  if (!has_no_body(response.status)) {
    const auto size = response.static_body ? response.static_body->size() : response.body.size();
    append_field(out, "Content-Length", std::to_string(size));
  }
  append_field(out, "X-Content-Type-Options", "nosniff");
  if (response.headers.get("Referrer-Policy").empty()) append_field(out, "Referrer-Policy", "no-referrer");
  if (!options.content_security_policy.empty() && response.headers.get("Content-Security-Policy").empty())
    append_field(out, "Content-Security-Policy", options.content_security_policy);
  append_cors(out, context, options);
  if (!context.keep_alive)
    append_field(out, "Connection", "close");
  else if (context.http_1_0)
    append_field(out, "Connection", "keep-alive");
  out += "\r\n";
  return out;
}

}  // namespace atalaya::net
