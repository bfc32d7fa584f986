#include "api/remote_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace atalaya::api {
namespace {

using ingest::RemoteWriteVersion;
using ingest::RemoteWritten;

constexpr std::uint64_t kMaxBody = 32 << 20;
constexpr std::string_view kMediaType = "application/x-protobuf";
constexpr std::string_view kProtoV1 = "prometheus.WriteRequest";
constexpr std::string_view kProtoV2 = "io.prometheus.write.v2.Request";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::unexpected<Error> unsupported(std::string_view what, std::string_view given) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} \"{}\" is not taken here", what, given.substr(0, 200)),
              fmt::format("send {} or {};proto={}, in snappy's block format", kMediaType, kMediaType, kProtoV2));
}

/// As Prometheus does, takes a request without a type for one of 1.0.
Result<RemoteWriteVersion> version_of(std::string_view content_type) {
  if (trimmed(content_type).empty()) return RemoteWriteVersion::kV1;
  auto left = content_type;
  const auto next = [&left] {
    const auto end = left.find(';');
    const auto part = trimmed(left.substr(0, end));
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    return part;
  };
  if (lower(next()) != kMediaType) return unsupported("Content-Type", content_type);
  while (!left.empty()) {
    const auto parameter = next();
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || lower(trimmed(parameter.substr(0, equals))) != "proto") continue;
    auto value = trimmed(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (value == kProtoV1) return RemoteWriteVersion::kV1;
    if (value == kProtoV2) return RemoteWriteVersion::kV2;
    return unsupported("Content-Type", content_type);
  }
  return RemoteWriteVersion::kV1;
}

Status check_encoding(std::string_view encoding) {
  if (encoding.empty() || lower(trimmed(encoding)) == "snappy") return {};
  return unsupported("Content-Encoding", encoding);
}

net::Response with_status(const Error& error, int status) {
  auto response = net::Response::error(error);
  response.status = status;
  return response;
}

/// 2.0 is told on every answer what was written, an error included.
net::Response told(net::Response response, RemoteWriteVersion version, std::uint64_t samples,
                   std::uint64_t exemplars = 0) {
  if (version == RemoteWriteVersion::kV1) return response;
  response.headers.set("X-Prometheus-Remote-Write-Samples-Written", std::to_string(samples));
  response.headers.set("X-Prometheus-Remote-Write-Histograms-Written", "0");
  response.headers.set("X-Prometheus-Remote-Write-Exemplars-Written", std::to_string(exemplars));
  return response;
}

net::Response refused(const Error& error) {
  auto response = net::Response::error(error);
  if (response.status == 429) response.headers.set("Retry-After", "1");
  if (response.status == 503) response.headers.set("Retry-After", "5");
  return response;
}

net::Response answer(const RemoteWritten& written) {
  if (written.refused() == 0) return net::Response::empty(204);
  return net::Response::error(Error{ErrorCode::kInvalidArgument, written.to_string(), std::nullopt, {}});
}

void write(ingest::RemoteWriter& writer, const auth::Principal& who, const net::Request& request,
           net::Respond respond) {
  // The doors have looked at it where there is a credential to compare it with.
  const auto named = trimmed(request.headers.get("X-Scope-OrgID"));
  if (!named.empty() && named != who.tenant.value()) {
    return respond(net::Response::error(Error{ErrorCode::kPermissionDenied,
                                              "X-Scope-OrgID names another tenant than the credential", std::nullopt,
                                              "leave the header out"}));
  }
  const auto version = version_of(request.headers.get("Content-Type"));
  if (!version) return respond(with_status(version.error(), 415));
  if (auto good = check_encoding(request.headers.get("Content-Encoding")); !good) {
    return respond(told(with_status(good.error(), 415), *version, 0));
  }
  writer.write(who.tenant, *version, request.body,
               [version = *version, respond = std::move(respond)](const Result<RemoteWritten>& written) {
                 respond(written ? told(answer(*written), version, written->samples, written->exemplars_kept)
                                 : told(refused(written.error()), version, 0));
               });
}

}  // namespace

void add_remote_write_routes(Doors& doors, ingest::RemoteWriter& writer, net::WorkerPool& workers) {
  doors.add_later("POST", "/api/v1/write", Need::kIngest,
                  [&writer](const auth::Principal& who, net::Request& request, net::Respond respond) {
                    write(writer, who, request, std::move(respond));
                  },
                  {.max_body_bytes = kMaxBody, .workers = &workers});
}

}  // namespace atalaya::api
