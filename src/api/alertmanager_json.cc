#include "api/alertmanager_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "routing/alert.h"
#include "routing/matchers.h"

namespace atalaya::api::alertmanager {
namespace {

constexpr std::size_t kMaxDepth = 16;
/// Go's zero time, which its programs send for "not given".
constexpr Time kGoNever = from_ms(-62'135'596'800'000);

std::unexpected<Error> wrong(std::string where, std::string what, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, where.empty() ? std::move(what) : where + ": " + what, std::move(remedy));
}

Result<json::value> parse(std::string_view body, std::string_view what) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code failed;
  auto value = json::parse(body, failed, {}, options);
  if (failed) return wrong("", fmt::format("the {} body is no JSON: {}", what, failed.message()));
  return value;
}

/// The text of a member; "" where it is absent or null.
Result<std::string> text_of(const json::object& object, std::string_view key, const std::string& where) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return wrong(fmt::format("{}.{}", where, key), "this is no text");
  return std::string(value->get_string());
}

/// kMinTime where it is not given.
Result<Time> time_of(const json::object& object, std::string_view key, const std::string& where) {
  AT_TRY(const auto text, text_of(object, key, where));
  if (text.empty()) return kMinTime;
  auto time = parse_time(text);
  if (!time) return wrong(fmt::format("{}.{}", where, key), time.error().message, time.error().remedy);
  return *time <= kGoNever ? kMinTime : *time;
}

Result<std::map<std::string, std::string>> texts_of(const json::object& object, std::string_view key,
                                                    const std::string& where) {
  std::map<std::string, std::string> out;
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_object()) return wrong(fmt::format("{}.{}", where, key), "this is no object of texts");
  for (const auto& [name, text] : value->get_object()) {
    if (!text.is_string()) return wrong(fmt::format("{}.{}.{}", where, key, std::string_view(name)), "this is no text");
    out.emplace(name, text.get_string());
  }
  return out;
}

Status check_sizes(const std::map<std::string, std::string>& texts, std::size_t most, const std::string& where) {
  if (texts.size() > kMaxPairs) {
    return wrong(where, fmt::format("{} of them; at most {} are taken", texts.size(), kMaxPairs));
  }
  for (const auto& [name, text] : texts) {
    if (name.size() > kMaxLabelBytes) {
      return wrong(where, fmt::format("a name has {} bytes; at most {} are taken", name.size(), kMaxLabelBytes));
    }
    if (text.size() <= most) continue;
    return wrong(fmt::format("{}.{}", where, name),
                 fmt::format("the text has {} bytes; at most {} are taken", text.size(), most),
                 "shorten it, or put it elsewhere and send a link");
  }
  return {};
}

/// The alert, or what is wrong with it alone.
Result<alerts::PostedAlert> sound(routing::Alert alert, const std::map<std::string, std::string>& labels,
                                  std::map<std::string, std::string> annotations, Time now, Duration resolve_timeout,
                                  const std::string& where) {
  AT_TRY(check_sizes(labels, kMaxLabelBytes, where + ".labels"));
  AT_TRY(check_sizes(annotations, kMaxAnnotationBytes, where + ".annotations"));
  if (alert.generator_url.size() > kMaxLabelBytes) {
    return wrong(where + ".generatorURL",
                 fmt::format("it has {} bytes; at most {} are taken", alert.generator_url.size(), kMaxLabelBytes));
  }
  alert.labels = Labels(labels);
  alert.annotations = Labels(annotations);
  alert = routing::received(std::move(alert), now, resolve_timeout);
  if (auto checked = routing::check(alert); !checked) return fail_within(where, std::move(checked).error());
  return alerts::PostedAlert{.labels = std::move(alert.labels),
                             .annotations = std::move(annotations),
                             .generator_url = std::move(alert.generator_url),
                             .starts = alert.starts_at,
                             .ends = alert.ends_at,
                             .received = now,
                             .timed_out = alert.timed_out};
}

