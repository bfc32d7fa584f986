// What can go wrong outside of us, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atalaya {

/// One table (`error.cc`) maps each code to an HTTP status, to Prometheus' `errorType` and to an
/// exit code, so that every door answers the same way.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< the request or file is wrong; repeating it will not help
  kNotFound,
  kAlreadyExists,
  kUnauthenticated,  ///< no credential, or one that does not hold
  kPermissionDenied,
  kResourceExhausted,  ///< a limit, quota or queue bound was hit
  kTooLarge,           ///< the body or item exceeds its bound
  kUnprocessable,      ///< well formed, but not something this version can execute
  kDeadlineExceeded,
  kCancelled,
  kUnavailable,  ///< try again later
  kCorruption,   ///< stored bytes do not match their checksum or format
  kConflict,     ///< somebody else changed it first
  kInternal,
};

/// A place in a text that a person wrote. Lines and columns count from 1; 0 means unknown.
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const Place&) const = default;
};

/// `file:line:column`, leaving out what is unknown.
std::string to_string(const Place& place);

/// An error names the thing and the numbers (`segment 000012, offset 8192: crc 1a2b, stored 3c4d`)
/// and, where a person can act on it, the remedy. Handle it or return it; never log *and* return.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::optional<Place> place;
  std::string remedy;

  bool operator==(const Error&) const = default;
};

/// `place: message (remedy)`: one line for a terminal or a log.
std::string to_string(const Error& error);

/// Lower-case name with underscores, e.g. `invalid_argument`.
std::string_view name(ErrorCode code);
int http_status(ErrorCode code);
/// Prometheus' `errorType`: bad_data, execution, timeout, canceled, unavailable, not_found, internal …
std::string_view prometheus_error_type(ErrorCode code);
/// 0 ok, 1 error, 2 usage.
int exit_code(ErrorCode code);

}  // namespace atalaya
