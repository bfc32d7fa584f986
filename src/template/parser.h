// Text to syntax tree.
#pragma once

#include "base/result.h"
#include "template/ast.h"
#include "template/template.h"

namespace atalaya::templates {

Result<Tree> parse_tree(std::string_view text, const ParseOptions& options);

}  // namespace atalaya::templates
