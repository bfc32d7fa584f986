#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "base/bytes.h"
#include "base/time.h"

namespace atalaya::telemetry {
namespace {

/// Hands finished lines to standard error (or a test) one at a time: a line is one write, so lines
/// of several threads and processes never mix.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(LineWriter write) : write_(std::move(write)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  const LineWriter write_;
};

void write_to_standard_error(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written <= 0) return;  // nobody to tell
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct Setup {
  std::atomic<Level> level{Level::kInfo};
  LogFormat format = LogFormat::kLogfmt;
  std::shared_ptr<spdlog::logger> logger;

  Setup() { use({}); }
  void use(LineWriter write) {
    if (!write) write = write_to_standard_error;
    logger = std::make_shared<spdlog::logger>("atalaya", std::make_shared<LineSink>(std::move(write)));
    logger->set_level(spdlog::level::trace);
  }
};

Setup& setup() {
  static Setup instance;
  return instance;
}

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};

/// Escapes what would end a quoted text or a line; also makes terminal control bytes harmless.
void put_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

/// File names and answers of others may be any bytes; a log is UTF-8.
std::string clean(std::string_view text) {
  std::string out(text);
  if (is_utf8(text)) return out;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
  }
  return true;
}

void put(std::string& line, LogFormat format, std::string_view key, std::string_view text) {
  const auto value = clean(text);
  if (format == LogFormat::kJson) {
    line += line.empty() ? '{' : ',';
    put_quoted(line, key);
    line += ':';
    put_quoted(line, value);
    return;
  }
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  if (is_plain(value)) {
    line += value;
  } else {
    put_quoted(line, value);
  }
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  for (int i = 0; i < 4; ++i) {
    if (kNames[i] == text) return static_cast<Level>(i);
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a log level", text.substr(0, 64)),
              "write debug, info, warn or error");
}

void configure_log(Level level, LogFormat format, LineWriter write) {
  setup().level = level;
  setup().format = format;
  setup().use(std::move(write));
}

bool enabled(Level level) { return level >= setup().level.load(std::memory_order_relaxed); }

void log(Level level, std::string_view component, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const auto format = setup().format;
  std::string line;
  put(line, format, "time", format_rfc3339(SystemClock{}.now()));
  put(line, format, "level", kNames[static_cast<int>(level)]);
  put(line, format, "component", component);
  put(line, format, "msg", message);
  for (const auto& field : fields) put(line, format, field.key, field.value);
  line += format == LogFormat::kJson ? "}\n" : "\n";
  setup().logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace atalaya::telemetry
