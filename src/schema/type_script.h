// Asks a type's program. Inside schema only.
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

#include "schema/validate.h"

namespace atalaya::schema {

/// What the program of `type` makes of a value: the value itself (validate, serialise) or a text (format).
Result<boost::json::value> ask_script(const Rules& rules, const Type& type, std::string_view verb,
                                      const boost::json::value& value);

}  // namespace atalaya::schema
