#include "app/server_client.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "api/doors.h"
#include "api/series_transfer.h"
#include "app/server_file.h"
#include "auth/folder_token.h"
#include "base/time.h"
#include "net/curl/http_client.h"
#include "net/percent.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMostBytes = 64 << 20;
constexpr Duration kPatience = std::chrono::minutes{2};  // a change may compile and judge much

/// The name under which histories and logs keep what the command does.
std::string person() {
  const auto* entry = getpwuid(geteuid());
  return fmt::format("{} at the command line", entry == nullptr ? std::to_string(geteuid()) : entry->pw_name);
}

Result<std::string> minute_token(const config::Options& options) {
  const auto files = io::real_file_system();
  return auth::folder_token(*files, SystemClock().now(), options.text("data"), TenantId{options.text("tenant")},
                            person());
}

/// `attachment; filename="host-1.0.0.atpkg"`
std::string attachment(std::string_view header) {
  constexpr std::string_view kKey = "filename=\"";
  const auto begin = header.find(kKey);
  if (begin == std::string_view::npos) return {};
  const auto rest = header.substr(begin + kKey.size());
  std::string name(rest.substr(0, rest.find('"')));
  return name.find('/') == std::string::npos ? name : std::string();
}

/// Of a page of an export.
void read_incomplete(const net::curl::HttpResponse& response, Answer& answer) {
  answer.buckets_until = response.header(api::kBucketsUntil);
  const std::string count(response.header(api::kIncomplete));
  std::from_chars(count.data(), count.data() + count.size(), answer.incomplete);
  for (std::string_view rest = response.header(api::kIncompleteSeries); !rest.empty();) {
    const auto size = std::min(rest.find(','), rest.size());
    if (auto name = net::percent_decode(rest.substr(0, size))) answer.incomplete_series.push_back(std::move(*name));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
}

}  // namespace

const json::object& Answer::object() const {
  static const json::object kNone;
  return json.is_object() ? json.get_object() : kNone;
}

std::unexpected<Error> Answer::refusal(const std::string& before) const {
  const auto text = [&](std::string_view key) {
    const auto* const value = object().if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  const auto error = text("error");
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}the server answers {}: {}", before, status, error.empty() ? body : error), text("remedy"));
}

Result<ServerClient> ServerClient::reach(const config::Options& options) {
  auto url = options.text("server");
  auto token = options.text("token");
  if (url.empty()) {
    const auto files = io::real_file_system();
    AT_TRY(url, server_of_folder(*files, options.text("data")));
    if (token.empty()) {
      AT_TRY(token, minute_token(options));
    }
  }
  while (url.ends_with('/')) url.pop_back();
  return ServerClient(std::move(url), std::move(token), options.text("ca-file"));
}

Result<Answer> ServerClient::get(const std::string& path) const { return send("GET", path, {}, ""); }

Result<Answer> ServerClient::erase(const std::string& path) const { return send("DELETE", path, {}, ""); }

Result<Answer> ServerClient::post(const std::string& path, const json::value& body) const {
  return send("POST", path, json::serialize(body), "application/json");
}

Result<Answer> ServerClient::post_bytes(const std::string& path, std::string bytes, const char* type) const {
  return send("POST", path, std::move(bytes), type);
}

Result<Answer> ServerClient::send(const char* method, const std::string& path, std::string body,
                                  const char* type) const {
  net::curl::HttpRequest request;
  request.method = method;
  request.url = fmt::format("{}{}/{}", url_, api::kPrefix, path);
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  if (*type != '\0') request.headers.emplace_back("Content-Type", type);
  request.body = std::move(body);
  request.timeout = kPatience;
  request.max_response_bytes = kMostBytes;
  const net::curl::HttpClient client({.proxy = {}, .ca_file = ca_file_});
  auto response = client.send(request);
  if (!response) {
    auto error = std::move(response).error();
    if (error.code == ErrorCode::kUnavailable && error.remedy.empty()) {
      error.remedy = "is the server running? `atalaya up` starts one, --server URL names another";
    }
    return std::unexpected(std::move(error));
  }
  if (response->truncated) return fail(ErrorCode::kTooLarge, fmt::format("more than {} bytes came", kMostBytes));
  Answer answer{response->status,
                std::move(response->body),
                {},
                attachment(response->header("Content-Disposition")),
                std::string(response->header(api::kNextPage)),
                0,
                {}};
  read_incomplete(*response, answer);
  boost::system::error_code error;
  if (response->header("Content-Type").starts_with("application/json")) answer.json = json::parse(answer.body, error);
  if (answer.status == 401 && answer.json.is_object()) {
    answer.json.get_object()["remedy"] = "give --token or ATALAYA_TOKEN; `atalaya token create` makes one";
  }
  return answer;
}

std::string api_path(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += '/';
    out += net::percent_encode(part);
  }
  return out;
}

}  // namespace atalaya::app
