#include "api/alerta_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "api/json.h"
#include "model/matcher.h"

namespace atalaya::api::alerta {
namespace {

using alerts::Report;
using alerts::SeenReport;
using Reader = std::function<void(const SeenReport&, std::vector<std::string>&)>;
using Texts = std::vector<std::string>;

constexpr std::size_t kMaxPage = 10'000;

Reader text(std::string Report::* member) {
  return [member](const SeenReport& seen, Texts& out) { out.push_back(seen.report.*member); };
}
Reader texts(Texts Report::* member) {
  return [member](const SeenReport& seen, Texts& out) { out = seen.report.*member; };
}
Reader time(Time Report::* member) {
  return [member](const SeenReport& seen, Texts& out) { out.emplace_back(format_rfc3339(seen.report.*member)); };
}

const std::map<std::string, Reader, std::less<>>& fields() {
  static const std::map<std::string, Reader, std::less<>> all{
      {"id", [](const SeenReport& seen, Texts& out) { out = {seen.report.id.value(), seen.report.last_received_id}; }},
      {"resource", text(&Report::resource)},
      {"event", text(&Report::event)},
      {"environment", text(&Report::environment)},
      {"severity", text(&Report::severity)},
      {"correlate", texts(&Report::correlate)},
      {"status",
       [](const SeenReport& seen, Texts& out) { out.emplace_back(alerts::status_word(seen.alert, seen.report)); }},
      {"service", texts(&Report::service)},
      {"group", text(&Report::group)},
      {"value", text(&Report::value)},
      {"text", text(&Report::text)},
      {"tags", texts(&Report::tags)},
      {"tag", texts(&Report::tags)},
      {"origin", text(&Report::origin)},
      {"type", text(&Report::type)},
      {"createTime", time(&Report::created)},
      {"timeout", [](const SeenReport& seen, Texts& out) { out.push_back(std::to_string(seen.report.timeout)); }},
      {"rawData", [](const SeenReport& seen, Texts& out) { out.push_back(seen.report.raw_data.value_or("")); }},
      {"customer", text(&Report::customer)},
      {"duplicateCount",
       [](const SeenReport& seen, Texts& out) { out.push_back(std::to_string(seen.report.duplicates)); }},
      {"repeat", [](const SeenReport& seen, Texts& out) { out.emplace_back(seen.report.repeat ? "true" : "false"); }},
      {"previousSeverity", text(&Report::previous_severity)},
      {"trendIndication",
       [](const SeenReport& seen, Texts& out) {
         out.emplace_back(alerts::trend_of(seen.report.previous_severity, seen.report.severity));
       }},
      {"receiveTime", time(&Report::received)},
      {"lastReceiveId", text(&Report::last_received_id)},
      {"lastReceiveTime", time(&Report::last_received)},
      {"updateTime", time(&Report::changed)}};
  return all;
}

std::optional<std::string_view> attribute_name(std::string_view field) {
  for (const std::string_view prefix : {"attributes.", "_."}) {
    if (field.starts_with(prefix)) return field.substr(prefix.size());
  }
  return std::nullopt;
}

bool known(std::string_view field) { return attribute_name(field) || fields().contains(field); }

/// What the parameters say that are about no field.
constexpr std::string_view kNoFields[] = {
    "q",      "sort-by",  "reverse",       "page",         "page-size", "limit",   "api-key",   "callback",
    "fields", "group-by", "show-raw-data", "show-history", "from-date", "to-date", "queryType", "refresh"};

bool equals(std::string_view field, const std::string& value, const std::string& wanted) {
  // The first characters of an id are enough.
  if (field == "id" || field == "lastReceiveId") return !wanted.empty() && value.starts_with(wanted);
  if (field == "repeat") return (value == "true") == means_yes(wanted);
  return value == wanted;
}

/// One value of a parameter; `~` before it: a regular expression that matches somewhere in it.
Result<Test> test_of(const std::string& field, const std::string& value) {
  if (!value.starts_with('~')) {
    return Test([field, value](const SeenReport& seen) {
      Texts found;
      values_of(seen, field, found);
      if (found.empty()) return value.empty();
      return std::ranges::any_of(found, [&](const auto& one) { return equals(field, one, value); });
    });
  }
  auto pattern = Matcher::make(field, Matcher::Op::kRegex, fmt::format("(?is).*(?:{}).*", value.substr(1)));
  if (!pattern) return fail_within(field, std::move(pattern).error());
  return Test([field, pattern = std::move(*pattern)](const SeenReport& seen) {
    Texts found;
    values_of(seen, field, found);
    return std::ranges::any_of(found, [&](const auto& one) { return pattern.matches(one); });
  });
}

Status add_fields(const net::Parameters& parameters, Query& query) {
  struct Either {
    std::vector<Test> tests;
  };
  std::map<std::pair<std::string, bool>, Either> wanted;
  for (const auto& [key, value] : parameters.fields()) {
    const bool negative = key.ends_with('!');
    auto field = negative ? key.substr(0, key.size() - 1) : key;
    if (std::ranges::find(kNoFields, field) != std::end(kNoFields)) continue;
    if (!known(field)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("Invalid filter parameter: {}", field.substr(0, 100)));
    }
    AT_TRY(auto test, test_of(field, value));
    wanted[{std::move(field), negative}].tests.push_back(std::move(test));
  }
  for (auto& [key, either] : wanted) {
    query.tests.push_back([negative = key.second, tests = std::move(either.tests)](const SeenReport& seen) {
      return std::ranges::any_of(tests, [&](const Test& test) { return test(seen); }) != negative;
    });
  }
  return {};
}

/// What the status says of where to look.
alerts::ReportQueries::Which where(const net::Parameters& parameters) {
  using Which = alerts::ReportQueries::Which;
  const auto wanted = parameters.all("status");
  if (wanted.empty() || parameters.has("status!")) return Which::kAll;
  bool open = false;
  bool over = false;
  for (const auto& one : wanted) {
    if (one.starts_with('~')) return Which::kAll;
    (one == "closed" || one == "expired" ? over : open) = true;
  }
  return open && over ? Which::kAll : open ? Which::kOpen : Which::kOver;
}

Result<std::size_t> number(const net::Parameters& parameters, std::string_view name, std::size_t fallback) {
  const auto text = parameters.get(name);
  if (text.empty()) return fallback;
  std::size_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size() || out == 0) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is no number from 1 on", name, text.substr(0, 40)));
  }
  return out;
}

