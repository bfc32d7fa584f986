#include "pages/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "pages/functions.h"

namespace atalaya::pages {
namespace {

namespace json = boost::json;

constexpr std::int64_t kColumns = 24;
constexpr std::int64_t kMaxRow = 10'000;
constexpr std::int64_t kMaxRows = 200;
constexpr std::size_t kMaxWidgets = 500;

struct Place {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t w = kColumns;
  std::int64_t h = 8;
};

/// A whole number within bounds; the nearest bound for one beyond them.
std::int64_t number(const json::object& at, std::string_view name, std::int64_t otherwise, std::int64_t least,
                    std::int64_t most) {
  const auto* value = at.if_contains(name);
  if (value == nullptr) return otherwise;
  boost::system::error_code error;
  const auto n = value->to_number<std::int64_t>(error);
  return error ? otherwise : std::clamp(n, least, most);
}

Place place_of(const json::object& widget, std::int64_t next_row) {
  Place place{.y = next_row};
  const auto* at = widget.if_contains("at");
  if (at == nullptr || !at->is_object()) return place;
  const auto& given = at->get_object();
  place.x = number(given, "x", 0, 0, kColumns - 1);
  place.y = number(given, "y", next_row, 0, kMaxRow);
  place.w = number(given, "w", kColumns - place.x, 1, kColumns - place.x);
  place.h = number(given, "h", place.h, 1, kMaxRows);
  return place;
}

}  // namespace

Result<std::string> grid_html(const json::array& widgets) {
  if (widgets.size() > kMaxWidgets) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} widgets; the limit is {}", widgets.size(), kMaxWidgets),
                "make several pages");
  }
  std::string out = "<div class=\"at-grid\">\n";
  std::int64_t next_row = 0;
  for (std::size_t i = 0; i < widgets.size(); ++i) {
    if (!widgets[i].is_object()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("widget {} is no mapping", i + 1),
                  "write {title: …, at: {x: 0, y: 0, w: 12, h: 8}, chart: {…}}");
    }
    auto shown = widgets[i].get_object();
    const auto at = place_of(shown, next_row);
    shown.erase("at");
    next_row = std::max(next_row, at.y + at.h);
    out += widget_element(shown, fmt::format(" style=\"grid-column: {} / span {}; grid-row: {} / span {}\"", at.x + 1,
                                             at.w, at.y + 1, at.h));
    out += '\n';
  }
  return out + "</div>";
}

}  // namespace atalaya::pages