Result<Matcher> matcher_of(const json::value& value, const std::string& where) {
  const auto* object = value.if_object();
  if (object == nullptr) return wrong(where, "this is no matcher");
  AT_TRY(auto name, text_of(*object, "name", where));
  AT_TRY(auto pattern, text_of(*object, "value", where));
  const auto truth = [&](std::string_view key, bool fallback) -> Result<bool> {
    const auto* flag = object->if_contains(key);
    if (flag == nullptr || flag->is_null()) return fallback;
    if (!flag->is_bool()) return wrong(fmt::format("{}.{}", where, key), "this is neither true nor false");
    return flag->get_bool();
  };
  AT_TRY(const bool regex, truth("isRegex", false));
  AT_TRY(const bool equal, truth("isEqual", true));
  if (!routing::is_any_label_name(name)) return wrong(where, fmt::format("invalid label name \"{}\"", name));
  if (pattern.size() > kMaxLabelBytes) {
    return wrong(where, fmt::format("the value has {} bytes; at most {} are taken", pattern.size(), kMaxLabelBytes));
  }
  const auto op = regex ? (equal ? Matcher::Op::kRegex : Matcher::Op::kNotRegex)
                        : (equal ? Matcher::Op::kEqual : Matcher::Op::kNotEqual);
  auto made = Matcher::make(std::move(name), op, std::move(pattern));
  if (!made) return wrong(where, made.error().message);
  return made;
}

}  // namespace

net::Response error_response(const Error& error) {
  auto response = net::Response::json(json::serialize(json::string(to_string(error))), http_status(error.code));
  if (error.code == ErrorCode::kTooLarge || error.code == ErrorCode::kUnprocessable) response.status = 400;
  // The document knows no 409; its clients show the text of a 500.
  if (error.code == ErrorCode::kConflict) response.status = 500;
  return response;
}

Action answered(Action action) {
  return [action = std::move(action)](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
    auto answer = action(who, request);
    return answer ? std::move(*answer) : error_response(answer.error());
  };
}

Result<ReadAlerts> read_alerts(std::string_view body, Time now, Duration resolve_timeout) {
  AT_TRY(const auto value, parse(body, "alerts"));
  if (!value.is_array()) return wrong("", "the alerts body is no list", "send [{\"labels\": {…}}, …]");
  ReadAlerts out;
  std::size_t index = 0;
  for (const auto& one : value.get_array()) {
    const auto where = fmt::format("alerts[{}]", index++);
    const auto* object = one.if_object();
    if (object == nullptr) return wrong(where, "this is no alert");
    if (!object->contains("labels")) return wrong(where, "labels in body is required");
    routing::Alert alert;
    AT_TRY(const auto labels, texts_of(*object, "labels", where));
    AT_TRY(auto annotations, texts_of(*object, "annotations", where));
    AT_TRY(alert.generator_url, text_of(*object, "generatorURL", where));
    AT_TRY(alert.starts_at, time_of(*object, "startsAt", where));
    AT_TRY(alert.ends_at, time_of(*object, "endsAt", where));
    auto checked = sound(std::move(alert), labels, std::move(annotations), now, resolve_timeout, where);
    if (checked) {
      out.alerts.push_back(std::move(*checked));
    } else {
      out.errors.push_back(std::move(checked).error());
    }
  }
  return out;
}

Result<alerts::Silence> read_silence(std::string_view body, Time now) {
  AT_TRY(const auto value, parse(body, "silence"));
  const auto* object = value.if_object();
  if (object == nullptr) return wrong("", "the silence body is no object");
  for (const auto* required : {"matchers", "startsAt", "endsAt", "createdBy", "comment"}) {
    if (!object->contains(required)) return wrong("", fmt::format("silence.{} in body is required", required));
  }
  const auto* matchers = object->at("matchers").if_array();
  if (matchers == nullptr) return wrong("silence.matchers", "this is no list");
  if (matchers->size() > kMaxPairs) return wrong("silence.matchers", fmt::format("more than {}", kMaxPairs));
  alerts::Silence out;
  for (std::size_t i = 0; i < matchers->size(); ++i) {
    AT_TRY(auto matcher, matcher_of((*matchers)[i], fmt::format("silence.matchers[{}]", i)));
    out.matchers.push_back(std::move(matcher));
  }
  const std::string where = "silence";
  AT_TRY(out.id, text_of(*object, "id", where));
  AT_TRY(out.starts, time_of(*object, "startsAt", where));
  AT_TRY(out.ends, time_of(*object, "endsAt", where));
  AT_TRY(out.created_by, text_of(*object, "createdBy", where));
  AT_TRY(out.comment, text_of(*object, "comment", where));
  AT_TRY(out.annotations, texts_of(*object, "annotations", where));
  AT_TRY(check_sizes(out.annotations, kMaxLabelBytes, "silence.annotations"));
  AT_TRY(check_sizes({{"createdBy", out.created_by}, {"comment", out.comment}}, kMaxLabelBytes, where));
  if (out.starts == kMinTime) out.starts = now;
  if (out.ends <= out.starts) return wrong("", "failed to create silence: start time must be before end time");
  if (out.ends < now) return wrong("", "failed to create silence: end time can't be in the past");
  return out;
}

