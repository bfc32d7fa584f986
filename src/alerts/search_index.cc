#include "alerts/search_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/time.h"
#include "base/utf8.h"
#include "io/xxh64.h"

namespace atalaya::alerts {
namespace {

constexpr int kBitsBelow = 20;
/// Times beyond these (a sender's word) share a place in the order.
constexpr std::int64_t kLatest = std::int64_t{1} << 42;
/// More of one text make the answer no smaller.
constexpr std::size_t kMostTrigrams = 24;

std::int64_t clamped(Time started) { return std::clamp<std::int64_t>(to_ms(started), -kLatest, kLatest - 1); }

/// Three characters that nobody writes: a tenant's own, so that nobody's search walks through others' alerts.
std::string mark_of(const TenantId& tenant) {
  constexpr std::uint64_t kPrivate = 6400;  // U+E000 to U+F8FF
  std::string out;
  for (auto hash = io::xxh64(tenant.value()); out.size() < 9; hash /= kPrivate) {
    append_utf8(out, static_cast<std::uint32_t>(0xe000 + hash % kPrivate));
  }
  return out;
}

/// The texts that a search looks through. The index reads up to a NUL.
std::string words_of(const TenantId& tenant, const db::Row& row, std::size_t first) {
  auto out = fmt::format("{}\n{}\n{}\n{}", mark_of(tenant), row.text(first), row.text(first + 1), row.text(first + 2));
  std::ranges::replace(out, '\0', ' ');
  return out;
}

/// Where it stands in order of time, then id, as far as its first digits say; free keys follow.
Result<std::int64_t> free_key(db::Session& session, Time started, const std::string& id) {
  std::uint64_t digits = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const char c = i < id.size() ? id[i] : '0';
    digits = digits << 4 | static_cast<std::uint64_t>(c >= 'a' ? c - 'a' + 10 : c - '0') % 16;
  }
  auto key = first_key_at(started) + static_cast<std::int64_t>(digits >> 1);
  for (;; ++key) {
    AT_TRY(const auto taken, session.query("SELECT 1 FROM alerts_words WHERE rowid=?", {key}));
    if (taken.empty()) return key;
  }
}

}  // namespace

std::int64_t first_key_at(Time started) { return clamped(started) * (std::int64_t{1} << kBitsBelow); }
std::int64_t end_of_keys_at(Time started) { return (clamped(started) + 1) * (std::int64_t{1} << kBitsBelow); }

Result<bool> index_some(db::Session& session, const TenantId& tenant, std::size_t most) {
  AT_TRY(
      const auto rows,
      session.query("SELECT id, started_ms, search_key, told, name, text, labels FROM alerts_alerts WHERE tenant_id=? "
                    "AND indexed=0 AND state=3 ORDER BY resolved_ms LIMIT ?",
                    {tenant.value(), static_cast<std::int64_t>(most)}));
  for (const auto& row : rows) {
    const auto& id = row.text(0);
    if (!row.is_null(2)) AT_TRY(session.execute("DELETE FROM alerts_words WHERE rowid=?", {row.integer(2)}));
    db::Value key;
    // Of what nobody was told nobody asks.
    if (row.integer(3) > 0) {
      AT_TRY(key, free_key(session, from_ms(row.integer(1)), id));
      AT_TRY(session.execute("INSERT INTO alerts_words(rowid, tenant_id, id, words) VALUES(?,?,?,?)",
                             {key, tenant.value(), id, words_of(tenant, row, 4)}));
    }
    AT_TRY(session.execute("UPDATE alerts_alerts SET indexed=1, search_key=? WHERE tenant_id=? AND id=?",
                           {key, tenant.value(), id}));
  }
  return rows.size() == most;
}

Status unindex_before(db::Session& session, const TenantId& tenant, Time resolved) {
  AT_TRY(
      session.execute("DELETE FROM alerts_words WHERE rowid IN (SELECT search_key FROM alerts_alerts WHERE "
                      "tenant_id=? AND state=3 AND resolved_ms<? AND search_key IS NOT NULL)",
                      {tenant.value(), to_ms(resolved)}));
  return {};
}

Status unindex(db::Session& session, const TenantId& tenant, const AlertId& id) {
  AT_TRY(
      session.execute("DELETE FROM alerts_words WHERE rowid IN (SELECT search_key FROM alerts_alerts WHERE "
                      "tenant_id=? AND id=? AND search_key IS NOT NULL)",
                      {tenant.value(), id.value()}));
  return {};
}

std::optional<std::string> match_of(const TenantId& tenant, std::string_view text) {
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < text.size();) {
    const auto rune = first_rune(text.substr(i));
    if (!rune.good || rune.code == 0) return std::nullopt;
    begins.push_back(i);
    i += rune.size;
  }
  if (begins.size() < 3) return std::nullopt;
  begins.push_back(text.size());
  std::set<std::string> trigrams{mark_of(tenant)};
  const auto count = begins.size() - 3;
  const auto step = std::max<std::size_t>(1, (count + kMostTrigrams - 1) / kMostTrigrams);
  for (std::size_t i = 0; i < count; i += step) {
    trigrams.emplace(text.substr(begins[i], begins[i + 3] - begins[i]));
  }
  std::string out;
  for (const auto& trigram : trigrams) {
    out += out.empty() ? "\"" : " AND \"";
    for (const char c : trigram) out += c == '"' ? "\"\"" : std::string(1, c);
    out += '"';
  }
  return out;
}

}  // namespace atalaya::alerts
