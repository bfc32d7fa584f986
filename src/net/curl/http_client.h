// Outgoing HTTP(S) that blocks, for notifications: runs on the worker of a channel, never on a loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::net::curl {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "POST";
  std::string url;     ///< http or https
  HeaderList headers;  ///< a line break in one is invalid_argument
  std::string body;
  Duration connect_timeout{5'000};
  Duration timeout{15'000};  ///< the whole exchange
  std::uint64_t max_response_bytes = 64 << 10;
  int max_redirects = 0;  ///< 0 returns a redirect as the answer
};

struct HttpResponse {
  int status = 0;
  HeaderList headers;  ///< of the last answer
  std::string body;    ///< cut off at the bound
  bool truncated = false;

  std::string_view header(std::string_view name) const;  ///< first value or ""; any case
};

struct HttpClientOptions {
  std::string proxy;    ///< `http://[user:password@]host:port`; "" goes directly, whatever the environment says
  std::string ca_file;  ///< instead of the system's authorities
};

/// Immutable, thread-safe: each call has a connection of its own.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options = {}) : options_(std::move(options)) {}

  /// Any HTTP status is a value. Errors: invalid_argument, deadline_exceeded, unavailable (with
  /// curl's words; without user, password and query of the URL).
  Result<HttpResponse> send(const HttpRequest& request) const;

 private:
  HttpClientOptions options_;
};

}  // namespace atalaya::net::curl
