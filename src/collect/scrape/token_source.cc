#include "collect/scrape/token_source.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <strings.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "collect/scrape/fetch.h"
#include "collect/utf8.h"
#include "net/percent.h"
#include "net/url.h"

namespace atalaya::collect::scrape {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMostSecretBytes = 64 << 10;
constexpr std::uint64_t kMostTokenBytes = 1 << 20;
constexpr std::size_t kMostReasonBytes = 200;
constexpr Duration kBeforeItsEnd{std::chrono::seconds{10}};
constexpr std::int64_t kLongestSeconds = 100LL * 365 * 24 * 3600;

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<Duration> lifetime_of(const json::object& object) {
  const auto* value = object.if_contains("expires_in");
  if (value == nullptr) return std::nullopt;
  std::int64_t seconds = 0;
  if (value->is_int64()) seconds = value->get_int64();
  if (value->is_string()) {
    const auto number = parse_duration(std::string(value->get_string()) + "s");
    if (number) seconds = number->count() / 1000;
  }
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds{std::min(seconds, kLongestSeconds)};
}

bool fits_a_header(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Result<std::string> read_secret(io::FileSystem& files, const Secret& secret) {
  if (secret.file.empty()) return secret.text;
  AT_TRY(auto text, io::read_file(files, secret.file, kMostSecretBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

Result<Token> read_token(int status, std::string_view body) {
  boost::system::error_code error;
  const auto value = json::parse({body.data(), body.size()}, error);
  const auto* object = error ? nullptr : value.if_object();
  if (status / 100 != 2 || object == nullptr) {
    auto reason = object == nullptr ? std::string() : text_of(*object, "error");
    if (object != nullptr && !text_of(*object, "error_description").empty())
      reason += ": " + text_of(*object, "error_description");
    reason.resize(std::min(reason.size(), kMostReasonBytes));
    return fail(ErrorCode::kUnavailable, fmt::format("oauth2: no token, HTTP status {}{}{}", status,
                                                     reason.empty() ? "" : ", ", to_utf8(reason)));
  }
  const auto token = text_of(*object, "access_token");
  auto type = text_of(*object, "token_type");
  if (type.empty() || strcasecmp(type.c_str(), "bearer") == 0) type = "Bearer";
  if (!fits_a_header(token) || !fits_a_header(type))
    return fail(ErrorCode::kUnavailable, "oauth2: the answer holds no access_token");
  return Token{type + " " + token, lifetime_of(*object)};
}

struct TokenSource::Impl : std::enable_shared_from_this<TokenSource::Impl> {
  Impl(net::EventLoop& loop, io::FileSystem& f, const Clock& c, OAuth2 s)
      : files(f), clock(c), settings(std::move(s)), client(loop, options(settings)) {}

  static net::ConnectOptions options(const OAuth2& settings) {
    const auto url = net::parse_url(settings.token_url);
    const bool directly = url && goes_directly(settings.no_proxy, url->host);
    return {.tls = settings.tls, .proxy = directly ? std::string() : settings.proxy};
  }

  void ask(Duration timeout) {
    const auto secret = read_secret(files, settings.client_secret);
    if (!secret) return tell(std::unexpected(secret.error()));
    net::ClientRequest request;
    request.method = "POST";
    request.url = settings.token_url;
    request.timeout = timeout;
    request.max_response_bytes = kMostTokenBytes;
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.headers.set("Accept", "application/json");
    request.body = "grant_type=client_credentials";
    const auto add = [&](std::string_view name, std::string_view value) {
      request.body += "&" + net::percent_encode(name) + "=" + net::percent_encode(value);
    };
    if (!settings.scopes.empty()) add("scope", fmt::format("{}", fmt::join(settings.scopes, " ")));
    for (const auto& [name, value] : settings.params) add(name, value);
    if (in_body) {
      add("client_id", settings.client_id);
      if (!secret->empty()) add("client_secret", *secret);
    } else {
      request.headers.set("Authorization", "Basic " + base64_encode(net::percent_encode(settings.client_id) + ":" +
                                                                    net::percent_encode(*secret)));
    }
    client.send(std::move(request), [weak = weak_from_this(), until = clock.steady() + timeout](auto response) {
      if (const auto self = weak.lock()) self->received(until, std::move(response));
    });
  }

  void received(Steady until, Result<net::ClientResponse> response) {
    if (!response) return tell(fail_within("oauth2", std::move(response).error()));
    auto read = read_token(response->status, response->body);
    const auto left = std::chrono::duration_cast<Duration>(until - clock.steady());
    if (!read && !in_body && !knows_how && left > Duration{0}) {
      in_body = true;
      first_refusal = read.error();
      return ask(left);
    }
    if (!read) {
      if (!knows_how) in_body = false;
      return tell(std::unexpected(first_refusal.value_or(read.error())));
    }
    knows_how = true;
    token = read->header;
    ends.reset();
    if (read->lifetime) ends = clock.steady() + std::max(*read->lifetime - kBeforeItsEnd, Duration{0});
    tell(token);
  }

  void tell(const Result<std::string>& result) {
    first_refusal.reset();
    for (const auto& done : std::exchange(waiting, {})) done(result);
  }

  io::FileSystem& files;
  const Clock& clock;
  const OAuth2 settings;
  net::HttpClient client;
  std::string token;
  std::optional<Steady> ends;
  bool in_body = false;
  bool knows_how = false;
  std::optional<Error> first_refusal;
  std::vector<Done> waiting;
};

TokenSource::TokenSource(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, OAuth2 settings)
    : impl_(std::make_shared<Impl>(loop, files, clock, std::move(settings))) {}
TokenSource::~TokenSource() = default;

void TokenSource::get(Duration timeout, Done done) {
  if (!impl_->token.empty() && (!impl_->ends || impl_->clock.steady() < *impl_->ends)) return done(impl_->token);
  impl_->waiting.push_back(std::move(done));
  if (impl_->waiting.size() == 1) impl_->ask(timeout);
}

void TokenSource::forget() { impl_->token.clear(); }

}  // namespace atalaya::collect::scrape
