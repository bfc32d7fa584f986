#include "api/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"

namespace atalaya::api {

Result<Fields> Fields::parse(const net::Request& request) {
  if (request.body.empty()) return Fields(json::object{});
  json::parse_options options;
  options.max_depth = 32;
  json::error_code error;
  auto value = json::parse(request.body, error, {}, options);
  if (error) return fail(ErrorCode::kInvalidArgument, "the body is not JSON: " + error.message());
  if (!value.is_object()) return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object");
  return Fields(std::move(value.as_object()));
}

void Fields::wrong(std::string message) {
  if (!error_) error_ = Error{ErrorCode::kInvalidArgument, std::move(message), std::nullopt, {}};
}

const json::value* Fields::take(std::string_view key) {
  known_.emplace_back(key);
  const auto* value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Fields::text(std::string_view key, std::size_t max_bytes) {
  const bool there = object_.contains(key);
  auto value = text_or(key, "", max_bytes);
  if (!there || value.empty()) wrong(fmt::format("field \"{}\" is missing or empty", key));
  return value;
}

std::string Fields::text_or(std::string_view key, std::string fallback, std::size_t max_bytes) {
  const auto* value = take(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) {
    wrong(fmt::format("field \"{}\" must be text", key));
    return fallback;
  }
  const auto& text = value->as_string();
  if (text.size() > max_bytes) {
    wrong(fmt::format("field \"{}\" has {} bytes; the limit is {}", key, text.size(), max_bytes));
    return fallback;
  }
  return std::string(text);
}

std::optional<std::int64_t> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64() || value->as_int64() < least || value->as_int64() > most) {
    wrong(fmt::format("field \"{}\" must be a whole number from {} to {}", key, least, most));
    return std::nullopt;
  }
  return value->as_int64();
}

bool Fields::boolean_or(std::string_view key, bool fallback) {
  const auto* value = take(key);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) {
    wrong(fmt::format("field \"{}\" must be true or false", key));
    return fallback;
  }
  return value->get_bool();
}

json::object Fields::object_or_empty(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return {};
  if (!value->is_object()) {
    wrong(fmt::format("field \"{}\" must be an object", key));
    return {};
  }
  return value->get_object();
}

Duration Fields::duration_or(std::string_view key, Duration fallback) {
  const auto text = text_or(key, "");
  if (text.empty()) return fallback;
  const auto duration = parse_duration(text);
  if (!duration) {
    wrong(fmt::format("field \"{}\": {}", key, to_string(duration.error())));
    return fallback;
  }
  return *duration;
}

Status Fields::finish() {
  for (const auto& [key, value] : object_) {
    if (std::find(known_.begin(), known_.end(), std::string_view(key)) == known_.end()) {
      const auto shown = std::string_view(key).substr(0, 64);
      if (error_) break;
      wrong(fmt::format("unknown field \"{}\"", shown));
      error_->remedy = config::suggestion(shown, known_);
    }
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

json::object to_json(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out.emplace(name, value);
  return out;
}

json::string rfc3339(Time time) { return json::string(format_rfc3339(time)); }

net::Response ok(const json::value& body, int status) { return net::Response::json(json::serialize(body), status); }

}  // namespace atalaya::api
