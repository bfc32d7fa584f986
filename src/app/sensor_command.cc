// `atalaya sensor`: a pipe as a process of its own.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <new>

#include "agent/agent.h"
#include "app/commands.h"
#include "app/tables.h"
#include "io/file_system.h"
#include "net/url.h"
#include "sense/amqp/amqp_publisher.h"
#include "sense/pipe_text.h"
#include "sense/process/sensor_process.h"

namespace atalaya::app {
namespace {

using config::OptionType;
using sense::process::SensorProcess;
using sense::process::SensorProcessOptions;

constexpr std::size_t kMaxPipeBytes = 1 << 20;
constexpr std::uint64_t kLeastMemory = 64 << 20;

Result<sense::PipeSpec> read_pipe_file(io::FileSystem& files, const std::string& path) {
  AT_TRY(auto text, io::read_file(files, path, kMaxPipeBytes));
  AT_TRY(const auto document, config::Document::parse(std::move(text), path));
  AT_TRY(auto spec, sense::read_pipe(document.root()));
  auto checked = sense::check(spec);
  if (!checked) return fail_within(path, checked.error());
  // Where any stream may come, one that nobody makes is no wonder.
  if (spec.more_sources) return spec;
  for (const auto& warning : checked->warnings) fmt::print(stderr, "atalaya: {}: {}\n", path, warning);
  return spec;
}

bool is_loopback(const std::string& listen) {
  if (listen.empty() || listen.starts_with("unix:")) return true;
  const auto where = net::parse_host_port(listen);
  return where && (where->host.starts_with("127.") || where->host == "::1");
}

/// Records are believed: whoever may send them decides what is published.
Status check_safety(const config::Options& options) {
  const auto& listen = options.text("listen");
  const bool tls = options.has("tls-cert") && options.has("tls-key");
  if (options.has("tls-cert") != options.has("tls-key"))
    return fail(ErrorCode::kInvalidArgument, "--tls-cert and --tls-key belong together");
  if (listen.empty() && !options.has("connection"))
    return fail(ErrorCode::kInvalidArgument, "nothing says where records come from", "give --listen unix:/path");
  if (!listen.empty() && !listen.starts_with("unix:") && !options.has("token-file"))
    return fail(ErrorCode::kPermissionDenied, fmt::format("anybody could send to {}", listen),
                "give --token-file, or listen on a Unix socket");
  if (!is_loopback(listen) && !tls)
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the token would cross the network to {} in the clear", listen),
                "give --tls-cert and --tls-key");
  if (options.bytes("memory") < kLeastMemory)
    return fail(ErrorCode::kInvalidArgument, fmt::format("--memory is less than {} MiB", kLeastMemory >> 20));
  return {};
}

Result<SensorProcessOptions> process_options(const config::Options& options) {
  const auto files = io::real_file_system();
  AT_TRY(check_safety(options));
  SensorProcessOptions out;
  if (options.has("pipe")) {
    AT_TRY(out.pipe, read_pipe_file(*files, options.text("pipe")));
  }
  if (options.has("token-file")) {
    AT_TRY(out.token, io::read_file(*files, options.text("token-file"), 4096));
    while (out.token.ends_with('\n') || out.token.ends_with('\r')) out.token.pop_back();
    if (out.token.size() < 16)
      return fail(ErrorCode::kInvalidArgument, "the token is shorter than 16 bytes", "openssl rand -hex 16");
  }
  out.server.listen = options.text("listen");
  if (options.has("tls-cert")) out.server.tls = net::TlsFiles{options.text("tls-cert"), options.text("tls-key")};
  AT_TRY(out.destinations, sense::publish::Destinations::make({.loopback_only = options.boolean("publish-loopback"),
                                                               .allow = options.list("publish-allow"),
                                                               .own = sense::publish::own_networks()}));
  out.who = {default_tenant(), options.text("name")};
  out.host = agent::host_name();
  out.log_folder = options.text("log-folder");
  out.amqp = sense::publish::make_amqp;
  out.cores = options.number("cores");
  out.cpu_time = thread_cpu_time;
  return out;
}

/// Of what it writes to: memory that is mapped and never touched does not count.
void limit_memory(std::uint64_t bytes) {
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);
  std::set_new_handler([] {
    constexpr std::string_view kWords = "atalaya: sensor: its memory is used up (--memory)\n";
    const auto ignored = ::write(STDERR_FILENO, kWords.data(), kWords.size());
    static_cast<void>(ignored);
    ::_exit(3);
  });
}

