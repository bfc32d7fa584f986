#include "app/publishing.h"

#include <future>

#include "app/listening.h"
#include "sense/amqp/amqp_publisher.h"

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
  auto open = part;
  for (auto& [name, value] : open.attributes) {
    auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || !auth::Sealer::is_sealed(*text)) continue;
    auto unsealed = sealer_.unseal(*text);
    if (!unsealed) return fail_within(name, std::move(unsealed).error());
    *text = std::move(*unsealed);
  }
  AT_TRY(auto publisher, sense::publish::make_publisher(open, context));
  return std::make_unique<PublisherOutlet>(std::move(publisher));
}

}  // namespace atalaya::app
