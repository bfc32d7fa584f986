#include "net/static_files.h"

#include <openssl/sha.h>

#include "base/bytes.h"
#include "base/check.h"
#include "net/response_writer.h"

namespace atalaya::net {
namespace {

std::string etag_of(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return "\"" + base64url_encode({reinterpret_cast<const char*>(digest), 12}) + "\"";
}

/// Weak comparison (RFC 9110 §13.1.2) of `etag` with each of a list.
bool matches(std::string_view if_none_match, std::string_view etag) {
  if (etag.empty()) return false;
  while (!if_none_match.empty()) {
    const auto comma = if_none_match.find(',');
    auto item = if_none_match.substr(0, comma);
    if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size() : comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == etag) return true;
  }
  return false;
}

}  // namespace

StaticFiles::StaticFiles(std::map<std::string, StaticFile> files, std::string index) : index_(std::move(index)) {
  for (auto& [path, file] : files) {
    AT_CHECK(path.starts_with('/'));
    Entry entry{file, etag_of(file.bytes), file.gzip_bytes.empty() ? std::string() : etag_of(file.gzip_bytes)};
    files_.emplace(path, std::move(entry));
  }
  AT_CHECK(index_.empty() || files_.contains(index_));
}

const StaticFiles::Entry* StaticFiles::find(const Request& request) const {
  if (const auto it = files_.find(request.path); it != files_.end()) return &it->second;
  if (index_.empty()) return nullptr;
  const auto last = request.path.substr(request.path.rfind('/') + 1);
  const bool page =
      last.find('.') == std::string::npos && request.headers.get("Accept").find("text/html") != std::string_view::npos;
  return page || request.path == "/" ? &files_.find(index_)->second : nullptr;
}

Response StaticFiles::answer(const Request& request) const {
  const auto* entry = find(request);
  if (!entry) return Response::error(Error{ErrorCode::kNotFound, "no such address: " + request.path, {}, {}});
  const auto& file = entry->file;
  const bool gzipped = !file.gzip_bytes.empty() && accepts_gzip(request.headers.get("Accept-Encoding"));
  Response response;
  response.headers.add("ETag", gzipped ? entry->gzip_etag : entry->etag);
  response.headers.add("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (!file.gzip_bytes.empty()) response.headers.add("Vary", "Accept-Encoding");
  const auto if_none_match = request.headers.get("If-None-Match");
  if (matches(if_none_match, entry->etag) || matches(if_none_match, entry->gzip_etag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", file.content_type);
  if (gzipped) response.headers.add("Content-Encoding", "gzip");
  response.static_body = gzipped ? file.gzip_bytes : file.bytes;
  return response;
}

Handler StaticFiles::handler() const {
  return [this](const Request& request, const Respond& respond) { respond(answer(request)); };
}

}  // namespace atalaya::net
