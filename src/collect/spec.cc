#include "collect/spec.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <set>

namespace atalaya::collect {
namespace {

namespace json = boost::json;

/// The fields of one collector, whether they stand beside its type or in an object of their own.
class Fields {
 public:
  Fields(const json::object& object, std::string_view id) : object_(object), id_(id) {
    const auto* inner = object.if_contains("fields");
    inner_ = inner ? inner->if_object() : nullptr;
  }

  const json::value* find(std::string_view key) const {
    if (inner_)
      if (const auto* value = inner_->if_contains(key); value && !value->is_null()) return value;
    const auto* value = object_.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
  }

  std::string text(std::string_view key, std::string fallback = {}) {
    const auto* value = find(key);
    if (!value) return fallback;
    if (value->is_string()) return std::string{value->get_string()};
    wrong(key, "a text");
    return fallback;
  }

  std::optional<std::int64_t> integer(std::string_view key) {
    const auto* value = find(key);
    if (!value) return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    if (!error) return number;
    wrong(key, "a whole number");
    return std::nullopt;
  }

  bool boolean(std::string_view key) {
    const auto* value = find(key);
    if (!value) return false;
    if (value->is_bool()) return value->get_bool();
    wrong(key, "true or false");
    return false;
  }

  /// Milliseconds, or a text such as 10s.
  std::optional<Duration> duration(std::string_view key) {
    const auto* value = find(key);
    if (!value) return std::nullopt;
    if (value->is_string()) {
      if (auto parsed = parse_duration(std::string{value->get_string()})) return *parsed;
    } else if (value->is_int64() || value->is_uint64()) {
      boost::system::error_code error;
      if (const auto ms = value->to_number<std::int64_t>(error); !error) return Duration{ms};
    }
    wrong(key, "a duration such as 10s");
    return std::nullopt;
  }

  std::vector<std::string> texts(std::string_view key) {
    const auto* value = find(key);
    std::vector<std::string> out;
    if (!value) return out;
    if (value->is_string()) {
      out.emplace_back(value->get_string());
    } else if (const auto* array = value->if_array()) {
      for (const auto& item : *array) {
        if (item.is_string())
          out.emplace_back(item.get_string());
        else
          wrong(key, "a text or a list of texts");
      }
    } else {
      wrong(key, "a text or a list of texts");
    }
    return out;
  }

  std::map<std::string, std::string> text_map(std::string_view key) {
    std::map<std::string, std::string> out;
    const auto* value = find(key);
    if (!value) return out;
    const auto* object = value->if_object();
    if (!object) {
      wrong(key, "names with texts");
      return out;
    }
    for (const auto& [name, text] : *object) {
      if (text.is_string())
        out.emplace(name, text.get_string());
      else
        wrong(key, "names with texts");
    }
    return out;
  }

