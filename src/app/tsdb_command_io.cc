#include "app/tsdb_command_io.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "api/series_transfer.h"
#include "app/server_client.h"
#include "base/time.h"
#include "ingest/prometheus_text.h"
#include "ingest/series_lines.h"
#include "io/file_system.h"
#include "net/percent.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kPage = 4 << 20;
constexpr std::size_t kShownErrors = 20;
constexpr std::size_t kPartSamples = 50'000;  ///< of a long line: far below kMaxImportBytes with any labels

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Result<File> open_file(const std::string& name, const char* mode) {
  if (name == "-") return File(*mode == 'r' ? stdin : stdout, [](std::FILE*) { return 0; });
  File file(std::fopen(name.c_str(), mode), &std::fclose);
  if (!file) return fail(ErrorCode::kNotFound, fmt::format("{}: {}", name, std::strerror(errno)));
  return file;
}

/// A token made for this folder holds for a minute only; a large file takes longer.
class Connection {
 public:
  explicit Connection(const config::Options& options) : options_(options) {}

  Result<const ServerClient*> get() {
    constexpr std::chrono::seconds kFresh{30};
    const auto now = clock_.steady();
    if (!client_ || now - since_ > kFresh) {
      AT_TRY(auto client, ServerClient::reach(options_));
      client_ = std::make_unique<ServerClient>(std::move(client));
      since_ = now;
    }
    return client_.get();
  }

 private:
  const config::Options& options_;
  const SystemClock clock_;
  std::unique_ptr<ServerClient> client_;
  Steady since_{};
};

/// One line on a terminal, again and again; nothing elsewhere.
class Progress {
 public:
  /// `total_bytes` 0: not known.
  explicit Progress(std::uint64_t total_bytes) : shown_(isatty(STDERR_FILENO) == 1), total_(total_bytes) {}
  ~Progress() {
    if (shown_ && drawn_) fmt::print(stderr, "\r{:70}\r", "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t bytes, std::uint64_t samples) {
    if (!shown_) return;
    drawn_ = true;
    constexpr std::size_t kWidth = 30;
    const auto mb = static_cast<double>(bytes) / 1e6;
    if (total_ == 0) {
      fmt::print(stderr, "\r{:.1f} MB, {} samples", mb, samples);
    } else {
      const auto part = std::min(1.0, static_cast<double>(bytes) / static_cast<double>(total_));
      const auto full = static_cast<std::size_t>(part * kWidth);
      fmt::print(stderr, "\r[{}{}] {:3.0f} %  {:.1f} MB, {} samples", std::string(full, '='),
                 std::string(kWidth - full, ' '), part * 100, mb, samples);
    }
    std::fflush(stderr);
  }

 private:
  const bool shown_;
  const std::uint64_t total_;
  bool drawn_ = false;
};

std::uint64_t size_of(std::FILE* file) {
  if (std::fseek(file, 0, SEEK_END) != 0) return 0;  // a pipe has none
  const auto size = std::ftell(file);
  std::rewind(file);
  return size < 0 ? 0 : static_cast<std::uint64_t>(size);
}

/// Gives whole lines, as many as a page takes.
class Pages {
 public:
  explicit Pages(std::FILE* file) : file_(file) {}

  std::uint64_t first_line = 1;  ///< of the page last given; a page may be a part of a long line of JSON
  std::uint64_t bytes = 0;       ///< given so far

  /// "" at the end.
  Result<std::string> next() {
    if (!parts_.empty()) return next_part();
    first_line += lines_;
    AT_TRY(fill(kPage));
    const bool rest = ended_ && buffer_.size() <= kPage;
    auto end = rest ? buffer_.size() : buffer_.rfind('\n', kPage - 1) + 1;
    if (end == 0) {  // a line longer than a page, or nothing at all
      AT_TRY(fill(api::kMaxImportBytes + 1));
      end = buffer_.find('\n') + 1;
      if (end == 0 && ended_) end = buffer_.size();
      if (end > api::kMaxImportBytes || (end == 0 && !buffer_.empty())) return long_line();
    }
    auto page = buffer_.substr(0, end);
    buffer_.erase(0, end);
    lines_ = static_cast<std::uint64_t>(std::count(page.begin(), page.end(), '\n'));
    bytes += page.size();
    return page;
  }

