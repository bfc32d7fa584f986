#include "dispatch/receivers.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/bytes.h"
#include "dispatch/machine.h"

namespace atalaya::dispatch {
namespace {

namespace json = boost::json;
using config::YamlValue;

struct Renamed {
  std::string_view from;  ///< the integration's key
  std::string_view to;    ///< the setting of the channel type
};

/// What each type of ours takes, by the integration's key; the keys with `_file` are read. Other keys are told.
const std::map<std::string_view, std::vector<Renamed>>& taken() {
  static const std::map<std::string_view, std::vector<Renamed>> kTaken{
      {"webhook", {{"url", "url"}}},
      {"slack",
       {{"api_url", "url"},
        {"channel", "channel"},
        {"username", "username"},
        {"title", "title"},
        {"title_link", "title_link"},
        {"pretext", "pretext"},
        {"text", "text"},
        {"color", "color"},
        {"fallback", "fallback"},
        {"footer", "footer"},
        {"icon_emoji", "icon_emoji"},
        {"icon_url", "icon_url"}}},
      {"pagerduty",
       {{"routing_key", "routing_key"},
        {"service_key", "service_key"},
        {"url", "url"},
        {"client", "client"},
        {"client_url", "client_url"},
        {"description", "description"},
        {"details", "details"},
        {"source", "source"},
        {"severity", "severity"},
        {"class", "class"},
        {"component", "component"},
        {"group", "group"}}},
      {"opsgenie",
       {{"api_key", "api_key"},
        {"api_url", "api_url"},
        {"message", "message"},
        {"description", "description"},
        {"source", "source"},
        {"details", "details"},
        {"entity", "entity"},
        {"tags", "tags"},
        {"note", "note"},
        {"priority", "priority"}}},
      {"telegram",
       {{"api_url", "api_url"},
        {"bot_token", "bot_token"},
        {"chat_id", "chat_id"},
        {"message_thread_id", "message_thread_id"},
        {"message", "message"},
        {"disable_notifications", "disable_notifications"},
        {"parse_mode", "parse_mode"}}},
      {"discord",
       {{"webhook_url", "url"},
        {"content", "content"},
        {"title", "title"},
        {"message", "message"},
        {"username", "username"},
        {"avatar_url", "avatar_url"}}},
      {"msteams", {{"webhook_url", "url"}, {"title", "title"}, {"summary", "summary"}, {"text", "text"}}}};
  return kTaken;
}

json::value to_json(const YamlValue& value) {
  switch (value.kind) {
    case YamlValue::Kind::kText: return json::string(value.scalar);
    case YamlValue::Kind::kToken:
      if (value.scalar.empty()) return nullptr;
      if (value.scalar == "true" || value.scalar == "false") return value.scalar == "true";
      return json::string(value.scalar);
    case YamlValue::Kind::kList: {
      json::array out;
      for (const auto& item : value.items) out.push_back(to_json(item));
      return out;
    }
    case YamlValue::Kind::kMap: {
      json::object out;
      for (const auto& [key, item] : value.entries) out[key] = to_json(item);
      return out;
    }
  }
  return nullptr;
}

std::string text_of(const YamlValue& map, std::string_view key) {
  const auto* value = map.get(key);
  return value == nullptr ? "" : value->scalar;
}

class Converter {
 public:
  Converter(const routing::Receiver& receiver, const routing::Integration& integration, const ReadFile& read,
            config::Errors& warnings)
      : receiver_(receiver),
        integration_(integration),
        settings_(integration.settings),
        read_(read),
        warnings_(warnings) {}

  json::object run() {
    if (integration_.type == "email") return email();
    json::object out;
    std::set<std::string_view> known{"http_config", "max_alerts"};
    for (const auto& [from, to] : taken().at(integration_.type)) {
      known.insert(from);
      if (const auto* value = settings_.get(from)) {
        auto converted = to_json(*value);
        if (!converted.is_null()) out[to] = std::move(converted);
      }
      for (const auto& [key, value] : settings_.entries) {
        if (key == fmt::format("{}_file", from)) read_into(out, to, key, value.scalar);
      }
    }
    for (const auto& [key, value] : settings_.entries) {
      const bool of_file = key.ends_with("_file") && known.contains(std::string_view(key).substr(0, key.size() - 5));
      if (!known.contains(key) && !of_file) warn(key);
    }
    if (const auto* http = settings_.get("http_config")) headers(*http, out);
    return out;
  }

 private:
  void warn(std::string_view key) {
    warnings_.push_back(
        {ErrorCode::kInvalidArgument,
         fmt::format("receiver \"{}\": {} of {} is not carried out here", receiver_.name, key, integration_.type),
         integration_.place, "the rest of it is"});
  }

  void read_into(json::object& out, std::string_view setting, std::string_view key, const std::string& path) {
    auto text = read_(path);
    if (text) {
      out[setting] = std::move(*text);
    } else {
      warnings_.push_back({ErrorCode::kInvalidArgument,
                           fmt::format("receiver \"{}\": {} of {}: {}", receiver_.name, key, integration_.type,
                                       to_string(text.error())),
                           integration_.place, "nobody is told by it until it can be read and is read again"});
    }
  }

