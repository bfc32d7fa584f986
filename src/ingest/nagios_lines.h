// Results of checks as Nagios' programs send them: external commands, NRDP's XML and JSON, and the output of plug-ins.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::ingest {

/// One passive result.
struct CheckResult {
  std::string host;
  std::string service;  ///< "" for the host itself
  int state = 0;        ///< of a service 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; of a host 0 UP, 1 DOWN, 2 UNREACHABLE
  std::string output;   ///< as the plug-in wrote it, with performance data
  std::optional<Time> at;
};

struct CheckResults {
  std::vector<CheckResult> results;
  std::vector<Error> errors;  ///< of the others, each with its place
};

constexpr std::size_t kMaxCheckResults = 10'000;   ///< of one body
constexpr std::size_t kMaxCheckOutput = 64 << 10;  ///< bytes; what is more is cut
constexpr std::size_t kMaxCheckName = 1024;        ///< bytes of a host or a service

/// Lines `[<seconds>] PROCESS_SERVICE_CHECK_RESULT;<host>;<service>;<code>;<output>` and
/// `PROCESS_HOST_CHECK_RESULT;<host>;<code>;<output>`; `\n` in an output is a line end. Other commands are errors.
CheckResults read_check_commands(std::string_view lines);
/// `<checkresults><checkresult type="service">…`. invalid_argument where it is no such document; document types are
/// refused.
Result<CheckResults> read_nrdp_xml(std::string_view text);
/// `{"checkresults": [{"checkresult": {"type": "service"}, "hostname": …}]}`. invalid_argument where it is none.
Result<CheckResults> read_nrdp_json(std::string_view text);

/// A number that a plug-in measured. Times come in seconds, sizes in bytes, whatever multiple it wrote.
struct Performance {
  std::string label;
  double value = 0;
  std::string unit;  ///< seconds, bytes, percent, counter, or what it wrote
};
/// What a plug-in wrote: `text | 'label'=value[unit];…`, then further lines, of which performance data follow a `|`.
struct PluginOutput {
  std::string text;  ///< the first line without performance data
  std::string more;  ///< the others
  std::vector<Performance> performance;
};
PluginOutput read_plugin_output(std::string_view output);

}  // namespace atalaya::ingest
