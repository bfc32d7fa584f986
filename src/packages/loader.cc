#include "packages/loader.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "config/suggest.h"
#include "packages/composer.h"
#include "packages/project.h"
#include "packages/section_checks.h"
#include "pages/page.h"

namespace atalaya::packages {
namespace {

using config::Errors;
using config::Node;
using schema::Section;
using schema::Shape;

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: differences by accident matter, not by design
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

std::string text_of(const boost::json::object& fields, std::string_view key) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

class PackageLoader {
 public:
  PackageLoader(const PackageTree& tree, const LoadContext& context)
      : tree_(tree), context_(context), composer_(tree, context), rules_{*context.schemas, context.run} {
    auto& p = out_.package;
    p.tenant = context.tenant;
    p.name = context.name;
    p.version = tree.manifest().version.empty() ? "0" : tree.manifest().version;
    p.title = tree.manifest().title;
    p.specification = context.values == nullptr && tree.has_section("parameters");
    if (context.values != nullptr) p.parameters = shown_parameters(tree, *context.schemas, *context.values);
    text_of_ = [this](const std::string& path) { return find_text(path); };
    read_file_ = [this](const std::string& name) -> Result<std::string> {
      if (context_.read_file) return context_.read_file(name);
      return fail(ErrorCode::kNotFound, fmt::format("there is no file \"{}\" in package {}", name, tree_.name()));
    };
  }

  Loaded finish() {
    read_channel_types();
    for (const auto& part : tree_.parts()) read_part(part);
    if (!context_.alone) check_references();
    check_overrides();
    auto& p = out_.package;
    if (tree_.files().empty()) {
      errors().push_back({ErrorCode::kInvalidArgument, fmt::format("package {} holds no YAML file", p.name),
                          Place{tree_.name(), 0, 0},
                          "add one that begins with package: and version:, or remove the folder"});
    }
    std::sort(p.items.begin(), p.items.end(),
              [](const auto& a, const auto& b) { return std::tie(a.section, a.id) < std::tie(b.section, b.id); });
    p.items.shrink_to_fit();
    config::sort_by_place(errors());
    return std::move(out_);
  }

 private:
  Errors& errors() { return out_.errors; }

  void complain(const Place& place, std::string message, std::string remedy) {
    errors().push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
  }

  std::string_view find_text(const std::string& path) const {
    if (const auto own = tree_.text_of(path); !own.empty()) return own;
    return {};
  }

  void read_channel_types() {
    if (context_.values != nullptr) return;  // an instance has its specification's
    constexpr std::string_view kFolder = "channels/";
    constexpr std::string_view kEnd = ".yaml";
    for (const auto& file : tree_.files()) {
      if (!file.name.starts_with(kFolder) || !file.name.ends_with(kEnd) || file.unreadable) continue;
      auto name = file.name.substr(kFolder.size(), file.name.size() - kFolder.size() - kEnd.size());
      out_.package.channel_types.push_back({std::move(name), file.path, file.text});
    }
  }

  void read_part(const SectionPart& part) {
    const auto* section = context_.schemas->section(part.section);
    if (section == nullptr) {
      if (context_.schemas->is_broken(part.section)) return void(left_out_ = true);
      std::vector<std::string> names{"package",  "version", "title",    "help",
                                     "requires", "imports", "override", "fallbacks"};
      for (const auto* known : context_.schemas->sections()) names.push_back(known->name);
      return complain(part.place, fmt::format("a package file has no key \"{}\"", part.section),
                      remedy_of_import(part.section).value_or(config::suggestion(part.section, names)));
    }
    if (!is_read(part.section)) return;
    switch (section->shape) {
      case Shape::kTree: return read_level(*section, {part.document, part.value}, {});
      case Shape::kList: return read_list(*section, {part.document, part.value});
      case Shape::kDocument: return read_item(*section, {part.document, part.value}, part.place, {});
    }
  }

  /// For a section that another package brings.
  std::optional<std::string> remedy_of_import(const std::string& section) const {
    const auto owners = context_.declared_by ? context_.declared_by(section) : std::vector<std::string>{};
    if (owners.empty()) return std::nullopt;
    if (tree_.manifest().imports.empty()) return fmt::format("write imports: [{}]", owners.front());
    return fmt::format("add {} to imports:", owners.front());
  }

