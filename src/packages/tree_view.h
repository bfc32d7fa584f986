// The groups and items of a package as they are written, for a tree to click on. Inside this library only.
#pragma once

#include <vector>

#include "packages/locate.h"
#include "packages/tree.h"
#include "packages/views.h"
#include "schema/schema_set.h"

namespace atalaya::packages {

/// Sections in the order of the schemas. An error marks the item that it lies in, and its groups.
TreeView tree_view(const PackageTree& tree, const schema::SchemaSet& schemas, const std::vector<PackageError>& errors);

}  // namespace atalaya::packages
