#include "collect/scrape/fetch.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "collect/scrape/token_source.h"
#include "net/gzip.h"
#include "net/url.h"

namespace atalaya::collect::scrape {
namespace {

constexpr int kMostRedirects = 10;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string_view words_of(int status) {
  switch (status) {
    case 400: return " Bad Request";
    case 401: return " Unauthorized";
    case 403: return " Forbidden";
    case 404: return " Not Found";
    case 405: return " Method Not Allowed";
    case 429: return " Too Many Requests";
    case 500: return " Internal Server Error";
    case 502: return " Bad Gateway";
    case 503: return " Service Unavailable";
    case 504: return " Gateway Timeout";
    default: return "";
  }
}

}  // namespace

bool goes_directly(const std::vector<std::string>& no_proxy, const std::string& host) {
  for (std::string_view one : no_proxy) {
    if (one == "*" || one == host) return true;
    if (one.starts_with('.')) one.remove_prefix(1);
    if (host == one || (host.size() > one.size() && host.ends_with(one) && host[host.size() - one.size() - 1] == '.')) {
      return true;
    }
  }
  return false;
}

Result<std::string> redirect_target(const std::string& from, std::string_view location) {
  AT_TRY(const auto base, net::parse_url(from));
  if (location.starts_with("http://") || location.starts_with("https://")) {
    AT_TRY(net::parse_url(location));
    return std::string(location);
  }
  if (location.empty() || location.find_first_of("\r\n") != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "a redirect that leads nowhere");
  }
  if (location.starts_with("//")) return fmt::format("{}:{}", base.scheme, location);
  const auto root = fmt::format("{}://{}", base.scheme, base.authority());
  if (location.starts_with('/')) return root + std::string(location);
  const auto path = base.target.substr(0, base.target.find('?'));
  return root + path.substr(0, path.rfind('/') + 1) + std::string(location);
}

struct Fetcher::Impl : std::enable_shared_from_this<Fetcher::Impl> {
  Impl(net::EventLoop& loop, io::FileSystem& f, const Clock& c, HttpSettings s)
      : files(f),
        clock(c),
        settings(std::move(s)),
        direct(loop, {.tls = settings.tls}),
        proxied(loop, {.tls = settings.tls, .proxy = settings.proxy}) {
    if (settings.oauth2) tokens = std::make_unique<TokenSource>(loop, files, clock, *settings.oauth2);
  }

  struct Going {
    FetchRequest request;
    Done done;
    Steady until;
    int redirects = 0;
    std::string first_host;
  };

  /// Credentials go to the host that was asked for, not to where it sends us.
  Status add_headers(net::Headers& headers, bool with_credentials) const {
    for (const auto& [name, values] : settings.headers) {
      for (const auto& value : values) {
        AT_TRY(auto text, read_secret(files, value));
        headers.add(name, std::move(text));
      }
    }
    if (!with_credentials) return {};
    if (settings.user.given() || settings.password.given()) {
      AT_TRY(const auto user, read_secret(files, settings.user));
      AT_TRY(const auto password, read_secret(files, settings.password));
      headers.set("Authorization", "Basic " + base64_encode(user + ":" + password));
    } else if (!settings.authorization_type.empty()) {
      AT_TRY(const auto credentials, read_secret(files, settings.credentials));
      headers.set("Authorization", settings.authorization_type + " " + credentials);
    }
    return {};
  }