Result<std::optional<Time>> date(const net::Parameters& parameters, std::string_view name) {
  const auto text = parameters.get(name);
  if (text.empty()) return std::optional<Time>{};
  auto time = parse_time(text);
  if (!time) return fail_within(std::string(name), std::move(time).error());
  return std::optional(*time);
}

Status add_order(const net::Parameters& parameters, Query& query) {
  const bool reverse = means_yes(parameters.get("reverse"));
  auto wanted = parameters.all("sort-by");
  if (wanted.empty()) wanted.emplace_back("lastReceiveTime");
  for (auto& field : wanted) {
    const bool turned = field.starts_with('-');
    if (turned) field.erase(0, 1);
    if (!known(field)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("sort-by: there is no field {}", field.substr(0, 100)));
    }
    // The newest come first, texts by the alphabet and severities from the worst on.
    query.order.push_back({field, is_time(field) != (turned != reverse)});
  }
  return {};
}

int compare(const SeenReport& a, const SeenReport& b, const std::string& field) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (field == "severity" || field == "previousSeverity") {
    const auto& one = field == "severity" ? a.report.severity : a.report.previous_severity;
    const auto& other = field == "severity" ? b.report.severity : b.report.previous_severity;
    return sign(alerts::severity_rank(one).value_or(99), alerts::severity_rank(other).value_or(99));
  }
  if (field == "lastReceiveTime") return sign(a.report.last_received, b.report.last_received);
  if (field == "duplicateCount") return sign(a.report.duplicates, b.report.duplicates);
  if (field == "timeout") return sign(a.report.timeout, b.report.timeout);
  Texts one;
  Texts other;
  values_of(a, field, one);
  values_of(b, field, other);
  return sign(one, other);
}

}  // namespace

bool means_yes(std::string_view text) {
  constexpr std::string_view kYes[] = {"yes", "true", "1", "on", "y", "t"};
  return std::ranges::find(kYes, text) != std::end(kYes);
}

bool is_list(std::string_view field) {
  return field == "service" || field == "tags" || field == "tag" || field == "correlate";
}

bool is_time(std::string_view field) { return field.ends_with("Time"); }

bool values_of(const SeenReport& seen, std::string_view field, Texts& out) {
  if (const auto name = attribute_name(field)) {
    const auto* value = seen.report.attributes.if_contains(*name);
    if (value == nullptr) return true;
    out.push_back(value->is_string() ? std::string(value->get_string()) : json::serialize(*value));
    return true;
  }
  const auto found = fields().find(field);
  if (found == fields().end()) return false;
  found->second(seen, out);
  return true;
}

Result<PageParameters> page_parameters(const net::Parameters& parameters) {
  PageParameters out;
  AT_TRY(out.number, number(parameters, "page", out.number));
  AT_TRY(const auto limit, number(parameters, "limit", out.size));
  AT_TRY(out.size, number(parameters, "page-size", limit));
  out.size = std::min(out.size, kMaxPage);
  return out;
}

Result<Query> Query::of(const net::Parameters& parameters) {
  Query out;
  AT_TRY(add_fields(parameters, out));
  if (const auto q = parameters.get("q"); !q.empty()) {
    auto test = parse_search(q);
    if (!test) return fail_within("q", std::move(test).error());
    out.tests.push_back(std::move(*test));
  }
  AT_TRY(out.from, date(parameters, "from-date"));
  AT_TRY(out.to, date(parameters, "to-date"));
  AT_TRY(add_order(parameters, out));
  AT_TRY(const auto page, page_parameters(parameters));
  out.page = page.number;
  out.page_size = page.size;
  out.raw_data = means_yes(parameters.get("show-raw-data"));
  out.history = means_yes(parameters.get("show-history"));
  if (parameters.has("group-by")) out.group_by = parameters.get("group-by");
  if (!known(out.group_by)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("group-by: there is no field {}", out.group_by.substr(0, 100)));
  }
  out.which = where(parameters);
  return out;
}

bool Query::matches(const SeenReport& seen) const {
  if (from && seen.report.last_received <= *from) return false;
  if (to && seen.report.last_received > *to) return false;
  return std::ranges::all_of(tests, [&](const Test& test) { return test(seen); });
}

std::vector<SeenReport> Query::select(std::vector<SeenReport> all) const {
  std::erase_if(all, [&](const auto& seen) { return !matches(seen); });
  std::ranges::stable_sort(all, [&](const auto& a, const auto& b) {
    for (const auto& one : order) {
      const auto sign = compare(a, b, one.field);
      if (sign != 0) return one.descending ? sign > 0 : sign < 0;
    }
    return false;
  });
  return all;
}

}  // namespace atalaya::api::alerta