  void need(bool given, std::string_view key) {
    if (!given) complain(fmt::format("{} is missing", key));
  }
  void complain(std::string what) {
    if (!error_) error_ = Error{ErrorCode::kInvalidArgument, fmt::format("collector {}: {}", id_, what), {}, {}};
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  void wrong(std::string_view key, std::string_view expected) { complain(fmt::format("{} must be {}", key, expected)); }

  const json::object& object_;
  const json::object* inner_ = nullptr;
  const std::string id_;
  std::optional<Error> error_;
};

LogSpec parse_log(Fields& fields) {
  LogSpec log;
  log.paths = fields.texts("path");
  log.labels = fields.text_map("labels");
  log.from_start = fields.boolean("from_start");
  fields.need(!log.paths.empty(), "path");
  for (const auto& path : log.paths)
    if (!path.starts_with('/')) fields.complain(fmt::format("path {} is not absolute", path));
  return log;
}

HttpSpec parse_http(Fields& fields) {
  HttpSpec http;
  http.url = fields.text("url");
  http.method = fields.text("method", "GET");
  http.headers = fields.text_map("headers");
  http.body = fields.text("body");
  if (const auto status = fields.integer("expect_status")) http.expect_status = static_cast<int>(*status);
  http.expect_text = fields.text("expect_text");
  http.ca_file = fields.text("ca_file");
  http.insecure_skip_verify = fields.boolean("insecure_skip_verify");
  fields.need(!http.url.empty(), "url");
  return http;
}

ProcessSpec parse_process(Fields& fields) {
  ProcessSpec process;
  process.name = fields.text("name");
  process.regex = fields.text("regex");
  process.at_least = fields.integer("at_least").value_or(1);
  process.at_most = fields.integer("at_most");
  fields.need(!process.name.empty() || !process.regex.empty(), "name");
  return process;
}

PingSpec parse_ping(Fields& fields) {
  constexpr std::int64_t kMaxCount = 20;
  PingSpec ping;
  ping.host = fields.text("host");
  ping.count = fields.integer("count").value_or(ping.count);
  ping.interface = fields.text("interface");
  fields.need(!ping.host.empty(), "host");
  if (ping.count < 1 || ping.count > kMaxCount) fields.complain(fmt::format("count must be 1 to {}", kMaxCount));
  return ping;
}

ScriptSpec parse_script(Fields& fields) {
  constexpr std::int64_t kLeastMemory = 16 << 20;
  constexpr std::int64_t kMostMemory = std::int64_t{8} << 30;
  ScriptSpec script;
  script.program = fields.text("program");
  script.arguments = fields.texts("arguments");
  script.environment = fields.text_map("environment");
  if (const auto memory = fields.integer("memory")) {
    if (*memory < kLeastMemory || *memory > kMostMemory)
      fields.complain(fmt::format("memory must be {} to {} bytes", kLeastMemory, kMostMemory));
    script.memory_bytes = static_cast<std::uint64_t>(*memory);
  }
  fields.need(!script.program.empty(), "program");
  return script;
}

/// The collector whose samples a metric takes has the id and the times of the metric.
std::shared_ptr<const CollectorSpec> parse_inner(Fields& fields, const CollectorSpec& spec) {
  const auto* given = fields.find("of");
  if (given == nullptr) return nullptr;
  if (!given->is_object()) {
    fields.complain("of must be a collector");
    return nullptr;
  }
  auto object = given->get_object();
  object["id"] = spec.id;
  object["period"] = spec.period.count();
  auto inner = parse_collector(object);
  if (!inner) {
    fields.complain(inner.error().message);
    return nullptr;
  }
  if (std::holds_alternative<MetricSpec>(inner->what) || std::holds_alternative<HostSpec>(inner->what) ||
      std::holds_alternative<ScrapeSpec>(inner->what) || std::holds_alternative<SensorSpec>(inner->what))
    fields.complain("a metric is not taken of a collector of this type");
  return std::make_shared<const CollectorSpec>(std::move(*inner));
}

MetricSpec parse_metric(Fields& fields, const CollectorSpec& spec) {
  MetricSpec metric;
  metric.collector = fields.text("collector");
  metric.metric = fields.text("metric");
  metric.take = fields.text("take");
  metric.select = fields.text_map("select");
  metric.pattern = fields.text("pattern");
  for (const auto& [key, value] : {std::pair{"collector", &metric.collector}, std::pair{"metric", &metric.metric},
                                   std::pair{"take", &metric.take}})
    fields.need(!value->empty(), key);
  metric.of = parse_inner(fields, spec);
  return metric;
}

MetricSpec parse_piped(Fields& fields, const CollectorSpec& spec) {
  auto metric = parse_metric(fields, spec);
  metric.sensor = fields.text("sensor");
  metric.stream = fields.text("stream");
  fields.need(!metric.sensor.empty(), "sensor");
  fields.need(!metric.stream.empty(), "stream");
  return metric;
}

SensorSpec parse_sensor(Fields& fields) {
  SensorSpec out;
  out.sensor = fields.text("sensor");
  if (const auto from = fields.integer("from")) out.from = from_ms(*from);
  if (const auto until = fields.integer("until")) out.until = from_ms(*until);
  const auto* pipe = fields.find("pipe");
  fields.need(!out.sensor.empty(), "sensor");
  fields.need(pipe != nullptr && pipe->is_object(), "pipe");
  if (pipe != nullptr) out.pipe = json::serialize(*pipe);
  return out;
}

}  // namespace

bool MetricSpec::operator==(const MetricSpec& other) const {
  const bool same_inner = of == other.of || (of && other.of && *of == *other.of);
  return same_inner && collector == other.collector && metric == other.metric && take == other.take &&
         select == other.select && pattern == other.pattern && sensor == other.sensor && stream == other.stream;
}

std::string CollectorSpec::name() const { return id.substr(id.rfind('/') + 1); }

Result<CollectorSpec> parse_collector(const json::object& object) {
  const auto text = [&](std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string{value->get_string()} : std::string{};
  };
  CollectorSpec spec;
  spec.id = text("id");
  if (spec.id.empty()) return fail(ErrorCode::kInvalidArgument, "a collector without id");
  const auto type = text("type");
  Fields fields(object, spec.id);
  if (type == "host") {
    spec.period = Duration{1000};
    spec.what = HostSpec{};
  } else if (type == "log") {
    spec.period = Duration{250};
    spec.what = parse_log(fields);
  } else if (type == "http") {
    spec.what = parse_http(fields);
  } else if (type == "tcp") {
    TcpSpec tcp{fields.text("address")};
    fields.need(!tcp.address.empty(), "address");
    spec.what = std::move(tcp);
  } else if (type == "process") {
    spec.what = parse_process(fields);
  } else if (type == "ping") {
    spec.what = parse_ping(fields);
  } else if (type == "script") {
    spec.what = parse_script(fields);
  } else if (type == "scrape") {
    const auto* config = fields.find("config");
    fields.need(config != nullptr && config->is_object(), "config");
    if (config != nullptr) spec.what = ScrapeSpec{json::serialize(*config)};
  } else if (type == "metric" || type == "piped") {
    if (const auto period = fields.duration("period")) spec.period = *period;
    spec.what = type == "metric" ? parse_metric(fields, spec) : parse_piped(fields, spec);
  } else if (type == "sensor") {
    spec.period = Duration{1000};
    spec.what = parse_sensor(fields);
  } else {
    fields.complain(fmt::format("this agent knows no type \"{}\"", type));
  }
  if (const auto period = fields.duration("period")) spec.period = *period;
  spec.timeout = fields.duration("timeout").value_or(std::min(spec.timeout, spec.period));
  // A tail that looked once a second would be later than it need be: its period bounds how late.
  if (type == "log") spec.period = std::min(spec.period, Duration{250});
  if (spec.period < Duration{50}) fields.complain("period must be at least 50ms");
  if (spec.timeout <= Duration{0}) fields.complain("timeout must be above 0");
  if (fields.error()) return std::unexpected(*fields.error());
  return spec;
}

Result<ConfigurationSpec> parse_configuration(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  const auto* object = value.if_object();
  if (error || !object) return fail(ErrorCode::kInvalidArgument, "the configuration is not a JSON object");
  ConfigurationSpec out;
  const auto* list = object->if_contains("collectors");
  if (!list) return out;
  if (!list->is_array()) return fail(ErrorCode::kInvalidArgument, "collectors is not a list");
  std::set<std::string> ids;
  for (const auto& item : list->get_array()) {
    const auto* collector = item.if_object();
    auto spec = collector ? parse_collector(*collector) : fail(ErrorCode::kInvalidArgument, "a collector is no object");
    if (spec && !ids.insert(spec->id).second)
      spec = fail(ErrorCode::kInvalidArgument, fmt::format("collector {} is there twice", spec->id));
    if (spec) {
      out.collectors.push_back(std::move(*spec));
      continue;
    }
    const auto* id = collector ? collector->if_contains("id") : nullptr;
    out.problems.push_back({id && id->is_string() ? std::string{id->get_string()} : "?", spec.error()});
  }
  return out;
}

}  // namespace atalaya::collect
