#include "net/curl/http_client.h"

#include <strings.h>

#include "net/curl/easy.h"
#include "net/url.h"

namespace atalaya::net::curl {
namespace {

struct Received {
  HttpResponse response;
  std::uint64_t max_bytes = 0;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& received = *static_cast<Received*>(context);
  auto& body = received.response.body;
  const auto room = received.max_bytes - body.size();
  body.append(data, std::min<std::size_t>(size, room));
  if (size <= room) return size;
  received.response.truncated = true;
  return 0;  // ends the transfer: the rest is of no interest
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& headers = static_cast<Received*>(context)->response.headers;
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) headers.clear();  // of a redirect, a proxy or a 100 Continue
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || headers.size() >= 200) return size;
  auto value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  headers.emplace_back(line.substr(0, colon), value);
  return size;
}

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Status add_headers(const HttpRequest& request, StringList& list) {
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || name.find_first_of(" :\t") != std::string::npos || !one_line(name) || !one_line(value))
      return fail(ErrorCode::kInvalidArgument, "malformed header '" + (one_line(name) ? name : std::string("?")) + "'");
    list.add(value.empty() ? name + ";" : name + ": " + value);  // curl's way to send an empty value
  }
  list.add("Expect:");  // no second round trip before a body of this size
  return {};
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
  return {};
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) const {
  AT_TRY(const auto url, parse_url(request.url));
  if (url.scheme != "http" && url.scheme != "https")
    return fail(ErrorCode::kInvalidArgument, "the URL's scheme is neither http nor https");
  if (request.method.empty() || request.method.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
    return fail(ErrorCode::kInvalidArgument, "the HTTP method is not a word in upper case");
  StringList headers;
  AT_TRY(add_headers(request, headers));
  Easy easy;
  Received received;
  received.max_bytes = request.max_response_bytes;
  easy.set(CURLOPT_URL, request.url);
  easy.set(CURLOPT_PROTOCOLS_STR, "http,https");
  easy.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  easy.set(CURLOPT_FOLLOWLOCATION, request.max_redirects > 0 ? 1L : 0L);
  easy.set(CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  easy.set(CURLOPT_PROXY, options_.proxy);  // "" also switches the environment's off
  easy.set_trust(options_.ca_file);
  easy.set_time_outs(request.connect_timeout, request.timeout);
  easy.set(CURLOPT_HTTPHEADER, headers.get());
  if (request.method == "HEAD") {
    easy.set(CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
             request.method == "PATCH") {
    easy.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    easy.set(CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method != "HEAD") easy.set(CURLOPT_CUSTOMREQUEST, request.method);
  easy.set(CURLOPT_WRITEFUNCTION, take_body);
  easy.set(CURLOPT_WRITEDATA, &received);
  easy.set(CURLOPT_HEADERFUNCTION, take_header);
  easy.set(CURLOPT_HEADERDATA, &received);
  const auto code = easy.perform();
  if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && received.response.truncated))
    return fail(code_of(code), request.method + " " + url.redacted() + ": " + easy.words(code));
  received.response.status = static_cast<int>(easy.response_code());
  return std::move(received.response);
}

}  // namespace atalaya::net::curl
