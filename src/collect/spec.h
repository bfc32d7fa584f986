// What an agent is told to run: collectors as data.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::collect {

struct HostSpec {
  bool operator==(const HostSpec&) const = default;
};

struct LogSpec {
  std::vector<std::string> paths;
  std::map<std::string, std::string> labels;
  bool from_start = false;
  bool operator==(const LogSpec&) const = default;
};

struct HttpSpec {
  std::string url;
  std::string method = "GET";
  std::map<std::string, std::string> headers;
  std::string body;
  std::optional<int> expect_status;  ///< else any 2xx or 3xx
  std::string expect_text;
  std::string ca_file;
  bool insecure_skip_verify = false;
  bool operator==(const HttpSpec&) const = default;
};

struct TcpSpec {
  std::string address;
  bool operator==(const TcpSpec&) const = default;
};

struct ProcessSpec {
  std::string name;   ///< as ps shows it
  std::string regex;  ///< RE2 on the command line; one of the two is given
  std::int64_t at_least = 1;
  std::optional<std::int64_t> at_most;
  bool operator==(const ProcessSpec&) const = default;
};

struct PingSpec {
  std::string host;
  std::int64_t count = 3;
  std::string interface;  ///< "": as the routing table says
  bool operator==(const PingSpec&) const = default;
};

struct ScriptSpec {
  std::string program;  ///< text
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::uint64_t memory_bytes = 512 << 20;  ///< address space of each process
  bool operator==(const ScriptSpec&) const = default;
};

struct ScrapeSpec {
  std::string config;  ///< JSON: the fields of an item of `scrape_configs` (collect/scrape/config.h)
  bool operator==(const ScrapeSpec&) const = default;
};

struct CollectorSpec;

/// What a sensor's collector measures: one value of this host, or of what another collector would write.
struct MetricSpec {
  std::string collector;  ///< the entity's id: ingest::kSensorLabel of its series
  std::string metric;     ///< its name: `CPUPercent`
  std::string take;       ///< a value of the host (metric/host_values.h), a sample's name, or `lines`
  std::map<std::string, std::string> select;  ///< labels that its series must have
  std::string pattern;                        ///< RE2 that a line must hold, to be counted as one of `lines`
  std::shared_ptr<const CollectorSpec> of;    ///< whose samples and lines; null: the host's
  std::string sensor;                         ///< whose pipe here takes the values; "" : they go to the server
  std::string stream;                         ///< of that pipe
  bool operator==(const MetricSpec& other) const;
};
/// A sensor's pipe that runs here: what its collectors measure on this host flows into it, and only what it publishes
/// leaves.
struct SensorSpec {
  std::string sensor;    ///< the entity's id
  std::string pipe;      ///< JSON (sense/pipe_text.h)
  Time from = kMinTime;  ///< values from outside the window are dropped
  Time until = kMaxTime;
  bool operator==(const SensorSpec&) const = default;
};
/// Begins the ids of sensors' collectors.
constexpr std::string_view kSensorIds = "occi:";

struct CollectorSpec {
  /// "package/group/name"; of a sensor's collector `occi:<collector>/<metric>`, of its pipe `occi:<sensor>/pipe`
  std::string id;
  Duration period{10'000};
  Duration timeout{5'000};
  std::variant<HostSpec, LogSpec, HttpSpec, TcpSpec, ProcessSpec, PingSpec, ScriptSpec, ScrapeSpec, MetricSpec,
               SensorSpec>
      what;

  /// The last part of the id: what `check_up{check=…}` says.
  std::string name() const;
  bool operator==(const CollectorSpec&) const = default;
};

/// One collector of the agent's configuration (docs/formats/agent-protocol.md). invalid_argument
/// names the collector and what is wrong; fields that this version does not know are passed over.
Result<CollectorSpec> parse_collector(const boost::json::object& object);

struct ConfigurationSpec {
  std::vector<CollectorSpec> collectors;
  struct Problem {
    std::string id;
    Error error;
  };
  std::vector<Problem> problems;  ///< of collectors that cannot run; the others do
};
/// An error only when the text as a whole is no configuration.
Result<ConfigurationSpec> parse_configuration(std::string_view json);

}  // namespace atalaya::collect
