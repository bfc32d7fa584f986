// Schemas for people and for forms.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

#include "schema/schema_set.h"

namespace atalaya::schema {

/// What answers show in place of a secret.
constexpr std::string_view kHiddenSecret = "\u2022\u2022\u2022\u2022\u2022\u2022";
/// Dots for every secret in a value of that type, within lists, maps and records too.
void hide_all_secrets(boost::json::value& value, const Type& type);

/// Defaults of secrets are dots in all of these.
/// {"sections":[…],"types":[…]}: docs/formats/schema.md.
boost::json::object to_json(const SchemaSet& schemas);
boost::json::object to_json(const Section& section);
boost::json::object to_json(const Type& type);
boost::json::object to_json(const Field& field);
/// docs/generated/sections.md.
std::string to_markdown(const SchemaSet& schemas);

}  // namespace atalaya::schema
