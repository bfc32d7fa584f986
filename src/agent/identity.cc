#include "agent/identity.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "net/event_loop.h"
#include "net/url.h"

namespace atalaya::agent {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string{value->get_string()} : std::string{};
}

Result<json::object> parse_object(const std::string& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) return fail(ErrorCode::kCorruption, "not a JSON object");
  return std::move(value.get_object());
}

/// `https://host:port` of what a person typed, with or without a path.
Result<std::string> server_origin(const std::string& text) {
  AT_TRY(const auto url, net::parse_url(text));
  if (url.scheme != "http" && url.scheme != "https")
    return fail(ErrorCode::kInvalidArgument, "the server's address begins with http:// or https://");
  return url.scheme + "://" + url.authority();
}

/// The server's own words about what was wrong, and its remedy if it has one.
Error refusal(const net::ClientResponse& answer, ErrorCode code, const std::string& server) {
  std::string message = fmt::format("status {}", answer.status);
  std::string remedy;
  if (const auto body = parse_object(answer.body)) {
    if (auto words = text_of(*body, "error"); !words.empty()) message = std::move(words);
    remedy = text_of(*body, "remedy");
  }
  if (remedy.empty()) remedy = "ask for a new token on the page Hosts";
  return fail(code, fmt::format("{} refuses the enrolment: {}", server, message), std::move(remedy)).error();
}

ErrorCode code_of(int status) {
  if (status == 401 || status == 403) return ErrorCode::kPermissionDenied;
  if (status == 409) return ErrorCode::kConflict;
  return status >= 500 || status == 429 ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument;
}

}  // namespace

std::string identity_path(const std::string& data_dir) { return data_dir + "/identity.json"; }

Result<Identity> load_identity(io::FileSystem& files, const std::string& data_dir) {
  const auto path = identity_path(data_dir);
  if (!files.exists(path))
    return fail(ErrorCode::kNotFound, fmt::format("{}: this agent is not enrolled", path),
                "run: atalaya-agent enroll --server URL --token TOKEN");
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("{} holds a secret and has mode {:o}", path, status.st_mode & 0777), "chmod 600 " + path);
  AT_TRY(const auto text, io::read_file(files, path, 1 << 20));
  const auto object = parse_object(text);
  if (!object)
    return fail(ErrorCode::kCorruption, path + ": " + object.error().message, "remove it and enrol this host again");
  Identity identity{text_of(*object, "server"), text_of(*object, "agent_id"), text_of(*object, "secret"),
                    text_of(*object, "tenant"), text_of(*object, "name"),     text_of(*object, "pinned_sha256")};
  if (identity.server.empty() || identity.agent_id.empty() || identity.secret.empty() || identity.name.empty())
    return fail(ErrorCode::kCorruption, path + " lacks server, agent_id, secret or name",
                "remove it and enrol this host again");
  return identity;
}

Status save_identity(io::FileSystem& files, const std::string& data_dir, const Identity& identity) {
  AT_TRY(files.create_directories(data_dir));
  const json::object object{{"server", identity.server}, {"agent_id", identity.agent_id},
                            {"secret", identity.secret}, {"tenant", identity.tenant},
                            {"name", identity.name},     {"pinned_sha256", identity.pinned_sha256}};
  // The file system makes every file with mode 0600.
  return io::write_file_atomically(files, identity_path(data_dir), json::serialize(object) + "\n");
}

Result<EnrolmentToken> parse_enrolment_token(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size())
    return fail(ErrorCode::kInvalidArgument, "this is no enrolment token: it has no part behind a dot",
                "copy the whole token from the page Hosts");
  const auto pin = text.substr(dot + 1);
  return EnrolmentToken{std::string{text}, pin == "-" ? std::string{} : std::string{pin}};
}

Result<Identity> enrol(const EnrolRequest& request) {
  AT_TRY(const auto token, parse_enrolment_token(request.token));
  AT_TRY(auto server, server_origin(request.server));
  const auto name = request.name.empty() ? host_name() : request.name;
  auto connect = request.connect;
  connect.tls.pinned_sha256 = token.pinned_sha256;

  net::EventLoop loop;
  net::HttpClient http(loop, connect);
  net::ClientRequest post;
  post.method = "POST";
  post.url = server + "/api/atalaya/v1/agents/enroll";
  post.headers.set("Content-Type", "application/json");
  json::object asked{{"token", token.text}, {"name", name}, {"version", request.version}};
  if (request.replace) asked["replace"] = true;
  post.body = json::serialize(asked);
  post.max_response_bytes = 64 << 10;
  Result<net::ClientResponse> answer = fail(ErrorCode::kInternal, "no answer");
  http.send(std::move(post), [&](Result<net::ClientResponse> result) {
    answer = std::move(result);
    loop.stop();
  });
  loop.run();
  if (!answer) return fail_within("enrolment at " + server, std::move(answer).error());
  if (answer->status != 200 && answer->status != 201)
    return std::unexpected(refusal(*answer, code_of(answer->status), server));
  AT_TRY(const auto body, parse_object(answer->body));
  Identity identity{
      std::move(server),  text_of(body, "agent_id"), text_of(body, "secret"), text_of(body, "tenant"), name,
      token.pinned_sha256};
  // The server may know the host under another name than the one asked for.
  if (const auto known = text_of(body, "name"); !known.empty()) identity.name = known;
  if (identity.agent_id.empty() || identity.secret.empty())
    return fail(ErrorCode::kUnavailable, server + " answered the enrolment without an identity");
  return identity;
}

}  // namespace atalaya::agent
