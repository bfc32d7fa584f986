#include "packages/agent_configuration.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace atalaya::packages {
namespace {

namespace json = boost::json;

/// At most what stands around the collectors: the revision, and the built-in collector of the machine.
constexpr std::size_t kAround = 128;

json::object for_agent(const CollectorItem& item) {
  json::object out{{"id", item.id}, {"type", item.type}, {"period", format_duration(item.period)}};
  for (const auto& [key, value] : item.fields) out[key] = value;
  return out;
}

struct Sized {
  const CollectorItem* item;
  std::size_t bytes;
  bool is_new;
};

void add(std::vector<Sized>& list, const Slot& slot, bool is_new) {
  if (!slot.running) return;
  for (const auto& item : slot.running->collectors) {
    list.push_back({&item, json::serialize(for_agent(item)).size() + 1, is_new});
  }
}

std::size_t bytes_on(const std::vector<Sized>& list, std::string_view host) {
  std::size_t out = kAround;
  for (const auto& one : list) out += one.item->on.matches(host) ? one.bytes : 0;
  return out;
}

bool brings_collectors(const World& world, const Plan& plan) {
  return std::any_of(plan.slots.begin(), plan.slots.end(), [&](const auto& entry) {
    const auto& [name, slot] = entry;
    if (!slot.running || slot.running->collectors.empty()) return false;
    const auto old = world.slots().find(name);
    return old == world.slots().end() || !old->second.running ||
           old->second.running->collectors != slot.running->collectors;
  });
}

PackageError error_at(const CollectorItem& item, std::string_view host, std::size_t bytes, std::size_t most_bytes) {
  PackageError out{
      {ErrorCode::kTooLarge,
       fmt::format("{} would get a configuration of {} bytes; an agent takes {}",
                   host.empty() ? std::string("every host") : fmt::format("host {}", host), bytes, most_bytes),
       item.origin, "let fewer collectors run there (on:), or shorten their programs"}};
  const auto slash = item.id.find('/');
  out.package = item.id.substr(0, slash);
  out.section = item.type == kScrapeType ? "scrape_configs" : "collectors";
  for (auto rest = slash == std::string::npos ? std::string_view() : std::string_view(item.id).substr(slash + 1);
       !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    out.path.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

}  // namespace

std::string agent_configuration(const Slots& slots, std::string_view host, std::uint64_t revision) {
  json::array list;
  bool has_host = false;
  for (const auto& [name, slot] : slots) {
    if (!slot.running) continue;
    for (const auto& item : slot.running->collectors) {
      if (!item.on.matches(host)) continue;
      has_host = has_host || item.type == "host";
      list.push_back(for_agent(item));
    }
  }
  if (!has_host) list.insert(list.begin(), json::object{{"id", "host"}, {"type", "host"}, {"period", "1s"}});
  return json::serialize(json::object{{"revision", revision}, {"collectors", std::move(list)}});
}

std::optional<PackageError> too_long_for_agents(const World& world, const Plan& plan, std::vector<std::string> hosts,
                                                std::size_t most_bytes) {
  if (!brings_collectors(world, plan)) return std::nullopt;
  std::vector<Sized> before;
  std::vector<Sized> after;
  for (const auto& [name, slot] : world.slots()) {
    add(before, slot, false);
    if (!plan.slots.contains(name) && !plan.removed.contains(name)) add(after, slot, false);
  }
  for (const auto& [name, slot] : plan.slots) add(after, slot, true);
  std::size_t all = kAround;
  for (const auto& one : after) all += one.bytes;
  if (all <= most_bytes) return std::nullopt;  // so no single host has too much
  hosts.emplace_back();                        // what matches no letter at all runs on hosts that are yet to come
  for (const auto& host : hosts) {
    const auto bytes = bytes_on(after, host);
    if (bytes <= most_bytes || bytes <= bytes_on(before, host)) continue;
    const Sized* longest = nullptr;
    for (const auto& one : after) {
      if (!one.is_new || !one.item->on.matches(host)) continue;
      if (longest == nullptr || longest->bytes < one.bytes) longest = &one;
    }
    if (longest != nullptr) return error_at(*longest->item, host, bytes, most_bytes);
  }
  return std::nullopt;
}

}  // namespace atalaya::packages
