#include "base/error.h"

#include <array>

#include "base/check.h"

namespace atalaya {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  int http;
  std::string_view prometheus;
  int exit;
};

constexpr std::array kTable{
    Row{ErrorCode::kInvalidArgument, "invalid_argument", 400, "bad_data", 1},
    Row{ErrorCode::kNotFound, "not_found", 404, "not_found", 1},
    Row{ErrorCode::kAlreadyExists, "already_exists", 409, "bad_data", 1},
    Row{ErrorCode::kUnauthenticated, "unauthenticated", 401, "unauthorized", 1},
    Row{ErrorCode::kPermissionDenied, "permission_denied", 403, "forbidden", 1},
    Row{ErrorCode::kResourceExhausted, "resource_exhausted", 429, "unavailable", 1},
    Row{ErrorCode::kTooLarge, "too_large", 413, "bad_data", 1},
    Row{ErrorCode::kUnprocessable, "unprocessable", 422, "execution", 1},
    Row{ErrorCode::kDeadlineExceeded, "deadline_exceeded", 503, "timeout", 1},
    Row{ErrorCode::kCancelled, "cancelled", 503, "canceled", 1},
    Row{ErrorCode::kUnavailable, "unavailable", 503, "unavailable", 1},
    Row{ErrorCode::kCorruption, "corruption", 500, "internal", 1},
    Row{ErrorCode::kConflict, "conflict", 409, "bad_data", 1},
    Row{ErrorCode::kInternal, "internal", 500, "internal", 1},
};

const Row& row(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  AT_CHECK(index < kTable.size() && kTable[index].code == code);
  return kTable[index];
}

}  // namespace

std::string to_string(const Place& place) {
  std::string text = place.file;
  if (place.line == 0) return text;
  if (!text.empty()) text += ':';
  text += std::to_string(place.line);
  if (place.column != 0) text += ':' + std::to_string(place.column);
  return text;
}

std::string to_string(const Error& error) {
  std::string text;
  if (error.place) text = to_string(*error.place) + ": ";
  text += error.message;
  if (!error.remedy.empty()) text += " (" + error.remedy + ")";
  return text;
}

std::string_view name(ErrorCode code) { return row(code).name; }
int http_status(ErrorCode code) { return row(code).http; }
std::string_view prometheus_error_type(ErrorCode code) { return row(code).prometheus; }
int exit_code(ErrorCode code) { return row(code).exit; }

}  // namespace atalaya
