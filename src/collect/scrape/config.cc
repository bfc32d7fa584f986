#include "collect/scrape/config.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "net/url.h"

namespace atalaya::collect::scrape {
namespace {

namespace json = boost::json;
using Path = std::vector<std::string>;

constexpr std::array kProtocols{
    std::pair("OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0"),
    std::pair("OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1"),
    std::pair("PrometheusText1.0.0", "text/plain;version=1.0.0"),
    std::pair("PrometheusText0.0.4", "text/plain;version=0.0.4"),
};
constexpr std::string_view kProtobuf = "PrometheusProto";

/// Reads one mapping of plain values; what is null is absent.
class Reader {
 public:
  Reader(const json::object& object, Path path, const ConfigDefaults& defaults, std::vector<ConfigProblem>& problems)
      : object_(object), path_(std::move(path)), defaults_(defaults), problems_(problems) {}

  const json::value* find(std::string_view key) const {
    const auto* value = object_.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  std::string text(std::string_view key, std::string fallback = {}) const {
    const auto* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_string()) return std::string(value->get_string());
    if (value->is_int64()) return std::to_string(value->get_int64());
    complain(key, "a text is expected");
    return fallback;
  }
  bool boolean(std::string_view key, bool fallback) const {
    const auto* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_bool()) return value->get_bool();
    complain(key, "true or false is expected");
    return fallback;
  }
  std::uint64_t count(std::string_view key) const {
    const auto* value = find(key);
    return value != nullptr && value->is_int64() && value->get_int64() > 0
               ? static_cast<std::uint64_t>(value->get_int64())
               : 0;
  }
  /// Milliseconds where a schema has looked at it, a text where none has.
  Duration duration(std::string_view key, Duration fallback) const {
    const auto* value = find(key);
    if (value == nullptr) return fallback;
    if (value->is_int64()) return Duration{value->get_int64()};
    const auto parsed = value->is_string() ? parse_duration(std::string_view(value->get_string()))
                                           : Result<Duration>(fail(ErrorCode::kInvalidArgument, "no duration"));
    if (parsed && *parsed > Duration{0}) return *parsed;
    complain(key, "a duration such as 30s is expected");
    return fallback;
  }
  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> out;
    const auto* value = find(key);
    if (value == nullptr) return out;
    if (!value->is_array()) return complain(key, "a list of texts is expected"), out;
    for (const auto& one : value->get_array()) {
      if (one.is_string()) out.emplace_back(one.get_string());
    }
    return out;
  }
  std::map<std::string, std::string> map(std::string_view key) const {
    std::map<std::string, std::string> out;
    const auto* value = find(key);
    if (value == nullptr || !value->is_object()) return out;
    for (const auto& [name, one] : value->get_object()) {
      out[std::string(name)] = one.is_string() ? std::string(one.get_string()) : json::serialize(one);
    }
    return out;
  }
  /// A path of a file; relative ones stand for what lies in the configuration's own folder.
  std::string file(std::string_view key) const { return absolute(key, text(key)); }
  std::string absolute(std::string_view key, std::string path) const {
    if (path.empty() || path.starts_with('/')) return path;
    if (defaults_.folder.empty()) {
      complain(key, fmt::format("\"{}\" is no absolute path", path), "write it from / on");
      return {};
    }
    return defaults_.folder + "/" + path;
  }
  Secret secret(std::string_view key, std::string_view file_key) const { return {text(key), file(file_key)}; }

