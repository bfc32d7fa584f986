// Values on their way into a file, as the programs of their types would have them written.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "schema/validate.h"

namespace atalaya::schema {

/// The type of what stands at `field` in a value of `type` (of a list by number); null where nothing can stand there.
const Type* type_at(const Type& type, std::span<const std::string> field);
/// What a person (form, API) gave, as it is to be written: values whose types have a program as its verb `serialise`
/// says. All else keeps its writing: what does not hold, what holds a parameter (`${x}`), what the program has no
/// answer for. `unanswered` gets why a program said nothing at all (out of time, not asked yet); such a value stays
/// too.
config::YamlValue as_serialised(config::YamlValue value, const Type& type, const Rules& rules,
                                std::vector<Error>& unanswered);

}  // namespace atalaya::schema