 private:
  /// A series with more samples than a page takes becomes several lines.
  Result<std::string> long_line() {
    constexpr std::size_t kMostBytes = 512 << 20;
    std::size_t end = 0;
    while (end == 0 && buffer_.size() < kMostBytes && (!ended_ || !buffer_.empty())) {
      const auto seen = buffer_.size();
      AT_TRY(fill(2 * seen));
      end = buffer_.find('\n', end) + 1;
      if (end == 0 && ended_) end = buffer_.size();
    }
    const auto refused = [&](const std::string& why) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("line {} is longer than {} MiB{}", first_line, api::kMaxImportBytes >> 20, why),
                  fmt::format("split it; a JSON line with one series may have {} MiB", kMostBytes >> 20));
    };
    if (end == 0) return refused("");
    std::string_view line(buffer_.data(), end);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    const auto series = ingest::parse_series_line(line);
    if (!series) return refused(", and no JSON line with one series: " + series.error().message);
    buffer_.erase(0, end);
    bytes += end;
    for (std::span<const Sample> rest = series->samples; !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), kPartSamples));
      ingest::append_series_line(parts_.emplace_back(), series->labels, some);
      rest = rest.subspan(some.size());
    }
    lines_ = 1;
    return parts_.empty() ? next() : next_part();
  }
  Result<std::string> next_part() {
    auto part = std::move(parts_.front());
    parts_.pop_front();
    return part;
  }
  Status fill(std::size_t size) {
    while (buffer_.size() < size && !ended_) {
      const auto before = buffer_.size();
      buffer_.resize(before + (1 << 20));
      const auto read = std::fread(buffer_.data() + before, 1, buffer_.size() - before, file_);
      buffer_.resize(before + read);
      if (std::ferror(file_) != 0) return fail(ErrorCode::kUnavailable, fmt::format("read: {}", std::strerror(errno)));
      ended_ = read == 0;
    }
    return {};
  }

  std::FILE* const file_;
  std::string buffer_;
  std::deque<std::string> parts_;  ///< of a long line, not given yet
  std::uint64_t lines_ = 0;
  bool ended_ = false;
};

/// The end of a file, "" of a pipe.
std::string tail_of(std::FILE* file) {
  constexpr long kBytes = 256;
  std::string out(kBytes, '\0');
  if (std::fseek(file, 0, SEEK_END) != 0) return {};
  const auto size = std::ftell(file);
  if (size < 0 || std::fseek(file, std::max(size - kBytes, 0L), SEEK_SET) != 0) return {};
  out.resize(std::fread(out.data(), 1, out.size(), file));
  std::rewind(file);
  return out;
}

constexpr const char* kText = "text/plain";
constexpr const char* kOpenMetrics = "application/openmetrics-text";

const char* type_of(const std::string& format, std::string_view first_page, std::string_view tail) {
  const auto begin = first_page.find_first_not_of(" \t\r\n");
  auto rest = begin == std::string_view::npos ? std::string_view() : first_page.substr(begin);
  bool json = format == "json";
  if (format == "auto" && rest.starts_with('{')) {
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    json = rest.starts_with("\"metric\"") || rest.starts_with("\"values\"") || rest.starts_with("\"timestamps\"");
  }
  if (json) return "application/x-ndjson";
  return format == "openmetrics" || ingest::ends_as_open_metrics(tail) ? kOpenMetrics : kText;
}

struct Totals {
  std::uint64_t samples = 0;
  std::uint64_t refused = 0;
  std::uint64_t bad_lines = 0;
  std::size_t shown = 0;
};

