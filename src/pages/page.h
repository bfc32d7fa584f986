// A web page of a package: a template or a grid of widgets, put into the house's frame.
#pragma once

#include <boost/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "model/sample.h"
#include "pages/frame.h"

namespace atalaya::pages {

/// An item of the section `pages`.
struct PageDefinition {
  std::string package;
  std::string path;  ///< below the package: "machine", "disks/slow"
  std::string title;
  std::string file;                     ///< of the template, for places in errors: "host/pages/machine.html"
  std::string text;                     ///< the template
  boost::json::object parameters = {};  ///< of an instance: `.parameters`
  /// Instead of a template: [{title, at: {x, y, w, h}, <kind>: {…}}] as in a dashboard.
  std::optional<boost::json::array> widgets;
};

/// One series of an answer. An instant query has one sample each.
struct QueriedSeries {
  Labels labels;
  std::vector<Sample> samples;
};

/// What a page may ask for while it is made. Functions that are not set answer that they are not there.
struct PageSources {
  Time now{};
  std::function<Result<std::vector<QueriedSeries>>(const std::string& promql)> query;  ///< at `now`
  std::function<Result<std::vector<QueriedSeries>>(const std::string& promql, Time from, Time to, Duration step)> range;
  std::function<boost::json::array(const std::string& kind)> items;  ///< the registry's items of a kind
  /// Of the page's address, `?name=value`; nullopt when absent.
  std::function<std::optional<std::string>(const std::string& name)> argument;
};

/// Bounds of one page.
struct PageLimits {
  int queries = 50;
  std::size_t series = 5000;  ///< of one query
  std::size_t max_output_bytes = 4 << 20;
  std::size_t max_steps = 2'000'000;
};

/// The whole document. Functions of a template, besides those of template.h:
///   query "promql"                    [{labels, value, time}], time in Unix seconds
///   range "promql" "1h" "30s"         [{labels, values: [{value, time}]}], the last hour in steps
///   widget "chart" "promql" "title"   a live chart, stat, gauge, table or states (or "text" with markdown);
///                                     a fourth argument is the unit
///   markdown text                     a safe subset of Markdown
///   arg "name" "otherwise"            of the page's address, as text
///   items "kind"                      [{id, kind, package, title …}]
///   now                               Unix seconds
/// Errors: invalid_argument with place and remedy for a template that is refused; what a query answered,
/// with the place of its action; resource_exhausted beyond the bounds.
Result<std::string> render_page(const PageDefinition& page, const PageSources& sources, const Frame& frame,
                                const PageLimits& limits = {});
/// Everything for which render_page would refuse the template or the widgets, whatever the data; of templates also
/// `${name}` of a parameter, which is filled in in YAML alone, and what is wrong with queries that are constants.
std::vector<Error> check_page(const PageDefinition& page);

}  // namespace atalaya::pages
