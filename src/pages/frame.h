// The document around a page's content, and the pages that are there without any package.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::pages {

/// The browser side of pages, as the web build names its files.
struct Assets {
  std::string module;               ///< "assets/pages-Xy12.js", below the server's root; "" for none
  std::vector<std::string> styles;  ///< likewise
};

/// From Vite's manifest (docs/formats/page.md): the entry `src/pages/main.ts` with the styles of all that
/// it imports. Empty for a manifest without that entry; invalid_argument for one that is none.
Result<Assets> read_assets(std::string_view manifest);

struct Frame {
  Assets assets;
  std::string root;  ///< relative way to the server's root, "../../"; see root_of
  Time now{};        ///< the server's: widgets ask for the present by it, whatever the browser's clock says
};

/// The way from a request's path (`/p/host/machine`) back to the root: relative, so that pages also work
/// behind a proxy that puts them below a path of its own.
std::string root_of(std::string_view request_path);

/// `main` is HTML; the rest is escaped here.
std::string document(const Frame& frame, std::string_view package, std::string_view title, std::string_view main);
/// For a browser without a good cookie.
std::string sign_in_page(const Frame& frame);

struct PageLink {
  std::string path;  ///< below the package, not encoded: "machine"
  std::string title;
};
struct PackagePages {
  std::string package;
  std::vector<PageLink> pages;
};

/// What went wrong, where and what to do; leads to the package's pages, or to those of all packages where it has none.
std::string error_page(const Frame& frame, const PackagePages& package, const Error& error);
/// The pages of a package.
std::string index_page(const Frame& frame, const PackagePages& package);
/// Those of all packages that have any.
std::string packages_page(const Frame& frame, const std::vector<PackagePages>& packages);

}  // namespace atalaya::pages