  /// Of a specification itself what describes it; of its instances the rest.
  bool is_read(std::string_view section) const {
    const bool of_package = section == "parameters" || section == "types" || section == "schemas";
    if (of_package) return context_.values == nullptr;
    return !out_.package.specification;
  }

  void read_level(const Section& section, Linked level, std::vector<std::string> path) {
    if (level.node->is_null()) return;
    if (!config::expect_mapping(*level.node, errors())) return;
    auto followed = tree_.follow(std::move(level), errors());
    if (!followed) return;
    const auto& index = section.indexes[path.size()];
    const bool innermost = path.size() + 1 == section.indexes.size();
    if (innermost && is_item(*followed->node, section, path)) {
      return complain_about_level(*followed->node, section, path);
    }
    for (const auto& entry : followed->node->entries()) {
      const auto key = composer_.key_text(*entry.key, errors());
      if (!key || !check_key(*entry.key, *key, index)) continue;
      auto next = path;
      next.push_back(*key);
      if (innermost) {
        read_item(section, {followed->document, entry.value}, entry.key->place(), std::move(next));
      } else {
        read_level(section, {followed->document, entry.value}, std::move(next));
      }
    }
  }

  /// Do fields stand where names are expected? Then a level was left out.
  static bool is_item(const Node& level, const Section& section, const std::vector<std::string>& path) {
    const auto& fields = section.body->fields;
    const auto is_field = [&](const auto& entry) {
      return std::any_of(fields.begin(), fields.end(),
                         [&](const auto& field) { return field.name == entry.key->text(); });
    };
    const auto entries = level.entries();
    // One alone at the top of a section is as likely an item that is no mapping.
    if (entries.size() < (path.empty() ? 2 : 1)) return false;
    return std::all_of(entries.begin(), entries.end(), is_field) &&
           std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
             const auto inner = entry.value->entries();
             const bool holds_more = !inner.empty() || !entry.value->is_mapping();
             return !entry.value->is_null() && holds_more && std::none_of(inner.begin(), inner.end(), is_field);
           });
  }

  void complain_about_level(const Node& level, const Section& section, const std::vector<std::string>& path) {
    std::string form = fmt::format("{{{}: …}}", level.entries().front().key->text());
    for (auto i = section.indexes.size(); i-- > 0;) {
      const bool is_name = i + 1 == section.indexes.size();
      form = fmt::format("{{{}: {}}}", is_name && !path.empty() ? path.back() : section.indexes[i].name, form);
    }
    complain(level.place(),
             fmt::format("the keys of {} stand here in place of names", schema::with_article(section.item)),
             fmt::format("a level is missing: {}: {}", section.name, form));
  }

  bool check_key(const Node& key, const std::string& text, const schema::Index& index) {
    if (is_item_name(text)) return true;
    if (index.type && index.type->name != "name" && index.type->package != "base" && !text.empty() &&
        text.find('/') == std::string::npos) {
      std::vector<schema::Reference> references;
      return schema::check_value(key, *index.type, index.name, rules_, references, errors()).has_value();
    }
    complain(key.place(), fmt::format("\"{}\" is no name", text), std::string(kItemNameRemedy));
    return false;
  }

  void read_list(const Section& section, Linked list) {
    if (!config::expect_sequence(*list.node, errors())) return;
    const auto& key_field = section.indexes.back().name;
    for (const auto* item : list.node->items()) {
      const auto* key = item->get(key_field);
      if (key == nullptr || !key->is_scalar() || key->text().empty()) {
        complain(item->place(), fmt::format("a {} has no \"{}\"", section.item, key_field),
                 fmt::format("add {}: …", key_field));
        continue;
      }
      const auto name = composer_.key_text(*key, errors());
      if (!name) continue;
      if (name->find('/') != std::string::npos || name->size() > 200) {
        complain(key->place(), fmt::format("\"{}\" is no name", *name), "at most 200 bytes, without /");
        continue;
      }
      read_item(section, {list.document, item}, key->place(), {*name});
    }
  }

