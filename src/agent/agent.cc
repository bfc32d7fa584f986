#include "agent/agent.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/calls.h"
#include "agent/pipes.h"
#include "agent/runner.h"
#include "agent/self_collector.h"
#include "agent/uplink.h"
#include "collect/check/check.h"
#include "collect/host/host_collector.h"
#include "collect/host/system.h"
#include "collect/log/tail.h"
#include "collect/metric/host_values.h"
#include "collect/metric/metric_collector.h"
#include "collect/scrape/scrape_collector.h"
#include "collect/scrape/targets_text.h"
#include "collect/script/script_collector.h"
#include "io/checksum.h"
#include "net/url.h"
#include "telemetry/log.h"

namespace atalaya::agent {
namespace {

constexpr std::string_view kComponent = "agent";
constexpr std::string_view kHostId = "host";
constexpr std::string_view kSelfId = "agent";

std::string with_slash(std::string path) {
  if (!path.ends_with('/')) path += '/';
  return path;
}

std::uint64_t boot_hash(io::FileSystem& files) {
  const auto id = io::read_file(files, "/proc/sys/kernel/random/boot_id", 4096);
  return id ? io::xxh3(*id) : 0;
}

ingest::Facts facts_of(const std::string& root) {
  ingest::Facts facts;
  for (const auto& [name, value] : collect::host::os_release(root))
    if (name == "pretty_name") facts.emplace_back("os", value);
  utsname names{};
  if (::uname(&names) == 0) {
    facts.emplace_back("kernel", names.release);
    facts.emplace_back("architecture", names.machine);
  }
  facts.emplace_back("cpus", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)));
  facts.emplace_back("memory_bytes", std::to_string(::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE)));
  return facts;
}

}  // namespace

struct Agent::Impl {
  Impl(AgentOptions options_in, Identity identity_in, net::EventLoop& loop_in, io::FileSystem& files_in,
       const Clock& clock_in, telemetry::Registry& registry_in)
      : options(std::move(options_in)),
        identity(std::move(identity_in)),
        loop(loop_in),
        files(files_in),
        clock(clock_in),
        registry(registry_in) {
    options.root = with_slash(options.root);
  }

  Status start();
  Status make_pipes();
  void stop();
  void load_config();
  void on_config(const std::string& revision, const std::string& json);
  bool apply(const std::string& json);
  void choose_host(collect::ConfigurationSpec& configuration) const;
  Result<std::unique_ptr<collect::Collector>> make_collector(const collect::CollectorSpec& spec,
                                                             std::function<void()> wake);
  std::unique_ptr<collect::Collector> make_host(Duration period);
  Result<std::unique_ptr<collect::Collector>> make_script(const collect::CollectorSpec& spec,
                                                          std::function<void()> wake);
  Result<std::unique_ptr<collect::Collector>> make_metric(const collect::CollectorSpec& spec,
                                                          std::function<void()> wake);
  SelfState self_state() const;
  std::string config_path() const { return options.data_dir + "/config.json"; }

  AgentOptions options;
  const Identity identity;
  net::EventLoop& loop;
  io::FileSystem& files;
  const Clock& clock;
  telemetry::Registry& registry;

  std::string config_json;
  std::uint64_t log_files_missed = 0;
  collect::LabelsTable labels;
  collect::metric::HostValues host_values{labels};
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Uplink> uplink;
  std::unique_ptr<Calls> calls;
  std::unique_ptr<net::WorkerPool> script_workers;
  std::unique_ptr<collect::scrape::AgentScrapes> scrapes;
  std::unique_ptr<Pipes> pipes;
  std::unique_ptr<Runner> runner;
};

Status Agent::Impl::make_pipes() {
  const TenantId tenant{identity.tenant};
  AT_TRY(auto destinations, sense::publish::Destinations::make({.loopback_only = false,
                                                                .allow = options.publish_allow,
                                                                .own = sense::publish::own_networks(),
                                                                .program = "this agent"}));
  pipes = std::make_unique<Pipes>(PipesContext{.instance = identity.name,
                                               .tenant = tenant,
                                               .labels = labels,
                                               .loop = loop,
                                               .clock = clock,
                                               .destinations = std::move(destinations),
                                               .log_folder = options.data_dir + "/publish/" + tenant.value()});
  return {};
}

