#include "packages/section_checks.h"

#include <algorithm>
#include <set>
#include <utility>

namespace atalaya::packages {
namespace {

struct SectionCheck {
  std::string_view section;
  void (*check)(const ItemContext& item);
  bool needs_values = false;  ///< looks at the values that the schema took
};
constexpr SectionCheck kSectionChecks[]{{"alertmanager", check_alertmanager},
                                        {"groups", check_group},
                                        {"incidents", check_incident_policy, true},
                                        {"silences", check_silence, true}};

const SectionCheck* check_of(std::string_view section) {
  const auto found = std::ranges::find(kSectionChecks, section, &SectionCheck::section);
  return found == std::end(kSectionChecks) ? nullptr : found;
}

using Places = std::set<std::pair<std::uint32_t, std::uint32_t>>;

std::pair<std::uint32_t, std::uint32_t> at(const Place& place) { return {place.line, place.column}; }

/// Places of mappings one of whose own keys or values is told.
void add_mappings(const config::Node& node, const Places& told, Places& out) {
  for (const auto& entry : node.entries()) {
    if (told.contains(at(entry.key->place())) || told.contains(at(entry.value->place()))) out.insert(at(node.place()));
    add_mappings(*entry.value, told, out);
  }
  for (const auto* item : node.items()) add_mappings(*item, told, out);
}

}  // namespace

bool check_section(std::string_view section, const ItemContext& item) {
  const auto* own = check_of(section);
  if (own != nullptr) own->check(item);
  return own != nullptr;
}

void check_section_beside(std::string_view section, const ItemContext& item, const config::Errors& told) {
  const auto* own = check_of(section);
  if (own == nullptr || own->needs_values) return;
  config::Errors more;
  const ItemContext beside{item.tenant, item.id, item.name, item.node, item.fields, item.text_of, item.read_file, more};
  own->check(beside);
  Places known;
  for (const auto& error : told) known.insert(at(error.place.value_or(Place{})));
  auto blamed = known;
  add_mappings(item.node, known, blamed);
  for (auto& error : more) {
    if (!blamed.contains(at(error.place.value_or(Place{})))) item.errors.push_back(std::move(error));
  }
}

}  // namespace atalaya::packages
