#include "dispatch/change_log.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "dispatch/entries.h"
#include "io/checksum.h"

namespace atalaya::dispatch {
namespace {

constexpr std::size_t kRowBytes = 64 << 10;
/// Entries that are looked at for each that is added; with half of them outdated the log shrinks.
constexpr std::size_t kShare = 4;
constexpr std::size_t kSlack = 1000;

std::uint64_t hash_of(const Labels& labels) { return io::keyed_hash("a" + labels.packed()).low; }
std::uint64_t hash_of_group(const std::string& id) { return io::keyed_hash("g" + id).low; }

template <typename Take>
void for_each_entry(std::string_view body, const Take& take) {
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    take(read_entry(body.substr(0, end)));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
}

}  // namespace

Status ChangeLog::flush(db::Session& session, const TenantId& tenant) {
  if (body_entries_ == 0) return {};
  AT_TRY(session.execute("INSERT INTO dispatch_changes(tenant_id, number, entries, body) VALUES(?,?,?,?)",
                         {tenant.value(), next_, static_cast<std::int64_t>(body_entries_), std::move(body_)}));
  ++next_;
  entries_ += body_entries_;
  body_entries_ = 0;
  body_.clear();
  return {};
}

Status ChangeLog::added(db::Session& session, const TenantId& tenant) {
  ++body_entries_;
  return body_.size() < kRowBytes ? Status{} : flush(session, tenant);
}

void ChangeLog::append_alert(const routing::AlertRow& row, const AlertIdOf& id_of) {
  append(body_, row, id_of(row.alert.labels));
  last_[hash_of(row.alert.labels)] = next_;
}

void ChangeLog::append_group(const routing::GroupRow& row) {
  append(body_, row);
  last_[hash_of_group(row.id)] = next_;
}

bool ChangeLog::is_last(std::uint64_t thing, std::int64_t row) const {
  const auto found = last_.find(thing);
  return found != last_.end() && found->second == row;
}

Status ChangeLog::store(db::Session& session, const TenantId& tenant, const routing::Changes& changes,
                        const routing::Machine& now, const AlertIdOf& id_of) {
  if (std::exchange(damaged_, false)) {
    AT_TRY(session.execute("DELETE FROM dispatch_changes WHERE tenant_id=?", {tenant.value()}));
    entries_ = 0;
    last_.clear();
  }
  const auto before = entries_;
  for (const auto& row : changes.alerts) {
    append_alert(row, id_of);
    AT_TRY(added(session, tenant));
  }
  for (const auto& labels : changes.gone_alerts) {
    append_gone(body_, labels);
    last_.erase(hash_of(labels));
    AT_TRY(added(session, tenant));
  }
  for (const auto& row : changes.groups) {
    append_group(row);
    AT_TRY(added(session, tenant));
  }
  for (const auto& id : changes.gone_groups) {
    append_gone(body_, id);
    last_.erase(hash_of_group(id));
    AT_TRY(added(session, tenant));
  }
  AT_TRY(flush(session, tenant));
  owed_ += kShare * (entries_ - before);
  return write_again(session, tenant, now, id_of);
}

/// Old rows, as far as there are too many entries and it is their turn.
Status ChangeLog::write_again(db::Session& session, const TenantId& tenant, const routing::Machine& now,
                              const AlertIdOf& id_of) {
  const auto most = kSlack + 2 * now.rows();
  if (entries_ <= most) {
    owed_ = 0;
    return {};
  }
  while (entries_ > most) {
    AT_TRY(const auto oldest,
           session.query("SELECT number, entries, body FROM dispatch_changes WHERE tenant_id=? ORDER BY number LIMIT 1",
                         {tenant.value()}));
    if (oldest.empty()) return fail(ErrorCode::kInternal, "dispatch: rows of changes are missing");
    const auto count = static_cast<std::size_t>(oldest.front().integer(1));
    if (count > owed_) return {};
    owed_ -= count;
    AT_TRY(session.execute("DELETE FROM dispatch_changes WHERE tenant_id=? AND number=?",
                           {tenant.value(), oldest.front().integer(0)}));
    entries_ -= count;
    // What is said of the gone ends with the last row that could speak of it.
    const auto number = oldest.front().integer(0);
    for_each_entry(oldest.front().text(2), [&](const Entry& entry) {
      if (const auto* alert = std::get_if<AlertEntry>(&entry)) {
        const auto& labels = alert->row.alert.labels;
        const auto row = is_last(hash_of(labels), number) ? now.alert_row(labels) : std::nullopt;
        if (row) append_alert(*row, id_of), ++body_entries_;
      } else if (const auto* group = std::get_if<routing::GroupRow>(&entry)) {
        const bool counts = is_last(hash_of_group(group->id), number);
        const auto row = counts ? now.group_row(group->route, group->labels) : std::nullopt;
        if (row) append_group(*row), ++body_entries_;
      }
    });
    AT_TRY(flush(session, tenant));
  }
  return {};
}

Status ChangeLog::load(db::Session& session, const TenantId& tenant, StoredState& out) {
  *this = {};
  std::map<Labels, AlertEntry> alerts;
  std::map<std::string, routing::GroupRow> groups;
  std::int64_t number = 0;
  const auto take = [&](Entry entry) {
    ++entries_;
    if (auto* alert = std::get_if<AlertEntry>(&entry)) {
      last_[hash_of(alert->row.alert.labels)] = number;
      alerts.insert_or_assign(alert->row.alert.labels, std::move(*alert));
    } else if (auto* group = std::get_if<routing::GroupRow>(&entry)) {
      last_[hash_of_group(group->id)] = number;
      groups.insert_or_assign(group->id, std::move(*group));
    } else if (const auto* gone = std::get_if<GoneAlert>(&entry)) {
      last_.erase(hash_of(gone->labels));
      alerts.erase(gone->labels);
    } else {
      const auto& id = std::get<GoneGroup>(entry).id;
      last_.erase(hash_of_group(id));
      groups.erase(id);
    }
  };
  AT_TRY(const auto newest,
         session.query("SELECT coalesce(max(number), 0) FROM dispatch_changes WHERE tenant_id=?", {tenant.value()}));
  next_ = newest.at(0).integer(0) + 1;
  damaged_ = true;
  for (std::int64_t from = 0; from < next_;) {
    AT_TRY(const auto rows, session.query("SELECT number, body FROM dispatch_changes WHERE tenant_id=? AND number>=? "
                                          "ORDER BY number LIMIT 64",
                                          {tenant.value(), from}));
    for (const auto& row : rows) {
      number = row.integer(0);
      for_each_entry(row.text(1), take);
    }
    from = rows.empty() ? next_ : rows.back().integer(0) + 1;
  }
  damaged_ = false;
  for (auto& [labels, entry] : alerts) {
    out.state.alerts.push_back(std::move(entry.row));
    out.ids.push_back(std::move(entry.id));
  }
  for (auto& [id, row] : groups) out.state.groups.push_back(std::move(row));
  return {};
}

}  // namespace atalaya::dispatch
