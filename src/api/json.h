// JSON bodies in and out of routes.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "net/http.h"

namespace atalaya::api {

namespace json = boost::json;

/// Reads the fields of a JSON object body and remembers the first thing that is wrong with it, so
/// that a route reads all fields and asks once. Thread-compatible.
///
///     AT_TRY(auto body, Fields::parse(request));
///     const auto name = body.text("name");
///     const auto ttl = body.duration_or("ttl", 1h);
///     AT_TRY(body.finish());
class Fields {
 public:
  /// invalid_argument unless the body is one JSON object (depth ≤ 32). An empty body counts as {}.
  static Result<Fields> parse(const net::Request& request);

  bool has(std::string_view key) const { return object_.contains(key); }
  std::string text(std::string_view key, std::size_t max_bytes = 4096);
  std::string text_or(std::string_view key, std::string fallback, std::size_t max_bytes = 4096);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  bool boolean_or(std::string_view key, bool fallback);
  json::object object_or_empty(std::string_view key);
  Duration duration_or(std::string_view key, Duration fallback);
  /// The first error, or an unknown key.
  Status finish();

 private:
  explicit Fields(json::object object) : object_(std::move(object)) {}
  const json::value* take(std::string_view key);
  void wrong(std::string message);

  json::object object_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

json::object to_json(const Labels& labels);
/// RFC 3339 with milliseconds.
json::string rfc3339(Time time);

net::Response ok(const json::value& body, int status = 200);

}  // namespace atalaya::api
