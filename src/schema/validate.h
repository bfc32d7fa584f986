// Checks what a person wrote against its type, and makes plain values of it.
#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "config/yaml_value.h"
#include "schema/schema_set.h"

namespace atalaya::schema {

/// A type's program: `verb` is validate, format or serialise, `input` the value as JSON. The answer is
/// what it printed: {"value": …} or {"error": "…", "remedy": "…"}; format answers {"text": …}.
using RunTypeScript = std::function<Result<std::string>(const std::string& package, const std::string& script,
                                                        std::string_view verb, const std::string& input)>;

/// What validation may ask. `run` empty: types with a program are checked as far as their base goes.
struct Rules {
  const SchemaSet& schemas;
  RunTypeScript run = {};
};

/// A value of type reference, to be looked up when all packages are known.
struct Reference {
  std::string section;
  std::string target;  ///< as written
  std::string field;   ///< path within the item: "depends_on.0"
  Place place;
};

/// The plain values of an item. Durations are milliseconds and times Unix milliseconds (integers), bytes
/// integers, ratios and numbers doubles, one_or_many lists are arrays, or_words are null, secrets texts,
/// kAny the YAML as JSON. Defaults are filled in (also within records that are written).
struct Checked {
  boost::json::object fields;
  std::vector<Reference> references;
  bool ok = true;  ///< false: errors were added; fields holds what was right
};

/// Everything that is wrong is told at once: unknown fields ("did you mean"), missing ones, wrong types,
/// bounds. `what` names the item: `rule "host/disk/filling"`. Fields of sections that it may contain are left
/// out here: they are items of their own.
Checked check_item(const config::Node& node, const Section& section, const std::string& what, const Rules& rules,
                   config::Errors& errors);
/// One value; nothing after errors.
std::optional<boost::json::value> check_value(const config::Node& node, const Type& type, const std::string& field,
                                              const Rules& rules, std::vector<Reference>& references,
                                              config::Errors& errors);

/// Plain values back to how a person would write them: 90000 → `1m30s`.
config::YamlValue serialise(const boost::json::value& value, const Type& type, const Rules& rules);
/// For people, in tables: `15 %`, `8 MiB`; secrets are dots.
std::string format(const boost::json::value& value, const Type& type, const Rules& rules);

/// Any YAML as JSON, as written: plain scalars by YAML's core schema.
boost::json::value to_json(const config::Node& node);
/// JSON as a value to be written.
config::YamlValue to_yaml(const boost::json::value& value);

/// Path of the field ("gauge.below.warning") whose node stands at `place`, or holds it; "" for the item.
std::string field_at(const config::Node& item, const Place& place);
/// Place of line and column within a scalar's text, in its file: exact where the writing shows the
/// text unchanged (plain, quoted without escapes, literal block), else the scalar's beginning. `text` is
/// the whole file that the scalar stands in.
Place place_within(std::string_view text, const config::Node& scalar, const Place& in_text);

}  // namespace atalaya::schema
