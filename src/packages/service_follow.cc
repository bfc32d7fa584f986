// References that follow the items which a change calls otherwise.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "config/yaml_edit.h"
#include "packages/service_impl.h"

namespace atalaya::packages {
namespace {

std::string package_of(const std::string& file) { return file.substr(0, file.find('/')); }

/// Later texts over earlier ones.
void join(std::vector<FileChange>& changes, std::vector<FileChange> more) {
  for (auto& change : more) {
    const auto known =
        std::find_if(changes.begin(), changes.end(), [&](const auto& one) { return one.file == change.file; });
    if (known == changes.end())
      changes.push_back(std::move(change));
    else
      known->after = std::move(change.after);
  }
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
}

/// Where instances give the value, as the plan has them, else as they are.
FindValues values_in(const World& world, const Plan& plan) {
  return [&world, &plan](const std::string& specification, const std::string& parameter, const std::string& value) {
    std::vector<Place> out;
    const auto look_at = [&](const Slot& slot) {
      if (!slot.instance || slot.instance->specification != specification) return;
      const auto given = slot.instance->values.find(parameter);
      if (given == slot.instance->values.end() || given->second.scalar != value) return;
      for (const auto& [name, place] : slot.instance->places) {
        if (name == parameter) out.push_back(place);
      }
    };
    for (const auto& [name, slot] : plan.slots) look_at(slot);
    for (const auto& [name, slot] : world.slots()) {
      if (!plan.slots.contains(name) && !plan.removed.contains(name)) look_at(slot);
    }
    return out;
  };
}

/// "3 references follow: racks tour/r1, racks tour/r2 and 1 more"
std::string sentence_of(const std::set<std::string>& who, std::size_t count) {
  constexpr std::size_t kMostNamed = 5;
  std::vector<std::string> named(who.begin(), who.end());
  std::string rest;
  if (named.size() > kMostNamed) {
    rest = fmt::format(" and {} more", named.size() - kMostNamed);
    named.resize(kMostNamed);
  }
  return fmt::format("{} {}: {}{}", count, count == 1 ? "reference follows" : "references follow",
                     fmt::join(named, ", "), rest);
}

/// The package's file with one more package under `imports:`; nothing where it imports it already, or is no mapping.
std::optional<std::string> with_import(const std::string& text, const std::string& file, const std::string& package) {
  auto editor = config::YamlEditor::open(text, file);
  if (!editor || !editor->document().root().is_mapping()) return std::nullopt;
  const auto& root = editor->document().root();
  if (const auto* there = root.get("imports"); there != nullptr && !there->is_null()) {
    const auto written = config::value_of(*there);
    if (written.scalar == package || std::ranges::count(written.items, config::YamlValue(package)) > 0)
      return std::nullopt;
    const auto done = there->is_sequence() ? editor->append({"imports"}, package)
                                           : editor->replace({"imports"}, config::YamlValue::list({written, package}));
    if (!done) return std::nullopt;
    return editor->text();
  }
  const auto* version = root.get("version");
  const auto end = version == nullptr ? std::string::npos : text.find('\n', version->end());
  if (root.style() == config::Node::Style::kBlock && root.get("imports") == nullptr && end != std::string::npos) {
    // Beside what the package says of itself, above its sections.
    const bool carriage_return = end > 0 && text[end - 1] == '\r';
    return text.substr(0, end + 1) + fmt::format("imports: [{}]{}\n", package, carriage_return ? "\r" : "") +
           text.substr(end + 1);
  }
  if (const auto done = editor->replace({"imports"}, config::YamlValue::list({package})); done) return editor->text();
  if (const auto done = editor->insert({}, "imports", config::YamlValue::list({package})); !done) return std::nullopt;
  return editor->text();
}

}  // namespace

void Service::Impl::import_sections(const TenantId& id, const std::vector<Operation>& operations,
                                    std::vector<FileChange>& changes, std::vector<std::string>& notes) const {
  const auto& world = tenants.at(id)->world;
  for (const auto& operation : operations) {
    const auto& to = operation.to.package;
    const bool goes = operation.what == Operation::What::kCopy || operation.what == Operation::What::kMove;
    if (!goes || to.empty() || to == operation.at.package) continue;
    const auto theirs = world.schemas_of(operation.at.package);
    const auto* section = theirs ? theirs->section(operation.at.section) : nullptr;
    const auto own = world.schemas_of(to);
    if (section == nullptr || section->package == "base" || section->package == to) continue;
    if (own && own->section(section->name) != nullptr) continue;
    const auto file = to + "/package.yaml";
    const auto change = std::find_if(changes.begin(), changes.end(), [&](const auto& one) { return one.file == file; });
    const auto texts = texts_of(id, {to}, false);
    const auto disk = texts.find(file);
    std::optional<std::string> now;
    if (change != changes.end())
      now = change->after;
    else if (disk != texts.end())
      now = disk->second;
    const auto more = now ? with_import(*now, file, section->package) : std::nullopt;
    if (!more) continue;
    join(changes, {{file, now, *more}});
    notes.push_back(fmt::format("{} imports {}, whose section {} is", to, section->package, section->name));
  }
}

std::vector<PackageError> Service::Impl::new_errors(const World& world, const Plan& plan) {
  std::vector<Error> old;
  for (const auto& [name, slot] : world.slots()) {
    old.insert(old.end(), slot.errors.begin(), slot.errors.end());
    old.insert(old.end(), slot.world_errors.begin(), slot.world_errors.end());
  }
  std::vector<PackageError> out;
  for (const auto& error : plan.errors) {
    // Lines move as a file is edited; another file's mistake in the same words is another mistake.
    const auto file = [](const Error& one) { return one.place ? one.place->file : std::string(); };
    const bool known = std::any_of(old.begin(), old.end(), [&](const auto& one) {
      return one.message == error.message && file(one) == file(error);
    });
    if (!known && std::find(out.begin(), out.end(), error) == out.end()) out.push_back(error);
  }
  return out;
}

/// The plan of the change says what would refer to nothing: this is mended, and planned again, since a package that
/// does not hold hides what others miss of it.
void Service::Impl::follow_references(const TenantId& id, const IdChanges& ids, std::vector<FileChange>& changes,
                                      std::vector<std::string>& notes) {
  constexpr int kMostTries = 8;
  const auto& world = tenant_of(id).world;
  const auto texts_with = [&](const std::set<std::string>& packages) {
    auto texts = texts_of(id, packages, false);
    for (const auto& change : changes) {
      if (change.after)
        texts[change.file] = *change.after;
      else
        texts.erase(change.file);
    }
    return texts;
  };
  std::set<std::string> overriding;
  std::set<std::string> packages;
  for (const auto& [from, to] : ids.instances()) {
    for (const auto& [name, slot] : world.slots()) {
      for (const auto& one : slot.manifest.overrides) {
        if (one.package != from) continue;
        overriding.insert(one.document.root().place().file);
        packages.insert(name);
      }
    }
  }
  std::set<std::string> who;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> places;
  if (!overriding.empty()) {
    auto more = follow_instances(texts_with(packages), {overriding.begin(), overriding.end()}, ids);
    for (const auto& change : more) {
      who.insert("package " + package_of(change.file));
      places.emplace(change.file, 0, 0);
    }
    join(changes, std::move(more));
  }
  for (int tries = 0; tries < kMostTries; ++tries) {
    packages.clear();
    for (const auto& change : changes) packages.insert(package_of(change.file));
    auto plan = world.plan(packages, with_changes(disk_files(id), id, changes));
    questions = std::move(plan.questions);
    if (!questions.empty()) return;
    auto missing = new_errors(world, plan);
    std::erase_if(missing, [&](const PackageError& error) {
      const auto one = missing_item(error);
      return !one || !error.place || !ids.renamed(one->id);
    });
    if (missing.empty()) break;
    for (const auto& error : missing) packages.insert(package_of(error.place->file));
    for (const auto& [name, slot] : world.slots()) {
      // Who gives a specification its values may name the item in one.
      if (slot.instance && packages.contains(slot.instance->specification)) packages.insert(slot.declared_in);
    }
    auto more = follow(texts_with(packages), missing, ids, values_in(world, plan));
    if (more.empty()) break;
    for (const auto& error : missing) {
      who.insert(who_refers(error, missing_item(error)->overridden));
      places.emplace(error.place->file, error.place->line, error.place->column);
    }
    join(changes, std::move(more));
  }
  if (!places.empty()) notes.push_back(sentence_of(who, places.size()));
}

}  // namespace atalaya::packages
