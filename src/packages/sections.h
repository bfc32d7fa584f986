// What may stand in a package's YAML, as data: the reader, "did you mean" and the documentation all
// come from this table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace atalaya::packages {

enum class FieldType : std::uint8_t {
  kText,
  kInteger,
  kNumber,
  kBoolean,
  kDuration,
  kDurationOrNever,
  kTexts,    ///< a text or a list of texts
  kTextMap,  ///< names to texts
  kLevels,   ///< {warning: number, critical: number}
};
/// "a text", "a duration such as 30s" …
std::string_view describe(FieldType type);

struct Field {
  std::string_view name;
  FieldType type = FieldType::kText;
  bool required = false;
  std::string_view help;
  std::string_view words = {};  ///< of a text: the only ones allowed, separated by '|'
  double least = -1e300;        ///< of numbers
  double most = 1e300;
};

/// A key of an item that says what the item is: `gauge:` under rules, `http:` under collectors.
struct Type {
  std::string_view name;
  std::span<const Field> fields;
  std::string_view help;
};

struct Section {
  std::string_view name;  ///< the key in the file
  std::string_view item;  ///< "a rule"
  std::span<const Type> types;
  std::span<const Field> fields;  ///< beside the type's key
  std::string_view help;
  /// Types that packages define themselves are allowed too (channels).
  bool open_types = false;
};

/// Keys at the top of every file, beside the sections.
std::span<const Field> file_fields();
std::span<const Section> sections();
const Section& section(std::string_view name);  ///< must exist
const Type* find_type(const Section& section, std::string_view name);

}  // namespace atalaya::packages
