#include "auth/jwt.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/bytes.h"

namespace atalaya::auth {
namespace {

namespace json = boost::json;

constexpr std::string_view kIssuer = "atalaya";
constexpr std::size_t kMaxToken = 8192;
constexpr std::int64_t kMaxSeconds = 253402300799;  // the end of the year 9999

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::kUnauthenticated, std::move(message), "sign in again, or create a new token");
}

std::string text(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// kMinTime if the claim is absent or no whole number of seconds in range.
Time time(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64()) return kMinTime;
  const auto seconds = value->get_int64();
  return seconds < 0 || seconds > kMaxSeconds ? kMinTime : from_ms(seconds * 1000);
}

std::int64_t seconds(Time time) { return to_ms(time) / 1000; }

std::string_view audience_of(Kind kind) { return kind == Kind::kPage ? kPageAudience : kAudience; }

Result<Principal> read_claims(const json::object& claims, std::string_view audience) {
  if (text(claims, "iss") != kIssuer || text(claims, "aud") != audience)
    return refuse("the token is for another service");
  Principal principal;
  principal.tenant = TenantId{text(claims, "tenant")};
  principal.subject = text(claims, "sub");
  principal.name = text(claims, "name");
  principal.jti = text(claims, "jti");
  principal.session = text(claims, "sid");
  const auto kind = parse_kind(text(claims, "kind"));
  const auto role = parse_role(text(claims, "role"));
  if (!kind || !is_valid(principal.tenant) || principal.subject.empty() || principal.jti.empty()) {
    return refuse("the token lacks a claim");
  }
  if (audience_of(*kind) != audience) return refuse("the token is for another service");
  principal.kind = *kind;
  // Only an agent's token has no role.
  if (role.has_value() == (principal.kind == Kind::kAgent)) return refuse("the token has a wrong role");
  principal.role = role.value_or(Role::kNone);
  const auto issued = time(claims, "iat");
  const auto not_before = time(claims, "nbf");
  principal.expires = time(claims, "exp");
  if (issued == kMinTime || not_before == kMinTime || principal.expires == kMinTime) {
    return refuse("the token lacks a time");
  }
  principal.issued = std::max(issued, not_before);
  return principal;
}

}  // namespace

Status check_times(const Principal& principal, Time now) {
  if (now >= principal.expires + kLeeway) return refuse("the token has expired");
  if (now < principal.issued - kLeeway) return refuse("the token is not valid yet");
  return {};
}

Jwt::Jwt(SigningKey key)
    : key_(std::move(key)),
      header_(base64url_encode(fmt::format(R"({{"alg":"ES256","kid":"{}","typ":"JWT"}})", key_.kid()))) {}

std::string Jwt::mint(const Principal& principal) const {
  json::object claims{{"iss", kIssuer},
                      {"aud", audience_of(principal.kind)},
                      {"sub", principal.subject},
                      {"name", principal.name},
                      {"tenant", principal.tenant.value()},
                      {"kind", name(principal.kind)},
                      {"jti", principal.jti},
                      {"iat", seconds(principal.issued)},
                      {"nbf", seconds(principal.issued)},
                      {"exp", seconds(principal.expires)}};
  if (principal.role != Role::kNone) claims["role"] = name(principal.role);
  if (!principal.session.empty()) claims["sid"] = principal.session;
  const auto message = header_ + '.' + base64url_encode(json::serialize(claims));
  return message + '.' + base64url_encode(key_.sign(message));
}

Result<Principal> Jwt::verify(std::string_view token, Time now, std::string_view audience) const {
  if (token.size() > kMaxToken) return refuse("the token is too long");
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return refuse("the credential is not a token of this server");
  if (token.substr(0, first) != header_) return refuse("the token was not made by this server");
  const auto signature = base64url_decode(token.substr(last + 1));
  if (!signature || !key_.verify(token.substr(0, last), *signature)) return refuse("the token's signature is wrong");

  // From here on the text is our own.
  const auto payload = base64url_decode(token.substr(first + 1, last - first - 1));
  if (!payload) return refuse("the token's payload is not base64url");
  boost::system::error_code error;
  const auto value = json::parse(*payload, error);
  if (error || !value.is_object()) return refuse("the token's payload is not a JSON object");
  AT_TRY(auto principal, read_claims(value.get_object(), audience));
  AT_TRY(check_times(principal, now));
  return principal;
}

}  // namespace atalaya::auth
