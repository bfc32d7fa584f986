// What is scraped, and what targets say of their metrics, as Prometheus answers.
#pragma once

#include "api/doors.h"
#include "collect/scrape/scraper.h"

namespace atalaya::api {

/// targets, targets/metadata, metadata and scrape_pools below /api/v1. The scraper outlives the doors.
void add_target_routes(Doors& doors, const collect::scrape::Scraper& scraper);

}  // namespace atalaya::api
