// GET as a scrape needs it: credentials from files, redirects, gzip, connections that stay open, a proxy with
// exceptions.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "collect/scrape/config.h"
#include "io/file_system.h"
#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::collect::scrape {

struct FetchRequest {
  std::string url;
  net::Headers headers;
  Duration timeout{};            ///< redirects included
  std::uint64_t most_bytes = 0;  ///< of the unpacked body
};
struct Fetched {
  std::string content_type;
  std::string body;  ///< unpacked
};

/// Strand-bound to its loop. What is under way when it goes ends without its `done`.
class Fetcher {
 public:
  using Done = std::function<void(Result<Fetched>)>;

  Fetcher(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, HttpSettings settings);
  ~Fetcher();

  /// Anything but 200 is unavailable; too_large beyond the bound. `done` is called once, never inside this call.
  void get(FetchRequest request, Done done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
  net::EventLoop& loop_;
};

/// Where an answer of `from` sends us: an address, or a path on the same host. invalid_argument for anything else.
Result<std::string> redirect_target(const std::string& from, std::string_view location);
/// `host` is named by an entry: itself, a domain above it, or `*`.
bool goes_directly(const std::vector<std::string>& no_proxy, const std::string& host);

}  // namespace atalaya::collect::scrape
