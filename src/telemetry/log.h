// Structured logs of the program itself: one line a event, `logfmt` or JSON, to standard error.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atalaya::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// A key and its value, already text. Secrets never become fields.
struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  template <typename T>
    requires(!std::convertible_to<T, std::string_view>)
  Field(std::string_view k, const T& v) : key(k), value(fmt::to_string(v)) {}
};

Result<Level> parse_level(std::string_view text);
/// Takes one finished line, with its line end, under a lock.
using LineWriter = std::function<void(std::string_view)>;
/// Before the first thread starts. Lines go to standard error unless `write` is given.
void configure_log(Level level, LogFormat format, LineWriter write = {});
bool enabled(Level level);

/// `component` is the library's name. Thread-safe.
void log(Level level, std::string_view component, std::string_view message, std::initializer_list<Field> fields = {});
inline void log_debug(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  if (enabled(Level::kDebug)) log(Level::kDebug, c, m, f);
}
inline void log_info(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kInfo, c, m, f);
}
inline void log_warn(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kWarn, c, m, f);
}
inline void log_error(std::string_view c, std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kError, c, m, f);
}

}  // namespace atalaya::telemetry
