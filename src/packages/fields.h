// From YAML to plain JSON values by the table of fields.
#pragma once

#include <boost/json/object.hpp>

#include <span>
#include <string>

#include "config/reader.h"
#include "packages/sections.h"

namespace atalaya::packages {

/// Reads these fields of the mapping under `read`; what is wrong becomes errors at its place and is
/// left out. Durations become milliseconds (integers), never is null, levels an object.
boost::json::object read_fields(config::Reader& read, std::span<const Field> fields, config::Errors& errors);

/// Any YAML as JSON: plain scalars by YAML's core schema.
boost::json::value to_json(const config::Node& node);

/// Place of line and column within a scalar's text, in its file: exact where the writing shows the
/// text unchanged (plain, quoted without escapes, literal block), else the scalar's beginning.
Place place_within(const config::Document& document, const config::Node& scalar, const Place& in_text);

}  // namespace atalaya::packages