void run_on(net::EventLoop& loop, const std::function<void()>& work) {
  std::promise<void> done;
  loop.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

int run_process(const SensorProcessOptions& options, int connection) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const SystemClock clock;
  net::EventLoop loop;
  loop.start();
  std::unique_ptr<SensorProcess> process;
  Status started;
  run_on(loop, [&] {
    process = std::make_unique<SensorProcess>(loop, clock, options, [] { ::kill(::getpid(), SIGTERM); });
    started = process->start();
    if (started && connection >= 0) process->adopt(io::Descriptor(connection));
  });
  if (started) {
    if (!options.server.listen.empty()) {
      run_on(loop, [&] { fmt::print(stderr, "listening for records on {}\n", process->address()); });
      std::fflush(stderr);
    }
    int received = 0;
    ::sigwait(&signals, &received);
  }
  run_on(loop, [&] { process.reset(); });
  loop.stop();
  return started ? 0 : complain(started.error());
}

}  // namespace

config::Command sensor_command() {
  return {
      .name = "sensor",
      .help =
          "Run the pipe of a sensor as a process of its own: takes framed records, publishes what becomes of "
          "them. It ends by SIGTERM.",
      .options =
          {{.name = "pipe",
            .help = "The pipe, as YAML or JSON; without it, the pipe comes over the first connection that sends one.",
            .value_name = "FILE"},
           {.name = "listen",
            .help = "Where records come from: unix:/path, or an address with its port.",
            .value_name = "ADDRESS"},
           {.name = "token-file",
            .help = "A file with the token that senders bring, of 16 bytes or more; needed over TCP.",
            .value_name = "FILE"},
           {.name = "tls-cert", .help = "Certificate of TLS; needed beyond loopback.", .value_name = "FILE"},
           {.name = "tls-key", .help = "Its key.", .value_name = "FILE"},
           {.name = "publish-allow",
            .type = OptionType::kList,
            .help = "A network that publishers may reach, such as 192.168.5.0/24.",
            .value_name = "CIDR"},
           {.name = "publish-loopback",
            .type = OptionType::kBoolean,
            .fallback = "true",
            .help = "Whether publishers may reach this machine's loopback."},
           {.name = "log-folder", .help = "The folder of the publisher Log.", .value_name = "DIR"},
           {.name = "name", .fallback = "sensor", .help = "The sensor's name, in what it publishes."},
           {.name = "memory",
            .type = OptionType::kBytes,
            .fallback = "256MiB",
            .help = "How much memory it may use; beyond that it ends with code 3."},
           {.name = "cores",
            .type = OptionType::kNumber,
            .fallback = "1",
            .help = "How much processor time it takes at most, as a share of one core; then it reads no more for a "
                    "while. 0 is no limit."},
           {.name = "connection",
            .type = OptionType::kInteger,
            .help = "A descriptor of a connection that whoever starts it has made; it ends with that.",
            .value_name = "NUMBER",
            .at_least = 3}},
      .examples = {{"atalaya sensor --pipe pipe.yaml --listen unix:/run/sensor.sock", ""},
                   {"atalaya sensor --pipe pipe.yaml --listen 0.0.0.0:2020 --token-file token --tls-cert c.pem "
                    "--tls-key k.pem --publish-allow 10.1.0.0/16",
                    "takes records from elsewhere"}}};
}

int sensor(const config::Options& options) {
  const auto made = process_options(options);
  if (!made) return complain(made.error());
  limit_memory(options.bytes("memory"));
  return run_process(*made, options.has("connection") ? static_cast<int>(options.integer("connection")) : -1);
}

}  // namespace atalaya::app