  /// Calls `read` for the mapping at `key`.
  template <typename Read>
  void record(std::string_view key, Read read) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return complain(key, "a mapping is expected");
    read(Reader(value->get_object(), below(key), defaults_, problems_));
  }
  template <typename Read>
  void records(std::string_view key, Read read) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) return complain(key, "a list of mappings is expected");
    std::size_t at = 0;
    for (const auto& one : value->get_array()) {
      auto path = below(key);
      path.push_back(std::to_string(at++));
      if (one.is_object())
        read(Reader(one.get_object(), std::move(path), defaults_, problems_));
      else
        problems_.push_back({std::move(path), {ErrorCode::kInvalidArgument, "a mapping is expected", {}, {}}});
    }
  }
  /// For mappings that no schema looks at.
  void only(const std::set<std::string_view>& known) const {
    for (const auto& [name, value] : object_) {
      if (!known.contains(std::string_view(name))) {
        complain(name, fmt::format("the key \"{}\" is not known", std::string_view(name)));
      }
    }
  }
  void complain(std::string_view key, std::string message, std::string remedy = {}) const {
    problems_.push_back({key.empty() ? path_ : below(key),
                         {ErrorCode::kInvalidArgument, std::move(message), std::nullopt, std::move(remedy)}});
  }
  const json::object& object() const { return object_; }

 private:
  Path below(std::string_view key) const {
    auto out = path_;
    out.emplace_back(key);
    return out;
  }

  const json::object& object_;
  const Path path_;
  const ConfigDefaults& defaults_;
  std::vector<ConfigProblem>& problems_;
};

/// Nothing older than TLS 1.2 is ever spoken.
void read_tls_versions(const Reader& from, net::TlsTrust& out) {
  static const std::set<std::string> kVersions{"", "TLS10", "TLS11", "TLS12", "TLS13"};
  const auto least = from.text("min_version");
  const auto most = from.text("max_version");
  for (const auto& [key, version] : {std::pair("min_version", least), std::pair("max_version", most)}) {
    if (!kVersions.contains(version))
      from.complain(key, fmt::format("\"{}\" is no version", version), "TLS12 or TLS13");
  }
  if (most == "TLS10" || most == "TLS11") from.complain("max_version", "TLS 1.2 is the oldest that is spoken", "TLS12");
  if (least == "TLS13" && most == "TLS12") from.complain("max_version", "it is below min_version");
  out.tls13_at_least = least == "TLS13";
  out.tls12_at_most = most == "TLS12";
}

void read_tls(const Reader& from, net::TlsTrust& out) {
  from.only({"ca", "ca_file", "cert", "cert_file", "key", "key_file", "server_name", "insecure_skip_verify",
             "min_version", "max_version"});
  for (const auto& [text, file] :
       {std::pair("ca", "ca_file"), std::pair("cert", "cert_file"), std::pair("key", "key_file")}) {
    if (from.has(text) && from.has(file)) {
      from.complain(text, fmt::format("at most one of {} and {} is written", text, file), "keep one of the two");
    }
  }
  out.ca_text = from.text("ca");
  out.ca_file = from.file("ca_file");
  out.certificate = {from.text("cert"), from.file("cert_file")};
  out.key = {from.text("key"), from.file("key_file")};
  if (out.certificate.given() != out.key.given()) {
    from.complain(out.key.given() ? "key_file" : "cert_file",
                  fmt::format("there is no {} to it", out.key.given() ? "cert_file" : "key_file"),
                  "a certificate is shown with its key, or neither");
  }
  out.server_name = from.text("server_name");
  out.insecure_skip_verify = from.boolean("insecure_skip_verify", false);
  read_tls_versions(from, out);
}

void read_headers(const Reader& from, HttpSettings& out) {
  for (const auto& [name, value] : from.object()) {
    std::vector<Secret> values;
    from.record(name, [&](const Reader& one) {
      one.only({"values", "secrets", "files"});
      for (const auto* key : {"values", "secrets"}) {
        for (auto& text : one.texts(key)) values.push_back({std::move(text), {}});
      }
      for (auto& file : one.texts("files")) values.push_back({{}, one.absolute("files", std::move(file))});
    });
    out.headers.emplace_back(std::string(name), std::move(values));
  }
}

