// Syntax tree and data to text.
#pragma once

#include <boost/json.hpp>

#include <string>

#include "base/result.h"
#include "template/ast.h"
#include "template/template.h"

namespace atalaya::templates {

/// As Template::render.
Result<std::string> run_tree(const Tree& tree, const boost::json::value& data, const RenderOptions& options);

}  // namespace atalaya::templates
