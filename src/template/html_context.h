// Chooses how each action of an HTML template is escaped.
#pragma once

#include <vector>

#include "base/error.h"
#include "template/ast.h"

namespace atalaya::templates {

/// Sets `escape` of every action, in all branches and definitions. What html.h refuses becomes errors with place
/// and remedy: all of them, in the order of reading.
void choose_escapes(Tree& tree, std::vector<Error>& errors);

}  // namespace atalaya::templates
