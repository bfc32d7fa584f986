// Chooses how each action of an HTML template is escaped.
#pragma once

#include "base/result.h"
#include "template/ast.h"

namespace atalaya::templates {

/// Sets `escape` of every action, in all branches and definitions. invalid_argument with place and
/// remedy for what html.h refuses.
Status choose_escapes(Tree& tree);

}  // namespace atalaya::templates
