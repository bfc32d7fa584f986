#include "registry/audit.h"

#include <limits>
#include <string_view>

namespace atalaya::registry {
namespace {

const std::vector<db::Migration>& migrations() {
  static const std::vector<db::Migration> list{
      {"audit", 1,
       "CREATE TABLE audit ("
       " tenant_id TEXT NOT NULL, id BIGINT NOT NULL, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,"
       " object TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (tenant_id, id));"
       "CREATE INDEX audit_at ON audit (tenant_id, at)"}};
  return list;
}

constexpr std::size_t kMaxWho = 256;
constexpr std::size_t kMaxAction = 64;
constexpr std::size_t kMaxObject = 512;
constexpr std::size_t kMaxDetail = 4096;

/// At most `most` bytes, and no half characters.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string{text};
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return std::string{text.substr(0, most)};
}

}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(db::Database& database, AuditOptions options) {
  AT_TRY(database.migrate(migrations()));
  return std::unique_ptr<Audit>(new Audit(database, options));
}

bool Audit::prune_is_due() {
  const std::lock_guard lock(mutex_);
  return added_++ % options_.prune_every == 0;
}

Status Audit::prune(db::Session& session, const TenantId& tenant, Time now) const {
  AT_TRY(session.execute("DELETE FROM audit WHERE tenant_id = ? AND at < ?",
                         {tenant.value(), to_ms(now - options_.keep)}));
  AT_TRY(session.execute(
      "DELETE FROM audit WHERE tenant_id = ? AND id <= (SELECT MAX(id) FROM audit WHERE tenant_id = ?) - ?",
      {tenant.value(), tenant.value(), options_.most}));
  return {};
}

Result<std::int64_t> Audit::add(const TenantId& tenant, const AuditEntry& entry) {
  const bool due = prune_is_due();
  std::int64_t id = 0;
  auto stored = database_.write([&](db::Session& session) -> Status {
    AT_TRY(const auto last, session.query("SELECT MAX(id) FROM audit WHERE tenant_id = ?", {tenant.value()}));
    id = last.at(0).integer(0) + 1;
    AT_TRY(session.execute(
        "INSERT INTO audit (tenant_id, id, at, who, action, object, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        {tenant.value(), id, to_ms(entry.at), cut(entry.who, kMaxWho), cut(entry.action, kMaxAction),
         cut(entry.object, kMaxObject), cut(entry.detail, kMaxDetail)}));
    return due ? prune(session, tenant, entry.at) : Status{};
  });
  AT_TRY(std::move(stored));
  return id;
}

Result<std::vector<AuditEntry>> Audit::list(const TenantId& tenant, std::size_t limit,
                                            std::optional<std::int64_t> before) {
  std::vector<AuditEntry> out;
  auto read = database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows,
           session.query("SELECT id, at, who, action, object, detail FROM audit WHERE tenant_id = ? AND id < ?"
                         " ORDER BY id DESC LIMIT ?",
                         {tenant.value(), before.value_or(std::numeric_limits<std::int64_t>::max()),
                          static_cast<std::int64_t>(limit)}));
    for (const auto& row : rows)
      out.push_back({row.integer(0), from_ms(row.integer(1)), row.text(2), row.text(3), row.text(4), row.text(5)});
    return {};
  });
  AT_TRY(std::move(read));
  return out;
}

}  // namespace atalaya::registry
