// One alert at a time; the rest of the routes are in alerta_*.cc.
#include "api/alerta.h"

#include <algorithm>

#include "alerts/machine.h"
#include "alerts/report.h"
#include "api/alerta_json.h"
#include "api/alerta_query.h"
#include "api/commands.h"
#include "base/random.h"

namespace atalaya::api {
namespace alerta {
namespace {

using auth::Principal;

constexpr std::uint64_t kMaxBody = 32 << 20;

/// Before the first proxy, if any.
std::string address_of(const net::Request& request) {
  auto forwarded = request.headers.get("X-Forwarded-For");
  forwarded = forwarded.substr(0, forwarded.find(','));
  return forwarded.empty() ? request.remote_address : std::string(forwarded.substr(0, 100));
}

Result<alerts::SeenReport> seen(const AlertaServices& s, const Principal& who, const net::Request& request) {
  return s.alerts.get(who.tenant, std::string(request.captures.get("id")));
}

Result<net::Response> show(const AlertaServices& s, const Principal& who, const AlertId& id, json::object more,
                           int status) {
  AT_TRY(const auto seen, s.alerts.get(who.tenant, id.value()));
  AT_TRY(const auto history, s.alerts.history(who.tenant, id, kHistoryLimit));
  more["alert"] = alert_json(s, seen, {.history = &history});
  return answer(std::move(more), status);
}

Result<net::Response> post(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, Body::parse(request.body));
  AT_TRY(auto event, read_alert(body, s, address_of(request)));
  event.user = user_of(s, who);
  const auto stored = event.stored;
  const bool urgent = alerts::severity_of_label(event.report.severity) == alerts::Severity::kCritical;
  std::vector<Command> command;
  command.push_back({.body = std::move(event), .urgent = urgent});
  AT_TRY(run_all(s.control, who.tenant, std::move(command)));
  return show(s, who, *stored, {{"id", stored->value()}}, 201);
}

/// A change of one alert, which `read` makes of the body.
template <typename Read>
Result<net::Response> change(const AlertaServices& s, const Principal& who, const net::Request& request,
                             const Read& read) {
  AT_TRY(const auto body, Body::parse(request.body));
  AT_TRY(auto event, read(body));
  AT_TRY(const auto found, seen(s, who, request));
  event.id = found.report.id;
  event.user = user_of(s, who);
  AT_TRY(s.control.run(who.tenant, std::move(event)));
  return answer({});
}

Result<net::Response> set_note(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, Body::parse(request.body));
  AT_TRY(const auto found, seen(s, who, request));
  const auto known = request.captures.get("note");
  alerts::EditReport event;
  event.id = found.report.id;
  event.user = user_of(s, who);
  event.note = alerts::ReportNote{.id = known.empty() ? random_uuid() : std::string(known), .user = event.user};
  AT_TRY(event.note->text, body.text("text", kMaxText));
  if (event.note->text.empty()) {
    AT_TRY(event.note->text, body.text("note", kMaxText));
  }
  const auto id = event.note->id;
  if (!known.empty() && std::ranges::count(found.report.notes, id, &alerts::ReportNote::id) == 0) {
    return fail(ErrorCode::kNotFound, "there is no such note");
  }
  AT_TRY(s.control.run(who.tenant, std::move(event)));
  AT_TRY(const auto now, s.alerts.get(who.tenant, found.report.id.value()));
  const auto note = std::ranges::find(now.report.notes, id, &alerts::ReportNote::id);
  if (note == now.report.notes.end()) return fail(ErrorCode::kNotFound, "the note was removed meanwhile");
  return answer({{"id", id}, {"note", note_json(s, now, *note)}}, known.empty() ? 201 : 200);
}

Result<net::Response> notes(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto found, seen(s, who, request));
  json::array list;
  for (const auto& note : found.report.notes) list.push_back(note_json(s, found, note));
  const auto total = list.size();
  return answer({{"notes", std::move(list)}, {"total", total}});
}

