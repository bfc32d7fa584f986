#include "routing/integration_fields.h"

namespace atalaya::routing {
namespace {

using Kind = IntegrationField::Kind;

constexpr IntegrationField kHttp{"http_config", Kind::kAny, "http_config"};

IntegrationType webhook() {
  return {"webhook",
          true,
          true,
          {kHttp,
           {"url", Kind::kUrl},
           {"url_file"},
           {"max_alerts", Kind::kInteger},
           {"timeout", Kind::kDuration},
           {"payload", Kind::kAny}},
          {{"url", "url_file"}},
          {{"url", "url_file"}}};
}

IntegrationType email() {
  return {"email",
          true,
          false,
          {{"to"},
           {"from", Kind::kText, "smtp_from"},
           {"hello", Kind::kText, "smtp_hello"},
           {"smarthost", Kind::kText, "smtp_smarthost"},
           {"auth_username", Kind::kText, "smtp_auth_username"},
           {"auth_password", Kind::kText, "smtp_auth_password"},
           {"auth_password_file", Kind::kText, "smtp_auth_password_file"},
           {"auth_secret", Kind::kText, "smtp_auth_secret"},
           {"auth_secret_file", Kind::kText, "smtp_auth_secret_file"},
           {"auth_identity", Kind::kText, "smtp_auth_identity"},
           {"require_tls", Kind::kBoolean, "smtp_require_tls"},
           {"force_implicit_tls", Kind::kBoolean, "smtp_force_implicit_tls"},
           {"tls_config", Kind::kAny, "smtp_tls_config"},
           {"headers", Kind::kMap},
           {"html"},
           {"text"},
           {"threading", Kind::kMap}},
          {{"to"}, {"from"}, {"smarthost"}},
          {{"auth_password", "auth_password_file"}, {"auth_secret", "auth_secret_file"}}};
}

IntegrationType slack() {
  return {"slack",
          true,
          false,
          {kHttp,
           {"api_url", Kind::kUrl, "slack_api_url"},
           {"api_url_file", Kind::kText, "slack_api_url_file"},
           {"app_token", Kind::kText, "slack_app_token"},
           {"app_token_file", Kind::kText, "slack_app_token_file"},
           {"app_url", Kind::kUrl, "slack_app_url"},
           {"channel"},
           {"username"},
           {"color"},
           {"title"},
           {"title_link"},
           {"pretext"},
           {"text"},
           {"message_text"},
           {"fields", Kind::kList},
           {"short_fields", Kind::kBoolean},
           {"footer"},
           {"fallback"},
           {"callback_id"},
           {"icon_emoji"},
           {"icon_url"},
           {"image_url"},
           {"thumb_url"},
           {"link_names", Kind::kBoolean},
           {"mrkdwn_in", Kind::kList},
           {"actions", Kind::kList},
           {"update_message", Kind::kBoolean},
           {"timeout", Kind::kDuration}},
          {{"api_url", "api_url_file", "app_token", "app_token_file"}},
          {{"api_url", "api_url_file"}, {"app_token", "app_token_file"}}};
}

IntegrationType pagerduty() {
  return {"pagerduty",
          true,
          true,
          {kHttp,
           {"service_key"},
           {"service_key_file"},
           {"routing_key"},
           {"routing_key_file"},
           {"url", Kind::kUrl, "pagerduty_url"},
           {"client"},
           {"client_url"},
           {"description"},
           {"details", Kind::kMap},
           {"images", Kind::kList},
           {"links", Kind::kList},
           {"source"},
           {"severity"},
           {"class"},
           {"component"},
           {"group"},
           {"timeout", Kind::kDuration}},
          {{"routing_key", "routing_key_file", "service_key", "service_key_file"}},
          {{"routing_key", "routing_key_file"}, {"service_key", "service_key_file"}}};
}

IntegrationType opsgenie() {
  return {"opsgenie",
          true,
          true,
          {kHttp,
           {"api_key", Kind::kText, "opsgenie_api_key"},
           {"api_key_file", Kind::kText, "opsgenie_api_key_file"},
           {"api_url", Kind::kUrl, "opsgenie_api_url"},
           {"message"},
           {"description"},
           {"source"},
           {"details", Kind::kMap},
           {"entity"},
           {"responders", Kind::kList},
           {"actions"},
           {"tags"},
           {"note"},
           {"priority"},
           {"update_alerts", Kind::kBoolean}},
          {{"api_key", "api_key_file"}},
          {{"api_key", "api_key_file"}}};
}

IntegrationType telegram() {
  return {"telegram",
          true,
          true,
          {kHttp,
           {"api_url", Kind::kUrl, "telegram_api_url"},
           {"bot_token", Kind::kText, "telegram_bot_token"},
           {"bot_token_file", Kind::kText, "telegram_bot_token_file"},
           {"chat_id", Kind::kInteger},
           {"chat_id_file"},
           {"message_thread_id", Kind::kInteger},
           {"message"},
           {"disable_notifications", Kind::kBoolean},
           {"parse_mode"}},
          {{"bot_token", "bot_token_file"}, {"chat_id", "chat_id_file"}},
          {{"bot_token", "bot_token_file"}, {"chat_id", "chat_id_file"}}};
}

/// Discord's and Microsoft Teams' webhooks.
IntegrationType chat_webhook(std::string_view name, std::vector<std::string_view> texts) {
  IntegrationType type{name, true, true, {kHttp, {"webhook_url", Kind::kUrl}, {"webhook_url_file"}}, {}, {}};
  for (const auto text : texts) type.fields.push_back({text});
  type.one_of = type.at_most_one = {{"webhook_url", "webhook_url_file"}};
  return type;
}

IntegrationType pushover() {
  return {"pushover",
          false,
          true,
          {kHttp,
           {"user_key"},
           {"user_key_file"},
           {"token"},
           {"token_file"},
           {"title"},
           {"message"},
           {"url"},
           {"url_title"},
           {"device"},
           {"sound"},
           {"priority"},
           {"retry", Kind::kDuration},
           {"expire", Kind::kDuration},
           {"ttl", Kind::kDuration},
           {"html", Kind::kBoolean},
           {"monospace", Kind::kBoolean}},
          {{"user_key", "user_key_file"}, {"token", "token_file"}},
          {{"user_key", "user_key_file"}, {"token", "token_file"}}};
}

IntegrationType sns() {
  return {"sns",
          false,
          true,
          {kHttp,
           {"api_url"},
           {"sigv4", Kind::kMap},
           {"topic_arn"},
           {"phone_number"},
           {"target_arn"},
           {"subject"},
           {"message"},
           {"attributes", Kind::kMap}},
          {{"topic_arn", "phone_number", "target_arn"}},
          {}};
}

IntegrationType victorops() {
  return {"victorops",
          false,
          true,
          {kHttp,
           {"api_key", Kind::kText, "victorops_api_key"},
           {"api_key_file", Kind::kText, "victorops_api_key_file"},
           {"api_url", Kind::kUrl, "victorops_api_url"},
           {"routing_key"},
           {"message_type"},
           {"state_message"},
           {"entity_display_name"},
           {"monitoring_tool"},
           {"custom_fields", Kind::kMap}},
          {{"routing_key"}, {"api_key", "api_key_file"}},
          {{"api_key", "api_key_file"}}};
}

IntegrationType wechat() {
  return {"wechat",
          false,
          false,
          {kHttp,
           {"api_secret", Kind::kText, "wechat_api_secret"},
           {"api_secret_file", Kind::kText, "wechat_api_secret_file"},
           {"corp_id", Kind::kText, "wechat_api_corp_id"},
           {"api_url", Kind::kUrl, "wechat_api_url"},
           {"message"},
           {"to_user"},
           {"to_party"},
           {"to_tag"},
           {"agent_id"},
           {"message_type"}},
          {{"corp_id"}, {"api_secret", "api_secret_file"}},
          {{"api_secret", "api_secret_file"}}};
}

IntegrationType webex() {
  return {"webex",
          false,
          true,
          {kHttp, {"api_url", Kind::kUrl, "webex_api_url"}, {"message"}, {"room_id"}},
          {{"room_id"}, {"http_config"}},
          {}};
}

IntegrationType jira() {
  return {"jira",
          false,
          true,
          {kHttp,
           {"api_url", Kind::kUrl, "jira_api_url"},
           {"api_type"},
           {"project"},
           {"summary", Kind::kAny},
           {"description", Kind::kAny},
           {"labels", Kind::kList},
           {"priority"},
           {"issue_type"},
           {"reopen_transition"},
           {"resolve_transition"},
           {"wont_fix_resolution"},
           {"reopen_duration", Kind::kDuration},
           {"fields", Kind::kMap}},
          {{"project"}, {"issue_type"}, {"api_url"}},
          {}};
}

IntegrationType rocketchat() {
  return {"rocketchat",
          false,
          false,
          {kHttp,
           {"api_url", Kind::kUrl, "rocketchat_api_url"},
           {"token", Kind::kText, "rocketchat_token"},
           {"token_file", Kind::kText, "rocketchat_token_file"},
           {"token_id", Kind::kText, "rocketchat_token_id"},
           {"token_id_file", Kind::kText, "rocketchat_token_id_file"},
           {"channel"},
           {"color"},
           {"title"},
           {"title_link"},
           {"text"},
           {"fields", Kind::kList},
           {"short_fields", Kind::kBoolean},
           {"emoji"},
           {"icon_url"},
           {"image_url"},
           {"thumb_url"},
           {"link_names", Kind::kBoolean},
           {"actions", Kind::kList}},
          {{"token", "token_file"}, {"token_id", "token_id_file"}},
          {{"token", "token_file"}, {"token_id", "token_id_file"}}};
}

IntegrationType mattermost() {
  return {"mattermost",
          false,
          true,
          {kHttp,
           {"webhook_url", Kind::kUrl, "mattermost_webhook_url"},
           {"webhook_url_file", Kind::kText, "mattermost_webhook_url_file"},
           {"channel"},
           {"username"},
           {"text"},
           {"fallback"},
           {"color"},
           {"pretext"},
           {"author_name"},
           {"author_link"},
           {"author_icon"},
           {"title"},
           {"title_link"},
           {"fields", Kind::kList},
           {"thumb_url"},
           {"footer"},
           {"footer_icon"},
           {"image_url"},
           {"icon_url"},
           {"icon_emoji"},
           {"attachments", Kind::kList},
           {"type"},
           {"props", Kind::kMap},
           {"priority", Kind::kMap}},
          {{"webhook_url", "webhook_url_file"}},
          {{"webhook_url", "webhook_url_file"}}};
}

IntegrationType incidentio() {
  return {"incidentio",
          false,
          true,
          {kHttp,
           {"url", Kind::kUrl},
           {"url_file"},
           {"alert_source_token"},
           {"alert_source_token_file"},
           {"metadata", Kind::kMap},
           {"max_alerts", Kind::kInteger},
           {"timeout", Kind::kDuration}},
          {{"url", "url_file"}},
          {{"url", "url_file"}, {"alert_source_token", "alert_source_token_file"}}};
}

}  // namespace

const std::vector<IntegrationType>& integration_table() {
  static const std::vector<IntegrationType> kTable{
      webhook(),
      email(),
      slack(),
      pagerduty(),
      opsgenie(),
      telegram(),
      chat_webhook("discord", {"content", "title", "message", "username", "avatar_url"}),
      chat_webhook("msteams", {"title", "summary", "text"}),
      chat_webhook("msteamsv2", {"title", "text"}),
      pushover(),
      sns(),
      victorops(),
      wechat(),
      webex(),
      jira(),
      rocketchat(),
      mattermost(),
      incidentio()};
  return kTable;
}

const std::vector<IntegrationField>& global_fields() {
  static const std::vector<IntegrationField> kFields{
      {"http_config", Kind::kAny},
      {"smtp_from"},
      {"smtp_hello"},
      {"smtp_smarthost"},
      {"smtp_auth_username"},
      {"smtp_auth_password"},
      {"smtp_auth_password_file"},
      {"smtp_auth_secret"},
      {"smtp_auth_secret_file"},
      {"smtp_auth_identity"},
      {"smtp_require_tls", Kind::kBoolean},
      {"smtp_force_implicit_tls", Kind::kBoolean},
      {"smtp_tls_config", Kind::kAny},
      {"slack_api_url", Kind::kUrl},
      {"slack_api_url_file"},
      {"slack_app_token"},
      {"slack_app_token_file"},
      {"slack_app_url", Kind::kUrl},
      {"pagerduty_url", Kind::kUrl},
      {"opsgenie_api_url", Kind::kUrl},
      {"opsgenie_api_key"},
      {"opsgenie_api_key_file"},
      {"wechat_api_url", Kind::kUrl},
      {"wechat_api_secret"},
      {"wechat_api_secret_file"},
      {"wechat_api_corp_id"},
      {"victorops_api_url", Kind::kUrl},
      {"victorops_api_key"},
      {"victorops_api_key_file"},
      {"telegram_api_url", Kind::kUrl},
      {"telegram_bot_token"},
      {"telegram_bot_token_file"},
      {"webex_api_url", Kind::kUrl},
      {"jira_api_url", Kind::kUrl},
      {"rocketchat_api_url", Kind::kUrl},
      {"rocketchat_token"},
      {"rocketchat_token_file"},
      {"rocketchat_token_id"},
      {"rocketchat_token_id_file"},
      {"mattermost_webhook_url", Kind::kUrl},
      {"mattermost_webhook_url_file"},
  };
  return kFields;
}

const std::vector<std::string_view>& http_fields() {
  static const std::vector<std::string_view> kFields{"basic_auth",
                                                     "authorization",
                                                     "oauth2",
                                                     "tls_config",
                                                     "bearer_token",
                                                     "bearer_token_file",
                                                     "proxy_url",
                                                     "no_proxy",
                                                     "proxy_from_environment",
                                                     "http_headers",
                                                     "proxy_connect_header",
                                                     "follow_redirects",
                                                     "enable_http2"};
  return kFields;
}

}  // namespace atalaya::routing
