// The tree of an expression as Prometheus' /parse_query writes it.
#pragma once

#include <boost/json.hpp>

#include "promql/ast.h"

namespace atalaya::api {

boost::json::object syntax_json(const promql::Expression& node);

}  // namespace atalaya::api
