#include "packages/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace atalaya::packages {
namespace {

enum class What { kAdded, kChanged, kRemoved };
/// Ids of items by section and what becomes of them.
using Found = std::map<std::string, std::map<What, std::vector<std::string>>>;

std::string plural(const std::string& noun, std::size_t count) {
  if (count == 1) return noun;
  return noun.ends_with('s') ? noun : noun.ends_with('y') ? noun.substr(0, noun.size() - 1) + "ies" : noun + "s";
}

void compare(const Package& was, const Package& is, Found& found) {
  auto a = was.items.begin();
  auto b = is.items.begin();
  const auto key = [](const Item& item) {
    return std::pair<std::string_view, std::string_view>(item.section, item.id);
  };
  while (a != was.items.end() || b != is.items.end()) {
    if (b == is.items.end() || (a != was.items.end() && key(*a) < key(*b))) {
      found[a->section][What::kRemoved].push_back(a->id);
      ++a;
    } else if (a == was.items.end() || key(*b) < key(*a)) {
      found[b->section][What::kAdded].push_back(b->id);
      ++b;
    } else {
      if (a->content != b->content) found[b->section][What::kChanged].push_back(b->id);
      ++a;
      ++b;
    }
  }
}

/// Of what runs by itself.
std::string_view verb_of(What what, std::size_t count) {
  const bool one = count == 1;
  switch (what) {
    case What::kAdded: return one ? "starts" : "start";
    case What::kChanged: return one ? "changes" : "change";
    case What::kRemoved: return one ? "stops" : "stop";
  }
  return "";
}

std::string sentence(const std::string& noun, What what, std::size_t count) {
  const auto things = fmt::format("{} {}", count, plural(noun, count));
  const bool one = count == 1;
  switch (what) {
    case What::kAdded: return fmt::format("{} {} added", things, one ? "is" : "are");
    case What::kChanged: return fmt::format("{} {}", things, one ? "changes" : "change");
    case What::kRemoved: return fmt::format("{} {} removed", things, one ? "is" : "are");
  }
  return things;
}

std::string collector_sentence(What what, std::size_t count, std::size_t hosts) {
  return fmt::format("{} {} {} on {} {}", count, plural("collector", count), verb_of(what, count), hosts,
                     plural("host", hosts));
}

/// What its items are called is said by whoever declares it.
const schema::Section* section_of(const World& world, const Plan& plan, const std::string& name) {
  for (const auto& [packages, schemas] : plan.schemas) {
    if (const auto* found = schemas->section(name)) return found;
  }
  const auto schemas = world.schemas_of("");
  return schemas ? schemas->section(name) : nullptr;
}

}  // namespace

std::vector<std::string> effects_of(const World& world, const Plan& plan,
                                    const std::function<std::size_t(const HostSelector&)>& count_hosts) {
  static const Package kNone;
  Found found;
  std::map<What, std::size_t> hosts;
  std::vector<std::string> out;
  const auto look_at = [&](const std::string& name, const Package& is) {
    const auto old = world.slots().find(name);
    const auto& was = old == world.slots().end() || !old->second.running ? kNone : *old->second.running;
    if (&was == &kNone && &is != &kNone) out.push_back(fmt::format("package {} is added", name));
    if (&was != &kNone && &is == &kNone) out.push_back(fmt::format("package {} is removed", name));
    Found here;
    compare(was, is, here);
    for (const auto& [what, ids] : here["collectors"]) {
      const auto& list = what == What::kRemoved ? was.collectors : is.collectors;
      for (const auto& collector : list) {
        if (count_hosts && std::find(ids.begin(), ids.end(), collector.id) != ids.end()) {
          hosts[what] = std::max(hosts[what], count_hosts(collector.on));
        }
      }
    }
    for (auto& [section, kinds] : here) {
      for (auto& [what, ids] : kinds) {
        auto& all = found[section][what];
        all.insert(all.end(), ids.begin(), ids.end());
      }
    }
  };
  for (const auto& name : plan.removed) {
    if (!plan.slots.contains(name)) look_at(name, kNone);
  }
  for (const auto& [name, slot] : plan.slots) look_at(name, slot.running ? *slot.running : kNone);
  for (const auto& [section, kinds] : found) {
    const auto* known = section_of(world, plan, section);
    for (const auto& [what, ids] : kinds) {
      const auto noun = known == nullptr ? section : known->item;
      if (section == "collectors" && count_hosts)
        out.push_back(collector_sentence(what, ids.size(), hosts[what]));
      else if (section == "scrape_configs")
        out.push_back(fmt::format("{} {} {}", ids.size(), plural(noun, ids.size()), verb_of(what, ids.size())));
      else
        out.push_back(sentence(noun, what, ids.size()));
    }
  }
  return out;
}

}  // namespace atalaya::packages
