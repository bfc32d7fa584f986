// Lists of what is no alert – heartbeats, blackouts, accounts: filtered and sorted by the fields that they show.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "api/alerta_json.h"
#include "api/alerta_query.h"

namespace atalaya::api::alerta {
namespace {

constexpr std::string_view kNoFields[] = {"q",     "sort-by", "reverse",  "page",  "page-size",
                                          "limit", "api-key", "callback", "fields"};

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return value.is_null() ? std::string() : json::serialize(value);
}

/// The values of a field, of `attributes.x` of an attribute; none where there is no such field.
std::vector<std::string> values_of(const json::object& one, std::string_view field) {
  if (field == "tag") field = "tags";
  const auto dot = field.find('.');
  const auto* value = one.if_contains(field.substr(0, dot));
  if (value != nullptr && dot != std::string_view::npos) {
    value = value->is_object() ? value->get_object().if_contains(field.substr(dot + 1)) : nullptr;
  }
  if (value == nullptr) return {};
  if (!value->is_array()) return {text_of(*value)};
  std::vector<std::string> out;
  for (const auto& element : value->get_array()) out.push_back(text_of(element));
  return out;
}

bool fits(const json::object& one, const std::map<std::string, std::set<std::string>>& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& field) {
    const bool negative = field.first.ends_with('!');
    const auto found = values_of(one, std::string_view(field.first).substr(0, field.first.size() - (negative ? 1 : 0)));
    const bool any = std::ranges::any_of(found, [&](const auto& text) { return field.second.contains(text); });
    return any != negative;
  });
}

int compare(const json::object& a, const json::object& b, std::string_view field) {
  const auto* one = a.if_contains(field);
  const auto* other = b.if_contains(field);
  if (one == nullptr || other == nullptr) return 0;
  if (one->is_int64() && other->is_int64()) return one->get_int64() < other->get_int64() ? -1 : *one != *other;
  return text_of(*one).compare(text_of(*other));
}

}  // namespace

Result<net::Response> page_of(std::string_view what, const json::array& all, const net::Parameters& parameters) {
  AT_TRY(const auto page, page_parameters(parameters));
  std::map<std::string, std::set<std::string>> wanted;
  for (const auto& [field, value] : parameters.fields()) {
    if (std::ranges::find(kNoFields, field) == std::end(kNoFields) && !value.empty()) wanted[field].insert(value);
  }
  std::vector<const json::object*> found;
  for (const auto& one : all) {
    if (fits(one.get_object(), wanted)) found.push_back(&one.get_object());
  }
  for (auto order = parameters.all("sort-by"); !order.empty(); order.pop_back()) {
    const bool turned = order.back().starts_with('-');
    const auto field = order.back().substr(turned ? 1 : 0);
    std::ranges::stable_sort(found, [&](const auto* a, const auto* b) {
      return (turned ? compare(*b, *a, field) : compare(*a, *b, field)) < 0;
    });
  }
  const auto total = found.size();
  const auto pages = (total + page.size - 1) / page.size;
  json::array shown;
  for (auto i = (page.number - 1) * page.size; i < std::min(total, page.number * page.size); ++i) {
    shown.push_back(*found[i]);
  }
  json::object out{{"page", page.number},
                   {"pageSize", page.size},
                   {"pages", pages},
                   {"more", page.number < pages},
                   {"total", total}};
  if (shown.empty()) out["message"] = "not found";
  out[what] = std::move(shown);
  return answer(std::move(out));
}

}  // namespace atalaya::api::alerta
