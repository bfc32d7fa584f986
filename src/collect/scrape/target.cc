#include "collect/scrape/target.h"

#include <fmt/format.h>

#include <set>

#include "base/bytes.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "net/url.h"

namespace atalaya::collect::scrape {
namespace {

constexpr std::string_view kParameter = "__param_";

void set_if_absent(LabelsBuilder& out, const Labels& given, std::string_view name, std::string_view value) {
  if (!given.has(name)) out.set(name, value);
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kept.find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string url_of(const Labels& labels, const ScrapeConfig& config, std::string_view address) {
  auto params = config.params;
  for (const auto& [name, value] : labels) {
    if (!name.starts_with(kParameter)) continue;
    auto& list = params[std::string(name.substr(kParameter.size()))];
    if (list.empty()) list.emplace_back();
    list.front() = value;
  }
  const auto scheme = labels.get("__scheme__");
  std::string out = fmt::format("{}//{}", scheme.empty() ? "" : std::string(scheme) + ":", address);
  const auto path = labels.get("__metrics_path__");
  if (!path.empty() && !path.starts_with('/')) out += '/';
  out += escaped(path, "-_.~/:@!$&'()*+,;=%");
  char before = '?';
  for (const auto& [name, values] : params) {
    for (const auto& value : values) {
      out += before + escaped(name, "-_.~") + "=" + escaped(value, "-_.~");
      before = '&';
    }
  }
  return out;
}

Result<Duration> duration_of(const Labels& labels, std::string_view name, std::string_view what) {
  const auto text = labels.get(name);
  const auto parsed = parse_duration(text);
  if (!parsed)
    return fail(ErrorCode::kInvalidArgument, fmt::format("error parsing {}: \"{}\" is no duration", what, text));
  if (*parsed <= Duration{0}) return fail(ErrorCode::kInvalidArgument, fmt::format("{} cannot be 0", what));
  return *parsed;
}

std::string on_other_machines(const std::string& url, const std::string& host) {
  const auto parsed = net::parse_url(url);
  if (!parsed) return url;
  if (parsed->host != "127.0.0.1" && parsed->host != "localhost" && parsed->host != "::1") return url;
  return fmt::format("{}://{}{}", parsed->scheme, net::to_string(net::HostPort{host, parsed->port}), parsed->target);
}

/// Nothing: dropped.
Result<std::optional<TargetSpec>> make_target(const ScrapeConfig& config, const Labels& given, const std::string& host,
                                              Labels& discovered) {
  LabelsBuilder whole(given);
  set_if_absent(whole, given, "job", config.job);
  set_if_absent(whole, given, "__scrape_interval__", format_duration(config.interval));
  set_if_absent(whole, given, "__scrape_timeout__", format_duration(config.timeout));
  set_if_absent(whole, given, "__metrics_path__", config.path);
  set_if_absent(whole, given, "__scheme__", config.scheme);
  for (const auto& [name, values] : config.params) {
    if (!values.empty()) whole.set(std::string(kParameter) + name, values.front());
  }
  discovered = whole.build();
  const auto kept = relabel(discovered, config.target_steps);
  if (!kept || kept->empty()) return std::nullopt;
  const std::string address(kept->get("__address__"));
  if (address.empty()) return fail(ErrorCode::kInvalidArgument, "no address");
  if (address.find('/') != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a valid hostname", address));
  }
  TargetSpec out;
  out.discovered = discovered;
  AT_TRY(out.interval, duration_of(*kept, "__scrape_interval__", "scrape interval"));
  AT_TRY(out.timeout, duration_of(*kept, "__scrape_timeout__", "scrape timeout"));
  if (out.timeout > out.interval) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("scrape timeout cannot be greater than scrape interval (\"{}\" > \"{}\")",
                            format_duration(out.timeout), format_duration(out.interval)));
  }
  out.url = url_of(*kept, config, address);  // what cannot be asked there is down, and its error tells why
  out.global_url = on_other_machines(out.url, host);
  LabelsBuilder labels;
  for (const auto& [name, value] : *kept) {
    if (!is_utf8(value)) return fail(ErrorCode::kInvalidArgument, fmt::format("invalid label value for \"{}\"", name));
    if (!name.starts_with("__")) labels.set(name, value);
  }
  if (!kept->has("instance")) labels.set("instance", address);
  out.labels = labels.build();
  return out;
}

Result<TargetGroup> read_group(const config::Node& node) {
  config::Errors errors;
  TargetGroup out;
  if (!config::expect_mapping(node, errors)) return std::unexpected(errors.front());
  for (const auto& entry : node.entries()) {
    const auto& key = entry.key->text();
    if (key == "targets") {
      if (!entry.value->is_null()) config::decode(*entry.value, out.targets, errors);
    } else if (key == "labels") {
      if (!entry.value->is_null()) config::decode(*entry.value, out.labels, errors);
    } else {
      return fail(ErrorCode::kInvalidArgument, entry.key->place(),
                  fmt::format("a group of targets has no key \"{}\"", key), "targets and labels are known");
    }
  }
  if (!errors.empty()) return std::unexpected(errors.front());
  return out;
}

}  // namespace

std::uint64_t TargetSpec::key() const {
  LabelsBuilder whole(labels);
  whole.set("__url__", url);
  return whole.build().hash();
}

Targets make_targets(const ScrapeConfig& config, std::span<const TargetGroup> groups, const std::string& host) {
  Targets out;
  std::set<std::uint64_t> seen;
  std::set<Labels> dropped;
  for (const auto& group : groups) {
    for (const auto& target : group.targets) {
      LabelsBuilder given;
      for (const auto& [name, value] : group.labels) given.set(name, value);
      given.set("__address__", target);
      Labels discovered;
      auto made = make_target(config, given.build(), host, discovered);
      if (!made) {
        out.errors.push_back(fmt::format("target \"{}\" of job {}: {}", target, config.job, made.error().message));
      } else if (!*made) {
        if (dropped.insert(discovered).second) out.dropped.push_back(discovered);
      } else if (seen.insert((*made)->key()).second) {
        out.active.push_back(std::move(**made));
      }
    }
  }
  return out;
}

Result<std::vector<TargetGroup>> read_groups(const std::string& text, const std::string& origin,
                                             const std::string& origin_label) {
  AT_TRY(const auto document, config::Document::parse(text, origin));
  std::vector<TargetGroup> out;
  if (document.root().is_null()) return out;
  if (!document.root().is_sequence()) {
    return fail(ErrorCode::kInvalidArgument, document.root().place(), "a list of groups of targets is expected",
                R"(e.g. [{"targets": ["db1:9104"], "labels": {"team": "db"}}])");
  }
  for (const auto* item : document.root().items()) {
    AT_TRY(auto group, read_group(*item));
    if (!origin_label.empty()) group.labels[origin_label] = origin;
    out.push_back(std::move(group));
  }
  return out;
}

Duration offset_of(std::uint64_t key, Duration interval) {
  return Duration{static_cast<std::int64_t>(key % static_cast<std::uint64_t>(interval.count()))};
}

}  // namespace atalaya::collect::scrape