void read_proxy(const Reader& from, std::string& proxy, std::vector<std::string>& directly) {
  proxy = from.text("proxy_url");
  if (!proxy.empty()) {
    const auto url = net::parse_url(proxy);
    if (!url || url->scheme != "http") from.complain("proxy_url", "the proxy is not of the form http://host:port");
  }
  const std::string no_proxy = from.text("no_proxy");
  for (std::string_view left = no_proxy; !left.empty();) {
    const auto end = std::min(left.find(','), left.size());
    auto one = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) directly.emplace_back(one);
  }
  if (from.boolean("proxy_from_environment", false)) {
    from.complain("proxy_from_environment", "the environment is not looked at", "write proxy_url");
  }
  if (from.has("proxy_connect_header")) {
    from.complain("proxy_connect_header", "a proxy gets no headers", "put its user and password into proxy_url");
  }
}

void read_oauth2(const Reader& from, HttpSettings& out) {
  from.only({"client_id", "client_secret", "client_secret_file", "scopes", "token_url", "endpoint_params", "tls_config",
             "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header"});
  OAuth2 one;
  one.client_id = from.text("client_id");
  one.client_secret = from.secret("client_secret", "client_secret_file");
  one.scopes = from.texts("scopes");
  one.token_url = from.text("token_url");
  one.params = from.map("endpoint_params");
  from.record("tls_config", [&](const Reader& tls) { read_tls(tls, one.tls); });
  read_proxy(from, one.proxy, one.no_proxy);
  if (one.client_id.empty()) from.complain("client_id", "who asks for the token is missing");
  const auto url = net::parse_url(one.token_url);
  if (!url || !url->scheme.starts_with("http")) from.complain("token_url", "this is no HTTP address");
  out.oauth2 = std::move(one);
}

void read_http(const Reader& from, HttpSettings& out) {
  from.record("basic_auth", [&](const Reader& auth) {
    out.user = auth.secret("username", "username_file");
    out.password = auth.secret("password", "password_file");
  });
  from.record("authorization", [&](const Reader& auth) {
    out.authorization_type = auth.text("type", "Bearer");
    out.credentials = auth.secret("credentials", "credentials_file");
    if (out.authorization_type == "Basic" || out.authorization_type == "basic") {
      auth.complain("type", "a name with a password is no authorization", "write basic_auth");
    }
  });
  if (out.user.given() && !out.authorization_type.empty()) {
    from.complain("authorization", "there is a basic_auth too", "keep one of the two");
  }
  from.record("tls_config", [&](const Reader& tls) { read_tls(tls, out.tls); });
  from.record("http_headers", [&](const Reader& headers) { read_headers(headers, out); });
  out.follow_redirects = from.boolean("follow_redirects", true);
  read_proxy(from, out.proxy, out.no_proxy);
  from.record("oauth2", [&](const Reader& one) { read_oauth2(one, out); });
  if (out.oauth2 && (out.user.given() || !out.authorization_type.empty())) {
    from.complain("oauth2", "there is another way to sign in too", "keep one of basic_auth, authorization and oauth2");
  }
}

std::vector<Relabeling> read_steps(const Reader& from, std::string_view key) {
  std::vector<Relabeling> out;
  from.records(key, [&](const Reader& one) {
    RelabelSpec spec;
    spec.source_labels = one.texts("source_labels");
    spec.separator = one.text("separator", spec.separator);
    spec.regex = one.text("regex", spec.regex);
    spec.modulus = one.count("modulus");
    spec.target_label = one.text("target_label");
    spec.replacement = one.text("replacement", spec.replacement);
    const auto action = parse_relabel_action(one.text("action", "replace"));
    if (!action) return one.complain("action", "this action is not known");
    spec.action = *action;
    auto made = Relabeling::make(std::move(spec));
    if (made) return out.push_back(std::move(*made));
    one.complain("", made.error().message);
  });
  return out;
}

