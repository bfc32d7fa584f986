#include "packages/sections.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace atalaya::packages {
namespace {

using enum FieldType;

constexpr std::string_view kSeverities = "warning|critical";

constexpr std::array kFile{
    Field{"package", kText, true, "The package's name: that of its folder."},
    Field{"version", kText, true, "The package's version, e.g. 1.0.0."},
    Field{"title", kText, false, "One line about the package."},
};

constexpr std::array kGauge{
    Field{"expr", kText, true, "PromQL; each series of its result is judged for itself."},
    Field{"above", kLevels, false, "In breach while the value is larger."},
    Field{"below", kLevels, false, "In breach while the value is smaller."},
    Field{"hysteresis", kNumber, false, "How far the value must come back before a level is left.", {}, 0},
};
constexpr std::array kBinary{
    Field{"expr", kText, true, "PromQL; 0 is down, anything else is up."},
    Field{"failures", kInteger, false, "How many times in a row it must be down (1).", {}, 1, 10000},
    Field{"severity", kText, false, "What being down is (critical).", kSeverities},
};
constexpr std::array kTailable{
    Field{"match", kText, true, "Which log streams, e.g. {file=\"/var/log/app.log\"}."},
    Field{"pattern", kText, true, "Regular expression (RE2) that a line must match somewhere."},
    Field{"absent", kBoolean, false, "In breach while no line matches (false)."},
    Field{"count", kInteger, false, "How many matching lines make a breach (1).", {}, 1, 10000},
    Field{"within", kDuration, false, "The window in which lines are counted (5m)."},
    Field{"severity", kText, false, "What the breach is (critical).", kSeverities},
};
constexpr std::array kRuleTypes{
    Type{"gauge", kGauge, "Numbers over time."},
    Type{"binary", kBinary, "Up or down."},
    Type{"tailable", kTailable, "Log lines."},
};
constexpr std::array kRule{
    Field{"title", kText, false, "What people read first."},
    Field{"for", kDuration, false, "How long the breach must last, by the time of the data (0s)."},
    Field{"no_data", kDurationOrNever, false, "Silence after which the state is no_data (5m); or never."},
    Field{"labels", kTextMap, false, "Added to the alert; they win over the series' labels."},
    Field{"annotations", kTextMap, false, "Texts, with templates such as {{ $labels.instance }}."},
    Field{"depends_on", kTexts, false, "Items of this package that this one depends on."},
};

constexpr std::array kLog{
    Field{"path", kTexts, true, "Files, absolute; * and ? stand for any characters."},
    Field{"labels", kTextMap, false, "Added to every line's labels."},
    Field{"from_start", kBoolean, false, "Read files that are there already from their beginning (false)."},
};
constexpr std::array kHttp{
    Field{"url", kText, true, "http:// or https:// address."},
    Field{"method", kText, false, "Request method (GET).", "GET|HEAD|POST|PUT|OPTIONS"},
    Field{"headers", kTextMap, false, "Sent with the request."},
    Field{"body", kText, false, "Sent with the request."},
    Field{"expect_status", kInteger, false, "The status that means up (any 2xx or 3xx).", {}, 100, 599},
    Field{"expect_text", kText, false, "The body must hold this text."},
    Field{"ca_file", kText, false, "Certificates that sign the server's, instead of the system's."},
    Field{"insecure_skip_verify", kBoolean, false, "Accept any certificate (false)."},
};
constexpr std::array kTcp{
    Field{"address", kText, true, "host:port."},
};
constexpr std::array kProcess{
    Field{"name", kText, false, "Name of the executable, as ps shows it."},
    Field{"regex", kText, false, "Regular expression (RE2) on the command line, instead of the name."},
    Field{"at_least", kInteger, false, "How many must run (1).", {}, 0, 100000},
    Field{"at_most", kInteger, false, "How many may run (any number).", {}, 0, 100000},
};
constexpr std::array kCollectorTypes{
    Type{"host", {}, "The machine itself; every host has one without asking."},
    Type{"log", kLog, "Lines appended to a file."},
    Type{"http", kHttp, "Is an HTTP address up?"},
    Type{"tcp", kTcp, "Does a TCP port accept connections?"},
    Type{"process", kProcess, "Does a process run?"},
};
constexpr std::array kCollector{
    Field{"title", kText, false, "What people read first."},
    Field{"period", kDuration, false, "Time from one measurement to the next (1s for host and log, else 10s)."},
    Field{"timeout", kDuration, false, "When a check gives up (5s, or the period where that is shorter)."},
    Field{"on", kTexts, false, "Hosts by name or glob (*)."},
    Field{"depends_on", kTexts, false, "Items of this package that this one depends on."},
};

constexpr std::array kEmail{
    Field{"smtp", kText, true, "smtp://host:port or smtps://host:port."},
    Field{"from", kText, true, "Sender's address."},
    Field{"to", kTexts, true, "Addresses."},
    Field{"user", kText, false, "For signing in."},
    Field{"password", kText, false, "For signing in; password_file is safer."},
    Field{"password_file", kText, false, "File whose first line is the password."},
    Field{"starttls", kText, false, "Encryption of a plain connection (required).", "required|if_offered|never"},
    Field{"ca_file", kText, false, "Certificates that sign the server's, instead of the system's."},
    Field{"subject", kText, false, "Template."},
    Field{"text", kText, false, "Template."},
};
constexpr std::array kChannelTypes{
    Type{"email", kEmail, "Mail through an SMTP server."},
};
constexpr std::array kChannel{
    Field{"title", kText, false, "What people read first."},
    Field{"depends_on", kTexts, false, "Items of this package that this one depends on."},
};

constexpr std::array kSections{
    Section{"rules", "a rule", kRuleTypes, kRule, "What is judged, and when it is an alert."},
    Section{"collectors", "a collector", kCollectorTypes, kCollector, "What agents measure."},
    Section{"channels", "a channel", kChannelTypes, kChannel, "Where notifications go.", true},
};

}  // namespace

std::string_view describe(FieldType type) {
  switch (type) {
    case kText: return "a text";
    case kInteger: return "a whole number";
    case kNumber: return "a number";
    case kBoolean: return "true or false";
    case kDuration: return "a duration such as 30s";
    case kDurationOrNever: return "a duration such as 30s, or never";
    case kTexts: return "a text or a list of texts";
    case kTextMap: return "names with texts";
    case kLevels: return "{warning: number, critical: number}";
  }
  return "a value";
}

std::span<const Field> file_fields() { return kFile; }
std::span<const Section> sections() { return kSections; }

const Section& section(std::string_view name) {
  const auto found = std::find_if(kSections.begin(), kSections.end(), [&](const auto& s) { return s.name == name; });
  AT_CHECK(found != kSections.end());
  return *found;
}

const Type* find_type(const Section& section, std::string_view name) {
  const auto found =
      std::find_if(section.types.begin(), section.types.end(), [&](const auto& type) { return type.name == name; });
  return found == section.types.end() ? nullptr : &*found;
}

}  // namespace atalaya::packages
