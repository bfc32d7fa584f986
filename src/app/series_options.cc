#include "app/series_options.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "promql/engine.h"

namespace atalaya::app {
namespace {

constexpr Duration kLeastKept = std::chrono::minutes{10};
/// A day is rolled up when it is over, and its raw samples are needed for it.
constexpr Duration kLeastForBuckets = std::chrono::hours{48};

constexpr std::string_view kForm = "write it as '{job=\"billing\"} raw:30d 5m:90d 1h:2y'";

/// Below, the store could not work: memory holds less than a write, the disk less than one file of the log.
constexpr std::uint64_t kLeastBytes = 16 << 20;

std::unexpected<Error> of_class(std::string_view text, Error error) {
  error.message = fmt::format("--series-class '{}': {}", text, error.message);
  return std::unexpected(std::move(error));
}

Status check_room(const config::Options& options, const std::string& name) {
  const auto bytes = options.bytes(name);
  if (bytes == 0 || bytes >= kLeastBytes) return {};
  return fail(ErrorCode::kInvalidArgument, fmt::format("--{}: {} bytes are too little", name, bytes),
              fmt::format("give at least {}MiB, or 0 for no limit", kLeastBytes >> 20));
}

/// Series are a part of the process.
Status check_memory(const config::Options& options) {
  AT_TRY(check_room(options, "memory"));
  AT_TRY(check_room(options, "series-memory"));
  const auto all = options.bytes("memory");
  const auto series = options.bytes("series-memory");
  if (all == 0 || series <= all) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("--series-memory: {} bytes are more than --memory, of which they are a part: {}", series, all),
      "give less to the series, or more to the process");
}

Status set_kept(std::string_view word, tsdb::Kept& kept) {
  const auto colon = word.find(':');
  const auto name = word.substr(0, colon);
  auto* field = name == "raw" ? &kept.raw : name == "5m" ? &kept.five_minutes : name == "1h" ? &kept.one_hour : nullptr;
  if (colon == std::string_view::npos || !field) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is no resolution with a duration", word),
                std::string(kForm));
  }
  if (*field != Duration{0}) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' comes twice", name), "leave one out");
  }
  AT_TRY(*field, parse_duration(word.substr(colon + 1)));
  if (*field <= Duration{0}) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' keeps nothing", word), "leave it out");
  }
  return {};
}

Status check_kept(const tsdb::Kept& kept) {
  if (kept.raw < kLeastKept) {
    return fail(ErrorCode::kInvalidArgument,
                kept.raw == Duration{0}
                    ? "no raw samples would be kept"
                    : fmt::format("raw samples kept for {} are too little", format_duration(kept.raw)),
                fmt::format("give at least {}", format_duration(kLeastKept)));
  }
  const bool has_buckets = kept.five_minutes > Duration{0} || kept.one_hour > Duration{0};
  if (has_buckets && kept.raw < kLeastForBuckets) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("buckets are made of whole days, but raw samples are kept for {}", format_duration(kept.raw)),
        fmt::format("keep raw samples for {} at least, or no buckets", format_duration(kLeastForBuckets)));
  }
  return {};
}

Result<tsdb::RetentionClass> read_class(std::string_view text) {
  const auto end = text.rfind('}');
  if (end == std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' has no selector in braces", text), std::string(kForm));
  }
  AT_TRY(const auto selector, promql::parse(text.substr(0, end + 1)));
  auto found = promql::selectors(*selector);
  if (found.size() != 1) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not one selector", text.substr(0, end + 1)),
                std::string(kForm));
  }
  tsdb::RetentionClass out{std::move(found.front()), {}};
  for (auto rest = text.substr(end + 1); !rest.empty();) {
    const auto begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    const auto stop = std::min(rest.find(' ', begin), rest.size());
    AT_TRY(set_kept(rest.substr(begin, stop - begin), out.kept));
    rest.remove_prefix(stop);
  }
  AT_TRY(check_kept(out.kept));
  return out;
}

}  // namespace

Result<tsdb::RetentionClass> parse_retention_class(std::string_view text) {
  auto read = read_class(text);
  if (!read) return of_class(text, std::move(read).error());
  return read;
}

Result<tsdb::Options> series_options(const config::Options& options) {
  tsdb::Options out;
  out.retention = options.duration("series-retention");
  out.keep_five_minutes = options.duration("series-keep-5m");
  out.keep_one_hour = options.duration("series-keep-1h");
  // Who keeps little wants nothing long, unless he says so.
  if (out.retention < kLeastForBuckets) {
    if (!options.given("series-keep-5m")) out.keep_five_minutes = Duration{0};
    if (!options.given("series-keep-1h")) out.keep_one_hour = Duration{0};
  }
  if (auto good = check_kept({out.retention, out.keep_five_minutes, out.keep_one_hour}); !good) {
    auto error = std::move(good).error();
    error.message = "--series-retention: " + error.message;
    return std::unexpected(std::move(error));
  }
  for (const auto& text : options.list("series-class")) {
    AT_TRY(auto one, parse_retention_class(text));
    out.classes.push_back(std::move(one));
  }
  AT_TRY(check_room(options, "series-max-bytes"));
  AT_TRY(check_memory(options));
  out.max_bytes = options.bytes("series-max-bytes");
  out.window = options.duration("series-window");
  // Long enough for what exporters put into them: queries, commands with their arguments, paths.
  out.max_label_value_bytes = 64 << 10;
  out.limit_names = {.series = "--series-max-per-tenant",
                     .memory = "--series-memory",
                     .budget = "--memory",
                     .samples_per_second = "--series-samples-per-second",
                     .labels = "the fixed limit of labels",
                     .label_name_bytes = "the fixed limit of a name",
                     .label_value_bytes = "the fixed limit of a value"};
  out.max_series_per_tenant = static_cast<std::size_t>(options.integer("series-max-per-tenant"));
  out.max_samples_per_second = static_cast<std::size_t>(options.integer("series-samples-per-second"));
  out.memory_bytes = options.bytes("series-memory");
  out.disk_reserve_bytes = options.bytes("series-disk-reserve");
  out.sync = options.boolean("series-sync");
  return out;
}

}  // namespace atalaya::app
