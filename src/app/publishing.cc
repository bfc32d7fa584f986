#include "app/publishing.h"

#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "app/listening.h"
#include "sense/amqp/amqp_publisher.h"
#include "sense/process/sensor_child.h"

namespace atalaya::app {
namespace {

using sense::publish::Publisher;

class PublisherOutlet final : public Outlet {
 public:
  explicit PublisherOutlet(std::unique_ptr<Publisher> publisher) : publisher_(std::move(publisher)) {}

  void publish(std::string_view stream, const sense::Record& record) override { publisher_->publish(stream, record); }
  std::string problem() const override {
    const auto status = publisher_->status();
    return status.failing ? status.last_error : std::string();
  }

 private:
  const std::unique_ptr<Publisher> publisher_;
};

class ChildPipe final : public RemotePipe {
 public:
  ChildPipe(net::EventLoop& loop, const Clock& clock, sense::process::SensorChildOptions options,
            const sense::PipeSpec& spec, TakePublished take, std::shared_ptr<int> share)
      : child_(loop, clock, std::move(options), spec, std::move(take)), share_(std::move(share)) {}

  void push(std::string_view stream, const sense::Record& record) override { child_.push(stream, record); }
  std::string problem() const override {
    const auto problem = child_.status().problem;
    return problem.empty() ? "" : "its process: " + problem;
  }

 private:
  sense::process::SensorChild child_;
  const std::shared_ptr<int> share_;  ///< of what is counted
};

Result<std::string> own_executable() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(ErrorCode::kInternal, "/proc/self/exe: " + error.message());
  return path.string();
}

}  // namespace

PublishingOptions publishing_options(const ServerOptions& options, std::string host) {
  return {options.data + "/publish",
          std::move(host),
          {.loopback_only = is_on_loopback_only(options),
           .allow = options.publish_allow,
           .own = sense::publish::own_networks()}};
}

Result<std::unique_ptr<Publishing>> Publishing::make(PublishingOptions options,
                                                     std::unique_ptr<sense::publish::Platform> platform,
                                                     auth::Sealer sealer, const Clock& clock) {
  AT_TRY(auto destinations, sense::publish::Destinations::make(options.destinations));
  return std::unique_ptr<Publishing>(
      new Publishing(std::move(options), std::move(platform), std::move(destinations), std::move(sealer), clock));
}

Publishing::Publishing(PublishingOptions options, std::unique_ptr<sense::publish::Platform> platform,
                       sense::publish::Destinations destinations, auth::Sealer sealer, const Clock& clock)
    : options_(std::move(options)),
      platform_(std::move(platform)),
      destinations_(std::move(destinations)),
      sealer_(std::move(sealer)),
      clock_(clock) {}

Publishing::~Publishing() { stop(); }

void Publishing::start() {
  loop_.start();
  running_ = true;
}

void Publishing::stop() {
  if (!std::exchange(running_, false)) return;
  std::promise<void> done;
  loop_.post([&done] { done.set_value(); });
  done.get_future().wait();
  loop_.stop();
}

Result<std::unique_ptr<Outlet>> Publishing::outlet(const TenantId& tenant, const std::string& sensor,
                                                   const sense::Part& part) {
  sense::publish::PublisherContext context{.loop = loop_,
                                           .clock = clock_,
                                           .destinations = destinations_,
                                           .who = {tenant, sensor},
                                           .host = options_.host,
                                           .log_folder = options_.folder + "/" + tenant.value(),
                                           .platform = platform_.get(),
                                           .amqp = sense::publish::make_amqp};
  AT_TRY(const auto open, opened(part));
  AT_TRY(auto publisher, sense::publish::make_publisher(open, context));
  return std::make_unique<PublisherOutlet>(std::move(publisher));
}

Result<sense::Part> Publishing::opened(const sense::Part& part) const {
  auto open = part;
  for (auto& [name, value] : open.attributes) {
    auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || !auth::Sealer::is_sealed(*text)) continue;
    auto unsealed = sealer_.unseal(*text);
    if (!unsealed) return fail_within(name, std::move(unsealed).error());
    *text = std::move(*unsealed);
  }
  return open;
}

Result<sense::PipeSpec> Publishing::opened(sense::PipeSpec spec) const {
  for (auto* parts : {&spec.aggregators, &spec.publishers}) {
    for (auto& part : *parts) {
      AT_TRY(part, opened(part));
    }
  }
  return spec;
}

Result<std::unique_ptr<RemotePipe>> Publishing::remote(const TenantId& tenant, const std::string& sensor,
                                                       const sense::PipeSpec& spec, TakePublished take) {
  AT_TRY(sense::check(spec));
  if (processes_.use_count() > kMostProcesses)
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{} sensors run as processes of their own already", kMostProcesses), "placement: server");
  AT_TRY(auto program, own_executable());
  sense::process::SensorChildOptions options;
  options.command = {std::move(program), "sensor", "--name=" + sensor,
                     "--log-folder=" + options_.folder + "/" + tenant.value(),
                     fmt::format("--publish-loopback={}", options_.destinations.loopback_only)};
  for (const auto& network : options_.destinations.allow) options.command.push_back("--publish-allow=" + network);
  return std::make_unique<ChildPipe>(loop_, clock_, std::move(options), spec, std::move(take), processes_);
}

}  // namespace atalaya::app