void read_discovery(const Reader& from, ScrapeConfig& out) {
  from.records("static_configs", [&](const Reader& group) {
    TargetGroup one{group.texts("targets"), group.map("labels")};
    for (const auto& target : one.targets) {
      if (target.find('/') != std::string::npos) {
        group.complain("targets", fmt::format("\"{}\" is no host:port", target),
                       "scheme and metrics_path say the rest");
      }
    }
    out.groups.push_back(std::move(one));
  });
  from.records("file_sd_configs", [&](const Reader& one) {
    one.only({"files", "refresh_interval"});
    FileDiscovery found;
    for (auto& file : one.texts("files")) {
      const auto star = file.find('*');
      const auto dot = file.rfind('.');
      const auto end = dot == std::string::npos ? std::string() : file.substr(dot);
      if ((end != ".json" && end != ".yml" && end != ".yaml") ||
          (star != std::string::npos && file.find('/', star) != std::string::npos)) {
        one.complain("files", fmt::format("\"{}\" is no path of such files", file),
                     "it ends with .json, .yml or .yaml; * may stand in its last part");
      }
      found.files.push_back(one.absolute("files", std::move(file)));
    }
    if (found.files.empty()) one.complain("files", "there are no files");
    found.refresh = one.duration("refresh_interval", found.refresh);
    out.files.push_back(std::move(found));
  });
  from.records("http_sd_configs", [&](const Reader& one) {
    one.only({"url", "refresh_interval", "basic_auth", "authorization", "oauth2", "tls_config", "http_headers",
              "follow_redirects", "enable_http2", "proxy_url", "no_proxy", "proxy_from_environment",
              "proxy_connect_header"});
    HttpDiscovery found;
    found.url = one.text("url");
    const auto url = net::parse_url(found.url);
    if (!url || !url->scheme.starts_with("http"))
      one.complain("url", "this is no HTTP address", "e.g. http://cmdb/targets");
    found.refresh = one.duration("refresh_interval", found.refresh);
    read_http(one, found.http);
    out.urls.push_back(std::move(found));
  });
  for (const auto& [name, value] : from.object()) {
    const std::string_view key = name;
    if (!key.ends_with("_sd_configs") || key == "file_sd_configs" || key == "http_sd_configs" || value.is_null())
      continue;
    from.complain(key, fmt::format("targets are not discovered by {}", key),
                  "let a program write them to a file for file_sd_configs, or serve them for http_sd_configs");
  }
}

void read_request(const Reader& from, ScrapeConfig& out) {
  out.scheme = from.text("scheme", "http");
  out.path = from.text("metrics_path", "/metrics");
  if (const auto* params = from.find("params"); params != nullptr && params->is_object()) {
    for (const auto& [name, values] : params->get_object()) {
      auto& list = out.params[std::string(name)];
      if (!values.is_array()) continue;
      for (const auto& one : values.get_array()) {
        if (one.is_string()) list.emplace_back(one.get_string());
      }
    }
  }
  auto protocols = from.texts("scrape_protocols");
  if (!from.has("scrape_protocols")) {
    for (const auto& [name, type] : kProtocols) protocols.emplace_back(name);
  }
  auto accept = accept_header(protocols, from.text("metric_name_escaping_scheme", "allow-utf-8"));
  if (accept)
    out.accept = std::move(*accept);
  else
    from.complain("scrape_protocols", accept.error().message, accept.error().remedy);
  out.fallback = from.text("fallback_scrape_protocol");
  const bool known = std::ranges::any_of(kProtocols, [&](const auto& one) { return one.first == out.fallback; });
  if (!out.fallback.empty() && !known) {
    from.complain("fallback_scrape_protocol", fmt::format("\"{}\" is no format that is read", out.fallback),
                  "PrometheusText0.0.4, PrometheusText1.0.0, OpenMetricsText0.0.1 or OpenMetricsText1.0.0");
  }
  out.compression = from.boolean("enable_compression", true);
}

}  // namespace

