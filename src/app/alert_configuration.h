// Which Alertmanager configuration acts for a tenant, and its receivers' channels.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "api/alertmanager.h"
#include "app/channels.h"
#include "control/runner.h"
#include "io/file_system.h"
#include "packages/service.h"

namespace atalaya::app {

/// The file of --alertmanager.config acts for the default tenant. Else, and for other tenants, the section
/// `alertmanager` of the package that comes first by its name; what others have does not act, and the log says so.
/// With none of them the built-in route acts. Thread-safe.
class AlertConfiguration {
 public:
  /// All outlive it; `path` may be "".
  AlertConfiguration(Channels& channels, control::Runner& control, io::FileSystem& files, std::string path)
      : channels_(channels), control_(control), files_(files), path_(std::move(path)) {}

  /// Reads the file, and the files that configurations name, again. With a mistake everything stays as it was.
  std::vector<Error> read_file();
  void packages_changed(const packages::Service& packages, const TenantId& tenant);
  /// Whose configuration is to act for the tenant.
  api::RoutingOrigin origin(const TenantId& tenant) const;

 private:
  struct Source {
    std::string text;
    std::string file;
    std::string package;  ///< "" for a file of its own
    bool operator==(const Source&) const = default;
  };

  void apply(const TenantId& tenant);
  Source source_of(const TenantId& tenant) const;  ///< the lock is held
  Result<std::string> read(const std::string& beside, const std::string& path) const;

  Channels& channels_;
  control::Runner& control_;
  io::FileSystem& files_;
  const std::string path_;

  mutable std::mutex mutex_;
  Source of_file_;
  std::map<TenantId, Source> of_packages_;
  std::map<TenantId, std::vector<std::string>> idle_;  ///< packages whose configuration does not act
};

}  // namespace atalaya::app
