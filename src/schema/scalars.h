// Values without parts: from what is written to plain, by kind. Inside schema only.
#pragma once

#include <boost/json/value.hpp>

#include <string>

#include "config/yaml.h"
#include "schema/type.h"

namespace atalaya::schema {

/// The plain value of a scalar, without bounds, patterns and or_words; not for lists, maps, records, any. An error's
/// place is that within the file. Its message follows the field's name: "is no time zone …".
Result<boost::json::value> read_scalar(const config::Node& node, const Type& type);
/// Bounds and pattern.
Status check_limits(const boost::json::value& plain, const config::Node& node, const Type& type);
/// What stands there, for messages; nothing of what may hold a secret.
std::string shown(const config::Node& node, const Type& type);
/// A bound as people write it: 90000 of a duration → "1m30s".
std::string bound_text(double bound, Kind kind);
/// "a duration such as 30s, or never".
std::string wanted(const Type& type);
/// Characters, not bytes.
std::size_t length_of(std::string_view text);

}  // namespace atalaya::schema
