#include "api/series_transfer.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/json.h"
#include "api/parameters.h"
#include "base/bytes.h"
#include "ingest/prometheus_text.h"
#include "ingest/series_import.h"
#include "ingest/series_lines.h"
#include "ingest/shortened.h"
#include "net/percent.h"

namespace atalaya::api {
namespace {

using ingest::LineFormat;
using storage::SelectedSeries;

/// A page ends with the line that passes this; a line holds at most kLineSamples.
constexpr std::size_t kPageBytes = 4 << 20;
constexpr std::size_t kLineSamples = 10'000;
/// What a series that was found takes until the page is made.
constexpr std::uint64_t kBytesOfFound = 1536;

/// `format=json|text`, or what the Content-Type says.
Result<LineFormat> format_of(const net::Request& request, std::string_view fallback) {
  auto text = request.query.get("format");
  if (text.empty()) text = fallback;
  if (text == "json") return LineFormat::kJson;
  if (text == "text") return LineFormat::kText;
  return fail(ErrorCode::kInvalidArgument, "parameter \"format\" must be json or text");
}

/// Of what comes in, which may be OpenMetrics too.
Result<LineFormat> format_of_body(const net::Request& request) {
  if (request.query.get("format") == "openmetrics") return LineFormat::kOpenMetrics;
  const auto type = request.headers.get("Content-Type");
  if (request.query.get("format").empty() && type.starts_with("application/openmetrics-text"))
    return LineFormat::kOpenMetrics;
  return format_of(request, type.starts_with("text/") ? "text" : "json");
}

Result<net::Response> import_lines(const SeriesTransferParts& parts, const TenantId& tenant,
                                   const net::Request& request) {
  AT_TRY(const auto format, format_of_body(request));
  ingest::SeriesImport work(parts.appender, tenant, parts.clock.now());
  const auto done = work.run(format, request.body);
  json::array errors;
  for (const auto& [line, what] : done.errors) errors.push_back(json::object{{"line", line}, {"error", what}});
  json::object counts{{"lines", done.lines},
                      {"samples", done.samples},
                      {"refused_samples", done.refused},
                      {"bad_lines", done.bad_lines},
                      {"errors", std::move(errors)}};
  if (!done.stopped) return ok(std::move(counts));
  auto response = net::Response::error(*done.stopped);
  auto body = json::parse(response.body).as_object();
  for (auto& [name, value] : counts) body.insert_or_assign(name, std::move(value));
  response.body = json::serialize(body);
  response.headers.set("Retry-After", "1");
  return response;
}

/// Where a page begins: after this time of the series with these labels, and all series behind it.
struct Cursor {
  Labels labels;
  Time after = kMinTime;
};

std::string text_of(const Cursor& cursor) {
  return fmt::format("{}.{}", base64url_encode(cursor.labels.packed()), to_ms(cursor.after));
}

Result<std::optional<Cursor>> cursor_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto wrong = [] {
    return fail(ErrorCode::kInvalidArgument, "parameter \"after\" is none that was given here");
  };
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return wrong();
  const auto packed = base64url_decode(text.substr(0, dot));
  Cursor out;
  if (!packed || !Labels::unpack(*packed, out.labels)) return wrong();
  const auto number = text.substr(dot + 1);
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ms);
  if (error != std::errc() || end != number.data() + number.size()) return wrong();
  out.after = from_ms(ms);
  return out;
}

/// Makes one page out of series that come in the order of their labels.
class ExportPage {
 public:
  explicit ExportPage(LineFormat format) : format_(format) {}

