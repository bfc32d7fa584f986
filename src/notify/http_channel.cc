// Channels that speak HTTP, declared in YAML.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>

#include "base/bytes.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "net/url.h"
#include "notify/channel.h"
#include "notify/hash.h"
#include "notify/settings.h"
#include "template/template.h"

namespace atalaya::notify {
namespace json = boost::json;
namespace {

using templates::Template;

/// What the YAML says. Immutable.
struct HttpDeclaration {
  struct Setting {
    std::string name;
    bool required = false;
    bool is_map = false;       ///< headers
    bool is_template = false;  ///< a template over the notification, or a mapping of such
  };
  std::string name;
  std::vector<Setting> settings;
  std::string method;
  std::optional<Template> url;
  std::map<std::string, std::optional<Template>> headers;
  std::optional<Template> body;
  std::vector<std::pair<int, int>> success;  ///< ranges of statuses
  std::optional<std::string> success_body;
  bool show_path = true;
  Duration timeout{15'000};
};
using DeclarationPtr = std::shared_ptr<const HttpDeclaration>;

/// scheme://host[:port][/path]: no user, password or query, which hold secrets.
std::string redacted(const std::string& url, bool show_path) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return "(no URL)";
  auto rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  const auto slash = rest.find('/');
  auto host = rest.substr(0, slash);
  if (const auto at = host.rfind('@'); at != std::string::npos) host = host.substr(at + 1);
  const auto path = slash == std::string::npos ? "" : show_path ? rest.substr(slash) : "/…";
  return url.substr(0, scheme + 3) + host + path;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// The text as everybody may read it: errors name the address, and servers repeat the path, which is
/// the secret of many a webhook.
std::string without_address(std::string text, const std::string& url, const std::string& target) {
  // In two steps: the target may itself begin with what is looked for.
  constexpr std::string_view kHere = "\x01";
  const auto parsed = net::parse_url(url);
  replace_all(text, url, kHere);
  if (parsed) replace_all(text, parsed->redacted(), kHere);
  replace_all(text, kHere, target);
  if (!parsed) return text;
  const auto& path_and_query = parsed->target;
  const auto question = path_and_query.find('?');
  const auto path = path_and_query.substr(0, question);
  for (const auto& secret :
       {path_and_query, path, question == std::string::npos ? "" : path_and_query.substr(question), parsed->password}) {
    // A short piece stands for other things too: hiding it would only garble the words.
    if (secret.size() >= 4 && target.find(secret) == std::string::npos) replace_all(text, secret, "…");
  }
  return text;
}

std::optional<Duration> retry_after(std::string_view text, Time now) {
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed == std::errc{} && end == text.data() + text.size()) {
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 24 * 3600));
  }
  // RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  std::array<char, 4> month{};
  if (std::sscanf(std::string(text).c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &day, month.data(), &year, &hour,
                  &minute, &second) != 6) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(kMonths, std::string_view(month.data()));
  if (found == kMonths.end()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(found - kMonths.begin() + 1)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const Time at = std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
                  std::chrono::seconds{second};
  return std::clamp<Duration>(at - now, Duration::zero(), std::chrono::hours{24});
}

class HttpChannel final : public Channel {
 public:
  HttpChannel(Transport& transport, DeclarationPtr declaration, const ChannelConfig& config)
      : transport_(transport), declaration_(std::move(declaration)), settings_(config.settings) {
    info_ = {config.id, config.type, ""};
  }

  Status check(const ChannelConfig& config) {
    const auto url = declaration_->url->render(json::object{}, render_options(Message{}, settings_));
    if (!url || !(url->starts_with("http://") || url->starts_with("https://"))) {
      return fail(ErrorCode::kInvalidArgument, config.place,
                  fmt::format("channel {}: the URL must begin with http:// or https://", config.id));
    }
    info_.target = redacted(*url, declaration_->show_path);
    return {};
  }

  /// Reads what of the settings are templates.
  Status parse_templates(const ChannelConfig& config) {
    for (const auto& setting : declaration_->settings) {
      const auto* value = settings_.if_contains(setting.name);
      if (!setting.is_template || value == nullptr) continue;
      if (value->is_object()) {
        for (const auto& [key, text] : value->get_object()) {
          AT_TRY(parse_template(config, setting.name, std::string(key), text));
        }
      } else {
        AT_TRY(parse_template(config, setting.name, "", *value));
      }
    }
    return {};
  }

