// What a field of an item may hold: types as data.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace atalaya::schema {

/// The types that the program knows; everything else is built on them by `types:` of a package.
enum class Kind : std::uint8_t {
  kText,
  kMarkdown,
  kInteger,
  kNumber,
  kRatio,  ///< a number from 0 to 1; `15%` may be written too
  kBoolean,
  kDuration,  ///< `1h30m`
  kBytes,     ///< `512`, `64kB`, `8MiB`
  kTime,      ///< RFC 3339
  kCron,      ///< five fields, or @hourly …
  kZone,      ///< of the time zone data, `Europe/Madrid`
  kRegex,     ///< RE2
  kPromql,
  kSelector,  ///< `{job="node"}`
  kUrl,
  kHost,  ///< DNS name or address
  kPort,  ///< 1 to 65535
  kPath,  ///< absolute
  kEmail,
  kColour,  ///< `#rrggbb`, or a name of the UI's palette
  kSecret,  ///< text that no answer and no log shows
  kEnumeration,
  kReference,  ///< the id of an item of a section, "package/group/name" or "group/name" in its own package
  kList,
  kMap,     ///< names to values
  kRecord,  ///< named fields
  kScript,  ///< program text, or `file: scripts/x.py` within the package
  kAny,     ///< any YAML: the body of sections whose owner checks them
};

struct Field;

/// One word of an enumeration.
struct Choice {
  std::string value;
  std::string help;
  bool operator==(const Choice&) const = default;
};

/// Immutable; shared by all fields that are of it. A record may hold itself in its fields: those inner
/// pointers do not own it, so a type lives as long as the SchemaSet it came from.
struct Type {
  Kind kind = Kind::kText;
  std::string name;                               ///< as written: "duration", "list of host", "percent"
  std::string package;                            ///< that defines it; "" for one of the program's own
  std::string help;                               ///< "a duration such as 30s": what to write, for messages
  std::shared_ptr<const Type> of;                 ///< of a list's items or a map's values
  bool one_or_many = false;                       ///< of a list: one item may stand without brackets
  std::string section;                            ///< of a reference; also `any`, `entity`
  std::vector<Choice> choices;                    ///< of an enumeration
  std::vector<Field> fields;                      ///< of a record, in the order of its form
  std::vector<std::vector<std::string>> one_of;   ///< of a record: sets of fields of which exactly one is written
  std::vector<std::vector<std::string>> some_of;  ///< sets of fields of which at least one is written
  double least =
      -std::numeric_limits<double>::infinity();  ///< of numbers, durations (ms), bytes; lengths of texts and lists
  double most = std::numeric_limits<double>::infinity();
  std::string pattern;                      ///< RE2 that the whole text matches
  std::string pattern_help;                 ///< what the pattern asks for, in words
  std::shared_ptr<const re2::RE2> matcher;  ///< of `pattern`, compiled once; null: compiled at each use
  std::vector<std::string> or_words;        ///< words allowed beside (`never`); their value is null
  std::string unit;                         ///< for people: "%", "ms"
  /// Of texts that may hold `$name`: the field of the item that declares the names (docs/formats/schema.md).
  std::string variables;
  std::string script;  ///< path in `package` of the program with the verbs validate, format, serialise
};
using TypePtr = std::shared_ptr<const Type>;

/// A named value of an item or a record.
struct Field {
  std::string name;
  std::string title;  ///< "" : made from the name
  std::string help;
  TypePtr type;
  bool required = false;
  boost::json::value fallback;  ///< the value where none is written, as it would be written; null: none
  boost::json::value plain;     ///< the same as a checked item has it; SchemaSet fills it in
  std::string example;
  bool operator==(const Field& other) const { return name == other.name && type == other.type; }
};

std::string_view name(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);
/// The program's own type of that kind. Lists, maps, records, enumerations and references get what they
/// hold from where they are used.
const TypePtr& builtin(Kind kind);
/// Texts of any form (text, url, regex …): their bounds count characters, and they may have a pattern.
bool is_textual(Kind kind);
/// integer, number, ratio, port, duration (ms), bytes: their bounds are values.
bool is_numeric(Kind kind);
/// Of references that name no section: `any` item, or an `entity` of the registry.
bool is_any(std::string_view section);
/// `title`, or made from the name: `keep_firing_for` → "Keep firing for".
std::string title_of(const Field& field);
std::string title_from(std::string_view name);

}  // namespace atalaya::schema