  void send(std::shared_ptr<Going> going) {
    net::ClientRequest request;
    request.url = going->request.url;
    request.headers = going->request.headers;
    request.timeout = std::chrono::duration_cast<Duration>(going->until - clock.steady());
    request.max_response_bytes = going->request.most_bytes;
    request.keep_alive = true;
    const auto url = net::parse_url(request.url);
    const auto host = url ? url->host : std::string();
    if (going->redirects == 0) going->first_host = host;
    if (request.timeout <= Duration{0}) return answer(*going, timed_out(*going));
    if (auto added = add_headers(request.headers, host == going->first_host); !added) {
      return answer(*going, std::unexpected(added.error()));
    }
    if (url && !url->user.empty()) {
      request.headers.set("Authorization", "Basic " + base64_encode(url->user + ":" + url->password));
    }
    if (!tokens || host != going->first_host) return send_to(host, std::move(request), std::move(going));
    const auto left = request.timeout;
    tokens->get(left, [weak = weak_from_this(), going = std::move(going), host,
                       request = std::move(request)](Result<std::string> token) mutable {
      const auto self = weak.lock();
      if (!self) return;
      if (!token) return answer(*going, std::unexpected(std::move(token).error()));
      request.headers.set("Authorization", std::move(*token));
      request.timeout = std::chrono::duration_cast<Duration>(going->until - self->clock.steady());
      if (request.timeout <= Duration{0}) return answer(*going, timed_out(*going));
      self->send_to(host, std::move(request), std::move(going));
    });
  }

  void send_to(const std::string& host, net::ClientRequest request, std::shared_ptr<Going> going) {
    auto& client = goes_directly(settings.no_proxy, host) ? direct : proxied;
    client.send(std::move(request), [weak = weak_from_this(), going](Result<net::ClientResponse> response) {
      if (const auto self = weak.lock()) self->received(going, std::move(response));
    });
  }

  static Result<Fetched> timed_out(const Going& going) {
    return fail(ErrorCode::kDeadlineExceeded,
                fmt::format("no answer within {}", format_duration(going.request.timeout)));
  }

  void received(const std::shared_ptr<Going>& going, Result<net::ClientResponse> response) {
    if (!response) return answer(*going, std::unexpected(std::move(response).error()));
    const auto status = response->status;
    if (status == 401 && tokens) tokens->forget();
    if (is_redirect(status) && settings.follow_redirects) {
      if (++going->redirects > kMostRedirects) {
        return answer(*going, fail(ErrorCode::kUnavailable, fmt::format("stopped after {} redirects", kMostRedirects)));
      }
      auto next = redirect_target(going->request.url, response->headers.get("Location"));
      if (!next) return answer(*going, std::unexpected(next.error()));
      going->request.url = std::move(*next);
      return send(going);
    }
    if (status != 200) {
      return answer(*going, fail(ErrorCode::kUnavailable,
                                 fmt::format("server returned HTTP status {}{}", status, words_of(status))));
    }
    Fetched out{std::string(response->headers.get("Content-Type")), std::move(response->body)};
    if (response->headers.get("Content-Encoding") == "gzip") {
      auto unpacked = net::gunzip(out.body, going->request.most_bytes);
      if (!unpacked) return answer(*going, std::unexpected(unpacked.error()));
      out.body = std::move(*unpacked);
    }
    answer(*going, std::move(out));
  }

  static void answer(Going& going, Result<Fetched> result) {
    if (auto done = std::exchange(going.done, nullptr)) done(std::move(result));
  }

  io::FileSystem& files;
  const Clock& clock;
  const HttpSettings settings;
  net::HttpClient direct;
  net::HttpClient proxied;
  std::unique_ptr<TokenSource> tokens;
};

Fetcher::Fetcher(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, HttpSettings settings)
    : impl_(std::make_shared<Impl>(loop, files, clock, std::move(settings))), loop_(loop) {}
Fetcher::~Fetcher() = default;

void Fetcher::get(FetchRequest request, Done done) {
  auto going = std::make_shared<Impl::Going>();
  going->until = impl_->clock.steady() + request.timeout;
  going->request = std::move(request);
  going->done = std::move(done);
  // A credential that cannot be read is told as late as any other answer.
  loop_.post([weak = std::weak_ptr(impl_), going] {
    if (const auto impl = weak.lock()) impl->send(going);
  });
}

}  // namespace atalaya::collect::scrape