  const ChannelInfo& info() const override { return info_; }

  AttemptResult send(const Message& message, Time now) const override {
    const auto request = compose(message);
    if (!request) return {.permanent = true, .answer = to_string(request.error())};
    const auto response = transport_.http(*request);
    auto result = response ? judge(*response, now)
                           : AttemptResult{.permanent = response.error().code == ErrorCode::kInvalidArgument,
                                           .answer = response.error().message};
    result.answer = without_address(std::move(result.answer), request->url, info_.target);
    return result;
  }

 private:
  templates::RenderOptions render_options(const Message& message, const json::object& settings) const {
    return {.variables = {{"settings", settings},
                          {"key", json::string(message.key)},
                          {"thread", json::string(to_hex(hash_text(message.thread)))}},
            .max_output_bytes = 1 << 20,
            .max_steps = 1'000'000};
  }

  Status parse_template(const ChannelConfig& config, const std::string& setting, const std::string& key,
                        const json::value& text) {
    if (!text.is_string()) return {};
    const std::string written(text.get_string());
    auto parsed =
        Template::parse(config.definitions + written, {.file = setting, .variables = {"settings", "key", "thread"}});
    if (!parsed) {
      return fail(ErrorCode::kInvalidArgument, config.place,
                  fmt::format("channel {}: {}: {}", config.id, setting, parsed.error().message));
    }
    templates_.insert_or_assign(std::pair(setting, key), std::move(*parsed));
    return {};
  }

  /// The settings with their templates filled in.
  Result<json::object> filled(const Message& message) const {
    auto out = settings_;
    const auto options = render_options(message, settings_);
    for (const auto& [where, parsed] : templates_) {
      AT_TRY(auto text, parsed.render(message.data, options));
      if (where.second.empty()) {
        out[where.first] = std::move(text);
      } else {
        out[where.first].as_object()[where.second] = std::move(text);
      }
    }
    return out;
  }

  Result<net::curl::HttpRequest> compose(const Message& message) const {
    const json::value data = message.data;
    AT_TRY(const auto settings, filled(message));
    const auto options = render_options(message, settings);
    net::curl::HttpRequest request;
    request.method = declaration_->method;
    request.timeout = declaration_->timeout;
    AT_TRY(request.url, declaration_->url->render(data, options));
    AT_TRY(request.body, declaration_->body->render(data, options));
    for (const auto& [name, text] : declaration_->headers) {
      AT_TRY(auto value, text->render(data, options));
      request.headers.emplace_back(name, std::move(value));
    }
    if (const auto* own = settings_.if_contains("headers"); own != nullptr && own->is_object()) {
      for (const auto& [name, value] : own->get_object()) {
        request.headers.emplace_back(name,
                                     value.is_string() ? std::string(value.get_string()) : json::serialize(value));
      }
    }
    request.headers.emplace_back("Idempotency-Key", message.key);
    request.headers.emplace_back("User-Agent", "Atalaya");
    return request;
  }

  AttemptResult judge(const net::curl::HttpResponse& response, Time now) const {
    AttemptResult result{.status = response.status, .answer = response.body};
    const bool status_ok = std::ranges::any_of(declaration_->success, [&](const auto& range) {
      return response.status >= range.first && response.status <= range.second;
    });
    auto body = response.body;
    while (body.ends_with('\n') || body.ends_with('\r')) body.pop_back();
    result.ok = status_ok && (!declaration_->success_body || body == *declaration_->success_body);
    if (result.ok) return result;
    result.permanent =
        response.status >= 400 && response.status < 500 && response.status != 408 && response.status != 429;
    result.retry_after = retry_after(response.header("Retry-After"), now);
    return result;
  }

  Transport& transport_;
  DeclarationPtr declaration_;
  json::object settings_;
  std::map<std::pair<std::string, std::string>, Template> templates_;  ///< by setting and key within it
  ChannelInfo info_;
};

class HttpType final : public ChannelType {
 public:
  HttpType(Transport& transport, DeclarationPtr declaration)
      : transport_(transport), declaration_(std::move(declaration)) {}
  const std::string& name() const override { return declaration_->name; }

