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
/// What went wrong, where and what to do.
std::string error_page(const Frame& frame, std::string_view package, const Error& error);
/// For a browser without a good cookie.
std::string sign_in_page(const Frame& frame);

struct PageLink {
  std::string path;
  std::string title;
};
/// The pages of a package.
std::string index_page(const Frame& frame, std::string_view package, const std::vector<PageLink>& pages);

}  // namespace atalaya::pages
