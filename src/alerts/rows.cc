#include "alerts/rows.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/json_text.h"

namespace atalaya::alerts {

const std::string_view kAlertColumns =
    "id, episode, transitions, name, rule, expr, kind, state, severity, level, labels, annotations, value, text, "
    "started_ms, fired_ms, resolved_ms, updated_ms, late, count, told, ack_by, ack_ms, ack_note, judged_name, "
    "judged_position, ack_until_ms, shelf_by, shelf_ms, shelf_until_ms, shelf_note, closed_by, closed_ms, closed_note, "
    "severity_before, flapping, door, generator_url, ends_ms, timed_out, incident, because_id, because_name, "
    "because_text, held_ms, judged_with, severity_word, incident_acknowledged";

namespace {

std::map<std::string, std::string> read_map(const std::string& text) {
  std::map<std::string, std::string> out;
  boost::system::error_code failed;
  const auto value = boost::json::parse(text, failed);
  if (failed || !value.is_object()) return out;
  for (const auto& [key, item] : value.get_object()) {
    if (item.is_string()) out.emplace(key, item.get_string());
  }
  return out;
}

std::string write_json(const auto& pairs) {
  std::string out;
  append_json(out, pairs);
  return out;
}

/// One a line: names of rules hold no line break.
std::vector<std::string> read_list(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string write_list(const std::vector<std::string>& list) { return fmt::format("{}", fmt::join(list, "\n")); }

db::Value optional_time(const std::optional<Time>& time) {
  if (!time) return std::monostate{};
  return std::int64_t{to_ms(*time)};
}

std::optional<Time> read_time(const db::Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

// NaN has no portable form in a column.
db::Value optional_real(double value) {
  if (std::isnan(value)) return std::monostate{};
  return value;
}

double read_real(const db::Row& row, std::size_t column) {
  return row.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

// 0 for nothing; else 1 + 3 · state + severity.
std::int64_t pack_told(const std::optional<Alert::Told>& told) {
  return told ? 1 + 3 * static_cast<std::int64_t>(told->state) + static_cast<std::int64_t>(told->severity) : 0;
}

std::optional<Alert::Told> unpack_told(std::int64_t packed) {
  if (packed < 1 || packed > 12) return std::nullopt;
  return Alert::Told{static_cast<State>((packed - 1) / 3), static_cast<Severity>((packed - 1) % 3)};
}

template <typename T>
T read_enum(const db::Row& row, std::size_t column, T last) {
  return static_cast<T>(std::clamp<std::int64_t>(row.integer(column), 0, static_cast<std::int64_t>(last)));
}

}  // namespace

StoredAlert read_alert(const db::Row& row) {
  StoredAlert stored;
  auto& a = stored.alert;
  a.id = AlertId{row.text(0)};
  a.episode = static_cast<std::uint32_t>(row.integer(1));
  a.transitions = static_cast<std::uint32_t>(row.integer(2));
  a.name = row.text(3);
  a.rule = row.text(4);
  a.expr = row.text(5);
  a.kind = read_enum(row, 6, Kind::kPosted);
  a.state = read_enum(row, 7, State::kResolved);
  a.severity = read_enum(row, 8, Severity::kCritical);
  a.level = read_enum(row, 9, Level::kError);
  a.labels = Labels(read_map(row.text(10)));
  a.annotations = read_map(row.text(11));
  a.value = read_real(row, 12);
  a.text = row.text(13);
  a.started = from_ms(row.integer(14));
  a.fired = read_time(row, 15);
  a.resolved = read_time(row, 16);
  a.updated = from_ms(row.integer(17));
  a.late = row.integer(18) != 0;
  a.count = static_cast<std::uint64_t>(row.integer(19));
  a.told = unpack_told(row.integer(20));
  if (!row.is_null(22)) {
    a.ack = Acknowledgement{row.text(21), from_ms(row.integer(22)), row.text(23), read_time(row, 26)};
  }
  stored.judged_name = row.text(24);
  stored.judged_position = static_cast<std::uint64_t>(row.integer(25));
  if (!row.is_null(28)) {
    a.shelf = Shelving{row.text(27), from_ms(row.integer(28)), from_ms(row.integer(29)), row.text(30)};
  }
  if (!row.is_null(32)) a.closed = Closing{row.text(31), from_ms(row.integer(32)), row.text(33)};
  if (!row.is_null(34)) a.severity_before = read_enum(row, 34, Severity::kCritical);
  a.flapping = row.integer(35) != 0;
  a.door = row.text(36);
  a.generator_url = row.text(37);
  a.ends = read_time(row, 38);
  a.timed_out = row.integer(39) != 0;
  a.incident = static_cast<std::uint64_t>(row.integer(40));
  if (!row.text(41).empty()) a.because = Alert::Because{AlertId{row.text(41)}, row.text(42), row.text(43)};
  a.held = read_time(row, 44);
  a.judged_with = read_list(row.text(45));
  a.severity_word = row.text(46);
  a.incident_acknowledged = row.integer(47) != 0;
  return stored;
}

const std::string_view kSeenColumns = "id, labels, severity, severity_word";

Labels read_seen_labels(const db::Row& row) {
  Alert seen;
  seen.labels = Labels(read_map(row.text(1)));
  seen.severity = read_enum(row, 2, Severity::kCritical);
  seen.severity_word = row.text(3);
  return seen_labels(seen);
}

Result<std::optional<StoredAlert>> load_alert(db::Session& session, const TenantId& tenant, const AlertId& id) {
  static const std::string sql =
      "SELECT " + std::string(kAlertColumns) + " FROM alerts_alerts WHERE tenant_id=? AND id=?";
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), id.value()}));
  if (rows.empty()) return std::optional<StoredAlert>{};
  return std::optional<StoredAlert>{read_alert(rows.front())};
}

