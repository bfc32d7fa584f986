// A scrape job: Prometheus' `scrape_configs` as plain types.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/scrape/relabel.h"
#include "net/client.h"

namespace atalaya::collect::scrape {

/// Targets that share labels: of a configuration, a file or an HTTP answer.
struct TargetGroup {
  std::vector<std::string> targets;
  std::map<std::string, std::string> labels;
  bool operator==(const TargetGroup&) const = default;
};

/// A word that is written here, or the contents of a file, read at each request.
struct Secret {
  std::string text;
  std::string file;
  bool given() const { return !text.empty() || !file.empty(); }
  bool operator==(const Secret&) const = default;
};

/// Tokens by OAuth 2.0, client credentials (RFC 6749, 4.4).
struct OAuth2 {
  std::string client_id;
  Secret client_secret;
  std::vector<std::string> scopes;
  std::string token_url;
  std::map<std::string, std::string> params;  ///< further ones of the request
  net::TlsTrust tls;
  std::string proxy;
  std::vector<std::string> no_proxy;
};

/// How a target, or a place that lists targets, is asked.
struct HttpSettings {
  Secret user;
  Secret password;
  std::string authorization_type;  ///< "" for no such header
  Secret credentials;
  std::optional<OAuth2> oauth2;
  std::vector<std::pair<std::string, std::vector<Secret>>> headers;
  net::TlsTrust tls;
  std::string proxy;
  std::vector<std::string> no_proxy;
  bool follow_redirects = true;
};

struct FileDiscovery {
  std::vector<std::string> files;  ///< the last part of a path may hold `*`
  Duration refresh{std::chrono::minutes{5}};
};
struct HttpDiscovery {
  std::string url;
  Duration refresh{std::chrono::seconds{60}};
  HttpSettings http;
};

/// What a scrape may hold; 0 is no limit.
struct ScrapeLimits {
  std::uint64_t body_bytes = 0;
  std::uint64_t samples = 0;
  std::uint64_t labels = 0;
  std::uint64_t label_name = 0;
  std::uint64_t label_value = 0;
};

struct ScrapeConfig {
  std::string id;   ///< unique within a tenant: "package/job"
  std::string job;  ///< the pool's name
  Duration interval{std::chrono::minutes{1}};
  Duration timeout{std::chrono::seconds{10}};
  std::string scheme = "http";
  std::string path = "/metrics";
  std::map<std::string, std::vector<std::string>> params;
  std::string accept;    ///< the header
  std::string fallback;  ///< a name such as PrometheusText0.0.4
  bool compression = true;
  bool honor_labels = false;
  bool honor_timestamps = true;
  bool track_timestamps = false;
  bool extra_metrics = false;
  HttpSettings http;
  ScrapeLimits limits;
  std::uint64_t target_limit = 0;
  std::uint64_t keep_dropped = 0;
  std::vector<Relabeling> target_steps;
  std::vector<Relabeling> sample_steps;
  std::vector<TargetGroup> groups;
  std::vector<FileDiscovery> files;
  std::vector<HttpDiscovery> urls;
  std::string written;  ///< all of it as text: equal texts, equal jobs
};

/// Where in the item a mistake lies: names and numbers from the item downwards.
struct ConfigProblem {
  std::vector<std::string> path;
  Error error;
};

struct ConfigDefaults {
  Duration interval{std::chrono::minutes{1}};
  Duration timeout{std::chrono::seconds{10}};
  std::string folder;  ///< for relative paths of files; "" refuses them
};

/// `fields` are the plain values that the section's schema gives (schema/validate.h). Nothing after problems: what
/// Prometheus refuses, and what would be passed over here to the user's harm (discovery by anything but
/// `static_configs`, `file_sd_configs` and `http_sd_configs`, proxies of the environment).
std::optional<ScrapeConfig> read_config(const std::string& id, const boost::json::object& fields,
                                        const ConfigDefaults& defaults, std::vector<ConfigProblem>& problems);

/// Bytes as Prometheus writes them, in powers of 1024 all: `512KB`, `10MiB`, `1.5GB`, `1MB512KB`; a plain number too.
Result<std::uint64_t> bytes_of(std::string_view text);

/// `application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,…,*/*;q=0.1`. invalid_argument for a
/// protocol that is not known or not read.
Result<std::string> accept_header(const std::vector<std::string>& protocols, const std::string& escaping);

}  // namespace atalaya::collect::scrape
