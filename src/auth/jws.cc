#include "auth/jws.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "auth/jwk.h"
#include "auth/jws_algorithm.h"
#include "auth/jwt.h"
#include "auth/strict_json.h"
#include "base/bytes.h"

namespace atalaya::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSignatures = 16;

std::unexpected<Error> refuse(std::string why) { return fail(ErrorCode::kUnauthenticated, std::move(why)); }

/// One signature with the header that belongs to it; the parts still encoded.
struct Signed {
  std::string protected_header;
  json::object unprotected;
  std::string payload;
  std::string signature;
};

Result<Signed> split_compact(std::string_view token) {
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last || token.substr(first + 1, last - first - 1).contains('.')) {
    return refuse("the token does not have three parts");
  }
  return Signed{std::string(token.substr(0, first)),
                {},
                std::string(token.substr(first + 1, last - first - 1)),
                std::string(token.substr(last + 1))};
}

// Absent is "".
Result<std::string> text(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return refuse(fmt::format("'{}' of the token is not a text", name));
  return std::string(value->get_string());
}

Result<Signed> read_signature(const json::object& object, const std::string& payload) {
  Signed result;
  result.payload = payload;
  AT_TRY(result.protected_header, text(object, "protected"));
  AT_TRY(result.signature, text(object, "signature"));
  if (const auto* header = object.if_contains("header")) {
    if (!header->is_object()) return refuse("'header' of the token is not an object");
    result.unprotected = header->get_object();
  }
  return result;
}

// RFC 7515 §7.2.1 and §7.2.2.
Result<std::vector<Signed>> split_json(std::string_view token) {
  auto value = parse_strict_json(token);
  if (!value || !value->is_object()) return refuse("the token is neither compact nor a JSON object");
  const auto& object = value->get_object();
  const auto* payload = object.if_contains("payload");
  if (payload == nullptr || !payload->is_string()) return refuse("the token has no payload");
  const std::string encoded(payload->get_string());
  std::vector<Signed> result;
  const auto* list = object.if_contains("signatures");
  if (list == nullptr) {
    AT_TRY(auto only, read_signature(object, encoded));
    result.push_back(std::move(only));
    return result;
  }
  if (object.contains("signature") || object.contains("protected") || object.contains("header")) {
    return refuse("the token mixes the flattened and the general form");
  }
  if (!list->is_array() || list->get_array().empty() || list->get_array().size() > kMaxSignatures) {
    return refuse(fmt::format("'signatures' of the token is not a list of 1 to {}", kMaxSignatures));
  }
  for (const auto& entry : list->get_array()) {
    if (!entry.is_object()) return refuse("a signature of the token is not an object");
    AT_TRY(auto one, read_signature(entry.get_object(), encoded));
    result.push_back(std::move(one));
  }
  return result;
}

struct Header {
  const JwsAlgorithm* algorithm = nullptr;
  std::string alg;
  std::string kid;
};

Result<Header> read_header(const Signed& part) {
  json::object members = part.unprotected;
  if (!part.protected_header.empty()) {
    const auto decoded = base64url_decode(part.protected_header);
    if (!decoded) return refuse("the header is not base64url");
    auto value = parse_strict_json(*decoded);
    if (!value) return refuse("the header: " + value.error().message);
    if (!value->is_object()) return refuse("the header is not a JSON object");
    for (auto& [name, member] : value->get_object()) {
      if (!members.emplace(name, member).second) return refuse("the header is given twice, protected and unprotected");
    }
  }
  // We know no extension, and `crit` says that the token must not be used then (RFC 7515 §4.1.11).
  if (members.contains("crit")) return refuse("the header has critical extensions ('crit')");
  if (members.contains("b64")) return refuse("the header asks for an unencoded payload ('b64')");
  Header header;
  AT_TRY(header.alg, text(members, "alg"));
  AT_TRY(header.kid, text(members, "kid"));
  header.algorithm = find_algorithm(header.alg);
  if (header.algorithm == nullptr) {
    return refuse(fmt::format("the algorithm '{}' is not accepted", header.alg.substr(0, 32)));
  }
  return header;
}

