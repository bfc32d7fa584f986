#include "template/html_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace atalaya::templates {
namespace {

// Lists of what is allowed, not of what is not: HTML grows.
constexpr auto kElements = std::to_array<std::string_view>({
    "a",        "abbr",    "address", "article", "aside", "b",        "bdi",      "bdo",        "blockquote", "br",
    "button",   "caption", "cite",    "code",    "col",   "colgroup", "data",     "datalist",   "dd",         "del",
    "details",  "dfn",     "div",     "dl",      "dt",    "em",       "fieldset", "figcaption", "figure",     "footer",
    "form",     "h1",      "h2",      "h3",      "h4",    "h5",       "h6",       "header",     "hgroup",     "hr",
    "i",        "img",     "input",   "ins",     "kbd",   "label",    "legend",   "li",         "link",       "main",
    "mark",     "menu",    "meter",   "nav",     "ol",    "optgroup", "option",   "output",     "p",          "pre",
    "progress", "q",       "rp",      "rt",      "ruby",  "s",        "samp",     "search",     "section",    "select",
    "small",    "span",    "strong",  "style",   "sub",   "summary",  "sup",      "table",      "tbody",      "td",
    "tfoot",    "th",      "thead",   "time",    "tr",    "u",        "ul",       "var",        "wbr",
});

constexpr auto kPlain = std::to_array<std::string_view>({
    "abbr",    "accept",  "align",    "alt",      "autocomplete", "autofocus", "checked",   "class",
    "cols",    "colspan", "content",  "datetime", "dir",          "disabled",  "download",  "for",
    "headers", "height",  "hidden",   "high",     "id",           "inputmode", "label",     "lang",
    "list",    "loading", "low",      "max",      "maxlength",    "min",       "minlength", "multiple",
    "name",    "open",    "optimum",  "pattern",  "placeholder",  "readonly",  "required",  "reversed",
    "role",    "rows",    "rowspan",  "scope",    "selected",     "size",      "span",      "spellcheck",
    "start",   "step",    "tabindex", "title",    "translate",    "value",     "width",     "wrap",
});

constexpr auto kLiteral = std::to_array<std::string_view>(
    {"enctype", "formmethod", "formtarget", "media", "method", "rel", "style", "target", "type"});

constexpr auto kUrl = std::to_array<std::string_view>({"action", "cite", "formaction", "href", "src"});

template <typename List>
bool has(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

std::unexpected<Error> refuse(std::string message, std::string remedy) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

}  // namespace

Status check_element(std::string_view element) {
  if (has(kElements, element)) return {};
  if (element == "script") {
    return refuse("<script> is not allowed in a page", "show live values with {{ widget \"chart\" \"<PromQL>\" }}");
  }
  if (element == "iframe" || element == "frame" || element == "object" || element == "embed") {
    return refuse(fmt::format("<{}> is not allowed in a page", element), "link to it with <a>");
  }
  if (element == "html" || element == "head" || element == "body" || element == "title" || element == "meta" ||
      element == "base") {
    return refuse(fmt::format("<{}> is not allowed in a page", element),
                  "write only what stands within the body; title and frame come from the page's item");
  }
  if (element == "svg" || element == "math") {
    return refuse(fmt::format("<{}> is not allowed in a page", element),
                  "put the drawing into a file of the package's pages/ folder and show it with <img>");
  }
  return refuse(fmt::format("<{}> is not an element that pages may use", element.substr(0, 32)),
                "docs/formats/page.md lists them");
}

Result<AttributeKind> check_attribute(std::string_view attribute) {
  if (has(kUrl, attribute)) return AttributeKind::kUrl;
  if (has(kLiteral, attribute)) return AttributeKind::kLiteral;
  if (has(kPlain, attribute) || attribute.starts_with("data-") || attribute.starts_with("aria-")) {
    return AttributeKind::kPlain;
  }
  if (attribute.starts_with("on")) {
    return refuse(fmt::format("the event handler {}=\"\" is not allowed in a page", attribute.substr(0, 32)),
                  "pages hold no scripts; use a link, a form or a widget");
  }
  if (attribute == "srcset") {
    return refuse("srcset=\"\" is not allowed in a page", "name one picture with src=\"\"");
  }
  return refuse(fmt::format("{}=\"\" is not an attribute that pages may use", attribute.substr(0, 32)),
                "leave it out, or write data-…; docs/formats/page.md lists them");
}

}  // namespace atalaya::templates
