#include "alerts/sources.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "alerts/annotations.h"
#include "alerts/step.h"

namespace atalaya::alerts {
namespace {

db::Value optional_real(double value) {
  if (std::isnan(value)) return std::monostate{};
  return value;
}

double read_real(const db::Row& row, std::size_t column) {
  return row.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

Level read_level(const db::Row& row, std::size_t column) {
  return static_cast<Level>(std::clamp<std::int64_t>(row.integer(column), 0, static_cast<std::int64_t>(Level::kError)));
}

std::string write_labels(const Labels& labels) { return boost::json::serialize(labels_json(labels)); }

Labels read_labels(const std::string& text) {
  LabelsBuilder out;
  boost::system::error_code failed;
  const auto value = boost::json::parse(text, failed);
  if (failed || !value.is_object()) return {};
  for (const auto& [name, item] : value.get_object()) {
    if (item.is_string()) out.set(name, std::string_view(item.get_string()));
  }
  return out.build();
}

/// A breach is worse than not to know.
int badness(Level level) {
  switch (level) {
    case Level::kOk: return 0;
    case Level::kNoData: return 1;
    case Level::kWarning:
    case Level::kError: return 2;
    case Level::kCritical: return 3;
  }
  return 0;
}

}  // namespace

Result<std::vector<Source>> load_sources(db::Session& session, const TenantId& tenant, const AlertId& id) {
  AT_TRY(const auto rows, session.query("SELECT labels, level, value, text, at_ms, sustained FROM alerts_sources WHERE "
                                        "tenant_id=? AND id=? ORDER BY labels",
                                        {tenant.value(), id.value()}));
  std::vector<Source> out;
  for (const auto& row : rows) {
    out.push_back({id, read_labels(row.text(0)), read_level(row, 1), read_real(row, 2), row.text(3),
                   from_ms(row.integer(4)), row.integer(5) != 0});
  }
  return out;
}

Result<std::vector<RawEvent>> load_events(db::Session& session, const TenantId& tenant, const AlertId& id) {
  AT_TRY(const auto rows, session.query("SELECT number, at_ms, data_ms, labels, level, value, text FROM alerts_events "
                                        "WHERE tenant_id=? AND id=? ORDER BY number DESC LIMIT ?",
                                        {tenant.value(), id.value(), static_cast<std::int64_t>(kKeptEvents)}));
  std::vector<RawEvent> out;
  for (const auto& row : rows) {
    out.push_back({static_cast<std::uint64_t>(row.integer(0)), from_ms(row.integer(1)), from_ms(row.integer(2)),
                   read_labels(row.text(3)), read_level(row, 4), read_real(row, 5), row.text(6)});
  }
  return out;
}

Status Machine::Step::forget_sources(const AlertId& id) {
  AT_TRY(session_.execute("DELETE FROM alerts_sources WHERE tenant_id=? AND id=?", {tenant_.value(), id.value()}));
  return {};
}

Status Machine::Step::add_event(const Judgement& j, const AlertId& id) {
  AT_TRY(const auto rows, session_.query("SELECT max(number) FROM alerts_events WHERE tenant_id=? AND id=?",
                                         {tenant_.value(), id.value()}));
  const auto number = rows.empty() ? 1 : rows.front().integer(0) + 1;
  AT_TRY(
      session_.execute("INSERT INTO alerts_events(tenant_id, id, number, at_ms, data_ms, labels, level, value, text)"
                       " VALUES(?,?,?,?,?,?,?,?,?)",
                       {tenant_.value(), id.value(), number, to_ms(now_), to_ms(j.at), write_labels(j.labels),
                        static_cast<std::int64_t>(j.level), optional_real(j.value), j.text}));
  AT_TRY(session_.execute("DELETE FROM alerts_events WHERE tenant_id=? AND id=? AND number<=?",
                          {tenant_.value(), id.value(), number - static_cast<std::int64_t>(kKeptEvents)}));
  return {};
}

Result<Judgement> Machine::Step::consolidated(Judgement j, const AlertId& id) {
  if (j.identity.empty()) return j;
  const auto labels = write_labels(j.labels);
  AT_TRY(const auto before, load_sources(session_, tenant_, id));
  const bool known = std::ranges::any_of(before, [&](const Source& one) { return one.labels == j.labels; });
  if (j.level != Level::kOk || known) AT_TRY(add_event(j, id));
  if (j.level == Level::kOk) {
    AT_TRY(session_.execute("DELETE FROM alerts_sources WHERE tenant_id=? AND id=? AND labels=?",
                            {tenant_.value(), id.value(), labels}));
  } else {
    AT_TRY(
        session_.execute("INSERT INTO alerts_sources(tenant_id, id, labels, level, value, text, at_ms, sustained) "
                         "VALUES(?,?,?,?,?,?,?,?)"
                         " ON CONFLICT(tenant_id, id, labels) DO UPDATE SET level=excluded.level, value=excluded.value,"
                         " text=excluded.text, at_ms=excluded.at_ms, sustained=excluded.sustained",
                         {tenant_.value(), id.value(), labels, static_cast<std::int64_t>(j.level),
                          optional_real(j.value), j.text, to_ms(j.at), std::int64_t{j.sustained}}));
  }
  const Source* worst = nullptr;
  for (const auto& one : before) {
    if (one.labels == j.labels) continue;
    if (worst == nullptr || badness(one.level) > badness(worst->level)) worst = &one;
  }
  if (worst == nullptr) return j;
  if (badness(worst->level) > badness(j.level)) {
    j.level = worst->level;
    j.value = worst->value;
    j.text = worst->text;
    j.sustained = j.sustained || worst->sustained;
  }
  return j;
}

}  // namespace atalaya::alerts
