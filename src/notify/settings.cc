#include "notify/settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::notify {
namespace json = boost::json;

const json::value* Settings::find(std::string_view key) {
  known_.emplace(key);
  const auto* value = config_.settings.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> Settings::text(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_primitive()) return json::serialize(*value);
  complain(key, "must be a text");
  return std::nullopt;
}

std::string Settings::required(std::string_view key) {
  auto value = text(key);
  if (!value || value->empty()) complain(key, "is missing", fmt::format("add {}: …", key));
  return value.value_or("");
}

std::vector<std::string> Settings::list(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  std::vector<std::string> out;
  if (const auto* array = value->if_array()) {
    for (const auto& item : *array) {
      if (!item.is_string()) {
        complain(key, "must be a list of texts");
        return {};
      }
      out.emplace_back(item.get_string());
    }
  } else if (value->is_string()) {
    out.emplace_back(value->get_string());
  } else {
    complain(key, "must be a list of texts");
  }
  return out;
}

void Settings::map(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return;
  const auto* object = value->if_object();
  const auto is_text = [](const auto& entry) { return entry.value().is_primitive() && !entry.value().is_null(); };
  if (object == nullptr || !std::ranges::all_of(*object, is_text)) complain(key, "must be a mapping of texts");
}

void Settings::any(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return;
  if (value->is_object()) return map(key);
  static_cast<void>(text(key));
}

void Settings::complain(std::string_view key, std::string_view message, std::string remedy) {
  if (error_) return;
  error_ = Error{ErrorCode::kInvalidArgument, fmt::format("channel {}: {} {}", config_.id, key, message), config_.place,
                 std::move(remedy)};
}

Status Settings::finish() {
  for (const auto& [key, value] : config_.settings) {
    if (known_.contains(std::string_view(key))) continue;
    complain(std::string_view(key), "is unknown", fmt::format("known: {}", fmt::join(known_, ", ")));
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace atalaya::notify
