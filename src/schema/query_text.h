// Expressions of fields: PromQL and selectors, also such as hold variables that a reader chooses. Inside schema only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/yaml.h"

namespace atalaya::schema {

/// An error's place is that within the text; none where it is about the whole.
Status check_query(std::string_view text, bool selector);

/// `$name` or `${name}` in a text, as the UI finds them (web/src/features/dashboards/variables.ts).
struct VariableUse {
  std::string name;
  std::size_t begin = 0;  ///< bytes, of the dollar
  std::size_t end = 0;
  bool quoted = false;  ///< within a string of PromQL
};
/// `comments`: what stands behind a `#` of PromQL is none.
std::vector<VariableUse> variable_uses(std::string_view text, bool comments = false);

/// The variables that an item declares.
struct ItemVariables {
  bool declared = false;  ///< false: they come from elsewhere, so any name may be one
  /// With a value that it may take; "" : not known before somebody looks.
  std::map<std::string, std::string> samples;
};
/// Of a mapping `{name: {default?, values?}}`; null: the item declares none.
ItemVariables read_variables(const config::Node* definitions);

/// Everything that is wrong with a text that may hold variables, with places within it. `query`: it is PromQL, or a
/// selector (an empty one is no restriction), once they are filled in; else only their names count.
enum class Filled : std::uint8_t { kText, kPromql, kSelector };
std::vector<Error> check_filled(std::string_view text, Filled filled, const ItemVariables& variables);

}  // namespace atalaya::schema
