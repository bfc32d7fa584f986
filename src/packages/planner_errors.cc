// What a plan tells: whose errors they are, which of them are news, and in which items they lie.

#include <fmt/format.h>

#include <algorithm>

#include "packages/planner.h"

namespace atalaya::packages {
namespace {

template <typename List>
bool holds(const List& list, const Error& error) {
  return std::find_if(list.begin(), list.end(), [&](const Error& one) { return one == error; }) != list.end();
}

}  // namespace

/// What was found among the others becomes the packages' state.
void Planner::keep_complaints(const std::set<std::string>& changed) {
  for (const auto& name : present()) {
    const auto found = complaints_.find(name);
    const auto* now = slot(name);
    auto errors = found == complaints_.end() ? std::vector<Error>{} : found->second;
    config::sort_by_place(errors);
    if (now->world_errors == errors && (errors.empty() || !changed.contains(name))) continue;
    auto& slot = change(name);
    slot.world_errors = std::move(errors);
    // What does not hold among the others goes on as it ran before, or does not run.
    if (changed.contains(name) && slot.errors.empty() && !slot.world_errors.empty()) {
      const auto old = world_.slots_.find(name);
      slot.running = old == world_.slots_.end() ? nullptr : old->second.running;
      if (slot.running)
        slot.manifest = old->second.manifest;
      else if (old == world_.slots_.end())
        run_last_good(name, slot);
    }
  }
}

void Planner::collect_errors(const std::set<std::string>& changed, const std::optional<std::set<std::string>>& wanted) {
  for (auto& [name, planned] : plan_.slots) {
    planned.told.clear();
    if (!planned.instance) planned.waiting = false;
    for (const auto* list : {&planned.errors, &planned.world_errors}) {
      for (const auto& error : *list) {
        if (is_awaited(error))
          planned.waiting = true;
        else
          planned.told.push_back(located(name, error));
      }
    }
  }
  static const Slot kNone;
  const auto before = [&](const std::string& name) -> const Slot& {
    const auto old = world_.slots_.find(name);
    return old == world_.slots_.end() ? kNone : old->second;
  };
  for (const auto& name : changed) {
    const auto* now = slot(name);
    for (const auto& error : now == nullptr ? std::vector<Error>{} : now->errors) {
      if (!wanted || wanted->contains(name) || !holds(before(name).errors, error)) {
        plan_.errors.push_back(located(name, error));
      }
    }
  }
  for (const auto& [name, planned] : plan_.slots) {
    for (const auto& error : planned.world_errors) {
      if (changed.contains(name) || !holds(before(name).world_errors, error)) {
        plan_.errors.push_back(located(name, error));
      }
    }
  }
}

const ItemLocator* Planner::locator_of(const std::string& package) {
  auto [at, is_new] = locators_.try_emplace(package);
  if (is_new) {
    const auto* tree = tree_of(package);
    config::Errors told;  // among the package's own
    if (tree != nullptr) at->second.schemas = schemas_for(package, told);
    if (at->second.schemas) at->second.items.emplace(*tree, *at->second.schemas);
  }
  return at->second.items ? &*at->second.items : nullptr;
}

/// The item may be another package's: of a specification, of what a link or an override leads to.
PackageError Planner::located(const std::string& package, Error error) {
  PackageError out{std::move(error)};
  if (!out.place) return out;
  const auto& file = out.place->file;
  for (const auto& name : {package.substr(0, package.find('@')), file.substr(0, file.find('/'))}) {
    const auto* items = locator_of(name);
    if (items != nullptr && items->locate(out)) return out;
  }
  if (out.field.empty()) name_field(out);
  return out;
}

/// Of what lies in no item: the way from the top of the file, and of an override the item that it changes.
void Planner::name_field(PackageError& error) {
  constexpr std::string_view kMissing = "a package file has no \"";
  const auto& file = error.place->file;
  const auto* items = locator_of(file.substr(0, file.find('/')));
  if (items == nullptr) return;
  const auto way = items->way_to(error);
  if (error.message.starts_with(kMissing)) {
    // It has no place of its own.
    error.field = error.message.substr(kMissing.size(), error.message.find('"', kMissing.size()) - kMissing.size());
    return;
  }
  error.field = fmt::format("{}", fmt::join(way, "."));
  if (way.size() < 3 || way.front() != "override") return;
  const auto target = way[1].substr(0, way[1].find('@'));
  const auto* theirs = locator_of(target);
  const auto item = theirs == nullptr ? std::nullopt : theirs->item_on(std::span(way).subspan(2));
  if (!item) return;
  error.package = target;
  error.section = item->front();
  error.path.assign(item->begin() + 1, item->end());
}

}  // namespace atalaya::packages