Status Agent::Impl::start() {
  AT_TRY(make_pipes());
  AT_TRY(auto connect, connect_options(options));
  connect.tls.pinned_sha256 = identity.pinned_sha256;
  SpoolOptions spool_options;
  spool_options.directory = options.data_dir + "/spool";
  spool_options.max_bytes = options.spool_bytes;
  spool_options.sync = options.spool_sync;
  spool_options.boot = boot_hash(files);
  auto opened = Spool::open(files, spool_options);
  if (!opened) return fail_within("spool in " + spool_options.directory, std::move(opened).error());
  spool = std::move(*opened);

  ingest::HelloFrame hello;
  hello.version = options.version;
  hello.host = host_name();
  hello.spool_id = spool->id();
  hello.facts = facts_of(options.root);
  hello.abilities = ingest::kTakesCalls | ingest::kMeasuresForSensors;
  Stream::Callbacks callbacks;
  callbacks.send = [this](std::string frame) { return uplink && uplink->send(std::move(frame)); };
  callbacks.config = [this](const std::string& revision, const std::string& json) { on_config(revision, json); };
  callbacks.call = [this](ingest::CallFrame call) {
    if (calls) calls->on_call(std::move(call));
  };
  stream = std::make_unique<Stream>(*spool, std::move(hello), clock, std::move(callbacks));

  UplinkOptions uplink_options;
  uplink_options.identity = identity;
  uplink_options.connect = std::move(connect);
  uplink = std::make_unique<Uplink>(loop, clock, std::move(uplink_options), *stream);

  // Before Welcome an agent says nothing but Hello.
  CallsOptions call_options{.allowed = options.scripts};
  call_options.questions["targets"] = [this] { return collect::scrape::targets_text(scrapes->targets()); };
  call_options.questions["metadata"] = [this] { return collect::scrape::metadata_text(scrapes->metadata()); };
  calls = std::make_unique<Calls>(loop, std::move(call_options), [this](std::string frame) {
    return stream->established() && uplink->send(std::move(frame));
  });
  scrapes = std::make_unique<collect::scrape::AgentScrapes>(
      loop, files, clock, registry,
      collect::scrape::ScraperOptions{.host = identity.name, .user_agent = "atalaya-agent/" + options.version});

  runner = std::make_unique<Runner>(
      RunnerOptions{identity.name, options.root}, loop, clock, *spool, labels,
      [this](const collect::CollectorSpec& spec, std::function<void()> wake) {
        return make_collector(spec, std::move(wake));
      },
      [this] { stream->pump(); });
  runner->add_fixed(std::string{kSelfId}, std::make_unique<SelfCollector>(identity.name, options.version, labels,
                                                                          [this] { return self_state(); }));
  load_config();
  uplink->start();
  runner->start();
  return {};
}

void Agent::Impl::stop() {
  if (runner) runner->stop();
  if (uplink) uplink->stop();
  calls.reset();
  runner.reset();
  pipes.reset();
  scrapes.reset();
  script_workers.reset();
  uplink.reset();
  stream.reset();
  spool.reset();
}

/// What ran last runs at once, also while the server is away.
void Agent::Impl::load_config() {
  auto json = io::read_file(files, config_path(), ingest::kMaxConfigBytes);
  if (json && apply(*json)) {
    config_json = std::move(*json);
  } else {
    static_cast<void>(apply("{}"));
  }
}

void Agent::Impl::on_config(const std::string& revision, const std::string& json) {
  // A server that has begun anew does not know what was said before.
  if (runner) runner->tell_again();
  if (json.empty() || json == config_json) return;
  if (!apply(json)) return;
  config_json = json;
  telemetry::log_info(kComponent, "configuration", {{"revision", revision}});
  if (auto saved = io::write_file_atomically(files, config_path(), json); !saved)
    telemetry::log_warn(kComponent, "configuration not kept", {{"reason", to_string(saved.error())}});
}

