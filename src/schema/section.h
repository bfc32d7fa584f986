// Sections of a package as data: how their items are laid out, what they hold, how a form shows them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "schema/type.h"

namespace atalaya::schema {

/// How a section's value is laid out.
enum class Shape : std::uint8_t {
  kTree,      ///< a mapping for each index, the innermost holds the items
  kList,      ///< a list of items; the key field of each is its name (`groups:`, `scrape_configs:`)
  kDocument,  ///< one item, the section's value itself (`alertmanager:`)
};

/// A level of a tree, outermost first: its keys become this field of the item. The last one is the key field.
struct Index {
  std::string name;  ///< "group", "name"
  std::string title;
  std::string help;
  TypePtr type;
};

/// A named group of fields: a box of the form. Those of one page stand together; several pages make a wizard.
struct FieldSet {
  std::string name;
  std::string title;
  std::string page;
  std::vector<std::string> fields;
};

/// Immutable.
struct Section {
  std::string name;   ///< its key in a package's file
  std::string item;   ///< "rule": what one is called
  std::string title;  ///< "Rules"
  std::string help;
  std::string package;  ///< that declares it
  Place origin;
  Shape shape = Shape::kTree;
  std::vector<Index> indexes;  ///< of a tree; of a list only the key field
  TypePtr body;                ///< a record: fields, one_of …
  std::vector<FieldSet> field_sets;
  std::vector<std::string> contains;  ///< sections that may stand within an item, as further fields of it
  /// Further fields of the first `one_of` set come from the files of this folder of packages (channels:
  /// `channels/<type>.yaml`; `OpenKind`); "" for none.
  std::string open_kinds;
  std::string acts;    ///< what processes it, for people: "the judge", "agents"; "" : stored and checked only
  std::string script;  ///< path in `package` of the program that makes entities of its items
  std::string on;      ///< host whose agent runs `script`
};

/// "rule" → "a rule", "instance" → "an instance", for messages.
std::string with_article(std::string_view noun);

}  // namespace atalaya::schema
