// The section `alertmanager` as a file of Alertmanager's.
#pragma once

#include <string>
#include <vector>

#include "packages/service.h"

namespace atalaya::packages {

struct AlertmanagerSection {
  std::string package;
  std::string file;  ///< where it stands
  std::string text;  ///< YAML, all of the package's own words filled in
};

/// Those of all packages of the tenant that run, by the packages' names; specifications' left out.
std::vector<AlertmanagerSection> alertmanager_sections(const Service& service, const TenantId& tenant);

}  // namespace atalaya::packages