bool Agent::Impl::apply(const std::string& json) {
  auto configuration = collect::parse_configuration(json);
  if (!configuration) {
    telemetry::log_warn(kComponent, "configuration refused", {{"reason", to_string(configuration.error())}});
    return false;
  }
  choose_host(*configuration);
  runner->apply(*configuration);
  return true;
}

/// The machine is measured once, whoever asks for it: at the shortest period, at ours if nobody asks.
void Agent::Impl::choose_host(collect::ConfigurationSpec& configuration) const {
  collect::CollectorSpec host;
  host.id = kHostId;
  host.period = options.host_period;
  host.what = collect::HostSpec{};
  bool asked = false;
  std::erase_if(configuration.collectors, [&](const auto& spec) {
    if (!std::holds_alternative<collect::HostSpec>(spec.what)) return false;
    host.period = asked ? std::min(host.period, spec.period) : spec.period;
    asked = true;
    return true;
  });
  if (options.host_metrics) configuration.collectors.push_back(std::move(host));
}

std::unique_ptr<collect::Collector> Agent::Impl::make_host(Duration period) {
  collect::host::HostOptions host;
  host.root = options.root;
  host.instance = identity.name;
  host.period = period;
  return std::make_unique<collect::metric::HeardHost>(
      std::make_unique<collect::host::HostCollector>(std::move(host), labels), host_values);
}

Result<std::unique_ptr<collect::Collector>> Agent::Impl::make_collector(const collect::CollectorSpec& spec,
                                                                        std::function<void()> wake) {
  if (std::holds_alternative<collect::HostSpec>(spec.what)) return make_host(spec.period);
  if (const auto* log = std::get_if<collect::LogSpec>(&spec.what)) {
    collect::log::TailOptions tail;
    tail.id = spec.id;
    tail.instance = identity.name;
    tail.paths = log->paths;
    tail.labels = log->labels;
    tail.from_start = log->from_start;
    tail.period = spec.period;
    tail.missed = [this](std::size_t count) { log_files_missed += count; };
    return std::make_unique<collect::log::Tail>(std::move(tail), labels, spool->marks());
  }
  if (std::holds_alternative<collect::ScriptSpec>(spec.what)) return make_script(spec, std::move(wake));
  if (std::holds_alternative<collect::MetricSpec>(spec.what)) return make_metric(spec, std::move(wake));
  if (std::holds_alternative<collect::SensorSpec>(spec.what)) return pipes->make_pipe(spec, std::move(wake));
  if (std::holds_alternative<collect::ScrapeSpec>(spec.what)) return scrapes->make(spec, labels, std::move(wake));
  AT_TRY(auto check, collect::check::Check::make(spec, {.instance = identity.name,
                                                        .root = options.root,
                                                        .labels = labels,
                                                        .loop = loop,
                                                        .clock = clock,
                                                        .wake = std::move(wake)}));
  return check;
}

Result<std::unique_ptr<collect::Collector>> Agent::Impl::make_script(const collect::CollectorSpec& spec,
                                                                     std::function<void()> wake) {
  constexpr std::size_t kAtOnce = 4;
  constexpr std::size_t kWaiting = 256;
  if (!options.scripts)
    return fail(ErrorCode::kPermissionDenied, "collector " + spec.id + ": this agent runs no scripts",
                "start it without --scripts=false, if that is wanted");
  // An agent without scripts needs no threads for them.
  if (!script_workers) script_workers = std::make_unique<net::WorkerPool>(kAtOnce, kWaiting);
  return std::make_unique<collect::script::ScriptCollector>(spec,
                                                            collect::script::ScriptContext{.instance = identity.name,
                                                                                           .labels = labels,
                                                                                           .loop = loop,
                                                                                           .clock = clock,
                                                                                           .workers = *script_workers,
                                                                                           .wake = std::move(wake)});
}

