// Pages that are missing in a package and stand in one that it falls back to.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atalaya::pages {

/// The packages to look in, in order: the package itself, then each of its fallbacks with theirs, each
/// package once (fallbacks may go round in a circle), at most 64.
std::vector<std::string> lookup_order(const std::string& package,
                                      const std::function<std::vector<std::string>(const std::string&)>& fallbacks);

/// Whether a path below a package's pages/ folder may be asked for: segments of letters, digits and `._-`
/// that begin with none of `.-`, at most 200 characters.
bool is_plain_path(std::string_view path);

/// Of a file that pages may have beside them, by its ending: css, png, svg. nullopt for all others.
std::optional<std::string_view> content_type_of(std::string_view path);

}  // namespace atalaya::pages