  void headers(const YamlValue& http, json::object& out) {
    json::object headers;
    for (const auto& [key, value] : http.entries) {
      if (key == "authorization") {
        auto type = text_of(value, "type");
        if (value.get("credentials_file")) read_into(headers, "Authorization", key, text_of(value, "credentials_file"));
        if (value.get("credentials")) headers["Authorization"] = text_of(value, "credentials");
        if (auto* given = headers.if_contains("Authorization")) {
          *given = fmt::format("{} {}", type.empty() ? "Bearer" : type, std::string_view(given->as_string()));
        }
      } else if (key == "bearer_token") {
        headers["Authorization"] = "Bearer " + value.scalar;
      } else if (key == "basic_auth" && value.get("password_file") == nullptr) {
        const auto both = text_of(value, "username") + ":" + text_of(value, "password");
        headers["Authorization"] = "Basic " + base64_encode(both);
      } else if (key != "follow_redirects" && key != "enable_http2") {
        warn("http_config." + key);
      }
    }
    if (!headers.empty()) out["headers"] = std::move(headers);
  }

  json::object email() {
    json::object out;
    const auto host = text_of(settings_, "smarthost");
    const bool implicit = text_of(settings_, "force_implicit_tls") == "true" || host.ends_with(":465");
    out["smtp"] = fmt::format("{}://{}", implicit ? "smtps" : "smtp", host);
    out["from"] = text_of(settings_, "from");
    json::array to;
    const auto list = text_of(settings_, "to");
    for (std::size_t begin = 0; begin < list.size();) {
      const auto end = std::min(list.find(',', begin), list.size());
      auto one = list.substr(begin, end - begin);
      one.erase(0, one.find_first_not_of(' '));
      to.emplace_back(std::move(one));
      begin = end + 1;
    }
    out["to"] = std::move(to);
    const std::array<Renamed, 4> same{{{"auth_username", "user"},
                                       {"auth_password", "password"},
                                       {"auth_password_file", "password_file"},
                                       {"text", "text"}}};
    for (const auto& [from, setting] : same) {
      if (const auto text = text_of(settings_, from); !text.empty()) out[setting] = text;
    }
    out["starttls"] = text_of(settings_, "require_tls") == "false" ? "if_offered" : "required";
    std::string subject = "{{ template \"email.default.subject\" . }}";
    if (const auto* headers = settings_.get("headers")) {
      for (const auto& [name, value] : headers->entries) {
        if (name == "Subject" || name == "subject") {
          subject = value.scalar;
        } else {
          warn("headers." + name);
        }
      }
    }
    out["subject"] = subject;
    if (const auto* tls = settings_.get("tls_config")) {
      for (const auto& [key, value] : tls->entries) {
        if (key == "ca_file") {
          out["ca_file"] = value.scalar;
        } else {
          warn("tls_config." + key);
        }
      }
    }
    for (const auto* key : {"hello", "auth_secret", "auth_secret_file", "auth_identity", "html", "threading"}) {
      if (!text_of(settings_, key).empty()) warn(key);
    }
    return out;
  }

  const routing::Receiver& receiver_;
  const routing::Integration& integration_;
  const YamlValue& settings_;
  const ReadFile& read_;
  config::Errors& warnings_;
};

/// Values that others must not read.
bool is_secret(std::string_view key) {
  constexpr std::array<std::string_view, 16> kNames{
      "password", "token",         "secret",    "key",         "credentials", "api_url",  "webhook_url",  "api_key",
      "url",      "auth_password", "bot_token", "service_key", "routing_key", "user_key", "http_headers", "headers"};
  return std::ranges::find(kNames, key) != kNames.end() || key.ends_with("_password") || key.ends_with("_token") ||
         key.ends_with("_secret") || key.ends_with("_key") || key.ends_with("slack_api_url");
}

void hide(YamlValue& value, std::string_view key) {
  if (is_secret(key) && value.kind != YamlValue::Kind::kMap && value.kind != YamlValue::Kind::kList) {
    value = "<secret>";
    return;
  }
  for (auto& item : value.items) hide(item, key);
  for (auto& [name, item] : value.entries) hide(item, key == "http_headers" || key == "headers" ? "secret" : name);
}

}  // namespace

std::vector<notify::ChannelConfig> channels_of(const routing::Config& config, const ReadFile& read,
                                               config::Errors& warnings) {
  std::string definitions(default_templates());
  for (const auto& path : config.templates) {
    auto text = read(path);
    if (text) {
      definitions += *text;
    } else {
      warnings.push_back({ErrorCode::kInvalidArgument, fmt::format("templates: {}", to_string(text.error())), {}, {}});
    }
  }
  std::vector<notify::ChannelConfig> out;
  for (const auto& [name, receiver] : config.receivers) {
    for (const auto& integration : receiver.integrations) {
      notify::ChannelConfig channel;
      channel.id = channel_of({name, integration.type, integration.index});
      channel.type = integration.type;
      channel.settings = Converter(receiver, integration, read, warnings).run();
      channel.place = integration.place;
      channel.definitions = definitions;
      out.push_back(std::move(channel));
    }
  }
  return out;
}

std::string without_secrets(const std::string& text, const std::string& file) {
  const auto document = config::Document::parse(text, file);
  if (!document) return {};
  auto value = config::value_of(document->root());
  hide(value, "");
  return config::write_block(value);
}

}  // namespace atalaya::dispatch
