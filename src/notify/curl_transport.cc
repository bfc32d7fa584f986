#include <fmt/format.h>

#include "io/file_system.h"
#include "notify/transport.h"

namespace atalaya::notify {
namespace {

constexpr std::size_t kMaxSecret = 64 * 1024;

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(net::curl::HttpClientOptions options) : client_(std::move(options)) {}

  Result<net::curl::HttpResponse> http(const net::curl::HttpRequest& request) override { return client_.send(request); }

  Result<net::curl::SmtpAnswer> mail(const net::curl::SmtpServer& server, const std::string& from,
                                     const std::vector<std::string>& to, const std::string& message) override {
    return net::curl::send_mail(server, from, to, message);
  }

  Result<std::string> secret_file(const std::string& path) override {
    auto text = io::read_file(*files_, path, kMaxSecret);
    if (!text) return fail(ErrorCode::kUnavailable, fmt::format("{} cannot be read", path), "check its name and owner");
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return text;
  }

 private:
  net::curl::HttpClient client_;
  std::unique_ptr<io::FileSystem> files_ = io::real_file_system();
};

}  // namespace

std::unique_ptr<Transport> curl_transport(net::curl::HttpClientOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace atalaya::notify
