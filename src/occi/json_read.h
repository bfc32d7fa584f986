// Reading application/occi+json (OCCI JSON Rendering, GFD.226); inside this library only.
#pragma once

#include <string_view>
#include <vector>

#include "occi/text.h"
#include "occi/world.h"

namespace atalaya::occi {

/// One entity, a list of them, or {"resources": […], "links": […]}. Attributes may be nested or have dots.
Result<std::vector<Draft>> json_drafts(std::string_view body);
/// {"action": id, "attributes": {…}}
Result<ActionCall> json_action(std::string_view body);
/// Entities, or a list of addresses.
Result<std::vector<std::string>> json_members(std::string_view body);
/// {"mixins": [{"term", "scheme", "location", …}]}, or one such mixin.
Result<std::vector<CategoryLine>> json_definitions(std::string_view body);
/// The same, or {"mixins": [id, …]}.
Result<std::vector<std::string>> json_categories(std::string_view body);

}  // namespace atalaya::occi
