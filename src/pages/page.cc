#include "pages/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pages/functions.h"
#include "pages/grid.h"
#include "template/html.h"

namespace atalaya::pages {
namespace {

namespace json = boost::json;

/// `${name}` would stand on the page as it is: values go into a template as data, escaped by their place.
void tell_unfilled(const PageDefinition& page, std::string_view name, std::vector<Error>& errors) {
  const auto written = fmt::format("${{{}}}", name);
  for (auto at = page.text.find(written); at != std::string::npos; at = page.text.find(written, at + 1)) {
    const auto before = std::string_view(page.text).substr(0, at);
    const auto line = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    errors.push_back({ErrorCode::kInvalidArgument, fmt::format("{} is not filled in in templates", written),
                      Place{page.file, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
                            static_cast<std::uint32_t>(at - line + 1)},
                      name.find('-') == std::string_view::npos
                          ? fmt::format("write {{{{ .parameters.{} }}}}", name)
                          : fmt::format("write {{{{ index .parameters \"{}\" }}}}", name)});
  }
}

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
  const json::object data{
      {"package", page.package}, {"path", page.path}, {"title", page.title}, {"parameters", page.parameters}};
  return parsed.render(data, options);
}

}  // namespace

Result<std::string> render_page(const PageDefinition& page, const PageSources& sources, const Frame& frame,
                                const PageLimits& limits) {
  AT_TRY(const auto main, main_of(page, sources, limits));
  return document(frame, page.package, page.title.empty() ? page.path : page.title, main);
}

std::vector<Error> check_page(const PageDefinition& page) {
  if (page.widgets) {
    const auto grid = grid_html(*page.widgets);
    return grid ? std::vector<Error>{} : std::vector{grid.error()};
  }
  auto errors =
      templates::HtmlTemplate::mistakes(page.text, {.file = page.file, .functions = page_functions()}, check_call);
  for (const auto& [name, value] : page.parameters) tell_unfilled(page, name, errors);
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    const auto key = [](const Error& error) { return std::pair(error.place->line, error.place->column); };
    return key(a) < key(b);
  });
  return errors;
}

}  // namespace atalaya::pages
