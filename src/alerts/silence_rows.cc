#include "alerts/silence_rows.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "config/yaml.h"
#include "routing/intervals.h"

namespace atalaya::alerts {
namespace {

constexpr std::string_view kColumns =
    "id, matchers, starts_ms, ends_ms, created_by, comment, annotations, updated_ms, origin, windows";

Result<Silence> read_silence(const db::Row& row) {
  Silence s;
  s.id = row.text(0);
  AT_TRY(s.matchers, read_matchers(row.text(1)));
  s.starts = from_ms(row.integer(2));
  s.ends = from_ms(row.integer(3));
  s.created_by = row.text(4);
  s.comment = row.text(5);
  boost::system::error_code failed;
  const auto annotations = boost::json::parse(row.text(6), failed);
  if (!failed && annotations.is_object()) {
    for (const auto& [key, value] : annotations.get_object()) {
      if (value.is_string()) s.annotations.emplace(key, value.get_string());
    }
  }
  s.updated = from_ms(row.integer(7));
  s.origin = row.text(8);
  s.windows = row.text(9);
  AT_TRY(s.intervals, parse_windows(s.windows));
  return s;
}

Result<std::vector<Silence>> read_silences(const std::vector<db::Row>& rows) {
  std::vector<Silence> out;
  for (const auto& row : rows) {
    AT_TRY(auto silence, read_silence(row));
    out.push_back(std::move(silence));
  }
  return out;
}

boost::json::array matchers_json(const Matchers& matchers) {
  boost::json::array list;
  for (const auto& m : matchers) {
    const bool regex = m.op() == Matcher::Op::kRegex || m.op() == Matcher::Op::kNotRegex;
    const bool equal = m.op() == Matcher::Op::kEqual || m.op() == Matcher::Op::kRegex;
    list.push_back(
        boost::json::object{{"name", m.name()}, {"value", m.value()}, {"isRegex", regex}, {"isEqual", equal}});
  }
  return list;
}

}  // namespace

std::string write_matchers(const Matchers& matchers) { return boost::json::serialize(matchers_json(matchers)); }

Result<Matchers> read_matchers(const std::string& text) {
  const auto damaged = [&] {
    return fail(ErrorCode::kCorruption, fmt::format("matchers of a silence: {}", text.substr(0, 200)));
  };
  boost::system::error_code failed;
  const auto value = boost::json::parse(text, failed);
  if (failed || !value.is_array()) return damaged();
  Matchers out;
  for (const auto& one : value.get_array()) {
    const auto* object = one.if_object();
    if (object == nullptr) return damaged();
    const auto* label = object->if_contains("name");
    const auto* pattern = object->if_contains("value");
    const auto* regex = object->if_contains("isRegex");
    const auto* equal = object->if_contains("isEqual");
    if (!label || !pattern || !regex || !equal || !label->is_string() || !pattern->is_string() || !regex->is_bool() ||
        !equal->is_bool()) {
      return damaged();
    }
    const auto op = regex->get_bool() ? (equal->get_bool() ? Matcher::Op::kRegex : Matcher::Op::kNotRegex)
                                      : (equal->get_bool() ? Matcher::Op::kEqual : Matcher::Op::kNotEqual);
    AT_TRY(auto matcher, Matcher::make(std::string(label->get_string()), op, std::string(pattern->get_string())));
    out.push_back(std::move(matcher));
  }
  return out;
}

Result<std::optional<Silence>> load_silence(db::Session& session, const TenantId& tenant, const std::string& id) {
  static const std::string sql = fmt::format("SELECT {} FROM alerts_silences WHERE tenant_id=? AND id=?", kColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), id}));
  if (rows.empty()) return std::optional<Silence>{};
  AT_TRY(auto silence, read_silence(rows.front()));
  return std::optional<Silence>{std::move(silence)};
}

Result<std::vector<Silence>> load_silences(db::Session& session, const TenantId& tenant) {
  static const std::string sql = fmt::format("SELECT {} FROM alerts_silences WHERE tenant_id=? ORDER BY id", kColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value()}));
  return read_silences(rows);
}

Result<std::vector<Silence>> load_active_silences(db::Session& session, const TenantId& tenant, Time now) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM alerts_silences WHERE tenant_id=? AND ends_ms>? AND starts_ms<=? ORDER BY id", kColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), to_ms(now), to_ms(now)}));
  AT_TRY(auto running, read_silences(rows));
  std::erase_if(running, [&](const Silence& s) { return s.state_at(now) != SilenceState::kActive; });
  return running;
}

