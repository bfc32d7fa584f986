#include "schema/schema_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/suggest.h"
#include "schema/names.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

using config::Node;
using config::Reader;

constexpr std::size_t kMostSections = 200;

bool is_section_name(std::string_view name) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_word);
}

/// Keys of a package's file that are no sections.
bool is_manifest_key(std::string_view name) {
  static const std::set<std::string_view> keys{"package", "version",  "title",     "help",         "requires",
                                               "imports", "override", "fallbacks", "channel_types"};
  return keys.contains(name);
}

std::string singular(const std::string& name) {
  return name.size() > 1 && name.ends_with('s') ? name.substr(0, name.size() - 1) : name;
}

}  // namespace

void SchemaReader::complain(const Place& place, std::string message, std::string remedy) {
  errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
}

void SchemaReader::read(const std::vector<Source>& sources) {
  for (const auto& source : sources) {
    if (source.types != nullptr && !source.types->is_null()) {
      for (auto& type : types_.read_types(source.package, *source.types)) set_.declared_.push_back(std::move(type));
    }
    if (source.schemas != nullptr && !source.schemas->is_null()) read_sections(source);
  }
  open_kinds(sources);
  check_uses();
}

void SchemaReader::read_sections(const Source& source) {
  if (!config::expect_mapping(*source.schemas, errors_)) return;
  if (source.schemas->entries().size() > kMostSections) {
    return complain(source.schemas->place(),
                    fmt::format("{} sections in one package", source.schemas->entries().size()),
                    fmt::format("at most {}", kMostSections));
  }
  for (const auto& entry : source.schemas->entries()) {
    const auto& name = entry.key->text();
    if (!is_section_name(name)) {
      complain(entry.key->place(), fmt::format("\"{}\" is no name of a section", name.substr(0, 64)),
               "small letters, digits, _ and - ; at most 64");
      continue;
    }
    if (is_manifest_key(name)) {
      complain(entry.key->place(), fmt::format("\"{}\" means something else at the top of a package's file", name),
               "choose another name");
      continue;
    }
    if (const auto* known = set_.section(name)) {
      complain(entry.key->place(),
               fmt::format("the section \"{}\" is declared in the package {} too", name, known->package),
               "choose another name");
      continue;
    }
    auto section = read_section(source.package, *entry.key, *entry.value);
    if (!section) {
      set_.broken_.insert(name);
      continue;
    }
    set_.by_name_[name] = section.get();
    set_.sections_.push_back(std::move(section));
  }
}

std::unique_ptr<Section> SchemaReader::read_section(const std::string& package, const Node& key, const Node& node) {
  Reader read(node, fmt::format("the section \"{}\"", key.text()), errors_);
  if (!read.ok()) return nullptr;
  auto section = std::make_unique<Section>();
  section->name = key.text();
  section->package = package;
  section->origin = key.place();
  section->item = read.value_or<std::string>("item", singular(section->name));
  section->title = read.value_or<std::string>("title", title_from(section->name));
  section->help = read.value_or<std::string>("help", "");
  section->acts = read.value_or<std::string>("acts", "");
  section->open_kinds = read.value_or<std::string>("open_kinds", "");
  section->script = read.value_or<std::string>("script", "");
  section->on = read.value_or<std::string>("on", "");
  if (!section->script.empty() && !is_path_within(section->script)) {
    read.complain("script", "script is a path within the package", "e.g. script: scripts/apply.py");
  }
  read_shape(*section, read);
  read_body(*section, node, read);
  if (const auto* sets = read.find("field_sets"); sets != nullptr && !sets->is_null()) read_field_sets(*section, *sets);
  for (auto& name : read.one_or_many<std::string>("contains")) {
    contained_.push_back({name, node.get("contains")->place()});
    section->contains.push_back(std::move(name));
  }
  read.finish();
  return read.ok() ? std::move(section) : nullptr;
}

void SchemaReader::read_shape(Section& section, Reader& read) {
  const auto shape = read.choice("shape", {"tree", "list", "document"});
  section.shape = shape == "tree" ? Shape::kTree : shape == "list" ? Shape::kList : Shape::kDocument;
  const auto* indexes = read.find("indexes");
  read_indexes(section, indexes, indexes != nullptr ? indexes->place() : read.node().place());
}

void SchemaReader::read_indexes(Section& section, const Node* node, const Place& place) {
  bool left_out = false;  // what is wrong with one says nothing of their number
  if (node != nullptr && !node->is_null()) {
    if (!config::expect_mapping(*node, errors_)) return;
    for (const auto& entry : node->entries()) {
      auto field = types_.read_field(entry.key->text(), *entry.value, section.package);
      if (!field) {
        left_out = true;
        continue;
      }
      const bool name_like = is_textual(field->type->kind) || field->type->kind == Kind::kEnumeration ||
                             field->type->kind == Kind::kReference || is_numeric(field->type->kind);
      if (!name_like) {
        complain(entry.value->place(), fmt::format("the index \"{}\" is no scalar: its values are keys", field->name),
                 "e.g. type: name");
        left_out = true;
        continue;
      }
      section.indexes.push_back({field->name, field->title, field->help, field->type});
    }
  }
  const auto count = section.indexes.size();
  if (left_out) return;
  if (section.shape == Shape::kTree && (count == 0 || count > 8)) {
    complain(place, "a tree has 1 to 8 indexes, the last one being the name", "indexes: {name: {type: name}}");
  } else if (section.shape == Shape::kList && count != 1) {
    complain(place, "a list has one index: the field that names its items", "indexes: {name: {type: text}}");
  } else if (section.shape == Shape::kDocument && count != 0) {
    complain(place, "a document is one item and has no indexes", "remove them, or write shape: tree");
  }
}

