#include "registry/hosts.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atalaya::registry {
namespace {

const std::vector<db::Migration>& migrations() {
  static const std::vector<db::Migration> list{
      {"registry", 1,
       "CREATE TABLE registry_hosts ("
       " tenant_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, facts TEXT NOT NULL,"
       " created BIGINT NOT NULL, first_seen BIGINT, last_seen BIGINT,"
       " PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, name));"
       "CREATE UNIQUE INDEX registry_hosts_id ON registry_hosts (id)"}};
  return list;
}

std::string encode(const std::map<std::string, std::string>& facts) {
  boost::json::object out;
  for (const auto& [key, value] : facts) out[key] = value;
  return boost::json::serialize(out);
}

std::map<std::string, std::string> decode(const std::string& text) {
  std::map<std::string, std::string> out;
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) return out;
  for (const auto& [key, fact] : value.get_object()) {
    if (const auto* words = fact.if_string()) out[std::string(key)] = std::string(*words);
  }
  return out;
}

db::Value optional_time(const std::optional<Time>& time) {
  if (!time) return std::monostate{};
  return to_ms(*time);
}

std::optional<Time> read_time(const db::Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

}  // namespace

std::string_view name(HostState state) {
  switch (state) {
    case HostState::kNever: return "never";
    case HostState::kUp: return "up";
    case HostState::kDown: return "down";
  }
  return "never";
}

Result<std::unique_ptr<Hosts>> Hosts::open(db::Database& database, HostsOptions options) {
  AT_TRY(database.migrate(migrations()));
  std::unique_ptr<Hosts> hosts(new Hosts(database, options));
  AT_TRY(hosts->load());
  return hosts;
}

Status Hosts::load() {
  return database_.read([this](db::Session& session) -> Status {
    AT_TRY(auto rows, session.query("SELECT tenant_id, id, name, version, facts, created, first_seen, last_seen"
                                    " FROM registry_hosts"));
    for (const auto& row : rows) {
      Host host{.id = AgentId{row.text(1)},
                .tenant = TenantId{row.text(0)},
                .name = row.text(2),
                .version = row.text(3),
                .facts = decode(row.text(4)),
                .state = HostState::kNever,
                .created = from_ms(row.integer(5)),
                .first_seen = read_time(row, 6),
                .last_seen = read_time(row, 7)};
      if (host.last_seen) host.state = HostState::kDown;
      const auto id = host.id;
      hosts_.emplace(id, Entry{std::move(host), false});
    }
    return {};
  });
}

Result<Hosts::Enrolled> Hosts::enrolled(const TenantId& tenant, const AgentId& id, const std::string& host_name,
                                        const std::string& version, Time now) {
  if (host_name.empty() || host_name.size() > 253) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a host's name has 1 to 253 characters, this has {}", host_name.size()));
  }
  const std::lock_guard change(change_mutex_);
  Enrolled out;
  out.host = Host{.id = id, .tenant = tenant, .name = host_name, .version = version, .created = now};
  if (auto known = find_by_name(tenant, host_name)) {
    out.replaced = known->id;
    out.host = std::move(*known);
    out.host.id = id;
    out.host.version = version;
  }
  const auto& host = out.host;
  auto stored = database_.write([&](db::Session& session) -> Status {
    AT_TRY(session.execute("DELETE FROM registry_hosts WHERE tenant_id = ? AND name = ?", {tenant.value(), host_name}));
    AT_TRY(
        session.execute("INSERT INTO registry_hosts (tenant_id, id, name, version, facts, created, first_seen,"
                        " last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        {tenant.value(), id.value(), host_name, version, encode(host.facts), to_ms(host.created),
                         optional_time(host.first_seen), optional_time(host.last_seen)}));
    return {};
  });
  AT_TRY(std::move(stored));
  {
    const std::lock_guard lock(mutex_);
    if (out.replaced) hosts_.erase(*out.replaced);
    hosts_[id] = Entry{host, false};
  }
  tell(out.replaced ? HostChange::What::kChanged : HostChange::What::kAdded, host);
  return out;
}

Status Hosts::connected(const AgentId& id, const std::string& version, std::map<std::string, std::string> facts,
                        Time now) {
  const std::lock_guard change(change_mutex_);
  auto known = find(id);
  if (!known) {
    return fail(ErrorCode::kNotFound, fmt::format("no host has the agent {}", id.value()),
                "enrol the agent again: atalaya agent enroll --server URL --token T");
  }
  auto& host = *known;
  const bool news = host.version != version || host.facts != facts || !host.first_seen;
  host.version = version;
  host.facts = std::move(facts);
  host.state = HostState::kUp;
  if (!host.first_seen) host.first_seen = now;
  host.last_seen = now;
  if (news) {
    auto stored = database_.write([&](db::Session& session) -> Status {
      AT_TRY(
          session.execute("UPDATE registry_hosts SET version = ?, facts = ?, first_seen = ?, last_seen = ?"
                          " WHERE tenant_id = ? AND id = ?",
                          {version, encode(host.facts), optional_time(host.first_seen), optional_time(host.last_seen),
                           host.tenant.value(), id.value()}));
      return {};
    });
    AT_TRY(std::move(stored));
  }
  {
    const std::lock_guard lock(mutex_);
    hosts_[id] = Entry{host, !news};
  }
  tell(HostChange::What::kChanged, host);
  return {};
}