  void read_item(const Section& section, Linked item, const Place& place, std::vector<std::string> path) {
    const auto id = path.empty() ? fmt::format("{}/{}", context_.name, section.name)
                                 : fmt::format("{}/{}", context_.name, fmt::join(path, "/"));
    const auto [slot, is_new] = seen_.try_emplace(section.name + " " + id, place);
    if (!is_new) {
      return complain(place,
                      fmt::format("{} \"{}\" is declared twice, first at {}", schema::with_article(section.item), id,
                                  to_string(slot->second)),
                      "give one of them another name");
    }
    auto composed = composer_.compose(std::move(item), section, path, errors());
    if (!composed) return;
    const auto& node = *composed->tree.node;
    const auto first = errors().size();
    auto checked = schema::check_item(node, section, fmt::format("{} \"{}\"", section.item, id), rules_, errors());
    for (const auto& name : section.contains) read_contained(name, composed->tree, path, id);
    Item made;
    // What it refers to is told beside its other mistakes.
    note_references(id, checked.references, made.links);
    if (!checked.ok) {
      check_beside(section, id, path, node, checked.fields, first);
      return;
    }
    const auto before = errors().size();
    made.section = section.name;
    made.id = id;
    made.title = packages::text_of(checked.fields, "title");
    made.origin = place;
    made.content = hash_of(boost::json::serialize(checked.fields));
    project(section, id, path, node, checked.fields, place);
    if (errors().size() != before) return;
    auto& rules = out_.package.rules;
    if (section.name == "rules" && !rules.empty() && rules.back().id == id) rules.back().depends_on = made.links;
    if (keeps_fields(section, node)) made.fields = std::move(checked.fields);
    out_.package.items.push_back(std::move(made));
  }

  /// Rules, collectors and channels have shapes of their own: their plain values would only take room.
  static bool keeps_fields(const Section& section, const Node& item) {
    if (section.package != "base" || is_for_sensor(section, item)) return true;
    return section.name != "rules" && section.name != "collectors" && section.name != "channels";
  }
  /// A collector between a sensor and a resource: agents get it by what becomes of the sensor.
  static bool is_for_sensor(const Section& section, const Node& item) {
    return section.name == "collectors" && item.get("source") != nullptr;
  }

  void read_contained(const std::string& name, const Linked& parent, const std::vector<std::string>&,
                      const std::string& parent_id) {
    const auto* inner = context_.schemas->section(name);
    const auto* value = parent.node->get(name);
    if (inner == nullptr || value == nullptr || value->is_null()) return;
    // Ids of contained items go on where their parent's ends.
    const auto prefix = parent_id.substr(context_.name.size() + 1);
    contained(*inner, {parent.document, value}, prefix, 0);
  }

  void contained(const Section& section, const Linked& level, const std::string& prefix, std::size_t depth) {
    if (!config::expect_mapping(*level.node, errors())) return;
    for (const auto& entry : level.node->entries()) {
      if (!check_key(*entry.key, entry.key->text(), section.indexes[depth])) continue;
      const auto path = prefix + "/" + entry.key->text();
      if (depth + 1 == section.indexes.size()) {
        read_item(section, {level.document, entry.value}, entry.key->place(), {path});
      } else {
        contained(section, {level.document, entry.value}, path, depth + 1);
      }
    }
  }

  /// `first` is the error with which those of the item's schema begin.
  void check_beside(const Section& section, const std::string& id, const std::vector<std::string>& path,
                    const Node& node, const boost::json::object& fields, std::size_t first) {
    if (section.package != "base") return;
    if (section.name == "rules") {
      return check_rule_beside({context_.tenant, id, path.back(), node, fields, text_of_, read_file_, errors()});
    }
    const Errors told(errors().begin() + static_cast<std::ptrdiff_t>(first), errors().end());
    check_section_beside(
        section.name,
        {context_.tenant, id, path.empty() ? section.name : path.back(), node, fields, text_of_, read_file_, errors()},
        told);
  }