json::object alert_json(const AlertmanagerServices& s, const alerts::Alert& alert, const AlertMutes& mutes,
                        const std::vector<std::string>& receivers, Time now) {
  const auto seen = alerts::seen_labels(alert);
  json::array names;
  for (const auto& receiver : receivers) names.push_back(json::object{{"name", receiver}});
  json::object annotations;
  for (const auto& [name, text] : alert.annotations) annotations[name] = text;
  json::array inhibited;
  for (const auto& labels : mutes.inhibited_by) inhibited.push_back(json::string(routing::fingerprint(labels)));
  json::array muted(mutes.intervals.begin(), mutes.intervals.end());
  if (alert.shelf) muted.push_back(json::string("shelved by " + alert.shelf->by));
  const bool quiet = !alert.silenced_by.empty() || !inhibited.empty() || alert.shelf.has_value();
  json::object status{{"state", quiet ? "suppressed" : "active"},
                      {"silencedBy", json::array(alert.silenced_by.begin(), alert.silenced_by.end())},
                      {"inhibitedBy", std::move(inhibited)},
                      {"mutedBy", std::move(muted)}};
  // A rule's alert ends by its rule; who reads this expects a time until which it is known to last.
  const auto ends = alert.ends.value_or(now + std::chrono::minutes{5});
  const auto url = alert.generator_url.empty() && alert.kind != alerts::Kind::kPosted
                       ? fmt::format("{}/#/alerts/{}", s.external_url, alert.id.value())
                       : alert.generator_url;
  return {{"labels", to_json(seen)},
          {"annotations", std::move(annotations)},
          {"receivers", std::move(names)},
          {"fingerprint", routing::fingerprint(seen)},
          {"startsAt", rfc3339(alert.started)},
          {"updatedAt", rfc3339(alert.updated)},
          {"endsAt", rfc3339(ends)},
          {"generatorURL", url},
          {"status", std::move(status)}};
}

bool flag(const net::Parameters& parameters, std::string_view name, bool fallback) {
  if (!parameters.has(name)) return fallback;
  constexpr std::array<std::string_view, 10> kYes{"true", "1", "yes",      "ok",      "y",
                                                  "on",   "t", "selected", "checked", "enabled"};
  std::string text(parameters.get(name));
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::find(kYes, text) != kYes.end();
}

Result<Matchers> filters(const net::Parameters& parameters, std::string_view name) {
  Matchers out;
  for (const auto& text : parameters.all(name)) {
    auto matcher = routing::parse_matcher(text);
    if (!matcher) return fail_within(fmt::format("{}: {}", name, text), std::move(matcher).error());
    out.push_back(std::move(*matcher));
  }
  return out;
}

bool passes(const Matchers& filters, const std::map<std::string, std::string, std::less<>>& pairs) {
  return std::ranges::all_of(filters, [&](const Matcher& m) {
    const auto it = pairs.find(m.name());
    const bool present = it != pairs.end();
    const bool negative = m.op() == Matcher::Op::kNotEqual || m.op() == Matcher::Op::kNotRegex;
    if (m.value().empty() && present == negative) return true;
    return m.matches(present ? std::string_view(it->second) : std::string_view());
  });
}

}  // namespace atalaya::api::alertmanager
