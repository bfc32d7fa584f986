#include "pages/frame.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "template/html_escape.h"

namespace atalaya::pages {
namespace {

namespace json = boost::json;
using templates::escape_html;

constexpr std::string_view kEntry = "src/pages/main.ts";

std::string text(const json::object& entry, std::string_view name) {
  const auto* value = entry.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts(const json::object& entry, std::string_view name) {
  std::vector<std::string> out;
  const auto* list = entry.if_contains(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

/// Styles of the entry after those of what it imports, each once.
void add_styles(const json::object& manifest, const std::string& name, std::set<std::string>& seen, Assets& assets) {
  const auto* entry = manifest.if_contains(name);
  if (entry == nullptr || !entry->is_object() || !seen.insert(name).second) return;
  for (const auto& import : texts(entry->get_object(), "imports")) add_styles(manifest, import, seen, assets);
  for (auto& style : texts(entry->get_object(), "css")) {
    if (std::ranges::find(assets.styles, style) == assets.styles.end()) assets.styles.push_back(std::move(style));
  }
}

std::string head(const Frame& frame, std::string_view title) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"atalaya-root\" content=\"{0}\">\n<meta name=\"atalaya-now\" content=\"{2:.3f}\">\n"
      "<title>{1} · Atalaya</title>\n"
      "<link rel=\"icon\" href=\"{0}icon.svg\" type=\"image/svg+xml\">\n",
      escape_html(frame.root), escape_html(title), static_cast<double>(to_ms(frame.now)) / 1000);
  for (const auto& style : frame.assets.styles) {
    out += fmt::format("<link rel=\"stylesheet\" href=\"{}\">\n", escape_html(frame.root + style));
  }
  if (!frame.assets.module.empty()) {
    out += fmt::format("<script type=\"module\" src=\"{}\"></script>\n", escape_html(frame.root + frame.assets.module));
  }
  return out + "</head>\n";
}

/// Ways from any page, by the root: they also hold behind a proxy.
std::string in_the_ui(const Frame& frame, std::string_view package) {
  return frame.root + "#/packages/" + templates::encode_url_component(package);
}
std::string all_pages(const Frame& frame) { return frame.root + "p/"; }
std::string pages_of(const Frame& frame, std::string_view package) {
  return all_pages(frame) + templates::encode_url_component(package) + "/";
}

std::string link(std::string_view href, std::string_view words) {
  return fmt::format("<p><a href=\"{}\">{}</a></p>\n", escape_html(href), escape_html(words));
}

std::string links(const Frame& frame, const PackagePages& package) {
  std::string out = "<ul class=\"at-index\">\n";
  for (const auto& page : package.pages) {
    const auto href = pages_of(frame, package.package) + templates::encode_url_path(page.path);
    out += fmt::format("<li><a href=\"{}\">{}</a></li>\n", escape_html(href),
                       escape_html(page.title.empty() ? page.path : page.title));
  }
  return out + "</ul>\n";
}

}  // namespace

Result<Assets> read_assets(std::string_view manifest) {
  boost::system::error_code error;
  const auto value = json::parse(manifest, error);
  if (error || !value.is_object())
    return fail(ErrorCode::kInvalidArgument, "the web build's manifest is no JSON object");
  Assets assets;
  const auto* entry = value.get_object().if_contains(kEntry);
  if (entry == nullptr || !entry->is_object()) return assets;
  assets.module = text(entry->get_object(), "file");
  std::set<std::string> seen;
  add_styles(value.get_object(), std::string(kEntry), seen, assets);
  return assets;
}

std::string root_of(std::string_view request_path) {
  std::string out;
  for (auto i = std::ranges::count(request_path, '/'); i > 1; --i) out += "../";
  return out.empty() ? "./" : out;
}

std::string document(const Frame& frame, std::string_view package, std::string_view title, std::string_view main) {
  const auto crumb = package.empty() ? std::string()
                                     : fmt::format("<a class=\"at-crumb\" href=\"{}\">{}</a>\n",
                                                   escape_html(in_the_ui(frame, package)), escape_html(package));
  return head(frame, title) +
         fmt::format(
             "<body>\n<header class=\"at-head\">\n<a class=\"at-home\" "
             "href=\"{}\">Atalaya</a>\n{}<h1>{}</h1>\n</header>\n"
             "<main class=\"at-main\">\n",
             escape_html(frame.root), crumb, escape_html(title)) +
         std::string(main) + "\n</main>\n</body>\n</html>\n";
}

std::string error_page(const Frame& frame, const PackagePages& package, const Error& error) {
  std::string main =
      fmt::format("<div class=\"at-error\" role=\"alert\">\n<p><strong>{}</strong></p>\n", escape_html(error.message));
  if (error.place) main += fmt::format("<p><code>{}</code></p>\n", escape_html(to_string(*error.place)));
  if (!error.remedy.empty()) main += fmt::format("<p>{}</p>\n", escape_html(error.remedy));
  main += package.pages.empty()
              ? link(all_pages(frame), "All pages")
              : link(pages_of(frame, package.package), fmt::format("The pages of {}", package.package));
  return document(frame, package.package,
                  error.code == ErrorCode::kNotFound ? "No such page" : "This page cannot be shown", main + "</div>");
}

std::string sign_in_page(const Frame& frame) {
  // No template writes before the body: the module takes the mark for the server's word.
  constexpr std::string_view kMark = "<meta name=\"atalaya-sign-in\" content=\"needed\">\n";
  auto out = document(
      frame, "", "Sign in to see this page",
      fmt::format("<div class=\"at-error\">\n<p>Pages are shown to people who have signed in to the web UI. It "
                  "leads back here.</p>\n<p><a class=\"at-button\" href=\"{}\">Sign in</a></p>\n</div>",
                  escape_html(frame.root)));
  return out.insert(out.find("<title>"), kMark);
}

std::string index_page(const Frame& frame, const PackagePages& package) {
  const auto all = link(all_pages(frame), "All pages");
  if (package.pages.empty()) {
    return document(frame, package.package, "Pages",
                    "<p>This package has no pages. They are items of its section <code>pages</code>.</p>\n" + all);
  }
  return document(frame, package.package, "Pages", links(frame, package) + all);
}

std::string packages_page(const Frame& frame, const std::vector<PackagePages>& packages) {
  std::string main;
  for (const auto& package : packages) {
    main += fmt::format("<h2><a href=\"{}\">{}</a></h2>\n", escape_html(pages_of(frame, package.package)),
                        escape_html(package.package));
    main += links(frame, package);
  }
  if (main.empty()) {
    main = fmt::format(
        "<p>No package has pages yet. They are items of a package's section <code>pages</code>.</p>\n"
        "<p><a class=\"at-button\" href=\"{}#/packages\">Packages</a></p>",
        escape_html(frame.root));
  }
  return document(frame, "", "Pages", main);
}

}  // namespace atalaya::pages
