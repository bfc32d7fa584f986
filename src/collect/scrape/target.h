// From what a configuration or a discovery lists to targets with labels and an address. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/scrape/config.h"
#include "model/labels.h"

namespace atalaya::collect::scrape {

/// The label of a target before relabelling that says which agent found it.
constexpr std::string_view kHostLabel = "__meta_atalaya_host";

struct TargetSpec {
  Labels discovered;  ///< before relabelling: `__address__`, `__meta_…`, `job` and the like
  Labels labels;      ///< of its series
  std::string url;
  std::string global_url;  ///< as other machines reach it: loopback addresses are replaced by the host's name
  Duration interval{};
  Duration timeout{};

  /// Equal for a target that is the same to its series.
  std::uint64_t key() const;
};

struct Targets {
  std::vector<TargetSpec> active;   ///< each key once
  std::vector<Labels> dropped;      ///< by relabelling
  std::vector<std::string> errors;  ///< of targets that cannot be: without address, without interval
};

/// Relabels as Prometheus does. `host` is this machine's name, for `global_url`.
Targets make_targets(const ScrapeConfig& config, std::span<const TargetGroup> groups, const std::string& host);

/// A file of file_sd_configs or the answer of http_sd_configs: a list of `{targets, labels}`. YAML, JSON included;
/// the error carries the place. `origin` becomes the label `origin_label` (`__meta_filepath`, `__meta_url`).
Result<std::vector<TargetGroup>> read_groups(const std::string& text, const std::string& origin,
                                             const std::string& origin_label);

/// How far into its interval a target is scraped: spread by its key.
Duration offset_of(std::uint64_t key, Duration interval);

}  // namespace atalaya::collect::scrape
