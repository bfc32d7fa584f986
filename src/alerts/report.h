// Alerts as Alerta's clients report and handle them: the fields that Alerta's API has beside ours, and its words.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "base/ids.h"
#include "base/time.h"

namespace atalaya::alerts {

/// The doors of alerts that are reported so: by Alerta's clients, and as passive results of Nagios' checks.
constexpr std::string_view kReportDoor = "alerta";
constexpr std::string_view kNagiosDoor = "nagios";
bool is_reported(const Alert& alert);
/// Where no alert says another one.
constexpr std::string_view kDefaultEnvironment = "Production";
/// An alert's severity before its first.
constexpr std::string_view kFirstSeverity = "indeterminate";
/// What an alert gets that a person closes.
constexpr std::string_view kNormalSeverity = "normal";

/// Place in Alerta's ladder, 0 the worst: security, critical, major, minor, warning, indeterminate, informational,
/// then ok, normal and cleared (7), debug, trace, unknown. Nothing for any other word.
std::optional<int> severity_rank(std::string_view word);
/// ok, normal, cleared: they end an alert.
bool is_normal(std::string_view word);
/// moreSevere, lessSevere, noChange.
std::string_view trend_of(std::string_view before, std::string_view now);

struct ReportNote {
  std::string id;
  std::string text;
  std::string user;
  Time created{};
  std::optional<Time> updated;
};

/// What is known of an alert beside what every alert has. One that was reported is identified by environment,
/// resource, event and customer, and by the events that its `correlate` names; its id is a UUID that the door made.
/// An alert of another door has one as soon as such a client tags it, notes something or sets attributes.
struct Report {
  AlertId id;
  std::string environment;
  std::string resource;
  std::string event;
  std::string customer;
  std::string severity;  ///< a word of the ladder
  std::string previous_severity{kFirstSeverity};
  std::vector<std::string> correlate;
  std::vector<std::string> service;
  std::vector<std::string> tags;
  std::string group;
  std::string value;
  std::string text;
  std::string origin;
  std::string type;
  boost::json::object attributes;
  std::optional<std::string> raw_data;
  std::int64_t timeout = 0;  ///< seconds without a report after which it expires; 0: never
  std::string status;        ///< `assign` or `unknown` where a client said so of an alert that is open; else ""
  Time created{};            ///< by its sender
  Time received{};           ///< the first report of this severity
  Time last_received{};
  std::string last_received_id;
  Time changed{};  ///< its status
  std::uint64_t duplicates = 0;
  bool repeat = false;
  std::vector<ReportNote> notes;
};

boost::json::object to_json(const Report& report);
/// Of what `to_json` made; missing fields are empty.
Report report_from_json(const boost::json::object& object);

/// How an alert looks that another door brought: resource is its label instance, event its name, environment,
/// service, group and origin are the labels called so. `kept` is what such clients added to it, or null.
Report report_of(const Alert& alert, const Report* kept);
/// open, assign, ack, shelved, blackout, closed, expired, unknown.
std::string_view status_word(const Alert& alert, const Report& report);
/// What matchers see of a reported alert: alertname is the event, instance the resource, `service` and `tags` as last
/// reported, joined by commas; environment, group, origin, customer.
Labels labels_of(const Report& report, const std::vector<std::string>& reported_tags);

// Event bodies for alerts::Machine; post them with `done` (control::Runner::run).

/// A new alert, a duplicate (same severity) or a change of one that is known. `report.id` names it where it is new, and
/// this reception where it is not.
struct Reported {
  std::string door{kReportDoor};
  Report report;
  std::string status;  ///< the sender wants it to have; "" and open: what follows from the severity
  std::string user;
  std::shared_ptr<AlertId> stored;  ///< gets the id that it has in the end; may be null
};

/// What a person does with an alert, of whatever door. not_found; conflict for what it is already.
struct ReportAction {
  enum class Kind : std::uint8_t { kAction, kStatus };
  AlertId id;
  Kind kind = Kind::kAction;
  /// An action – open, ack, unack, shelve, unshelve, close, expired; any other leaves a line of the history – or a
  /// status, which changes no severity.
  std::string word;
  std::string text;
  std::int64_t timeout = 0;  ///< seconds, of ack and shelve; 0: kShelfTimeout, or an ack without an end
  std::string user;
};
constexpr std::int64_t kShelfTimeout = 7200;

/// Changes what is kept beside an alert. not_found for the alert or the note.
struct EditReport {
  AlertId id;
  std::vector<std::string> add_tags;
  std::vector<std::string> remove_tags;
  boost::json::object attributes;  ///< null removes one
  std::optional<ReportNote> note;  ///< added, or takes the place of the one with its id
  std::string remove_note;
  std::string user;
};

/// The alert ends if it is open; then it is gone, with its history. not_found.
struct DeleteAlert {
  AlertId id;
};

}  // namespace atalaya::alerts
