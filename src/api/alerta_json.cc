#include "api/alerta_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/bytes.h"
#include "base/random.h"

namespace atalaya::api::alerta {
namespace {

std::unexpected<Error> wrong(std::string_view key, std::string what, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {}", key, what), std::move(remedy));
}

std::unexpected<Error> too_long(std::string_view key, std::size_t bytes, std::size_t most) {
  return wrong(key, fmt::format("it has {} bytes; at most {} are taken", bytes, most),
               "shorten it, or put it elsewhere and send a link");
}

/// What our own lines of the history are to Alerta.
struct Line {
  std::string_view status;
  std::string_view type;
};

std::optional<Line> line_of(const alerts::HistoryLine& line) {
  const std::string_view to = line.to;
  if (to == "firing" || to == "no_data") return Line{"open", line.from.empty() ? "new" : "severity"};
  if (to == "resolved") return Line{"closed", "status"};
  if (to == "closed") return Line{"closed", "close"};
  if (to == "expired") return Line{"expired", "expired"};
  if (to == "acknowledged") return Line{"ack", "ack"};
  if (to == "unacknowledged") return Line{"open", "unack"};
  if (to == "shelved") return Line{"shelved", "shelve"};
  if (to == "unshelved") return Line{"open", "unshelve"};
  if (to == "value") return Line{line.from == "resolved" ? "closed" : "open", "value"};
  if (to == "note") return Line{line.from == "resolved" ? "closed" : "open", "note"};
  return std::nullopt;
}

std::string_view word(alerts::Severity severity) {
  return severity == alerts::Severity::kNone ? "informational" : alerts::name(severity);
}

}  // namespace

net::Response error_response(const Error& error) {
  const auto status = error.code == ErrorCode::kTooLarge ? 413 : http_status(error.code);
  return net::Response::json(json::serialize(json::object{{"status", "error"},
                                                          {"message", to_string(error)},
                                                          {"code", status},
                                                          {"errors", json::array{to_string(error)}}}),
                             status);
}

net::Response answer(json::object more, int status) {
  json::object out{{"status", "ok"}};
  for (auto& [key, value] : more) out[key] = std::move(value);
  return net::Response::json(json::serialize(out), status);
}

Result<Body> Body::parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = 16;
  boost::system::error_code failed;
  auto value = json::parse(text, failed, {}, options);
  if (failed) return fail(ErrorCode::kInvalidArgument, fmt::format("the body is no JSON: {}", failed.message()));
  if (!value.is_object()) return fail(ErrorCode::kInvalidArgument, "the body is no JSON object");
  return Body(std::move(value.get_object()));
}

Result<std::string> Body::text(std::string_view key, std::size_t most) const {
  const auto* value = object_.if_contains(key);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_number() || value->is_bool()) return json::serialize(*value);
  if (!value->is_string()) return wrong(key, "this is no text");
  const auto& text = value->get_string();
  if (text.size() > most) return too_long(key, text.size(), most);
  return std::string(text);
}

Result<std::vector<std::string>> Body::texts(std::string_view key) const {
  std::vector<std::string> out;
  const auto* value = object_.if_contains(key);
  if (value == nullptr || value->is_null()) return out;
  if (value->is_string()) return std::vector{std::string(value->get_string())};
  if (!value->is_array()) return wrong(key, "this is no list of texts");
  if (value->get_array().size() > kMaxList) return wrong(key, fmt::format("more than {} texts", kMaxList));
  for (const auto& one : value->get_array()) {
    if (!one.is_string()) return wrong(key, "this is no list of texts");
    if (one.get_string().size() > kMaxName) return too_long(key, one.get_string().size(), kMaxName);
    out.emplace_back(one.get_string());
  }
  return out;
}

Result<std::optional<std::int64_t>> Body::seconds(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  if (value == nullptr || value->is_null()) return std::optional<std::int64_t>{};
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > kMaxTimeout) {
    return wrong(key, fmt::format("this is no number of seconds from 0 to {}", kMaxTimeout));
  }
  return std::optional(value->get_int64());
}