void Hosts::seen(const AgentId& id, Time now) {
  const auto touch = [&](Host& host) {
    host.last_seen = std::max(host.last_seen.value_or(now), now);
    if (!host.first_seen) host.first_seen = now;
  };
  {
    const std::lock_guard lock(mutex_);
    const auto found = hosts_.find(id);
    if (found == hosts_.end()) return;
    if (found->second.host.state == HostState::kUp) {  // nearly always
      touch(found->second.host);
      found->second.unflushed = true;
      return;
    }
  }
  const std::lock_guard change(change_mutex_);
  Host host;
  {
    const std::lock_guard lock(mutex_);
    const auto found = hosts_.find(id);
    if (found == hosts_.end()) return;
    touch(found->second.host);
    found->second.host.state = HostState::kUp;
    found->second.unflushed = true;
    host = found->second.host;
  }
  tell(HostChange::What::kChanged, host);
}

Status Hosts::remove(const TenantId& tenant, const AgentId& id) {
  const std::lock_guard change(change_mutex_);
  const auto known = find(id);
  if (!known || known->tenant != tenant) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no host {}", id.value()));
  }
  auto stored = database_.write([&](db::Session& session) -> Status {
    AT_TRY(session.execute("DELETE FROM registry_hosts WHERE tenant_id = ? AND id = ?", {tenant.value(), id.value()}));
    return {};
  });
  AT_TRY(std::move(stored));
  {
    const std::lock_guard lock(mutex_);
    hosts_.erase(id);
  }
  tell(HostChange::What::kRemoved, *known);
  return {};
}

Status Hosts::tick(Time now) {
  bool flush_now = false;
  {
    const std::lock_guard change(change_mutex_);
    std::vector<Host> fell;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, entry] : hosts_) {
        auto& host = entry.host;
        if (host.state != HostState::kUp || now - *host.last_seen <= options_.down_after) continue;
        host.state = HostState::kDown;
        fell.push_back(host);
      }
      if (last_flush_ == kMinTime || now < last_flush_) last_flush_ = now;
      flush_now = now - last_flush_ >= options_.flush_every;
      if (flush_now) last_flush_ = now;
    }
    for (const auto& host : fell) tell(HostChange::What::kChanged, host);
  }
  return flush_now ? flush() : Status{};
}

Status Hosts::flush() {
  const std::lock_guard change(change_mutex_);
  std::vector<Host> unflushed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, entry] : hosts_) {
      if (std::exchange(entry.unflushed, false)) unflushed.push_back(entry.host);
    }
  }
  if (unflushed.empty()) return {};
  const auto done = database_.write([&](db::Session& session) -> Status {
    for (const auto& host : unflushed) {
      AT_TRY(session.execute(
          "UPDATE registry_hosts SET first_seen = ?, last_seen = ? WHERE tenant_id = ? AND id = ?",
          {optional_time(host.first_seen), optional_time(host.last_seen), host.tenant.value(), host.id.value()}));
    }
    return {};
  });
  if (done) return {};
  const std::lock_guard lock(mutex_);
  for (const auto& host : unflushed) {
    if (const auto found = hosts_.find(host.id); found != hosts_.end()) found->second.unflushed = true;
  }
  return done;
}

std::vector<Host> Hosts::list(const TenantId& tenant) const {
  auto out = all();
  std::erase_if(out, [&](const Host& host) { return host.tenant != tenant; });
  return out;
}

std::vector<Host> Hosts::all() const {
  std::vector<Host> out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : hosts_) out.push_back(entry.host);
  }
  std::sort(out.begin(), out.end(),
            [](const Host& a, const Host& b) { return std::tie(a.tenant, a.name) < std::tie(b.tenant, b.name); });
  return out;
}

std::optional<Host> Hosts::find(const AgentId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return std::nullopt;
  return found->second.host;
}

std::optional<Host> Hosts::find_by_name(const TenantId& tenant, std::string_view host_name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : hosts_) {
    if (entry.host.tenant == tenant && entry.host.name == host_name) return entry.host;
  }
  return std::nullopt;
}

void Hosts::subscribe(HostListener listener) {
  const std::lock_guard change(change_mutex_);
  const std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void Hosts::tell(HostChange::What what, const Host& host) {
  HostChange change{.revision = 0, .what = what, .host = host};
  std::vector<HostListener> listeners;
  {
    const std::lock_guard lock(mutex_);
    change.revision = ++revision_;
    listeners = listeners_;
  }
  for (const auto& listener : listeners) listener(change);
}

}  // namespace atalaya::registry