Result<std::unique_ptr<collect::Collector>> Agent::Impl::make_metric(const collect::CollectorSpec& spec,
                                                                     std::function<void()> wake) {
  if (!std::get<collect::MetricSpec>(spec.what).of && !options.host_metrics)
    return fail(ErrorCode::kUnavailable, "this agent does not measure its host",
                "start it without --host-metrics=false, if that is wanted");
  collect::metric::MetricContext context{identity.name, labels, host_values, {}};
  context.make = [this, wake](const collect::CollectorSpec& inner) { return make_collector(inner, wake); };
  AT_TRY(auto made, collect::metric::MetricCollector::make(spec, std::move(context)));
  if (std::get<collect::MetricSpec>(spec.what).sensor.empty()) return made;
  return pipes->make_metric(spec, std::move(made));
}

SelfState Agent::Impl::self_state() const {
  const auto seconds = [](std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); };
  const auto stats = spool->stats();
  SelfState state;
  state.problems = runner->problems();
  state.values = {
      {"atalaya_agent_spool_bytes", static_cast<double>(stats.bytes)},
      {"atalaya_agent_spool_memory_bytes", static_cast<double>(stats.memory_bytes)},
      {"atalaya_agent_spool_dropped_records_total", static_cast<double>(stats.dropped_records)},
      {"atalaya_agent_spool_damaged_total", static_cast<double>(stats.damaged)},
      {"atalaya_agent_spool_write_errors_total", static_cast<double>(stats.write_errors)},
      {"atalaya_agent_spool_read_errors_total", static_cast<double>(stats.read_errors)},
      {"atalaya_agent_spool_refused_records_total", static_cast<double>(runner->refused_records())},
      {"atalaya_agent_log_files_missed_total", static_cast<double>(log_files_missed)},
      {"atalaya_agent_batches_in_flight", static_cast<double>(stream->in_flight())},
      {"atalaya_agent_batches_sent_total", static_cast<double>(stream->batches_sent())},
      {"atalaya_agent_bytes_sent_total", static_cast<double>(stream->bytes_sent())},
      {"atalaya_agent_connected", uplink->connected() ? 1.0 : 0.0},
      {"atalaya_agent_reconnects_total", static_cast<double>(uplink->reconnects())},
      {"atalaya_agent_round_trip_seconds", seconds(stream->round_trip())},
      {"atalaya_agent_cycle_seconds", seconds(runner->last_cycle())},
      {"atalaya_agent_clock_difference_seconds", to_seconds(stream->clock_difference())},
  };
  return state;
}

Agent::Agent(AgentOptions options, Identity identity, net::EventLoop& loop, io::FileSystem& files, const Clock& clock,
             telemetry::Registry& registry)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(identity), loop, files, clock, registry)) {}

Agent::~Agent() { stop(); }

Status Agent::start() { return impl_->start(); }

void Agent::stop() { impl_->stop(); }

bool Agent::connected() const { return impl_->stream && impl_->stream->established(); }

std::size_t Agent::in_flight() const { return impl_->stream ? impl_->stream->in_flight() : 0; }

Result<net::ConnectOptions> connect_options(const AgentOptions& options) {
  net::ConnectOptions out;
  out.tls.ca_file = options.ca_file;
  out.proxy = options.proxy;
  if (options.proxy_password_file.empty()) return out;
  if (options.proxy.empty())
    return fail(ErrorCode::kInvalidArgument, "a proxy password without a proxy", "give --proxy http://user@host:port");
  AT_TRY(auto url, net::parse_url(options.proxy));
  auto files = io::real_file_system();
  AT_TRY(auto password, io::read_file(*files, options.proxy_password_file, 4096));
  password.resize(std::min(password.find_first_of("\r\n"), password.size()));
  // Every byte encoded: so no password can end the address early.
  std::string encoded;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto encode = [&](std::string_view text) {
    for (const auto c : text) {
      encoded += '%';
      encoded += kDigits[static_cast<unsigned char>(c) >> 4];
      encoded += kDigits[static_cast<unsigned char>(c) & 15];
    }
  };
  encode(url.user);
  encoded += ':';
  encode(password);
  out.proxy = url.scheme + "://" + encoded + "@" + net::to_string(net::HostPort{url.host, url.port});
  return out;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  // What the server takes as a name of a host.
  std::string out(name.data());
  for (auto& c : out) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return out;
}

}  // namespace atalaya::agent
