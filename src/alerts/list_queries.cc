// Pages of alerts, and the search through them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "alerts/queries.h"
#include "alerts/rows.h"
#include "alerts/search_index.h"

namespace atalaya::alerts {
namespace {

constexpr std::size_t kMaxPage = 1000;

std::int64_t number(State state) { return static_cast<std::int64_t>(state); }

/// Fixed fragments and their values; nothing from outside becomes SQL.
struct Where {
  std::string sql = "tenant_id=?";
  std::vector<db::Value> values;

  void add(std::string_view fragment, std::initializer_list<db::Value> more) {
    sql += " AND ";
    sql += fragment;
    values.insert(values.end(), more);
  }
};

void add_state(Where& where, StateFilter filter) {
  // Pending alerts that went away without a word are no resolved alerts to anybody.
  constexpr std::string_view kResolved = "(state=3 AND told>0)";
  // In these words: an index holds those, and few others, alone.
  constexpr std::string_view kOpen = "indexed=0 AND state<>3";
  static_assert(static_cast<int>(State::kResolved) == 3);
  switch (filter) {
    case StateFilter::kOpen: where.add(kOpen, {}); break;
    case StateFilter::kPending: where.add(kOpen, {}), where.add("state=?", {number(State::kPending)}); break;
    case StateFilter::kFiring: where.add(kOpen, {}), where.add("state=?", {number(State::kFiring)}); break;
    case StateFilter::kNoData: where.add(kOpen, {}), where.add("state=?", {number(State::kNoData)}); break;
    case StateFilter::kResolved: where.add(kResolved, {}); break;
    case StateFilter::kAll: where.add("(state<>3 OR told>0)", {}); break;
  }
}

std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

/// `started` and id of the last alert of the page before.
struct Position {
  Time started{};
  std::string id;
};

Result<Position> parse_position(std::string_view before) {
  const auto dot = before.find('.');
  std::int64_t started = 0;
  const auto [end, failed] = std::from_chars(before.data(), before.data() + std::min(dot, before.size()), started);
  if (dot == std::string_view::npos || failed != std::errc{} || end != before.data() + dot) {
    return fail(ErrorCode::kInvalidArgument, "before: not a cursor of an earlier page",
                "use the value of \"next\" unchanged");
  }
  return Position{from_ms(started), std::string(before.substr(dot + 1))};
}

bool newer(const Alert& a, const Alert& b) {
  return a.started != b.started ? a.started > b.started : a.id.value() > b.id.value();
}

Status read_rows(db::Session& session, const std::string& sql, const std::vector<db::Value>& values,
                 std::vector<Alert>& out) {
  AT_TRY(const auto rows, session.query(sql, values));
  for (const auto& row : rows) out.push_back(read_alert(row).alert);
  return {};
}

Status read_newest(db::Session& session, Where where, std::size_t limit, std::vector<Alert>& out) {
  where.values.emplace_back(static_cast<std::int64_t>(limit));
  return read_rows(session,
                   fmt::format("SELECT {} FROM alerts_alerts WHERE {} ORDER BY started_ms DESC, id DESC LIMIT ?",
                               kAlertColumns, where.sql),
                   where.values, out);
}

/// Of alerts that the index of words has, the newest `limit`, and all that started when the last of them did.
Status read_matching(db::Session& session, const Where& where, const std::string& match, Time newest, std::size_t limit,
                     std::vector<Alert>& out) {
  const auto sql = fmt::format(
      "SELECT {} FROM (SELECT rowid AS word_key, tenant_id AS word_tenant, id AS word_id FROM alerts_words WHERE "
      "alerts_words MATCH ? AND rowid>=? AND rowid<? ORDER BY rowid DESC) CROSS JOIN alerts_alerts ON "
      "tenant_id=word_tenant AND id=word_id AND search_key=word_key WHERE indexed=1 AND {} ORDER BY word_key DESC "
      "LIMIT ?",
      kAlertColumns, where.sql);
  const auto read = [&](std::int64_t from, std::int64_t until, std::int64_t most) {
    std::vector<db::Value> values{match, from, until};
    values.insert(values.end(), where.values.begin(), where.values.end());
    values.emplace_back(most);
    return read_rows(session, sql, values, out);
  };
  AT_TRY(read(INT64_MIN, end_of_keys_at(newest), static_cast<std::int64_t>(limit)));
  if (out.size() < limit) return {};
  const auto last = out.back().started;
  std::erase_if(out, [&](const Alert& alert) { return first_key_at(alert.started) == first_key_at(last); });
  return read(first_key_at(last), end_of_keys_at(last), INT64_MAX);
}

/// The newest of those that the index has and of the others.
Status read_both(db::Session& session, const Where& where, const std::string& match, Time newest, std::size_t limit,
                 std::vector<Alert>& out) {
  AT_TRY(read_matching(session, where, match, newest, limit, out));
  auto others = where;
  others.add("indexed=0", {});
  std::vector<Alert> found;
  AT_TRY(read_newest(session, std::move(others), limit, found));
  std::ranges::move(found, std::back_inserter(out));
  std::ranges::sort(out, newer);
  out.resize(std::min(out.size(), limit));
  return {};
}

}  // namespace

Result<Page> Queries::list(const TenantId& tenant, const Filter& filter) const {
  Where where;
  where.values.emplace_back(tenant.value());
  add_state(where, filter.state);
  if (filter.severity) where.add("severity=?", {static_cast<std::int64_t>(*filter.severity)});
  if (!filter.host.empty()) where.add("host=? AND host<>''", {filter.host});
  if (!filter.text.empty()) {
    const auto pattern = like_pattern(filter.text);
    where.add(
        "(lower(name) LIKE lower(?) ESCAPE '\\' OR lower(text) LIKE lower(?) ESCAPE '\\'"
        " OR lower(labels) LIKE lower(?) ESCAPE '\\')",
        {pattern, pattern, pattern});
  }
  Position before{kMaxTime, ""};
  if (!filter.before.empty()) {
    AT_TRY(before, parse_position(filter.before));
    const std::int64_t started = to_ms(before.started);
    where.add("(started_ms<? OR (started_ms=? AND id<?))", {started, started, before.id});
  }
  const auto limit = std::clamp<std::size_t>(filter.limit, 1, kMaxPage);
  // Open ones are in no index of words; a host's are few, and found by it.
  const bool over = filter.state == StateFilter::kResolved || filter.state == StateFilter::kAll;
  const auto match = over && filter.host.empty() ? match_of(tenant, filter.text) : std::nullopt;
  Page page;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    auto status = match ? read_both(session, where, *match, before.started, limit + 1, page.alerts)
                        : read_newest(session, where, limit + 1, page.alerts);
    return status ? fill_silenced(session, tenant, page.alerts) : status;
  }));
  if (page.alerts.size() > limit) {
    page.alerts.pop_back();
    const auto& last = page.alerts.back();
    page.next = fmt::format("{}.{}", to_ms(last.started), last.id.value());
  }
  return page;
}

}  // namespace atalaya::alerts
