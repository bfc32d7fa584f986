// What sections of base ask for beyond their schemas, by their items' text alone; nothing is made of them. Inside this
// library only.
#pragma once

#include <cstddef>
#include <string_view>

#include "packages/project.h"

namespace atalaya::packages {

/// False: this section of base has no such check.
bool check_section(std::string_view section, const ItemContext& item);
/// The same of an item in which its schema found something wrong (`told`): a place is told once, and a mapping whose
/// own keys are wrong is not blamed for what it lacks by that. The new ones come to the item's errors.
void check_section_beside(std::string_view section, const ItemContext& item, const config::Errors& told);

}  // namespace atalaya::packages