  void project(const Section& section, const std::string& id, const std::vector<std::string>& path, const Node& node,
               const boost::json::object& fields, const Place& place) {
    if (section.package != "base") return;
    auto& p = out_.package;
    const ItemContext item{context_.tenant, id,      path.empty() ? section.name : path.back(), node, fields, text_of_,
                           read_file_,      errors()};
    if (check_section(section.name, item)) return;
    if (section.name == "rules") {
      auto rule = make_rule(item);
      if (!rule) return;
      rule->origin = place;
      if (!p.specification) p.rules.push_back(std::move(*rule));
    } else if (is_for_sensor(section, node)) {
      check_sensor_collector(item);
    } else if (section.name == "collectors") {
      auto collector = make_collector(item);
      if (!collector) return;
      if (collector->is_check() && !check_unique(item.name, place)) return;
      collector->origin = place;
      if (!p.specification) p.collectors.push_back(std::move(*collector));
    } else if (section.name == "channels") {
      auto channel = make_channel(item);
      if (!channel) return;
      channel->origin = place;
      if (!p.specification) p.channels.push_back(std::move(*channel));
    } else if (section.name == "scrape_configs") {
      auto scrape = make_scrape(item);
      if (!scrape) return;
      scrape->origin = place;
      if (!p.specification) p.collectors.push_back(std::move(*scrape));
    } else if (section.name == "instances") {
      if (!p.specification) add_instance(path, node, place);
    } else if (section.name == "pages") {
      check_page(item, path, node, fields);
    } else if (section.name == "rpc") {
      const auto* arguments = node.get("arguments");
      if (arguments != nullptr && arguments->is_mapping()) context_.schemas->record(*arguments, errors());
      if (const auto* script = fields.if_contains("script")) program_of(item, *script, *node.get("script"));
    }
  }

  /// What no browser would ever show is better known before it is saved.
  void check_page(const ItemContext& item, const std::vector<std::string>& path, const Node& node,
                  const boost::json::object& fields) {
    pages::PageDefinition page;
    page.package = context_.name;
    page.path = path.back();
    page.title = packages::text_of(fields, "title");
    page.parameters = out_.package.parameters;
    if (const auto* widgets = fields.if_contains("widgets"); widgets != nullptr && widgets->is_array()) {
      page.widgets = widgets->get_array();
    } else {
      const auto name = packages::text_of(fields, "template");
      auto text = item.read_file(name);
      if (!text) {
        auto error = std::move(text).error();
        error.place = node.get("template")->place();
        return errors().push_back(std::move(error));
      }
      page.file = fmt::format("{}/{}", tree_.name(), name);
      page.text = std::move(*text);
    }
    for (auto& error : pages::check_page(page)) {
      if (!error.place) error.place = node.place();
      errors().push_back(std::move(error));
    }
  }

  /// Series of checks carry the name alone.
  bool check_unique(const std::string& name, const Place& place) {
    const auto [slot, is_new] = check_names_.try_emplace(name, place);
    if (is_new) return true;
    complain(place,
             fmt::format("another check of this package, at {}, is called \"{}\" too", to_string(slot->second), name),
             "choose another name");
    return false;
  }

  void add_instance(const std::vector<std::string>& path, const Node& node, const Place& place) {
    InstanceItem instance;
    instance.specification = path[0];
    instance.name = path[1];
    instance.origin = place;
    if (const auto* title = node.get("title"); title != nullptr && title->is_scalar()) instance.title = title->text();
    if (const auto* with = node.get("with")) {
      for (const auto& entry : with->entries()) {
        instance.values[entry.key->text()] = config::value_of(*entry.value);
        instance.places.emplace_back(entry.key->text(), entry.value->place());
      }
    }
    out_.package.instances.push_back(std::move(instance));
  }

  void note_references(const std::string& item, const std::vector<schema::Reference>& references,
                       std::vector<std::string>& links) {
    for (const auto& reference : references) {
      links.push_back(full_id(reference));
      references_.push_back({item, reference});
      references_.back().reference.target = links.back();
    }
  }

