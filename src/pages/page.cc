#include "pages/page.h"

#include "pages/functions.h"
#include "pages/grid.h"
#include "template/html.h"

namespace atalaya::pages {
namespace {

namespace json = boost::json;

Result<templates::HtmlTemplate> parse(const PageDefinition& page) {
  return templates::HtmlTemplate::parse(page.text, {.file = page.file, .functions = page_functions()});
}

Result<std::string> main_of(const PageDefinition& page, const PageSources& sources, const PageLimits& limits) {
  if (page.widgets) return grid_html(*page.widgets);
  AT_TRY(const auto parsed, parse(page));
  PageFunctions functions(sources, limits);
  templates::RenderOptions options;
  options.call = [&](std::string_view name, const templates::Arguments& arguments) {
    return functions.call(name, arguments);
  };
  options.max_output_bytes = limits.max_output_bytes;
  options.max_steps = limits.max_steps;
  const json::object data{{"package", page.package}, {"path", page.path}, {"title", page.title}};
  return parsed.render(data, options);
}

}  // namespace

Result<std::string> render_page(const PageDefinition& page, const PageSources& sources, const Frame& frame,
                                const PageLimits& limits) {
  AT_TRY(const auto main, main_of(page, sources, limits));
  return document(frame, page.package, page.title.empty() ? page.path : page.title, main);
}

Status check_page(const PageDefinition& page) {
  if (page.widgets) {
    AT_TRY(grid_html(*page.widgets));
    return {};
  }
  AT_TRY(parse(page));
  return {};
}

}  // namespace atalaya::pages
