// Items of the section `silences` as silences.
#pragma once

#include <vector>

#include "alerts/silence.h"
#include "packages/service.h"

namespace atalaya::packages {

/// Those of all packages of the tenant that run; specifications' left out. An id follows from the tenant and the
/// item's place; without `starts_at` a silence's begin is kMinTime.
std::vector<alerts::Silence> silences_of(const Service& service, const TenantId& tenant);

}  // namespace atalaya::packages
