// Text to syntax tree.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/ast.h"
#include "template/html.h"
#include "template/template.h"

namespace atalaya::templates {

/// The first mistake, if there is one.
Result<Tree> parse_tree(std::string_view text, const ParseOptions& options);
/// Goes on behind each action that is wrong, and adds all mistakes in the order in which they were met. With any
/// the tree has holes (null pipelines): it can be looked at, and not rendered.
Tree parse_tree(std::string_view text, const ParseOptions& options, std::vector<Error>& errors,
                const CheckCall& check = {});

}  // namespace atalaya::templates
