#include "net/http.h"

#include <boost/json.hpp>
#include <strings.h>

#include <algorithm>

#include "net/percent.h"

namespace atalaya::net {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// A malformed escape is kept as it is: a form is data, and refusing it would tell nobody anything.
std::string decode_leniently(std::string_view text) {
  auto decoded = percent_decode(text, true);
  return decoded ? std::move(*decoded) : std::string(text);
}

}  // namespace

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  add(std::move(name), std::move(value));
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (same_name(key, name)) return value;
  return {};
}

Parameters Parameters::parse(std::string_view encoded) {
  Parameters parameters;
  while (!encoded.empty()) {
    const auto end = encoded.find('&');
    const auto pair = encoded.substr(0, end);
    if (!pair.empty()) {
      const auto equals = pair.find('=');
      parameters.add(decode_leniently(pair.substr(0, equals)),
                     equals == std::string_view::npos ? std::string() : decode_leniently(pair.substr(equals + 1)));
    }
    if (end == std::string_view::npos) break;
    encoded.remove_prefix(end + 1);
  }
  return parameters;
}

std::string_view Parameters::get(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return value;
  return {};
}

bool Parameters::has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const auto& field) { return field.first == name; });
}

std::vector<std::string> Parameters::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_)
    if (key == name) values.push_back(value);
  return values;
}

Response Response::json(std::string text, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

Response Response::text(std::string text, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

Response Response::empty(int status) {
  Response response;
  response.status = status;
  return response;
}

Response Response::error(const Error& error) {
  boost::json::object body{
      {"status", "error"}, {"errorType", prometheus_error_type(error.code)}, {"error", error.message}};
  if (error.place)
    body["place"] =
        boost::json::object{{"file", error.place->file}, {"line", error.place->line}, {"column", error.place->column}};
  if (!error.remedy.empty()) body["remedy"] = error.remedy;
  auto response = json(boost::json::serialize(body), http_status(error.code));
  // Bearer, never Basic: a browser would ask the person for a password in a window of its own.
  if (response.status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace atalaya::net