Result<std::optional<Time>> Body::time(std::string_view key) const {
  AT_TRY(const auto written, text(key, 64));
  if (written.empty()) return std::optional<Time>{};
  auto time = parse_time(written);
  if (!time) return wrong(key, time.error().message, time.error().remedy);
  return std::optional(*time);
}

Result<json::object> Body::object(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  if (value == nullptr || value->is_null()) return json::object{};
  if (!value->is_object()) return wrong(key, "this is no object");
  if (const auto bytes = json::serialize(*value).size(); bytes > kMaxText) return too_long(key, bytes, kMaxText);
  return value->get_object();
}

Status check_names(const json::object& attributes) {
  for (const auto& [name, value] : attributes) {
    // Clients of Alerta stumble over such an alert.
    if (std::string_view(name).find_first_of(".$") == std::string_view::npos) continue;
    return wrong("attributes", fmt::format("the name '{}' contains '.' or '$'", std::string_view(name).substr(0, 100)));
  }
  return {};
}

Result<alerts::Reported> read_alert(const Body& body, const AlertaServices& s, std::string_view address) {
  alerts::Reported out;
  auto& r = out.report;
  const auto now = s.clock.now();
  r.id = AlertId{random_uuid()};
  AT_TRY(r.resource, body.text("resource"));
  AT_TRY(r.event, body.text("event"));
  for (const auto& [key, value] : {std::pair{"resource", &r.resource}, std::pair{"event", &r.event}}) {
    if (value->empty())
      return fail(ErrorCode::kInvalidArgument, fmt::format("Missing mandatory value for \"{}\"", key));
  }
  AT_TRY(r.environment, body.text("environment"));
  if (r.environment.empty()) r.environment = alerts::kDefaultEnvironment;
  AT_TRY(r.severity, body.text("severity"));
  if (r.severity.empty()) r.severity = alerts::kNormalSeverity;
  if (!alerts::severity_rank(r.severity)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("severity: '{}' is unknown", r.severity.substr(0, 100)),
                "use security, critical, major, minor, warning, indeterminate, informational, normal, ok, cleared, "
                "debug, trace or unknown");
  }
  AT_TRY(out.status, body.text("status"));
  constexpr std::string_view kStatuses[] = {"", "open", "assign", "ack", "shelved", "closed", "expired", "unknown"};
  if (std::ranges::find(kStatuses, out.status) == std::end(kStatuses)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("status: '{}' is none that a report may have", out.status.substr(0, 100)),
                "use open, assign, ack, shelved, closed, expired or unknown");
  }
  AT_TRY(r.correlate, body.texts("correlate"));
  if (!r.correlate.empty() && std::ranges::find(r.correlate, r.event) == r.correlate.end()) {
    r.correlate.push_back(r.event);
  }
  AT_TRY(r.service, body.texts("service"));
  AT_TRY(r.tags, body.texts("tags"));
  AT_TRY(r.group, body.text("group"));
  if (r.group.empty()) r.group = "Misc";
  AT_TRY(r.value, body.text("value"));
  AT_TRY(r.text, body.text("text", kMaxText));
  AT_TRY(r.attributes, body.object("attributes"));
  AT_TRY(check_names(r.attributes));
  if (!r.attributes.empty() && !address.empty()) r.attributes["ip"] = address;
  AT_TRY(r.origin, body.text("origin"));
  AT_TRY(r.type, body.text("type"));
  if (r.type.empty()) r.type = "exceptionAlert";
  AT_TRY(const auto created, body.time("createTime"));
  r.created = created.value_or(now);
  AT_TRY(const auto timeout, body.seconds("timeout"));
  r.timeout = timeout.value_or(s.alert_timeout / std::chrono::seconds{1});
  AT_TRY(auto raw, body.text("rawData", kMaxText));
  if (body.has("rawData") && !raw.empty()) r.raw_data = std::move(raw);
  AT_TRY(r.customer, body.text("customer"));
  out.stored = std::make_shared<AlertId>();
  return out;
}

std::string href(const AlertaServices& s, std::string_view kind, std::string_view id) {
  return fmt::format("{}{}/{}/{}", s.external_url, kPrefix, kind, id);
}

