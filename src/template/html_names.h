// The elements and attributes that a page's template may use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::templates {

/// What may stand in an attribute's value.
enum class AttributeKind : std::uint8_t {
  kPlain,    ///< text
  kUrl,      ///< one address
  kLiteral,  ///< only what the template's author wrote
};

/// All names are in small letters. Errors: message and remedy, without a place.
Status check_element(std::string_view element);
Result<AttributeKind> check_attribute(std::string_view attribute);

}  // namespace atalaya::templates