  /// False when the page is full: then `cursor` is where the next one begins.
  bool add(SelectedSeries& series, std::optional<Time> after) {
    if (!series.buckets.empty()) {
      const auto until = series.buckets.back().range.to;
      buckets_until = std::max(buckets_until.value_or(until), until);
    }
    std::vector<Sample> samples;
    Sample sample;
    while (series.samples->next(sample)) {
      if (after && sample.time <= *after) continue;
      samples.push_back(sample);
      if (samples.size() < kLineSamples) continue;
      write(*series.labels, samples);
      if (full(*series.labels, samples.back().time)) return false;
      samples.clear();
    }
    if (!samples.empty()) {
      write(*series.labels, samples);
      if (full(*series.labels, samples.back().time)) return false;  // the next page reads it to its end
    }
    if (auto read = series.samples->status(); !read) miss(to_string(*series.labels), std::move(read).error());
    return true;
  }
  /// That much cannot be read.
  void miss(std::string what, Error error) {
    ++incomplete;
    if (named_.size() < kNamedIncomplete) named_.push_back(ingest::shortened(std::move(what)));
    if (!why) why = std::move(error);
  }
  /// The first of what could not be read, with its series; an error that a caller without `partial` gets.
  Error refusal() const {
    return {ErrorCode::kCorruption, fmt::format("{}: {}", named_.front(), why->message), std::nullopt,
            "`atalaya tsdb fsck` names what is damaged or was set aside; partial=true gives the rest"};
  }
  std::string names() const {
    std::string out;
    for (const auto& name : named_) out += (out.empty() ? "" : ",") + net::percent_encode(name);
    return out;
  }
  std::string body;
  std::optional<Cursor> cursor;
  std::optional<Time> buckets_until;
  std::size_t incomplete = 0;  ///< series with samples that could not be read
  std::optional<Error> why;

 private:
  void write(const Labels& labels, const std::vector<Sample>& samples) {
    if (format_ == LineFormat::kJson) return ingest::append_series_line(body, labels, samples);
    text_.clear();
    ingest::append_text_series(text_, labels);
    for (const auto& sample : samples) {
      if (!is_stale(sample.value)) ingest::append_text_sample(body, text_, sample.value, sample.time);
    }
  }
  bool full(const Labels& labels, Time last) {
    if (body.size() < kPageBytes) return false;
    cursor = Cursor{labels, last};
    return true;
  }

  const LineFormat format_;
  std::string text_;
  std::vector<std::string> named_;  ///< of the incomplete ones
};

/// What is asked for, of which a page is a part.
struct Export {
  std::vector<Matchers> selectors;
  storage::TimeRange range;
  LineFormat format = LineFormat::kJson;
  std::optional<Cursor> cursor;
};

Result<Export> export_of(const net::Request& request) {
  Export out;
  AT_TRY(out.format, format_of(request, "json"));
  AT_TRY(out.range.from, time_parameter(request.query, "start", kMinTime));
  AT_TRY(out.range.to, time_parameter(request.query, "end", kMaxTime));
  if (out.range.to < out.range.from) return fail(ErrorCode::kInvalidArgument, "end is before start");
  AT_TRY(out.cursor, cursor_of(request.query.get("after")));
  for (const auto& text : request.query.all("match[]")) {
    AT_TRY(auto matchers, selector_parameter("match[]", text));
    out.selectors.push_back(std::move(matchers));
  }
  if (out.selectors.empty()) return fail(ErrorCode::kInvalidArgument, "no match[] parameter provided");
  return out;
}

/// Some series in the order of their labels, and where the others begin.
struct Portion {
  std::map<Labels, SelectedSeries> series;
  std::optional<Labels> next;
};

/// Series that are looked up at once: of few with many samples no more than a page takes, of many with few samples
/// not too few.
constexpr std::size_t kFirstPortion = 64;
constexpr std::size_t kLargestPortion = 8192;

/// Makes a page: goes through the series in portions that its memory allows.
class ExportRun {
 public:
  ExportRun(const SeriesTransferParts& parts, const TenantId& tenant, const Export& what)
      : parts_(parts), tenant_(tenant), what_(what), page_(what.format) {}

