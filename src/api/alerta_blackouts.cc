// Blackouts are our silences: what a blackout says beside its matchers stands in an annotation of the silence.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alerts/machine.h"
#include "api/alerta_json.h"
#include "api/alerta_query.h"
#include "base/random.h"

namespace atalaya::api::alerta {
namespace {

using alerts::Silence;
using auth::Principal;

constexpr std::string_view kAnnotation = "alerta";
constexpr std::int64_t kDuration = 3600;  ///< seconds, of one that says nothing of its end

struct Blackout {
  std::string id;  ///< stays, also when changes make another silence of it
  std::string environment;
  std::string resource;
  std::string event;
  std::string group;
  std::string origin;
  std::string customer;
  std::string text;
  std::string user;
  std::vector<std::string> service;
  std::vector<std::string> tags;
  Time starts{};
  Time ends{};
  Time created{};
};

json::object document(const Blackout& b) {
  return {{"id", b.id},
          {"environment", b.environment},
          {"resource", b.resource},
          {"event", b.event},
          {"group", b.group},
          {"origin", b.origin},
          {"customer", b.customer},
          {"service", list(b.service)},
          {"tags", list(b.tags)},
          {"startTime", rfc3339(b.starts)},
          {"endTime", rfc3339(b.ends)},
          {"createTime", rfc3339(b.created)}};
}

/// The fields of a body, or of an annotation.
Status read_fields(const Body& body, Blackout& b) {
  struct Field {
    const char* key;
    std::string* value;
  };
  for (const auto& [key, value] :
       {Field{"environment", &b.environment}, Field{"resource", &b.resource}, Field{"event", &b.event},
        Field{"group", &b.group}, Field{"origin", &b.origin}, Field{"customer", &b.customer}, Field{"text", &b.text}}) {
    if (!body.has(key)) continue;
    AT_TRY(auto text, body.text(key));
    // A blackout always has one: null leaves it as it is.
    if (text.empty() && value == &b.environment) continue;
    *value = std::move(text);
  }
  if (body.has("service")) {
    AT_TRY(b.service, body.texts("service"));
  }
  if (body.has("tags")) {
    AT_TRY(b.tags, body.texts("tags"));
  }
  AT_TRY(const auto starts, body.time("startTime"));
  if (starts) b.starts = *starts;
  AT_TRY(const auto ends, body.time("endTime"));
  AT_TRY(const auto lasts, body.seconds("duration"));
  if (ends) {
    b.ends = *ends;
  } else if (lasts) {
    b.ends = b.starts + std::chrono::seconds{*lasts};
  }
  return {};
}

/// One of the texts in a label that joins them by commas.
Result<Matcher> holding(const std::string& label, const std::string& text) {
  return Matcher::make(label, Matcher::Op::kRegex, fmt::format("(?:.*,)?{}(?:,.*)?", pattern_of(text)));
}

Result<Matchers> matchers_of(const Blackout& b) {
  Matchers out;
  if (b.environment == alerts::kDefaultEnvironment) {
    // Where alerts name none they are in this one.
    AT_TRY(auto matcher, Matcher::make("environment", Matcher::Op::kRegex, pattern_of(b.environment) + "|"));
    out.push_back(std::move(matcher));
  } else {
    out.push_back(Matcher::equal("environment", b.environment));
  }
  struct Field {
    const char* label;
    const std::string* value;
  };
  for (const auto& [label, value] :
       {Field{"instance", &b.resource}, Field{"alertname", &b.event}, Field{"group", &b.group},
        Field{"origin", &b.origin}, Field{"customer", &b.customer}}) {
    if (!value->empty()) out.push_back(Matcher::equal(label, *value));
  }
  for (const auto& [label, values] : {std::pair{"service", &b.service}, std::pair{"tags", &b.tags}}) {
    for (const auto& one : *values) {
      AT_TRY(auto matcher, holding(label, one));
      out.push_back(std::move(matcher));
    }
  }
  // A silence of everything needs one matcher that an absent label does not meet.
  if (out.size() == 1 && b.environment == alerts::kDefaultEnvironment) {
    AT_TRY(auto matcher, Matcher::make("alertname", Matcher::Op::kRegex, ".+"));
    out.push_back(std::move(matcher));
  }
  return out;
}

/// The more it names the higher it is, as Alerta counts.
int priority(const Blackout& b) {
  if (!b.tags.empty()) return 7;
  if (!b.resource.empty() && !b.event.empty()) return 6;
  if (!b.group.empty()) return 5;
  if (!b.event.empty()) return 4;
  if (!b.service.empty()) return 3;
  if (!b.resource.empty()) return 2;
  return 1;
}

/// The blackout that a silence came of; nothing for other silences, and for what was deleted or replaced.
std::optional<Blackout> blackout_of(const Silence& silence) {
  const auto found = silence.annotations.find(std::string(kAnnotation));
  if (found == silence.annotations.end()) return std::nullopt;
  const auto body = Body::parse(found->second);
  if (!body) return std::nullopt;
  Blackout out;
  const auto id = body->text("id");
  const auto created = body->time("createTime");
  if (!id || !created || !read_fields(*body, out)) return std::nullopt;
  if (silence.ends < out.ends) return std::nullopt;
  out.id = *id;
  out.created = created->value_or(silence.starts);
  out.text = silence.comment;
  out.user = silence.created_by;
  return out;
}

json::object shown(const AlertaServices& s, const Blackout& b, Time now) {
  const auto seconds = [](Duration d) { return std::chrono::duration_cast<std::chrono::seconds>(d).count(); };
  return {{"id", b.id},
          {"href", href(s, "blackout", b.id)},
          {"priority", priority(b)},
          {"environment", b.environment},
          {"service", list(b.service)},
          {"resource", or_null(b.resource)},
          {"event", or_null(b.event)},
          {"group", or_null(b.group)},
          {"tags", list(b.tags)},
          {"origin", or_null(b.origin)},
          {"customer", or_null(b.customer)},
          {"startTime", rfc3339(b.starts)},
          {"endTime", rfc3339(b.ends)},
          {"duration", seconds(b.ends - b.starts)},
          {"remaining", std::max<std::int64_t>(0, seconds(b.ends - std::max(now, b.starts)))},
          {"status", now < b.starts ? "pending"
                     : now < b.ends ? "active"
                                    : "expired"},
          {"user", or_null(b.user)},
          {"createTime", rfc3339(b.created)},
          {"text", b.text}};
}

struct Found {
  Blackout blackout;
  std::string silence;
};

Result<std::vector<Found>> all(const AlertaServices& s, const Principal& who) {
  AT_TRY(const auto silences, s.silences.list(who.tenant, s.clock.now()));
  std::vector<Found> out;
  for (const auto& silence : silences) {
    if (auto one = blackout_of(silence)) out.push_back({std::move(*one), silence.id});
  }
  return out;
}

Result<Found> one(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(auto known, all(s, who));
  const auto id = request.captures.get("id");
  const auto found = std::ranges::find_if(known, [&](const Found& f) { return f.blackout.id == id; });
  if (found == known.end()) return fail(ErrorCode::kNotFound, "there is no such blackout");
  return std::move(*found);
}

/// Makes a silence of it, or changes the one that is behind it.
Result<net::Response> store(const AlertaServices& s, const Principal& who, const Blackout& b, std::string silence_id,
                            int status) {
  if (b.environment.empty()) {
    return fail(ErrorCode::kInvalidArgument, "Missing mandatory value for \"environment\"");
  }
  Silence silence;
  silence.id = std::move(silence_id);
  silence.starts = b.starts;
  silence.ends = b.ends;
  silence.created_by = b.user.empty() ? "alerta" : b.user;
  silence.comment = b.text;
  silence.annotations[std::string(kAnnotation)] = json::serialize(document(b));
  AT_TRY(silence.matchers, matchers_of(b));
  const auto now = s.clock.now();
  if (silence.ends <= std::max(now, silence.starts)) {
    return fail(ErrorCode::kInvalidArgument, "the blackout would end before it begins",
                "let it end in the future and after its start");
  }
  AT_TRY(s.control.run(who.tenant, alerts::SetSilence{std::move(silence), random_uuid(), nullptr}));
  return answer({{"id", b.id}, {"blackout", shown(s, b, now)}}, status);
}

Result<net::Response> make(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, Body::parse(request.body));
  Blackout b;
  b.id = random_uuid();
  b.created = b.starts = s.clock.now();
  b.user = user_of(s, who);
  AT_TRY(read_fields(body, b));
  if (b.ends == Time{}) b.ends = b.starts + std::chrono::seconds{kDuration};
  return store(s, who, b, "", 201);
}

}  // namespace

void add_blackouts(Doors& doors, const AlertaServices& s) {
  doors.add("POST", "/alerta/blackout", Need::kOperator,
            [s](const Principal& who, net::Request& request) { return make(s, who, request); });
  doors.add("GET", "/alerta/blackouts", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto known, all(s, who));
              json::array list;
              for (const auto& found : known) list.push_back(shown(s, found.blackout, s.clock.now()));
              return page_of("blackouts", list, request.query);
            });
  doors.add("GET", "/alerta/blackout/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, one(s, who, request));
              return answer({{"total", 1}, {"blackout", shown(s, found.blackout, s.clock.now())}});
            });
  doors.add("PUT", "/alerta/blackout/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto body, Body::parse(request.body));
              AT_TRY(auto found, one(s, who, request));
              AT_TRY(read_fields(body, found.blackout));
              return store(s, who, found.blackout, found.silence, 200);
            });
  doors.add("DELETE", "/alerta/blackout/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, one(s, who, request));
              AT_TRY(s.control.run(who.tenant, alerts::ExpireSilence{found.silence}));
              return answer({});
            });
}

}  // namespace atalaya::api::alerta