void SchemaReader::read_body(Section& section, const Node& node, Reader& read) {
  auto body = std::make_shared<Type>(*builtin(Kind::kRecord));
  if (const auto* like = read.find("type")) {
    if (const auto type = types_.parse(like->text(), like->place()); type && type->kind == Kind::kRecord) {
      *body = *type;
    } else if (type) {
      complain(like->place(), fmt::format("\"{}\" is no record", like->text().substr(0, 64)),
               "the type of a section's items has fields");
    }
  }
  body->name = section.item;
  body->package = section.package;
  read.allow({"one_of", "some_of"});
  if (const auto* fields = read.find("fields")) {
    for (auto& field : types_.read_fields(*fields, section.package)) body->fields.push_back(std::move(field));
  }
  for (auto& set : types_.read_sets(node.get("one_of"), body->fields, true)) body->one_of.push_back(std::move(set));
  for (auto& set : types_.read_sets(node.get("some_of"), body->fields, false)) body->some_of.push_back(std::move(set));
  if (section.shape == Shape::kTree) {
    for (const auto& index : section.indexes) {
      const auto same = std::find_if(body->fields.begin(), body->fields.end(),
                                     [&](const Field& field) { return field.name == index.name; });
      if (same != body->fields.end()) {
        complain(node.get("fields")->place(), fmt::format("\"{}\" is an index and a field", index.name),
                 "each level becomes a field by itself: remove the field");
      }
    }
  }
  section.body = std::move(body);
}

void SchemaReader::read_field_sets(Section& section, const Node& node) {
  if (!config::expect_mapping(node, errors_)) return;
  for (const auto& entry : node.entries()) read_field_set(section, *entry.key, *entry.value);
}

void SchemaReader::read_field_set(Section& section, const Node& key, const Node& node) {
  Reader read(node, fmt::format("the field set \"{}\"", key.text()), errors_);
  if (!read.ok()) return;
  FieldSet set;
  set.name = key.text();
  set.title = read.value_or<std::string>("title", title_from(set.name));
  set.page = read.value_or<std::string>("page", "");
  std::vector<std::string> known;
  for (const auto& field : section.body->fields) known.push_back(field.name);
  if (const auto* fields = read.require("fields"); fields != nullptr && config::expect_sequence(*fields, errors_)) {
    for (const auto* item : fields->items()) {
      if (std::find(known.begin(), known.end(), item->text()) == known.end()) {
        complain(item->place(), fmt::format("there is no field \"{}\" here", item->text().substr(0, 64)),
                 config::suggestion(item->text(), known));
        continue;
      }
      const bool shown = std::any_of(section.field_sets.begin(), section.field_sets.end(), [&](const FieldSet& other) {
        return std::find(other.fields.begin(), other.fields.end(), item->text()) != other.fields.end();
      });
      if (shown || std::find(set.fields.begin(), set.fields.end(), item->text()) != set.fields.end()) {
        complain(item->place(), fmt::format("\"{}\" stands in the form twice", item->text()), "remove one of them");
        continue;
      }
      set.fields.push_back(item->text());
    }
  }
  read.finish();
  section.field_sets.push_back(std::move(set));
}

void SchemaReader::open_kinds(const std::vector<Source>& sources) {
  for (auto& section : set_.sections_) {
    if (section->open_kinds.empty()) continue;
    auto body = std::make_shared<Type>(*section->body);
    if (body->one_of.empty()) body->one_of.emplace_back();
    for (const auto& source : sources) {
      for (const auto& kind : source.kinds) {
        const bool known = std::any_of(body->fields.begin(), body->fields.end(),
                                       [&](const Field& field) { return field.name == kind.field.name; });
        if (kind.folder != section->open_kinds || known) continue;
        // Beside the others of its set, so that a form shows them together.
        auto at = body->fields.begin();
        for (auto field = body->fields.begin(); field != body->fields.end(); ++field) {
          const auto& set = body->one_of.front();
          if (std::find(set.begin(), set.end(), field->name) != set.end()) at = field + 1;
        }
        body->fields.insert(at, kind.field);
        body->one_of.front().push_back(kind.field.name);
        for (auto& set : section->field_sets) {
          const bool holds = std::any_of(set.fields.begin(), set.fields.end(), [&](const auto& name) {
            return std::find(body->one_of.front().begin(), body->one_of.front().end(), name) !=
                   body->one_of.front().end();
          });
          if (holds) {
            set.fields.push_back(kind.field.name);
            break;
          }
        }
      }
    }
    if (body->one_of.front().empty()) body->one_of.clear();
    section->body = std::move(body);
  }
}

void SchemaReader::check_uses() {
  const auto check = [&](const SectionUse& use) {
    if (is_any(use.section) || set_.by_name_.contains(use.section) || set_.is_broken(use.section)) return;
    std::vector<std::string> known{"any", "entity"};
    for (const auto& [name, section] : set_.by_name_) known.push_back(name);
    complain(use.place, fmt::format("there is no section \"{}\"", use.section.substr(0, 64)),
             config::suggestion(use.section, known));
  };
  for (const auto& use : types_.uses()) check(use);
  for (const auto& use : contained_) check(use);
}

}  // namespace atalaya::schema
