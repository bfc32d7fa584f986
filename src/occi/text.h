// The text renderings (OCCI Text Rendering, GFD.229): lines of text/plain, headers of text/occi, text/uri-list.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "occi/value.h"

namespace atalaya::occi {

/// `occi.core.id{immutable required}` in a category's `attributes`.
struct AttributeMark {
  std::string name;
  bool immutable = false;
  bool required = false;
  bool operator==(const AttributeMark&) const = default;
};

/// `compute;scheme="…";class="kind";title="…";rel="…";location="…";attributes="…";actions="…"`, in this order; what is
/// empty is left out.
struct CategoryLine {
  std::string term;
  std::string scheme;  ///< ends with `#` where it is one of OCCI's
  std::string cls;     ///< "kind", "mixin", "action"; "" where a request leaves it out
  std::string title;
  std::vector<std::string> rel;  ///< ids: parents, what it depends on and applies to
  std::string location;
  std::vector<AttributeMark> attributes;
  std::vector<std::string> actions;  ///< ids

  std::string id() const { return scheme + term; }
  bool operator==(const CategoryLine&) const = default;
};

/// `</network/1>;rel="…";self="…";category="…";occi.core.id="…"`
struct LinkLine {
  std::string target;
  std::vector<std::string> rel;
  std::string self;
  std::vector<std::string> categories;
  AttributeList attributes;
  bool operator==(const LinkLine&) const = default;
};

/// Whatever stands in one message. No category and no attribute stands twice.
struct TextMessage {
  std::vector<CategoryLine> categories;
  std::vector<LinkLine> links;
  AttributeList attributes;
  std::vector<std::string> locations;

  bool empty() const { return categories.empty() && links.empty() && attributes.empty() && locations.empty(); }
  bool operator==(const TextMessage&) const = default;
};

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// All errors are invalid_argument (too_large beyond the bounds of value.h) and name the category, link or attribute.
/// Names of lines and headers compare case-insensitively.
Result<TextMessage> parse_plain(std::string_view body);
/// Header fields that are none of OCCI's are passed over. `Location` counts as X-OCCI-Location does.
Result<TextMessage> parse_headers(const HeaderFields& fields);
/// One absolute URI a line; `#` begins a comment.
Result<std::vector<std::string>> parse_uri_list(std::string_view body);

/// At least one category, with its scheme and class.
Result<std::vector<CategoryLine>> categories_of(TextMessage message);
/// At least one location, and nothing else.
Result<std::vector<std::string>> locations_of(TextMessage message);

/// Lines that end with CR LF.
std::string render_plain(const TextMessage& message);
/// One field a name, values joined by commas: Category, Link, X-OCCI-Attribute, X-OCCI-Location.
HeaderFields render_headers(const TextMessage& message);
std::string render_uri_list(const std::vector<std::string>& locations);

/// At commas outside of quotes, trimmed; "" gives none. invalid_argument: a quote that is not closed, a backslash
/// outside of quotes.
Result<std::vector<std::string>> split_header(std::string_view value);
std::string render(const CategoryLine& category);
std::string render(const LinkLine& link);

}  // namespace atalaya::occi
