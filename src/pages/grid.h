// A page that is a grid of widgets.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::pages {

/// HTML with 24 columns and rows of 30 px. A widget without `at`, or with one that does not hold, gets the
/// next free row. invalid_argument for what is no widget, naming it by its number.
Result<std::string> grid_html(const boost::json::array& widgets);

}  // namespace atalaya::pages
