// Mail through a server of the user's choice.
#include <fmt/format.h>

#include <array>
#include <cctype>

#include "base/bytes.h"
#include "net/curl/mail_message.h"
#include "net/curl/smtp.h"
#include "notify/channel.h"
#include "notify/hash.h"
#include "notify/settings.h"
#include "template/template.h"

namespace atalaya::notify {
namespace {

using net::curl::MailMessage;
using net::curl::SmtpServer;
using templates::Template;

constexpr std::string_view kSubject =
    "[{{ if eq .Status \"resolved\" }}resolved"
    "{{ else if eq (index .Alerts 0).atalaya.state \"no_data\" }}no data"
    "{{ else }}{{ .CommonLabels.severity }}{{ end }}] "
    "{{ with (index .Alerts 0).Annotations.title }}{{ . }}{{ else }}{{ .GroupLabels.alertname }}{{ end }}"
    "{{ with .GroupLabels.instance }} on {{ . }}{{ end }}";

constexpr std::string_view kText =
    R"({{ range .Alerts }}{{ with .Annotations.summary }}{{ . }}{{ else }}{{ .Labels.alertname }}{{ end }}
{{ with .Annotations.description }}
{{ . }}
{{ end }}{{ with .atalaya.text }}
{{ . }}
{{ end }}
State:    {{ .atalaya.state }}{{ if .atalaya.late }} (the data came late){{ end }}
Severity: {{ .atalaya.severity }}
Started:  {{ .StartsAt }}
{{ if eq .Status "resolved" }}Ended:    {{ .EndsAt }}
{{ end }}Rule:     {{ .atalaya.rule }}
Labels:
{{ range .Labels.SortedPairs }}  {{ .Name }} = {{ .Value }}
{{ end }}
{{ .GeneratorURL }}
{{ end }})";

/// The part of a Message-ID before the @: anything but these characters becomes a dash.
std::string id_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  return out;
}

class EmailChannel final : public Channel {
 public:
  EmailChannel(Transport& transport, ChannelInfo info) : transport_(transport), info_(std::move(info)) {}

  const ChannelInfo& info() const override { return info_; }

  AttemptResult send(const Message& message, Time now) const override {
    auto server = server_;
    if (!password_file_.empty()) {
      auto secret = transport_.secret_file(password_file_);
      if (!secret) return {.answer = secret.error().message};
      server.password = std::move(*secret);
    }
    const auto to = recipients(message);
    const auto mail = compose(message, to, now);
    if (!mail) return {.permanent = true, .answer = to_string(mail.error())};
    const auto answer = transport_.mail(server, from_, to, *mail);
    if (answer) return {.ok = true, .answer = answer->text};
    return {.permanent = answer.error().code == ErrorCode::kInvalidArgument, .answer = answer.error().message};
  }

 private:
  friend class EmailType;

  /// What somebody wrote as it is to be sent; null of notifications.
  static const boost::json::object* written(const Message& message) {
    const auto* mail = message.data.if_contains(kMailMember);
    return mail == nullptr ? nullptr : mail->if_object();
  }
  std::vector<std::string> recipients(const Message& message) const {
    const auto* mail = written(message);
    if (mail == nullptr || mail->at("to").as_array().empty()) return to_;
    std::vector<std::string> out;
    for (const auto& one : mail->at("to").as_array()) out.emplace_back(one.as_string());
    return out;
  }

