// What is embedded into the server: the web UI, the shipped packages and the description of the API.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "net/static_files.h"
#include "packages/service.h"

namespace atalaya {

EmbeddedFiles embedded_web();
EmbeddedFiles embedded_packages();
EmbeddedFiles embedded_api();

namespace app {

/// Names below /assets/ hold a hash of their content and are cached for ever.
std::map<std::string, net::StaticFile> web_files();
std::vector<packages::ShippedFile> shipped_packages();

}  // namespace app
}  // namespace atalaya
