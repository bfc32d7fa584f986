#include "auth/credentials.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace atalaya::auth {
namespace {

// A credential is a JWT of ours: a few hundred bytes.
constexpr std::size_t kMaxToken = 8192;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kUnauthenticated, std::move(message), "send 'Authorization: Bearer <token>'");
}

Result<std::string> bounded(std::string_view token) {
  if (token.empty()) return wrong("the credential is empty");
  if (token.size() > kMaxToken) return wrong(fmt::format("the credential is longer than {} bytes", kMaxToken));
  return std::string(token);
}

// `user:T`, of which the user name is ignored: tools that know only Basic can carry a token.
Result<std::string> from_basic(std::string_view encoded) {
  while (!encoded.empty() && encoded.back() == '=') encoded.remove_suffix(1);
  std::string padded(encoded);
  padded.append((4 - padded.size() % 4) % 4, '=');
  auto decoded = base64_decode(padded);
  if (!decoded) return wrong("the Basic credential is not base64");
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return wrong("the Basic credential has no ':'");
  return bounded(std::string_view(*decoded).substr(colon + 1));
}

Result<std::string> from_authorization(std::string_view value) {
  const auto space = value.find(' ');
  if (space == std::string_view::npos) return wrong("the Authorization header has no scheme");
  const auto scheme = value.substr(0, space);
  const auto rest = trim(value.substr(space + 1));
  if (equal_ignoring_case(scheme, "basic")) return from_basic(rest);
  for (const std::string_view known : {"bearer", "key", "token"}) {
    if (equal_ignoring_case(scheme, known)) return bounded(rest);
  }
  return wrong("the scheme of the Authorization header is not one of Bearer, Basic, Key and Token");
}

}  // namespace

Result<std::string> extract_token(const RequestView& request) {
  if (const auto value = trim(request.header("authorization")); !value.empty()) return from_authorization(value);
  if (const auto value = trim(request.header("x-api-key")); !value.empty()) return bounded(value);
  if (const auto value = request.query("api-key"); !value.empty()) return bounded(value);
  return wrong("this needs a credential");
}

Status check_tenant_header(const RequestView& request, const Principal& principal) {
  const auto named = trim(request.header("x-scope-orgid"));
  if (named.empty() || named == principal.tenant.value()) return {};
  return fail(ErrorCode::kPermissionDenied, "X-Scope-OrgID names another tenant than the credential",
              "leave the header out");
}

}  // namespace atalaya::auth
