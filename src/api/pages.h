// The web pages of packages, under /p/, and what their widgets read.
#pragma once

#include <boost/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/doors.h"
#include "api/prometheus.h"
#include "base/time.h"
#include "pages/frame.h"
#include "pages/page.h"
#include "storage/series.h"

namespace atalaya::api {

/// A line of `GET ~/pages`.
struct PageEntry {
  std::string id;  ///< "host/machine"
  std::string package;
  std::vector<std::string> path;  ///< {"machine"}
  std::string title;
  bool widgets = false;  ///< a grid that the browser edits, not a template
};

/// Where pages come from; `packages` is behind it. Functions are thread-safe, and are asked for one
/// package: the fallbacks are followed here.
struct PageDirectory {
  /// The item of the section `pages` at this path ("machine", "disks/slow"), its template read (empty,
  /// with `file` named, when it cannot be: the error says so).
  std::function<std::optional<Result<pages::PageDefinition>>(const TenantId&, const std::string& package,
                                                             const std::string& path)>
      page;
  /// Bytes of the file pages/<path> of the package, at most 1 MiB. `path` is plain (pages/lookup.h).
  std::function<std::optional<std::string>(const TenantId&, const std::string& package, const std::string& path)> file;
  /// `fallbacks:` of the package; none for an unknown one.
  std::function<std::vector<std::string>(const TenantId&, const std::string& package)> fallbacks;
  std::function<std::vector<PageEntry>(const TenantId&)> list;  ///< sorted by id
  /// Items of a kind, for templates: {id, kind, package, title, …}.
  std::function<boost::json::array(const TenantId&, const std::string& kind)> items;
};

struct PageRoutes {
  auth::Service& service;
  const storage::SeriesQuerier& series;
  const Clock& clock;
  PageDirectory directory;
  pages::Assets assets;
  QueryOptions queries = {};  ///< for those of widgets
};

/// GET ~/pages, POST ~/auth/page-cookie, and with that cookie as the only credential:
///   GET /p/{package}/{path...}         a page, by its path or its name; a css, png or svg file beside it; the list of
///                                      pages for no path
///   GET /p/                            the packages that have pages
///   GET /p/-/query, /p/-/query_range   as /api/v1/query and query_range
/// What else widgets read stands beside its own route (Doors::add_reading): alerts, hosts, items, logs.
/// A browser without the cookie is led to the UI and back (302) when it opens the address by itself, as its
/// Sec-Fetch headers say, and gets a page that leads there (401) otherwise.
/// Nothing there runs but the module of pages, and nothing is fetched but from this server.
void add_page_routes(Doors& doors, PageRoutes routes);

}  // namespace atalaya::api
