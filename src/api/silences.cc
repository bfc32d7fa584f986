// Silences as people and the command line handle them; Alertmanager's clients have /api/v2/silences.
#include <algorithm>
#include <map>
#include <memory>

#include "alerts/machine.h"
#include "api/alerts.h"
#include "api/json.h"
#include "base/random.h"
#include "routing/matchers.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::size_t kMaxHidden = 1000;  ///< alerts listed with a silence
constexpr std::size_t kMaxText = 2000;
constexpr std::size_t kMaxMatchers = 4096;  ///< bytes

json::object shown(const alerts::Silence& silence, Time now, const std::vector<std::string>& hidden) {
  auto out = alerts::to_json(silence, now);
  out["text"] = to_string(silence.matchers);
  out["hides"] = hidden.size();
  json::array ids;
  for (std::size_t i = 0; i < std::min(hidden.size(), kMaxHidden); ++i) ids.push_back(json::string(hidden[i]));
  out["hidden_alerts"] = std::move(ids);
  return out;
}

Result<json::array> all(const AlertServices& s, const TenantId& tenant) {
  const auto now = s.clock.now();
  AT_TRY(const auto silences, s.silences.list(tenant, now));
  AT_TRY(auto hidden, s.alerts.hidden(tenant));
  json::array out;
  for (const auto& silence : silences) out.push_back(shown(silence, now, hidden[silence.id]));
  return out;
}

Result<net::Response> make(const AlertServices& s, const Principal& who, const net::Request& request) {
  const auto now = s.clock.now();
  AT_TRY(auto body, Fields::parse(request));
  alerts::Silence silence;
  silence.id = body.text_or("id", "", 64);
  const auto matchers = body.text("matchers", kMaxMatchers);
  const auto starts = body.text_or("starts", "", 64);
  silence.comment = body.text_or("comment", "", kMaxText);
  silence.created_by = body.text_or("created_by", who.name, kMaxText);
  silence.starts = now;
  Status status;
  if (auto time = starts.empty() ? Result<Time>(now) : parse_time(starts)) {
    silence.starts = *time;
  } else {
    status = fail_within("starts", std::move(time).error());
  }
  const auto until = read_until(body, silence.starts, status);
  AT_TRY(body.finish());
  AT_TRY(std::move(status));
  auto parsed = routing::parse_matchers(matchers);
  if (!parsed) return fail_within("matchers", std::move(parsed).error());
  silence.matchers = std::move(*parsed);
  if (!until) {
    return fail(ErrorCode::kInvalidArgument, "a silence needs an end", "say \"for\": \"2h\" or \"until\"");
  }
  silence.ends = *until;
  if (silence.ends <= std::max(now, silence.starts)) {
    return fail(ErrorCode::kInvalidArgument, "the silence would end before it begins",
                "let it end in the future and after its start");
  }
  const auto stored = std::make_shared<std::string>();
  AT_TRY(s.control.run(who.tenant, alerts::SetSilence{std::move(silence), random_uuid(), stored}));
  AT_TRY(const auto made, s.silences.get(who.tenant, *stored));
  return ok(alerts::to_json(made, s.clock.now()), 201);
}

}  // namespace

void add_silence_routes(Doors& doors, AlertServices services) {
  doors.add("GET", "~/silences", Need::kViewer,
            [s = services](const Principal& who, net::Request&) -> Result<net::Response> {
              AT_TRY(auto list, all(s, who.tenant));
              return ok(json::object{{"silences", std::move(list)}});
            });
  doors.add("POST", "~/silences", Need::kOperator,
            [s = services](const Principal& who, net::Request& request) { return make(s, who, request); });
  doors.add("DELETE", "~/silences/{id}", Need::kOperator,
            [s = services](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(s.control.run(who.tenant, alerts::ExpireSilence{std::string(request.captures.get("id"))}));
              return net::Response::empty();
            });
}

}  // namespace atalaya::api
