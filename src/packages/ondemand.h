// What the API creates: one file per entity in the package `ondemand`; inside this library only.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "packages/loader.h"
#include "packages/service.h"

namespace atalaya::packages {

constexpr std::string_view kOndemand = "ondemand";

/// The id of a check: its name, or what it looks at, in lower case letters, digits and dashes.
std::string check_slug(const NewCheck& check);
/// The file that declares it. invalid_argument for a type that is none.
Result<SourceFile> check_file(const NewCheck& check, const std::string& slug);

}  // namespace atalaya::packages