json::value or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::array list(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

json::object alert_json(const AlertaServices& s, const alerts::SeenReport& seen, const Shown& shown) {
  const auto& r = seen.report;
  json::array history;
  if (shown.history != nullptr) {
    for (const auto& line : std::views::reverse(*shown.history)) {
      if (auto one = history_json(s, seen, line)) history.push_back(std::move(*one));
    }
  }
  return {{"id", r.id.value()},
          {"href", href(s, "alert", r.id.value())},
          {"resource", r.resource},
          {"event", r.event},
          {"environment", r.environment},
          {"severity", r.severity},
          {"correlate", list(r.correlate)},
          {"status", alerts::status_word(seen.alert, r)},
          {"service", list(r.service)},
          {"group", r.group},
          {"value", or_null(r.value)},
          {"text", r.text},
          {"tags", list(r.tags)},
          {"attributes", r.attributes},
          {"origin", or_null(r.origin)},
          {"type", r.type},
          {"createTime", rfc3339(r.created)},
          {"timeout", r.timeout},
          {"rawData", shown.raw_data && r.raw_data ? json::value(*r.raw_data) : json::value(nullptr)},
          {"customer", or_null(r.customer)},
          {"duplicateCount", r.duplicates},
          {"repeat", r.repeat},
          {"previousSeverity", r.previous_severity},
          {"trendIndication", alerts::trend_of(r.previous_severity, r.severity)},
          {"receiveTime", rfc3339(r.received)},
          {"lastReceiveId", r.last_received_id},
          {"lastReceiveTime", rfc3339(r.last_received)},
          {"updateTime", rfc3339(r.changed)},
          {"history", std::move(history)}};
}

std::optional<json::object> history_json(const AlertaServices& s, const alerts::SeenReport& seen,
                                         const alerts::HistoryLine& line) {
  const auto known = line_of(line);
  if (!known) return std::nullopt;
  json::object out{{"id", seen.report.id.value()},
                   {"href", href(s, "alert", seen.report.id.value())},
                   {"event", seen.report.event},
                   {"severity", word(line.severity)},
                   {"status", known->status},
                   {"value", nullptr},
                   {"text", line.text},
                   {"type", known->type},
                   {"updateTime", rfc3339(line.at)},
                   {"user", or_null(line.by)},
                   {"timeout", seen.report.timeout}};
  boost::system::error_code failed;
  const auto said = line.said.empty() ? json::value() : json::parse(line.said, failed);
  if (!said.is_object()) return out;
  const auto* type = said.get_object().if_contains("type");
  // An acknowledgement that a worse report ended is part of that report.
  if (line.to == "unacknowledged" && (type == nullptr || (*type == "severity" || *type == "new"))) return std::nullopt;
  for (const auto& [key, value] : said.get_object()) out[key] = value;
  if (const auto* value = out.if_contains("value"); value->is_string() && value->get_string().empty()) {
    out["value"] = nullptr;
  }
  return out;
}

json::object note_json(const AlertaServices& s, const alerts::SeenReport& seen, const alerts::ReportNote& note) {
  const auto& id = seen.report.id.value();
  return {{"id", note.id},
          {"href", fmt::format("{}/note/{}", href(s, "alert", id), note.id)},
          {"text", note.text},
          {"user", or_null(note.user)},
          {"attributes", json::object{{"resource", seen.report.resource},
                                      {"event", seen.report.event},
                                      {"environment", seen.report.environment},
                                      {"severity", seen.report.severity},
                                      {"status", alerts::status_word(seen.alert, seen.report)}}},
          {"type", "alert"},
          {"createTime", rfc3339(note.created)},
          {"updateTime", note.updated ? json::value(rfc3339(*note.updated)) : json::value(nullptr)},
          {"related", json::object{{"alert", id}}},
          {"_links", json::object{{"alert", href(s, "alert", id)}}},
          {"customer", or_null(seen.report.customer)}};
}

std::string user_of(const AlertaServices& s, const auth::Principal& who) {
  return s.anonymous ? std::string() : who.name;
}

}  // namespace atalaya::api::alerta
