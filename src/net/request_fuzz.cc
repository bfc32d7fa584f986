// Everything that reads a request before a handler does: first line and fields, path, query, routes.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http.h"
#include "net/http_reader.h"
#include "net/percent.h"
#include "net/router_match.h"
#include "net/url.h"

using namespace atalaya::net;

namespace {

const Router& router() {
  static const auto* const kRouter = [] {
    auto* made = new Router;
    const auto ignore = [](const Request&, const Respond&) {};
    made->add("GET", "/api/v1/label/{name}/values", ignore);
    made->add("GET", "/api/v1/labels", ignore);
    made->add("POST", "/api/{any}/x", ignore);
    made->add("GET", "/-/healthy", ignore);
    made->add("GET", "/{path...}", ignore);
    return made;
  }();
  return *kRouter;
}

void check_path(std::string_view text) {
  const auto path = normalise_path(text);
  if (!path) return;
  for (const auto segment : path_segments(path->decoded)) AT_CHECK(segment != "." && segment != "..");
  for (const char c : path->decoded) AT_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  const auto again = normalise_path(path->encoded);
  AT_CHECK(again && again->encoded == path->encoded && again->decoded == path->decoded);
  Parameters captures;
  std::vector<std::string> allowed;
  AT_CHECK(router().find("GET", path->encoded, captures, allowed) != nullptr);
  router().find("DELETE", path->encoded, captures, allowed);
}

/// As a session feeds it.
void check_message(std::string_view text) {
  auto whole = HttpReader::request(1024);
  std::size_t at = 0;
  bool failed = false;
  while (at < text.size() && !whole.done() && !failed) {
    const auto taken = whole.put(text.substr(at));
    failed = !taken;
    if (failed || (*taken == 0 && !whole.head_done())) break;
    at += *taken;
    if (*taken == 0) break;
  }
  if (whole.head_done()) check_path(whole.head().target);
  AT_CHECK(whole.head_done() || !whole.done());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_path(text);
  check_message(text);
  const auto parameters = Parameters::parse(text);
  for (const auto& [name, value] : parameters.fields()) AT_CHECK(parameters.has(name));
  if (const auto decoded = percent_decode(text)) AT_CHECK(percent_decode(percent_encode(*decoded)) == *decoded);
  if (const auto url = parse_url(text)) AT_CHECK(!url->host.empty() && url->port != 0 && url->target.starts_with('/'));
  return 0;
}