  Result<std::string> compose(const Message& message, const std::vector<std::string>& to, Time now) const {
    MailMessage mail;
    if (const auto* given = written(message)) {
      mail.subject = std::string(given->at("subject").as_string());
      mail.text = std::string(given->at("text").as_string());
    } else {
      AT_TRY(mail.subject, subject_->render(message.data));
      AT_TRY(mail.text, text_->render(message.data));
    }
    mail.from = from_;
    mail.to = to;
    mail.date = now;
    // The same key gives the same id, so a mail sent twice (the answer was lost) is one to most
    // clients. The thread's own id belongs to no mail: clients group by it all the same.
    const auto channel = to_hex(hash_text(info_.id + message.tenant.value()));
    mail.message_id = fmt::format("{}.{}@{}", id_text(message.key), channel, domain_);
    const auto thread = fmt::format("{}.thread.{}@{}", id_text(message.thread), channel, domain_);
    mail.in_reply_to = thread;
    mail.references = {thread};
    mail.headers = {{"X-Atalaya-Key", message.key}};
    return net::curl::render_mail(mail);
  }

  Transport& transport_;
  ChannelInfo info_;
  SmtpServer server_;
  std::string password_file_;
  std::string from_;
  std::vector<std::string> to_;
  std::string domain_;
  std::optional<Template> subject_;
  std::optional<Template> text_;
};

class EmailType final : public ChannelType {
 public:
  explicit EmailType(Transport& transport) : transport_(transport) {}
  const std::string& name() const override { return name_; }

  Result<ChannelPtr> make(const ChannelConfig& config) const override {
    Settings settings(config);
    auto channel = std::make_shared<EmailChannel>(transport_, ChannelInfo{config.id, config.type, ""});
    read_server(settings, *channel);
    read_addresses(settings, *channel);
    read_template(settings, "subject", kSubject, config.definitions, channel->subject_);
    read_template(settings, "text", kText, config.definitions, channel->text_);
    AT_TRY(settings.finish());
    channel->info_.target = fmt::format("{}", fmt::join(channel->to_, ", "));
    return ChannelPtr(std::move(channel));
  }

 private:
  static void read_server(Settings& settings, EmailChannel& channel) {
    auto& server = channel.server_;
    server.url = settings.required("smtp");
    if (!server.url.starts_with("smtp://") && !server.url.starts_with("smtps://")) {
      settings.complain("smtp", "must begin with smtp:// or smtps://", "e.g. smtp://mail.example.org:587");
    } else if (server.url.find('@') != std::string::npos) {
      settings.complain("smtp", "must not hold a user or password", "use the keys user and password_file");
    }
    server.user = settings.text("user").value_or("");
    server.password = settings.text("password").value_or("");
    channel.password_file_ = settings.text("password_file").value_or("");
    server.ca_file = settings.text("ca_file").value_or("");
    const auto starttls = net::curl::parse_starttls(settings.text("starttls").value_or("required"));
    if (!starttls) {
      settings.complain("starttls", "is none of required, if_offered, never");
    } else {
      server.starttls = *starttls;
    }
  }

  static void read_addresses(Settings& settings, EmailChannel& channel) {
    channel.from_ = settings.required("from");
    channel.to_ = settings.list("to");
    if (channel.to_.empty()) settings.complain("to", "names nobody", "to: [ana@example.org]");
    for (const auto& address : channel.to_) {
      if (!net::curl::mail_address(address)) settings.complain("to", fmt::format("'{}' is no mail address", address));
    }
    const auto from = net::curl::mail_address(channel.from_);
    if (!from) {
      settings.complain("from", fmt::format("'{}' is no mail address", channel.from_));
    } else {
      channel.domain_ = from->substr(from->rfind('@') + 1);
    }
  }

  static void read_template(Settings& settings, std::string_view key, std::string_view fallback,
                            const std::string& definitions, std::optional<Template>& out) {
    const auto text = definitions + settings.text(key).value_or(std::string(fallback));
    auto parsed = Template::parse(text, {.file = std::string(key)});
    if (!parsed) {
      settings.complain(key, to_string(parsed.error()));
    } else {
      out = std::move(*parsed);
    }
  }

  std::string name_ = "email";
  Transport& transport_;
};

}  // namespace

std::unique_ptr<ChannelType> email_channel_type(Transport& transport) { return std::make_unique<EmailType>(transport); }

}  // namespace atalaya::notify