namespace {

std::string store_statement() {
  std::string marks = "?,?";
  std::string updates;
  for (std::string_view left = kAlertColumns; !left.empty();) {
    const auto column = left.substr(0, left.find(','));
    left.remove_prefix(std::min(column.size() + 2, left.size()));
    marks += ",?";
    if (column == "id") continue;
    updates += fmt::format("{}{}=excluded.{}", updates.empty() ? "" : ", ", column, column);
  }
  return fmt::format(
      "INSERT INTO alerts_alerts(tenant_id, host, {}) VALUES({}) ON CONFLICT(tenant_id, id) DO UPDATE SET {}, "
      "indexed=0",
      kAlertColumns, marks, updates);
}

db::Value optional_text(bool has, const std::string& text) { return has ? db::Value{text} : db::Value{}; }

}  // namespace

Status store_alert(db::Session& session, const TenantId& tenant, const StoredAlert& stored) {
  static const std::string sql = store_statement();
  const auto& a = stored.alert;
  const auto ack = a.ack.value_or(Acknowledgement{});
  const auto shelf = a.shelf.value_or(Shelving{});
  const auto closed = a.closed.value_or(Closing{});
  const auto because = a.because.value_or(Alert::Because{});
  const auto number = [](auto n) { return static_cast<std::int64_t>(n); };
  AT_TRY(session.execute(sql, {tenant.value(),
                               std::string(a.labels.get("instance")),
                               a.id.value(),
                               number(a.episode),
                               number(a.transitions),
                               a.name,
                               a.rule,
                               a.expr,
                               number(a.kind),
                               number(a.state),
                               number(a.severity),
                               number(a.level),
                               write_json(a.labels),
                               write_json(a.annotations),
                               optional_real(a.value),
                               a.text,
                               to_ms(a.started),
                               optional_time(a.fired),
                               optional_time(a.resolved),
                               to_ms(a.updated),
                               number(a.late),
                               number(a.count),
                               pack_told(a.told),
                               optional_text(a.ack.has_value(), ack.by),
                               optional_time(a.ack ? std::optional(ack.at) : std::nullopt),
                               optional_text(a.ack.has_value(), ack.note),
                               stored.judged_name,
                               number(stored.judged_position),
                               optional_time(ack.until),
                               optional_text(a.shelf.has_value(), shelf.by),
                               optional_time(a.shelf ? std::optional(shelf.at) : std::nullopt),
                               optional_time(a.shelf ? std::optional(shelf.until) : std::nullopt),
                               optional_text(a.shelf.has_value(), shelf.note),
                               optional_text(a.closed.has_value(), closed.by),
                               optional_time(a.closed ? std::optional(closed.at) : std::nullopt),
                               optional_text(a.closed.has_value(), closed.note),
                               a.severity_before ? db::Value{number(*a.severity_before)} : db::Value{},
                               number(a.flapping),
                               a.door,
                               a.generator_url,
                               optional_time(a.ends),
                               number(a.timed_out),
                               number(a.incident),
                               because.alert.value(),
                               because.name,
                               because.text,
                               optional_time(a.held),
                               write_list(a.judged_with),
                               a.severity_word,
                               number(a.incident_acknowledged)}));
  return {};
}

Status add_history(db::Session& session, const TenantId& tenant, const AlertId& id, const HistoryLine& line) {
  AT_TRY(session.execute(
      "INSERT INTO alerts_history(tenant_id, id, transition, episode, at_ms, data_ms, from_state, to_state, severity,"
      " value, text, by_user, late, said) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      {tenant.value(), id.value(), std::int64_t{line.transition}, std::int64_t{line.episode}, to_ms(line.at),
       to_ms(line.data_at), line.from, line.to, static_cast<std::int64_t>(line.severity), optional_real(line.value),
       line.text, line.by, std::int64_t{line.late}, line.said}));
  return {};
}

const std::string_view kHistoryColumns =
    "transition, episode, at_ms, data_ms, from_state, to_state, severity, value, text, by_user, late, said";

HistoryLine read_history(const db::Row& row, std::size_t first) {
  return {.transition = static_cast<std::uint32_t>(row.integer(first)),
          .episode = static_cast<std::uint32_t>(row.integer(first + 1)),
          .at = from_ms(row.integer(first + 2)),
          .data_at = from_ms(row.integer(first + 3)),
          .from = row.text(first + 4),
          .to = row.text(first + 5),
          .severity = read_enum(row, first + 6, Severity::kCritical),
          .value = read_real(row, first + 7),
          .text = row.text(first + 8),
          .by = row.text(first + 9),
          .late = row.integer(first + 10) != 0,
          .said = row.text(first + 11)};
}

Result<std::vector<HistoryLine>> load_history(db::Session& session, const TenantId& tenant, const AlertId& id,
                                              std::size_t limit) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM alerts_history WHERE tenant_id=? AND id=? ORDER BY transition DESC LIMIT ?", kHistoryColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), id.value(), static_cast<std::int64_t>(limit)}));
  std::vector<HistoryLine> lines;
  for (auto it = rows.rbegin(); it != rows.rend(); ++it) lines.push_back(read_history(*it));
  return lines;
}

}  // namespace atalaya::alerts