  Result<ExportPage> run() && {
    if (what_.cursor) from_ = what_.cursor->labels;
    for (std::size_t at_most = kFirstPortion;; at_most = std::min(at_most * 4, largest_)) {
      std::optional<telemetry::QueryMemory::Share> memory;
      if (parts_.memory) memory.emplace(*parts_.memory);
      AT_TRY(auto portion, select(at_most, memory));
      for (auto& [labels, one] : portion.series) {
        const bool begun = what_.cursor && labels == what_.cursor->labels;
        if (!page_.add(one, begun ? std::optional(what_.cursor->after) : std::nullopt)) return std::move(page_);
        one.samples.reset();  // what was read of it goes
      }
      if (!portion.next) return std::move(page_);
      from_ = std::move(*portion.next);
    }
  }

 private:
  using Memory = std::optional<telemetry::QueryMemory::Share>;

  /// Fewer where there is no memory for so many.
  Result<Portion> select(std::size_t& at_most, Memory& memory) {
    for (;;) {
      bool refused = false;
      auto portion = select_at_most(at_most, memory, refused);
      if (portion || !refused || at_most == 1) return portion;
      memory->give_back(memory->held());
      at_most = largest_ = at_most / 2;
    }
  }
  Result<Portion> select_at_most(std::size_t at_most, Memory& memory, bool& refused) {
    Portion out;
    for (const auto& matchers : what_.selectors) {
      storage::SeriesPage page{from_, at_most};
      storage::SelectHints hints;
      hints.page = &page;
      hints.on_damage = [&](const Error& error) {
        // Each portion hears of it anew.
        if (damage_.insert(error.message).second) {
          page_.miss("a block that does not read, or that was set aside", error);
        }
      };
      hints.on_series = [&](std::size_t series) {
        auto taken = memory ? memory->take(series * kBytesOfFound) : Status{};
        refused = !taken;
        return taken;
      };
      AT_TRY(auto selected, parts_.series.select_hinted(tenant_, matchers, what_.range, hints));
      for (auto& one : selected) out.series.try_emplace(*one.labels, std::move(one));
      if (page.next && (!out.next || *page.next < *out.next)) out.next = std::move(page.next);
    }
    if (out.next) out.series.erase(out.series.lower_bound(*out.next), out.series.end());
    return out;
  }

  const SeriesTransferParts& parts_;
  const TenantId& tenant_;
  const Export& what_;
  Labels from_;
  std::size_t largest_ = kLargestPortion;
  std::set<std::string> damage_;
  ExportPage page_;
};

Result<net::Response> export_page(const SeriesTransferParts& parts, const TenantId& tenant,
                                  const net::Request& request) {
  AT_TRY(const auto what, export_of(request));
  AT_TRY(auto page, ExportRun(parts, tenant, what).run());
  if (page.incomplete > 0 && request.query.get("partial") != "true") return std::unexpected(page.refusal());
  auto response = net::Response::text(std::move(page.body));
  response.headers.set("Content-Type", what.format == LineFormat::kJson ? "application/x-ndjson"
                                                                        : "text/plain; version=0.0.4; charset=utf-8");
  if (page.incomplete > 0) {
    response.headers.set(std::string(kIncomplete), std::to_string(page.incomplete));
    response.headers.set(std::string(kIncompleteSeries), page.names());
  }
  if (page.buckets_until) {
    response.headers.set(std::string(kBucketsUntil), format_rfc3339(*page.buckets_until));
  }
  if (page.cursor) response.headers.set(std::string(kNextPage), text_of(*page.cursor));
  return response;
}

}  // namespace

void add_series_transfer_routes(Doors& doors, const SeriesTransferParts& parts) {
  doors.add_slow(
      "POST", "~/series/import", Need::kIngest, parts.writers,
      [parts](const auth::Principal& who, net::Request& request) { return import_lines(parts, who.tenant, request); },
      {.max_body_bytes = kMaxImportBytes});
  doors.add_slow(
      "GET", "~/series/export", Need::kViewer, parts.readers,
      [parts](const auth::Principal& who, net::Request& request) { return export_page(parts, who.tenant, request); });
}

}  // namespace atalaya::api
