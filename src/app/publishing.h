// The thread on which sensors run and publish.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/sensors.h"
#include "app/server.h"
#include "auth/sealer.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "sense/publish/publisher.h"

namespace atalaya::app {

struct PublishingOptions {
  std::string folder;  ///< DATA/publish: below it each tenant's files
  std::string host;
  sense::publish::DestinationOptions destinations;
};

PublishingOptions publishing_options(const ServerOptions& options, std::string host);

/// Sensors that run as processes of their own, each with some 20 MB.
constexpr long kMostProcesses = 64;

/// Owns the loop on which pipes and publishers live; makes publishers. Thread-safe, but for `start` and `stop`.
class Publishing {
 public:
  /// invalid_argument for a network that is none.
  static Result<std::unique_ptr<Publishing>> make(PublishingOptions options,
                                                  std::unique_ptr<sense::publish::Platform> platform,
                                                  auth::Sealer sealer, const Clock& clock);
  ~Publishing();

  void start();
  /// What was posted is run, then nothing any more. Idempotent.
  void stop();
  void post(std::move_only_function<void()> work) { loop_.post(std::move(work)); }
  const auth::Sealer& sealer() const { return sealer_; }
  /// On the loop. Sealed texts among the part's attributes are opened.
  Result<std::unique_ptr<Outlet>> outlet(const TenantId& tenant, const std::string& sensor, const sense::Part& part);
  /// The pipe with its sealed texts opened.
  Result<sense::PipeSpec> opened(sense::PipeSpec spec) const;
  /// On the loop. A process of this program (`atalaya sensor`) that ends with what is answered, and with this program.
  /// resource_exhausted beyond kMostProcesses.
  Result<std::unique_ptr<RemotePipe>> remote(const TenantId& tenant, const std::string& sensor,
                                             const sense::PipeSpec& spec, TakePublished take);

 private:
  Publishing(PublishingOptions options, std::unique_ptr<sense::publish::Platform> platform,
             sense::publish::Destinations destinations, auth::Sealer sealer, const Clock& clock);

  Result<sense::Part> opened(const sense::Part& part) const;

  const PublishingOptions options_;
  const std::unique_ptr<sense::publish::Platform> platform_;
  const sense::publish::Destinations destinations_;
  const auth::Sealer sealer_;
  const Clock& clock_;
  net::EventLoop loop_;
  bool running_ = false;
  std::shared_ptr<int> processes_ = std::make_shared<int>(0);  ///< each holds a share
};

}  // namespace atalaya::app