void add_notes(Doors& doors, const AlertaServices& s) {
  for (const auto* pattern : {"/alerta/alert/{id}/note", "/alerta/alert/{id}/note/{note}"}) {
    doors.add("PUT", pattern, Need::kOperator,
              [s](const Principal& who, net::Request& request) { return set_note(s, who, request); });
  }
  doors.add("GET", "/alerta/alert/{id}/notes", Need::kViewer,
            [s](const Principal& who, net::Request& request) { return notes(s, who, request); });
  doors.add("DELETE", "/alerta/alert/{id}/note/{note}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, seen(s, who, request));
              alerts::EditReport event;
              event.id = found.report.id;
              event.remove_note = request.captures.get("note");
              AT_TRY(s.control.run(who.tenant, std::move(event)));
              return answer({});
            });
}

}  // namespace

Result<alerts::ReportAction> read_action(const Body& body, alerts::ReportAction::Kind kind) {
  const bool status = kind == alerts::ReportAction::Kind::kStatus;
  alerts::ReportAction out;
  out.kind = kind;
  AT_TRY(out.word, body.text(status ? "status" : "action", 100));
  if (out.word.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                status ? "must supply 'status' as json data" : "must supply 'action' as json data");
  }
  constexpr std::string_view kStatuses[] = {"open", "assign", "ack", "shelved", "closed", "expired", "unknown"};
  if (status && std::ranges::find(kStatuses, out.word) == std::end(kStatuses)) {
    return fail(ErrorCode::kInvalidArgument, "status: '" + out.word + "' is none that can be set",
                "use open, assign, ack, shelved, closed, expired or unknown; blackouts make 'blackout'");
  }
  AT_TRY(out.text, body.text("text", kMaxName));
  if (out.text.empty() && !status) out.text = out.word + " operator action";
  AT_TRY(const auto timeout, body.seconds("timeout"));
  out.timeout = timeout.value_or(0);
  return out;
}

Result<alerts::EditReport> read_edit(const Body& body, std::string_view what) {
  alerts::EditReport out;
  if (!body.has(what == "attributes" ? "attributes" : "tags")) {
    return fail(ErrorCode::kInvalidArgument,
                what == "attributes" ? "must supply 'attributes' as json data" : "must supply 'tags' as json list");
  }
  if (what == "attributes") {
    AT_TRY(out.attributes, body.object("attributes"));
    AT_TRY(check_names(out.attributes));
  } else {
    AT_TRY(auto tags, body.texts("tags"));
    (what == "tag" ? out.add_tags : out.remove_tags) = std::move(tags);
  }
  return out;
}

}  // namespace alerta

void add_alerta_routes(Doors& all, AlertaServices s) {
  using namespace alerta;
  using auth::Principal;
  auto doors = all.with_errors(error_response);
  doors.add_slow("POST", "/alerta/alert", Need::kIngest, s.senders,
                 [s](const Principal& who, net::Request& request) { return post(s, who, request); },
                 {.max_body_bytes = kMaxBody});
  doors.add("GET", "/alerta/alert/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, seen(s, who, request));
              return show(s, who, found.report.id, {{"total", 1}}, 200);
            });
  doors.add("DELETE", "/alerta/alert/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, seen(s, who, request));
              AT_TRY(s.control.run(who.tenant, alerts::DeleteAlert{found.report.id}));
              return answer({});
            });
  using Kind = alerts::ReportAction::Kind;
  for (const auto& [what, kind] : {std::pair{"status", Kind::kStatus}, std::pair{"action", Kind::kAction}}) {
    doors.add("PUT", std::string("/alerta/alert/{id}/") + what, Need::kOperator,
              [s, kind = kind](const Principal& who, net::Request& request) {
                return change(s, who, request, [&](const Body& body) { return read_action(body, kind); });
              });
  }
  for (const std::string what : {"tag", "untag", "attributes"}) {
    doors.add("PUT", "/alerta/alert/{id}/" + what, Need::kOperator,
              [s, what](const Principal& who, net::Request& request) {
                return change(s, who, request, [&](const Body& body) { return read_edit(body, what); });
              });
  }
  add_notes(doors, s);
  add_lists(doors, s);
  add_bulk(doors, s);
  add_blackouts(doors, s);
  add_heartbeats(doors, s);
  add_management(doors, s);
  add_accounts(doors, s);
}

}  // namespace atalaya::api
