// `HTTPPost` and `RemoteWrite`: batches by HTTP POST, tried again until they are taken or refused.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "io/compress.h"
#include "net/client.h"
#include "net/url.h"
#include "sense/publish/families.h"
#include "sense/publish/queued.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

constexpr std::size_t kToldBytes = 200;  ///< of an answer that refuses

std::optional<Duration> retry_after(const net::ClientResponse& response) {
  const auto text = response.headers.get("Retry-After");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return Duration{std::min<std::int64_t>(seconds, 3600) * 1000};
}

/// What the server said, on one line.
std::string told(const net::ClientResponse& response) {
  auto text = response.body.substr(0, kToldBytes);
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 32 || c >= 127; }, ' ');
  return text.empty() ? "" : ": " + text;
}

class HttpPublisher : public QueuedPublisher {
 protected:
  HttpPublisher(const PublisherContext& context, const PartSettings& settings)
      : QueuedPublisher(context, {}),
        client_(context.loop, connect_options(context)),
        url_(settings.text("url")),
        shown_(net::parse_url(url_)->redacted()) {
    if (settings.has("token")) headers_.set("Authorization", "Bearer " + settings.text("token"));
  }

  void set_header(std::string name, std::string value) { headers_.set(std::move(name), std::move(value)); }
  void post(std::string body, Sent sent) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers = headers_;
    request.body = std::move(body);
    request.timeout = context().limits.timeout;
    request.max_response_bytes = 64 << 10;
    client_.send(std::move(request), [shown = shown_, sent = std::move(sent)](Result<net::ClientResponse> answer) {
      sent(outcome(shown, answer));
    });
  }

 private:
  static Outcome outcome(const std::string& shown, const Result<net::ClientResponse>& answer) {
    if (!answer) {
      auto error = answer.error();
      error.message = shown + ": " + error.message;
      return {.status = std::unexpected(std::move(error))};
    }
    if (answer->status / 100 == 2) return {};
    const bool later = answer->status / 100 == 5 || answer->status == 429 || answer->status == 408;
    return {.status = fail(later ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                           fmt::format("{} answered {}{}", shown, answer->status, told(*answer))),
            .permanent = !later,
            .retry_after = retry_after(*answer)};
  }

  net::HttpClient client_;
  const std::string url_;
  const std::string shown_;  ///< without what may be secret
  net::Headers headers_;
};

class HttpPost final : public HttpPublisher {
 public:
  HttpPost(const PublisherContext& context, const PartSettings& settings) : HttpPublisher(context, settings) {
    set_header("Content-Type", "application/x-ndjson");
  }

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    std::string body;
    for (const auto& item : items) body += json_line(context().who.sensor, item);
    post(std::move(body), std::move(sent));
  }
};

class RemoteWrite final : public HttpPublisher {
 public:
  RemoteWrite(const PublisherContext& context, const PartSettings& settings)
      : HttpPublisher(context, settings), metric_(settings.text("metric")) {
    set_header("Content-Type", "application/x-protobuf");
    set_header("Content-Encoding", "snappy");
    set_header("X-Prometheus-Remote-Write-Version", "0.1.0");
  }

  void publish(std::string_view stream, const Record& record) override {
    if (record.is_line()) {
      count_dropped(1);  // the protocol has no lines
      return;
    }
    QueuedPublisher::publish(stream, record);
  }

 private:
  void send(const std::vector<Item>& items, Sent sent) override {
    post(io::snappy_compress(remote_write_body(metric_, items)), std::move(sent));
  }
  const std::string metric_;
};

}  // namespace

MadePublisher make_http(const PartSettings& settings, const PublisherContext& context) {
  const bool post = settings.name() == "HTTPPost";
  if (!post && settings.name() != "RemoteWrite") return nullptr;
  const auto url = net::parse_url(settings.text("url"));
  if (!url) return settings.wrong("url", url.error().message);
  if (url->scheme != "http" && url->scheme != "https") return settings.wrong("url", "it is neither http nor https");
  if (!url->user.empty() || !url->password.empty())
    return settings.wrong("url", "it holds a user or password", "use the attribute token");
  if (post) return std::make_unique<HttpPost>(context, settings);
  return std::make_unique<RemoteWrite>(context, settings);
}

}  // namespace atalaya::sense::publish