  /// "group/name" is of this package; so is "package/group/name" of the specification in its instance.
  std::string full_id(const schema::Reference& reference) const {
    const auto& target = reference.target;
    const auto slash = target.find('/');
    const auto first = target.substr(0, slash);
    if (slash != std::string::npos && context_.values != nullptr && first == tree_.name()) {
      return context_.name + target.substr(slash);
    }
    // Who looks for entities takes ids as they are.
    if (reference.section == "entity") return target;
    if (std::count(target.begin(), target.end(), '/') >= 2 || first == context_.name) return target;
    return context_.name + "/" + target;
  }

  void check_references() {
    std::vector<std::string> ids;
    const auto id_of = [](const std::string& key) { return std::string_view(key).substr(key.find(' ') + 1); };
    std::unordered_set<std::string_view> of_any;
    if (!references_.empty()) {
      for (const auto& [key, place] : seen_) of_any.insert(id_of(key));
    }
    for (auto& one : references_) {
      const auto& target = one.reference.target;
      if (!target.starts_with(context_.name + "/")) {
        out_.package.foreign.push_back(std::move(one));
        continue;
      }
      const bool any = one.reference.section.empty() || schema::is_any(one.reference.section);
      const bool known = any ? of_any.contains(target) : seen_.contains(one.reference.section + " " + target);
      // Items of a section that does not hold itself were not read.
      if (known || (any && left_out_) || context_.schemas->is_broken(one.reference.section)) continue;
      ids.clear();
      for (const auto& [key, place] : seen_) {
        if (any || key.starts_with(one.reference.section + " ")) ids.emplace_back(id_of(key));
      }
      complain(one.reference.place, fmt::format("there is no item \"{}\"", target), config::suggestion(target, ids));
    }
  }

  /// Overrides that met no item, told where their package wrote them.
  void check_overrides() {
    for (const auto& override : context_.overrides) {
      for (const auto& entry : override.document.root().entries()) {
        const auto* section = context_.schemas->section(entry.key->text());
        if (section == nullptr) {
          if (context_.schemas->is_broken(entry.key->text())) continue;
          std::vector<std::string> names;
          for (const auto* known : context_.schemas->sections()) names.push_back(known->name);
          complain(entry.key->place(), fmt::format("there is no section \"{}\"", entry.key->text()),
                   config::suggestion(entry.key->text(), names));
          continue;
        }
        if (!is_read(section->name)) continue;
        if (section->shape == Shape::kTree)
          check_override_level(*section, *entry.value, "", 0);
        else if (section->shape == Shape::kList)
          check_override_level(*section, *entry.value, "", section->indexes.size() - 1);
      }
    }
  }

  void check_override_level(const Section& section, const Node& level, const std::string& prefix, std::size_t depth) {
    if (!config::expect_mapping(level, errors())) return;
    for (const auto& entry : level.entries()) {
      const auto path = prefix + "/" + entry.key->text();
      if (depth + 1 < section.indexes.size()) {
        check_override_level(section, *entry.value, path, depth + 1);
      } else if (!composer_.used(entry.value) && !entry.value->is_null()) {
        std::vector<std::string> ids;
        for (const auto& [key, place] : seen_) {
          if (key.starts_with(section.name + " ")) ids.push_back(key.substr(section.name.size() + 1));
        }
        const auto id = context_.name + path;
        complain(entry.key->place(), fmt::format("there is no {} \"{}\" to override", section.item, id),
                 config::suggestion(id, ids));
      }
    }
  }

  const PackageTree& tree_;
  const LoadContext& context_;
  Composer composer_;
  const schema::Rules rules_;
  std::function<std::string_view(const std::string&)> text_of_;
  std::function<Result<std::string>(const std::string&)> read_file_;
  Loaded out_;
  std::map<std::string, Place> seen_;  ///< "section id"
  bool left_out_ = false;              ///< a section that does not hold itself
  std::map<std::string, Place> check_names_;
  std::vector<ForeignReference> references_;
};

}  // namespace

Loaded load_package(const PackageTree& tree, const LoadContext& context) {
  return PackageLoader(tree, context).finish();
}

}  // namespace atalaya::packages
