#include "app/alert_configuration.h"

#include <fmt/format.h>

#include "dispatch/machine.h"
#include "dispatch/receivers.h"
#include "packages/alertmanager.h"
#include "rules/groups/glob.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

constexpr std::uint64_t kMaxBytes = 8 << 20;

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

}  // namespace

std::vector<Error> AlertConfiguration::read_file() {
  Source source;
  if (!path_.empty()) {
    auto text = io::read_file(files_, path_, kMaxBytes);
    if (!text) return {text.error()};
    config::Errors errors, warnings;
    if (!routing::read_config_text(*text, path_, errors, warnings)) {
      config::sort_by_place(errors);
      return errors;
    }
    source = {std::move(*text), path_, ""};
  }
  std::vector<TenantId> tenants{default_tenant()};
  {
    const std::lock_guard lock(mutex_);
    of_file_ = std::move(source);
    // At the start packages are not read yet: without a file there is nothing to say before.
    if (path_.empty() && !of_packages_.contains(default_tenant())) tenants.clear();
    for (const auto& [tenant, unused] : of_packages_) {
      if (tenant != default_tenant()) tenants.push_back(tenant);
    }
  }
  for (const auto& tenant : tenants) apply(tenant);
  return {};
}

void AlertConfiguration::packages_changed(const packages::Service& packages, const TenantId& tenant) {
  const auto sections = packages::alertmanager_sections(packages, tenant);
  const bool overruled = !path_.empty() && tenant == default_tenant();
  for (std::size_t i = overruled ? 0 : 1; i < sections.size(); ++i) {
    telemetry::log_warn("alertmanager", "the configuration of a package does not act",
                        {{"tenant", tenant.value()},
                         {"package", sections[i].package},
                         {"acts", overruled ? path_ : sections.front().package}});
  }
  const auto source =
      sections.empty() ? Source{} : Source{sections.front().text, sections.front().file, sections.front().package};
  std::vector<std::string> idle;
  for (std::size_t i = overruled ? 0 : 1; i < sections.size(); ++i) idle.push_back(sections[i].package);
  {
    const std::lock_guard lock(mutex_);
    idle_[tenant] = std::move(idle);
    const auto [known, is_new] = of_packages_.try_emplace(tenant);
    if (!is_new && known->second == source) return;
    known->second = source;
  }
  apply(tenant);
}

Result<std::string> AlertConfiguration::read(const std::string& beside, const std::string& path) const {
  const auto whole = path.starts_with('/') ? path : folder_of(beside) + path;
  if (whole.find('*') == std::string::npos) {
    AT_TRY(auto text, io::read_file(files_, whole, kMaxBytes));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
  }
  std::string out;
  for (const auto& file : rules::expand_glob(files_, whole)) {
    AT_TRY(const auto text, io::read_file(files_, file, kMaxBytes));
    out += text;
  }
  return out;
}

AlertConfiguration::Source AlertConfiguration::source_of(const TenantId& tenant) const {
  if (tenant == default_tenant() && !of_file_.text.empty()) return of_file_;
  const auto of_packages = of_packages_.find(tenant);
  return of_packages == of_packages_.end() ? Source{} : of_packages->second;
}

api::RoutingOrigin AlertConfiguration::origin(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  auto source = source_of(tenant);
  const auto idle = idle_.find(tenant);
  return {std::move(source.file), std::move(source.package),
          idle == idle_.end() ? std::vector<std::string>{} : idle->second};
}

void AlertConfiguration::apply(const TenantId& tenant) {
  Source source;
  {
    const std::lock_guard lock(mutex_);
    source = source_of(tenant);
  }
  config::Errors errors, warnings;
  std::vector<notify::ChannelConfig> channels;
  if (!source.text.empty()) {
    const auto config = routing::read_config_text(source.text, source.file, errors, warnings);
    if (!config) {  // of a package: its check found nothing wrong with it
      for (const auto& error : errors) {
        telemetry::log_error("alertmanager", to_string(error), {{"tenant", tenant.value()}});
      }
      return;
    }
    channels = dispatch::channels_of(
        *dispatch::acting(config), [&](const std::string& path) { return read(source.file, path); }, warnings);
  }
  for (auto& error : channels_.set_receivers(tenant, channels)) warnings.push_back(std::move(error));
  for (const auto& warning : warnings) {
    telemetry::log_warn("alertmanager", to_string(warning), {{"tenant", tenant.value()}});
  }
  // A change of routes is nothing that people wait for, but the process that stops.
  auto posted = control_.post_wait({tenant, dispatch::Configure{source.text, source.file}, {}, {}});
  if (!posted) {
    telemetry::log_error("alertmanager", "a configuration is not taken",
                         {{"tenant", tenant.value()}, {"reason", to_string(posted.error())}});
  }
}

}  // namespace atalaya::app
