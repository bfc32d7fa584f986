#include "api/prometheus_labels.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>

#include "api/envelope.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "model/names.h"

namespace atalaya::api {
namespace {

using storage::SeriesQuerier;
using storage::TimeRange;
using Words = std::set<std::string>;

constexpr Duration kPresent = std::chrono::minutes{5};

/// The first `limit` in order, with a warning when there are more.
net::Response cut(json::array list, std::size_t limit, promql::Annotations notes) {
  if (limit > 0 && list.size() > limit) {
    list.resize(limit);
    notes.warnings.emplace_back(kTruncated);
  }
  return prometheus_success(list, notes);
}

struct Asked {
  std::size_t limit = 0;
  TimeRange range;
  bool has_range = false;
  std::vector<Matchers> selectors;
};

Result<Asked> asked_of(const net::Request& request) {
  const auto parameters = prometheus_parameters(request);
  Asked out;
  AT_TRY(out.limit, prometheus_limit(parameters));
  AT_TRY(out.range, prometheus_range(parameters));
  out.has_range = out.range != TimeRange{};
  AT_TRY(out.selectors, prometheus_selectors(parameters));
  return out;
}

/// `indexed` gives the words of an index, `of` those of one label set.
struct Source {
  std::function<std::vector<std::string>(const Matchers&)> indexed;
  std::function<void(const Labels&, Words&)> of;
};

/// Looks series up for one request: what cannot be read is a warning, what is found counts until it is answered.
class LookUp {
 public:
  /// Of a series, from the index to the answer: about.
  static constexpr std::uint64_t kBytesOfWords = 512;
  static constexpr std::uint64_t kBytesOfLabels = 2048;

  LookUp(const SeriesQuerier& series, const TenantId& tenant, telemetry::QueryMemory* memory)
      : series_(series), tenant_(tenant) {
    if (memory) memory_.emplace(*memory);
  }

  Result<std::vector<storage::SelectedSeries>> select(const Matchers& selector, TimeRange range, std::uint64_t bytes) {
    storage::SelectHints hints;
    hints.on_damage = [this](const Error& error) {
      notes.warnings.push_back(fmt::format("series may be missing: {}", to_string(error)));
    };
    hints.on_series = [this, bytes](std::size_t series) { return memory_ ? memory_->take(series * bytes) : Status{}; };
    return series_.select_hinted(tenant_, selector, range, hints);
  }

  promql::Annotations notes;

 private:
  const SeriesQuerier& series_;
  const TenantId& tenant_;
  std::optional<telemetry::QueryMemory::Share> memory_;
};

Result<Words> words_of(LookUp& look_up, const Asked& asked, Time now, const Source& source) {
  Words out;
  const bool reaches_the_present = asked.range.from <= now && asked.range.to >= now - kPresent;
  if (!asked.has_range || (asked.selectors.empty() && reaches_the_present)) {
    auto selectors = asked.selectors;
    if (selectors.empty()) selectors.emplace_back();
    for (const auto& selector : selectors) {
      for (auto& word : source.indexed(selector)) out.insert(std::move(word));
    }
    return out;
  }
  auto selectors = asked.selectors;
  if (selectors.empty()) {
    AT_TRY(auto any, Matcher::make(std::string(kMetricName), Matcher::Op::kNotEqual, ""));
    selectors.push_back({std::move(any)});
  }
  for (const auto& selector : selectors) {
    AT_TRY(const auto selected, look_up.select(selector, asked.range, LookUp::kBytesOfWords));
    for (const auto& one : selected) source.of(*one.labels, out);
  }
  return out;
}

json::array sorted(const Words& words) { return json::array(words.begin(), words.end()); }

/// One `_…_` of an escaped name, after its first underscore.
std::optional<std::string> escaped_rune(std::string_view& left) {
  std::uint32_t rune = 0;
  for (std::size_t digits = 0; !left.empty() && digits < 6; ++digits) {
    const char c = left.front();
    left.remove_prefix(1);
    if (c == '_') {
      if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return std::nullopt;
      std::string out;
      append_utf8(out, rune);
      return out;
    }
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!letter && (c < '0' || c > '9')) return std::nullopt;
    rune = rune * 16 + static_cast<std::uint32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return std::nullopt;
}

}  // namespace

std::string unescaped_name(std::string_view name) {
  constexpr std::string_view kMark = "U__";
  if (!name.starts_with(kMark)) return std::string(name);
  std::string out;
  for (auto left = name.substr(kMark.size()); !left.empty();) {
    const char c = left.front();
    left.remove_prefix(1);
    if (c != '_') {
      out += c;
    } else if (left.starts_with('_')) {
      left.remove_prefix(1);
      out += '_';
    } else if (const auto rune = escaped_rune(left)) {
      out += *rune;
    } else {
      return std::string(name);
    }
  }
  return out;
}

Result<net::Response> answer_series(const SeriesQuerier& series, const TenantId& tenant, const net::Request& request,
                                    telemetry::QueryMemory* memory) {
  AT_TRY(const auto asked, asked_of(request));
  if (asked.selectors.empty()) return fail(ErrorCode::kInvalidArgument, "no match[] parameter provided");
  std::set<Labels> found;
  LookUp look_up(series, tenant, memory);
  for (const auto& selector : asked.selectors) {
    AT_TRY(const auto selected, look_up.select(selector, asked.range, LookUp::kBytesOfLabels));
    for (const auto& one : selected) found.insert(*one.labels);
  }
  json::array out;
  for (const auto& labels : found) {
    out.push_back(to_json(labels));
    if (asked.limit > 0 && out.size() > asked.limit) break;
  }
  return cut(std::move(out), asked.limit, std::move(look_up.notes));
}

Result<net::Response> answer_label_names(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                         const net::Request& request, telemetry::QueryMemory* memory) {
  AT_TRY(const auto asked, asked_of(request));
  const Source source{[&](const Matchers& m) { return series.label_names(tenant, m); },
                      [](const Labels& labels, Words& out) {
                        for (const auto& [name, value] : labels) out.emplace(name);
                      }};
  LookUp look_up(series, tenant, memory);
  AT_TRY(const auto words, words_of(look_up, asked, clock.now(), source));
  return cut(sorted(words), asked.limit, std::move(look_up.notes));
}

Result<net::Response> answer_label_values(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                          const net::Request& request, telemetry::QueryMemory* memory) {
  const auto name = unescaped_name(request.captures.get("name"));
  if (name.empty() || !is_utf8(name)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("invalid label name: {}", quote_label_value(name)));
  }
  AT_TRY(const auto asked, asked_of(request));
  const Source source{[&](const Matchers& m) { return series.label_values(tenant, name, m); },
                      [&](const Labels& labels, Words& out) {
                        if (labels.has(name)) out.emplace(labels.get(name));
                      }};
  LookUp look_up(series, tenant, memory);
  AT_TRY(const auto words, words_of(look_up, asked, clock.now(), source));
  return cut(sorted(words), asked.limit, std::move(look_up.notes));
}

}  // namespace atalaya::api
