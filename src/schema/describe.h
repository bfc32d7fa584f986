// Schemas for people and for forms.
#pragma once

#include <boost/json/object.hpp>

#include <string>

#include "schema/schema_set.h"

namespace atalaya::schema {

/// {"sections":[…],"types":[…]}: docs/formats/schema.md.
boost::json::object to_json(const SchemaSet& schemas);
boost::json::object to_json(const Section& section);
boost::json::object to_json(const Type& type);
boost::json::object to_json(const Field& field);
/// docs/generated/sections.md.
std::string to_markdown(const SchemaSet& schemas);

}  // namespace atalaya::schema
