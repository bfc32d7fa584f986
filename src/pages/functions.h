// The functions of pages' templates, besides those of all templates.
#pragma once

#include <string_view>
#include <vector>

#include "pages/page.h"
#include "template/html.h"
#include "template/template.h"

namespace atalaya::pages {

/// Names and numbers of arguments, for parsing.
const std::vector<templates::GivenFunction>& page_functions();

/// Queries and selectors that stand in the template as constants.
std::optional<templates::WrongArgument> check_call(std::string_view function,
                                                   const std::vector<const boost::json::value*>& arguments);

/// Answers them for one rendering and keeps count of what it asked. Borrows all. Thread-compatible.
class PageFunctions {
 public:
  PageFunctions(const PageSources& sources, const PageLimits& limits) : sources_(sources), limits_(limits) {}
  Result<templates::Value> call(std::string_view name, const templates::Arguments& arguments);

 private:
  Result<templates::Value> query(const templates::Arguments& arguments);
  Result<templates::Value> range(const templates::Arguments& arguments);
  Status count_query();
  Status check_answer(const std::vector<QueriedSeries>& series) const;

  const PageSources& sources_;
  const PageLimits& limits_;
  int queries_ = 0;
};

/// `<at-widget>` with what it shows as an attribute; the module of pages draws it.
std::string widget_element(const boost::json::object& widget, std::string_view attributes = {});

}  // namespace atalaya::pages
