// The outside as channels need it, so that tests can stand in for the network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/curl/http_client.h"
#include "net/curl/smtp.h"

namespace atalaya::notify {

/// Thread-safe; calls block until answered or timed out.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<net::curl::HttpResponse> http(const net::curl::HttpRequest& request) = 0;
  virtual Result<net::curl::SmtpAnswer> mail(const net::curl::SmtpServer& server, const std::string& from,
                                             const std::vector<std::string>& to, const std::string& message) = 0;
  /// A small file that holds a secret; without its final line break.
  virtual Result<std::string> secret_file(const std::string& path) = 0;
};

/// The real one, through libcurl.
std::unique_ptr<Transport> curl_transport(net::curl::HttpClientOptions options = {});

}  // namespace atalaya::notify