  Result<ChannelPtr> make(const ChannelConfig& config) const override {
    Settings settings(config);
    for (const auto& setting : declaration_->settings) {
      if (setting.is_template) {
        settings.any(setting.name);
      } else if (setting.is_map) {
        settings.map(setting.name);
      } else if (setting.required) {
        settings.required(setting.name);
      } else {
        settings.text(setting.name);
      }
    }
    AT_TRY(settings.finish());
    auto channel = std::make_shared<HttpChannel>(transport_, declaration_, config);
    AT_TRY(channel->check(config));
    AT_TRY(channel->parse_templates(config));
    return ChannelPtr(std::move(channel));
  }

 private:
  Transport& transport_;
  DeclarationPtr declaration_;
};

void read_template(const config::Node& node, std::optional<Template>& out, config::Errors& errors) {
  std::string text;
  decode(node, text, errors);
  auto parsed = Template::parse(text, {.file = node.place().file, .variables = {"settings", "key", "thread"}});
  if (parsed) {
    out = std::move(*parsed);
    return;
  }
  auto error = parsed.error();
  error.place = node.place();
  errors.push_back(std::move(error));
}

void read_settings(const config::Node& node, HttpDeclaration& out, config::Errors& errors) {
  if (!expect_mapping(node, errors)) return;
  for (const auto& entry : node.entries()) {
    config::Reader read(*entry.value, "a setting", errors);
    HttpDeclaration::Setting setting;
    setting.name = entry.key->text();
    setting.required = read.value_or<bool>("required", false);
    const auto kind = read.choice("kind", {"text", "map", "template"});
    setting.is_map = kind == "map";
    setting.is_template = kind == "template";
    read.allow({"title"});
    read.finish();
    out.settings.push_back(std::move(setting));
  }
}

void read_success(const config::Node& node, HttpDeclaration& out, config::Errors& errors) {
  config::Reader read(node, "the criteria of success", errors);
  for (const auto& text : read.one_or_many<std::string>("status")) {
    int from = 0, to = 0, used = 0;
    const auto size = static_cast<int>(text.size());
    if (std::sscanf(text.c_str(), "%d-%d%n", &from, &to, &used) == 2 && used == size) {
      out.success.emplace_back(from, to);
    } else if (std::sscanf(text.c_str(), "%d%n", &from, &used) == 1 && used == size) {
      out.success.emplace_back(from, from);
    } else {
      read.complain("status", fmt::format("'{}' is neither a status nor a range", text), "e.g. [200-299]");
    }
  }
  out.success_body = read.optional<std::string>("body");
  read.finish();
}

void read_type(const config::Node& node, HttpDeclaration& out, config::Errors& errors) {
  config::Reader read(node, "a channel type", errors);
  read.allow({"title"});
  if (const auto* settings = read.find("settings")) read_settings(*settings, out, errors);
  out.method = read.value_or<std::string>("method", "POST");
  out.timeout = read.value_or<Duration>("timeout", out.timeout);
  out.show_path = read.choice("target", {"path", "host"}) == "path";
  if (const auto* url = read.require("url")) read_template(*url, out.url, errors);
  if (const auto* body = read.require("body")) read_template(*body, out.body, errors);
  if (const auto* headers = read.find("headers"); headers != nullptr && expect_mapping(*headers, errors)) {
    for (const auto& entry : headers->entries()) read_template(*entry.value, out.headers[entry.key->text()], errors);
  }
  if (const auto* success = read.require("success")) read_success(*success, out, errors);
  read.finish();
}

}  // namespace

Result<std::unique_ptr<ChannelType>> parse_http_channel_type(std::string_view yaml, std::string file,
                                                             Transport& transport) {
  AT_TRY(const auto document, config::Document::parse(std::string(yaml), std::move(file)));
  config::Errors errors;
  auto declaration = std::make_shared<HttpDeclaration>();
  config::Reader read(document.root(), "a file of a channel type", errors);
  read.required<std::string>("package");
  read.required<std::string>("version");
  if (const auto* types = read.require("channel_types"); types != nullptr && expect_mapping(*types, errors)) {
    if (types->entries().size() == 1) {
      declaration->name = types->entries().front().key->text();
      read_type(*types->entries().front().value, *declaration, errors);
    } else {
      read.complain("channel_types", "a file declares exactly one type");
    }
  }
  read.finish();
  if (!errors.empty()) {
    config::sort_by_place(errors);
    return std::unexpected(std::move(errors.front()));
  }
  return std::unique_ptr<ChannelType>(std::make_unique<HttpType>(transport, std::move(declaration)));
}

}  // namespace atalaya::notify