Status store_silence(db::Session& session, const TenantId& tenant, const Silence& s) {
  boost::json::object annotations;
  for (const auto& [key, value] : s.annotations) annotations[key] = value;
  AT_TRY(session.execute(
      fmt::format("INSERT INTO alerts_silences(tenant_id, {}) VALUES(?,?,?,?,?,?,?,?,?,?,?) "
                  "ON CONFLICT(tenant_id, id) DO UPDATE SET matchers=excluded.matchers, starts_ms=excluded.starts_ms,"
                  " ends_ms=excluded.ends_ms, created_by=excluded.created_by, comment=excluded.comment,"
                  " annotations=excluded.annotations, updated_ms=excluded.updated_ms, origin=excluded.origin,"
                  " windows=excluded.windows",
                  kColumns),
      {tenant.value(), s.id, write_matchers(s.matchers), to_ms(s.starts), to_ms(s.ends), s.created_by, s.comment,
       boost::json::serialize(annotations), to_ms(s.updated), s.origin, s.windows}));
  return {};
}

std::vector<std::string> hidden_by(const std::vector<Silence>& active, const Labels& seen) {
  std::vector<std::string> ids;
  for (const auto& silence : active) {
    if (matches(silence.matchers, seen)) ids.push_back(silence.id);
  }
  return ids;
}

std::string_view name(SilenceState state) {
  switch (state) {
    case SilenceState::kPending: return "pending";
    case SilenceState::kActive: return "active";
    case SilenceState::kExpired: return "expired";
  }
  return "";
}

SilenceState Silence::state_at(Time now) const {
  if (now >= ends) return SilenceState::kExpired;
  if (now < starts) return SilenceState::kPending;
  const bool within = intervals.empty() || std::ranges::any_of(intervals, [&](const calendar::TimeInterval& interval) {
                        return interval.contains(now);
                      });
  return within ? SilenceState::kActive : SilenceState::kPending;
}

Result<std::vector<calendar::TimeInterval>> parse_windows(const std::string& windows) {
  std::vector<calendar::TimeInterval> out;
  if (windows.empty()) return out;
  // JSON is YAML.
  AT_TRY(const auto document, config::Document::parse(windows, "windows"));
  config::Errors errors;
  out = routing::read_intervals(document.root(), errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalidArgument, errors.front().message, errors.front().remedy);
  return out;
}

Status check(const Silence& silence) {
  if (silence.matchers.empty()) {
    return fail(ErrorCode::kInvalidArgument, "invalid silence: at least one matcher required");
  }
  if (std::ranges::all_of(silence.matchers, [](const Matcher& m) { return m.matches(""); })) {
    return fail(ErrorCode::kInvalidArgument, "invalid silence: at least one matcher must not match the empty string");
  }
  if (silence.ends < silence.starts) {
    return fail(ErrorCode::kInvalidArgument, "invalid silence: end time must not be before start time");
  }
  return {};
}

Result<std::vector<Silence>> SilenceQueries::list(const TenantId& tenant, Time now) const {
  std::vector<Silence> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(out, load_silences(session, tenant));
    return {};
  }));
  const auto rank = [&](const Silence& s) {
    switch (s.state_at(now)) {
      case SilenceState::kActive: return std::pair(0, to_ms(s.ends));
      case SilenceState::kPending: return std::pair(1, to_ms(s.starts));
      default: return std::pair(2, -to_ms(s.ends));
    }
  };
  std::ranges::stable_sort(out, {}, rank);
  return out;
}

Result<Silence> SilenceQueries::get(const TenantId& tenant, const std::string& id) const {
  std::optional<Silence> found;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(found, load_silence(session, tenant, id));
    return {};
  }));
  if (!found) return fail(ErrorCode::kNotFound, "silence not found");
  return std::move(*found);
}

boost::json::object to_json(const Silence& silence, Time now) {
  boost::json::object annotations;
  for (const auto& [key, value] : silence.annotations) annotations[key] = value;
  boost::json::object out{{"id", silence.id},
                          {"status", boost::json::object{{"state", name(silence.state_at(now))}}},
                          {"updatedAt", format_rfc3339(silence.updated)},
                          {"matchers", matchers_json(silence.matchers)},
                          {"startsAt", format_rfc3339(silence.starts)},
                          {"endsAt", format_rfc3339(silence.ends)},
                          {"createdBy", silence.created_by},
                          {"comment", silence.comment},
                          {"annotations", std::move(annotations)}};
  if (!silence.origin.empty()) out["origin"] = silence.origin;
  if (!silence.windows.empty()) {
    boost::system::error_code failed;
    out["windows"] = boost::json::parse(silence.windows, failed);
  }
  return out;
}

}  // namespace atalaya::alerts