Result<std::string> accept_header(const std::vector<std::string>& protocols, const std::string& escaping) {
  std::string out;
  auto weight = protocols.size() + 1;
  for (const auto& protocol : protocols) {
    const auto found = std::ranges::find_if(kProtocols, [&](const auto& one) { return one.first == protocol; });
    if (found == kProtocols.end()) {
      return fail(ErrorCode::kInvalidArgument,
                  protocol == kProtobuf ? "protobuf is not read" : fmt::format("there is no format \"{}\"", protocol),
                  "PrometheusText0.0.4, PrometheusText1.0.0, OpenMetricsText0.0.1, OpenMetricsText1.0.0");
    }
    if (std::ranges::count(protocols, protocol) > 1) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} is there twice", protocol));
    }
    const bool escapes = protocol.ends_with("1.0.0");
    out += fmt::format("{}{};q=0.{},", found->second, escapes ? ";escaping=" + escaping : "", weight--);
  }
  return out + fmt::format("*/*;q=0.{}", weight);
}

Result<std::uint64_t> bytes_of(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a number of bytes", text.substr(0, 64)),
                "write such as 512KB, 10MB, 1GB, powers of 1024");
  };
  const auto is_unit = [](char c) { return (c >= 'A' && c <= 'Z') || c == 'k' || c == 'i'; };
  constexpr std::string_view kPowers = "BKMGTPE";
  constexpr double kMost = 9.2e18;
  if (text.empty()) return wrong();
  double sum = 0;
  for (auto left = text; !left.empty();) {
    double count = 0;
    const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), count, std::chars_format::fixed);
    if (error != std::errc() || !(count >= 0)) return wrong();
    left.remove_prefix(static_cast<std::size_t>(end - left.data()));
    std::size_t size = 0;
    while (size < left.size() && is_unit(left[size])) ++size;
    auto unit = std::string(left.substr(0, size));
    left.remove_prefix(size);
    // A plain number is one of bytes.
    if (unit.empty() && left.empty() && sum == 0) unit = "B";
    if (unit.starts_with('k')) unit[0] = 'K';
    const auto power = unit.empty() ? std::string_view::npos : kPowers.find(unit[0]);
    if (power == std::string_view::npos || (unit != "B" && unit.substr(1) != "B" && unit.substr(1) != "iB")) {
      return wrong();
    }
    sum += std::ldexp(count, static_cast<int>(power) * 10);
    if (sum > kMost) return wrong();
  }
  return static_cast<std::uint64_t>(sum);
}

std::optional<ScrapeConfig> read_config(const std::string& id, const json::object& fields,
                                        const ConfigDefaults& defaults, std::vector<ConfigProblem>& problems) {
  const auto before = problems.size();
  const Reader from(fields, {}, defaults, problems);
  ScrapeConfig out;
  out.id = id;
  out.job = from.text("job_name");
  out.interval = from.duration("scrape_interval", defaults.interval);
  out.timeout = from.duration("scrape_timeout", std::min(defaults.timeout, out.interval));
  if (out.timeout > out.interval) {
    from.complain("scrape_timeout", fmt::format("a timeout of {} is longer than the interval of {}",
                                                format_duration(out.timeout), format_duration(out.interval)));
  }
  read_request(from, out);
  read_http(from, out.http);
  out.honor_labels = from.boolean("honor_labels", false);
  out.honor_timestamps = from.boolean("honor_timestamps", true);
  out.track_timestamps = from.boolean("track_timestamps_staleness", false);
  out.extra_metrics = from.boolean("extra_scrape_metrics", false);
  const auto body_bytes = bytes_of(from.text("body_size_limit", "0"));
  if (!body_bytes) from.complain("body_size_limit", body_bytes.error().message, body_bytes.error().remedy);
  out.limits = {body_bytes.value_or(0), from.count("sample_limit"), from.count("label_limit"),
                from.count("label_name_length_limit"), from.count("label_value_length_limit")};
  out.target_limit = from.count("target_limit");
  out.keep_dropped = from.count("keep_dropped_targets");
  out.target_steps = read_steps(from, "relabel_configs");
  out.sample_steps = read_steps(from, "metric_relabel_configs");
  read_discovery(from, out);
  out.written =
      fmt::format("{} {} {} {}", defaults.folder, out.interval.count(), out.timeout.count(), json::serialize(fields));
  if (problems.size() != before) return std::nullopt;
  return out;
}

}  // namespace atalaya::collect::scrape
