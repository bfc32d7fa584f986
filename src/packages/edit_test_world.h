// Sections made by hand, for tests of edits.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "packages/edit.h"

namespace atalaya::packages {

/// rules, sensors and collectors (trees group/name; a rule may contain `notes`, a tree by name), groups (a list by
/// name), scrape_configs (a list by job_name), alertmanager (a document).
inline const schema::Section* find_test_section(std::string_view name) {
  static const auto sections = [] {
    std::map<std::string, schema::Section, std::less<>> out;
    const auto add = [&](std::string section, schema::Shape shape, std::vector<std::string> indexes) {
      auto& made = out[section];
      made.name = std::move(section);
      made.shape = shape;
      for (auto& index : indexes) made.indexes.push_back({std::move(index), "", "", nullptr});
    };
    add("rules", schema::Shape::kTree, {"group", "name"});
    add("sensors", schema::Shape::kTree, {"group", "name"});
    add("collectors", schema::Shape::kTree, {"group", "name"});
    add("notes", schema::Shape::kTree, {"name"});
    add("groups", schema::Shape::kList, {"name"});
    add("scrape_configs", schema::Shape::kList, {"job_name"});
    add("alertmanager", schema::Shape::kDocument, {});
    out["rules"].contains = {"notes"};
    return out;
  }();
  const auto found = sections.find(name);
  return found == sections.end() ? nullptr : &found->second;
}

}  // namespace atalaya::packages