std::uint64_t number(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(key);
  return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

void add_page(const json::object& answer, std::uint64_t first_line, const std::string& file, Totals& totals) {
  totals.samples += number(answer, "samples");
  totals.refused += number(answer, "refused_samples");
  totals.bad_lines += number(answer, "bad_lines");
  const auto* const errors = answer.if_contains("errors");
  if (!errors || !errors->is_array()) return;
  for (const auto& error : errors->get_array()) {
    if (!error.is_object() || totals.shown++ >= kShownErrors) continue;
    const auto* const what = error.get_object().if_contains("error");
    fmt::print(stderr, "{}:{}: {}\n", file, first_line + number(error.get_object(), "line") - 1,
               what && what->is_string() ? std::string_view(what->get_string()) : "refused");
  }
}

/// Where a page comes from.
struct Origin {
  const std::string& file;
  std::uint64_t first_line;
};

/// What the server does not take now it takes later: the rest of a page is sent again, as long as it gets on.
Status send_page(Connection& connection, std::string page, const char* type, Origin from, Totals& totals) {
  constexpr std::chrono::seconds kPause{1};
  constexpr int kPatience = 300;  // pauses in which nothing is written
  for (int pauses = 0;;) {
    AT_TRY(const auto* client, connection.get());
    AT_TRY(const auto answer, client->post_bytes("series/import", page, type));
    const auto lines = number(answer.object(), "lines");
    if (answer.good() || lines > 0) add_page(answer.object(), from.first_line, from.file, totals);
    if (answer.good()) return {};
    from.first_line += lines;
    pauses = lines > 0 ? 0 : pauses + 1;
    if (answer.status != 429 || pauses > kPatience) {
      return answer.refusal(
          fmt::format("{} samples are imported, from line {} on nothing is: ", totals.samples, from.first_line));
    }
    std::size_t begin = 0;
    for (std::uint64_t i = 0; i < lines; ++i) begin = page.find('\n', begin) + 1;
    page.erase(0, begin);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Result<int> import_series(const config::Options& options) {
  const auto& name = options.argument("FILE");
  AT_TRY(const auto file, open_file(name, "rb"));
  Pages pages(file.get());
  Connection connection(options);
  Totals totals;
  const auto tail = tail_of(file.get());
  const char* type = nullptr;
  {
    Progress progress(name == "-" ? 0 : size_of(file.get()));
    while (true) {
      AT_TRY(auto page, pages.next());
      if (page.empty()) break;
      if (!type) {
        type = type_of(options.text("format"), page, tail);
      } else if (type == kText && ingest::ends_as_open_metrics(page)) {  // of a pipe, whose end was not to be seen
        return fail(
            ErrorCode::kInvalidArgument,
            fmt::format("from line {} on nothing is imported: this is OpenMetrics, with times in seconds, but the "
                        "lines before were read with milliseconds",
                        pages.first_line),
            "import it with --format openmetrics");
      }
      AT_TRY(send_page(connection, std::move(page), type, {name, pages.first_line}, totals));
      progress.show(pages.bytes, totals.samples);
    }
  }
  if (totals.shown > kShownErrors) fmt::print(stderr, "… and more\n");
  fmt::print("{} samples imported", totals.samples);
  if (totals.refused > 0) fmt::print(", {} refused", totals.refused);
  if (totals.bad_lines > 0) fmt::print(", {} lines not understood", totals.bad_lines);
  fmt::print("\n");
  return totals.refused + totals.bad_lines == 0 ? 0 : 1;
}

namespace {

/// `has_begun`: whether the file is there, and this call's.
Result<int> export_to(const config::Options& options, const std::string& part, bool& has_begun) {
  const auto& name = options.argument("FILE");
  const bool piped = name == "-";
  auto path = fmt::format("series/export?format={}&match%5B%5D={}", options.text("format"),
                          net::percent_encode(options.text("match")));
  path += "&partial=true";
  if (!options.text("from").empty()) path += "&start=" + net::percent_encode(options.text("from"));
  if (!options.text("to").empty()) path += "&end=" + net::percent_encode(options.text("to"));
  auto opened = open_file(part, "wb");
  has_begun = opened.has_value();
  std::error_code ignored;
  if (const auto folder = io::parent_path(name); !opened && !std::filesystem::exists(folder, ignored)) {
    return fail(ErrorCode::kNotFound, fmt::format("{}: there is no folder {}", name, folder), "make it first");
  }
  AT_TRY(auto file, std::move(opened));
  const auto unwritten = [&] {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", part, std::strerror(errno)));
  };
  Connection connection(options);
  std::uint64_t bytes = 0;
  std::uint64_t incomplete = 0;
  std::string buckets_until;
  std::vector<std::string> named;
  std::string after;
  {
    Progress progress(0);
    do {
      AT_TRY(const auto* client, connection.get());
      AT_TRY(const auto answer, client->get(after.empty() ? path : path + "&after=" + after));
      if (!answer.good()) return answer.refusal();
      if (std::fwrite(answer.body.data(), 1, answer.body.size(), file.get()) != answer.body.size()) return unwritten();
      bytes += answer.body.size();
      incomplete += answer.incomplete;
      buckets_until = std::max(buckets_until, answer.buckets_until);
      for (const auto& series : answer.incomplete_series) {
        if (named.size() < kShownErrors) named.push_back(series);
      }
      after = answer.next_page;
      progress.show(bytes, 0);
    } while (!after.empty());
  }
  if (std::fflush(file.get()) != 0) return unwritten();
  file.reset();
  if (!piped && std::rename(part.c_str(), name.c_str()) != 0) return unwritten();
  for (const auto& one : named) fmt::print(stderr, "{}: samples are missing that could not be read\n", one);
  if (incomplete > named.size()) fmt::print(stderr, "… and {} more\n", incomplete - named.size());
  if (!buckets_until.empty()) {
    fmt::print(stderr, "until {} there are values of buckets, the last ones, where samples are not kept any more\n",
               buckets_until);
  }
  fmt::print(stderr, "{} bytes exported", bytes);
  if (incomplete > 0) {
    fmt::print(stderr, "; {} series are incomplete: `atalaya tsdb fsck` names what is damaged or was set aside",
               incomplete);
  }
  fmt::print(stderr, "\n");
  return incomplete == 0 ? 0 : 1;
}

}  // namespace

Result<int> export_series(const config::Options& options) {
  const auto& name = options.argument("FILE");
  bool has_begun = false;
  if (name == "-") return export_to(options, name, has_begun);
  const auto part = name + ".part";
  auto done = export_to(options, part, has_begun);
  std::error_code ignored;
  if (!done && has_begun) std::filesystem::remove(part, ignored);  // half of an export is of use to nobody
  return done;
}

}  // namespace atalaya::app
