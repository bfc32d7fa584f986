// Result<T>: a value or an Error. g++ 12 has std::expected without its monadic members; AT_TRY
// carries errors outwards instead.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/error.h"

namespace atalaya {

template <typename T>
using Result = std::expected<T, Error>;
/// A Result without a value.
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string remedy = {}) {
  return std::unexpected(Error{code, std::move(message), std::nullopt, std::move(remedy)});
}
inline std::unexpected<Error> fail(ErrorCode code, Place place, std::string message, std::string remedy = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(place), std::move(remedy)});
}
/// Puts `what` before the message, keeping code, place and remedy.
inline std::unexpected<Error> fail_within(std::string what, Error error) {
  error.message = std::move(what) + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace atalaya

#define AT_CONCAT_INNER(a, b) a##b
#define AT_CONCAT(a, b) AT_CONCAT_INNER(a, b)

/// `AT_TRY(auto x, f());` declares x from a Result or returns its error; `AT_TRY(g());` takes a Status.
#define AT_TRY(...) AT_TRY_PICK(__VA_ARGS__, AT_TRY_VALUE, AT_TRY_STATUS)(__VA_ARGS__)
#define AT_TRY_PICK(a, b, pick, ...) pick
#define AT_TRY_STATUS(expression) \
  if (auto at_status = (expression); !at_status) return std::unexpected(std::move(at_status).error())
#define AT_TRY_VALUE(declaration, expression) \
  AT_TRY_VALUE_NAMED(AT_CONCAT(at_result_, __LINE__), declaration, expression)
#define AT_TRY_VALUE_NAMED(name, declaration, expression)     \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = std::move(*name)