std::vector<const Jwk*> candidates(const std::vector<Jwk>& keys, const std::string& kid) {
  std::vector<const Jwk*> result;
  for (const auto& key : keys) {
    if (kid.empty() || key.kid == kid) result.push_back(&key);
  }
  if (!result.empty()) return result;
  for (const auto& key : keys) {
    if (key.kid.empty()) result.push_back(&key);
  }
  return result;
}

enum class Found { kNoKey, kVerified };

/// The last error, if there are keys for it and none of them verifies the signature.
Result<Found> check_signature(const std::vector<Jwk>& keys, const Header& header, const Signed& part) {
  const auto signature = base64url_decode(part.signature);
  if (!signature) return refuse("the signature is not base64url");
  const auto message = part.protected_header + '.' + part.payload;
  std::optional<Error> error;
  for (const auto* key : candidates(keys, header.kid)) {
    if (!suits(*header.algorithm, *key)) continue;
    auto read = material(*key);
    const auto status =
        read ? verify(*header.algorithm, *read, message, *signature) : Status(std::unexpected(std::move(read).error()));
    if (status) return Found::kVerified;
    error = status.error();
  }
  if (error) return std::unexpected(*error);
  return Found::kNoKey;
}

Result<std::optional<double>> number(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return refuse(fmt::format("the signature holds, but '{}' is not a number", name));
  return value->to_number<double>();
}

Status check_claims(const std::string& payload, Time now) {
  json::error_code error;
  const auto lax = json::parse(payload, error);
  if (error || !lax.is_object()) return {};
  // Of two `exp` in one object each reader would take another.
  const auto value = parse_strict_json(payload);
  if (!value) return refuse("the signature holds, but the payload: " + value.error().message);
  const double seconds = to_seconds(now);
  const double leeway = to_seconds(kLeeway);
  AT_TRY(const auto expires, number(value->get_object(), "exp"));
  if (expires && !(seconds < *expires + leeway)) {
    return refuse(fmt::format("the signature holds, but the token expired at {} (Unix time)", std::floor(*expires)));
  }
  AT_TRY(const auto not_before, number(value->get_object(), "nbf"));
  if (not_before && !(seconds >= *not_before - leeway)) {
    return refuse(fmt::format("the signature holds, but the token is valid from {} (Unix time)", *not_before));
  }
  return {};
}

}  // namespace

Result<JudgedToken> judge_token(std::string_view jwks, std::string_view token, std::optional<Time> now) {
  if (jwks.size() > kMaxJwksBytes) return fail(ErrorCode::kInvalidArgument, "the keys are larger than 1 MiB");
  if (token.size() > kMaxJwsBytes) return refuse("the token is larger than 1 MiB");
  AT_TRY(const auto keys, parse_jwk_set(jwks));
  std::vector<Signed> parts;
  if (token.starts_with('{')) {
    AT_TRY(parts, split_json(token));
  } else {
    AT_TRY(auto only, split_compact(token));
    parts.push_back(std::move(only));
  }
  std::optional<JudgedToken> judged;
  for (const auto& part : parts) {
    AT_TRY(auto header, read_header(part));
    AT_TRY(const auto found, check_signature(keys, header, part));
    if (found == Found::kVerified && !judged) judged = JudgedToken{header.alg, header.kid, {}};
  }
  if (!judged) return refuse("none of the keys is for this token (kid, algorithm)");
  auto payload = base64url_decode(parts.front().payload);
  if (!payload) return refuse("the payload is not base64url");
  judged->payload = std::move(*payload);
  if (now) AT_TRY(check_claims(judged->payload, *now));
  return std::move(*judged);
}

}  // namespace atalaya::auth
