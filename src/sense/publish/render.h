// Records as the texts that publishers send.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish {

/// Shortest decimal that reads back the same: `12.5`, `3`, `1e+22`, `NaN`, `+Inf`, `-Inf`.
std::string number_text(double value);

/// The datagram of `SendUDP`: `Data: 12.5`; of a line its text, cut at 1,400 bytes.
std::string udp_text(const Record& record);

/// A line of `Log`, with its line break: `2026-11-22T02:30:10.123Z c{host="x"} 12.5`. Control characters of a text
/// become spaces, so that a record stays one line.
std::string log_line(std::string_view stream, const Record& record);

/// A line of `HTTPPost`, with its line break: `{"time":"…","sensor":"…","stream":"c","labels":{…},"value":12.5}`, or
/// `"text"` for a line. NaN and infinities are texts; the end of a series is `"value":null`.
std::string json_line(std::string_view sensor, const Item& item);

struct SyslogOptions {
  int facility = 16;
  int severity = 6;
  std::string host;
  std::string app = "atalaya";
};
/// A message of RFC 5424 without structured data, its text as in `log_line` without the time.
std::string syslog_message(const SyslogOptions& options, std::string_view stream, const Record& record);

/// The body of a remote write request (version 1, before snappy): one series for each label set. `metric` "" leaves the
/// name that the labels have, or else takes the stream's, with `_` for what a name may not hold. Lines are left out.
std::string remote_write_body(const std::string& metric, const std::vector<Item>& items);

}  // namespace atalaya::sense::publish
