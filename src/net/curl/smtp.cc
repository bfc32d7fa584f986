#include "net/curl/smtp.h"

#include <algorithm>

#include "base/bytes.h"
#include "net/curl/easy.h"
#include "net/curl/mail_message.h"

namespace atalaya::net::curl {
namespace {

struct Conversation {
  std::string_view unsent;
  std::string answer;  ///< the last line before its goodbye
};

std::size_t give_message(char* into, std::size_t, std::size_t room, void* context) {
  auto& unsent = static_cast<Conversation*>(context)->unsent;
  const auto size = std::min(room, unsent.size());
  unsent.copy(into, size);
  unsent.remove_prefix(size);
  return size;
}

std::size_t take_line(char* data, std::size_t, std::size_t size, void* context) {
  auto& conversation = *static_cast<Conversation*>(context);
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return size;
  if (!line.starts_with("221")) conversation.answer = line.substr(0, 512);
  return size;
}

std::size_t drop(char*, std::size_t, std::size_t size, void*) { return size; }

void replace_all(std::string& text, const std::string& what) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 3))
    text.replace(at, what.size(), "***");
}

/// A server may repeat what it was told: its words go into logs and pages, the credential must not.
std::string without_credentials(std::string text, const SmtpServer& server) {
  if (server.password.size() >= 4) replace_all(text, server.password);
  replace_all(text, base64_encode(server.password));
  replace_all(text, base64_encode(std::string("\0", 1) + server.user + std::string("\0", 1) + server.password));
  return text;
}

std::string where(const SmtpServer& server) {
  const auto at = server.url.find('@');
  return at == std::string::npos ? server.url : "the mail server";
}

long use_ssl(StartTls mode) {
  switch (mode) {
    case StartTls::kRequired: return CURLUSESSL_ALL;
    case StartTls::kIfOffered: return CURLUSESSL_TRY;
    case StartTls::kNever: return CURLUSESSL_NONE;
  }
  return CURLUSESSL_ALL;
}

Status check(const SmtpServer& server, const std::vector<std::string>& to) {
  if (!server.url.starts_with("smtp://") && !server.url.starts_with("smtps://"))
    return fail(ErrorCode::kInvalidArgument, "the mail server's address is not smtp://host:port or smtps://host:port");
  if (server.url.find('@') != std::string::npos || server.url.find_first_of(" \r\n\t") != std::string::npos)
    return fail(ErrorCode::kInvalidArgument, "the mail server's address holds a user or white space",
                "give user and password by themselves");
  if (to.empty()) return fail(ErrorCode::kInvalidArgument, "a mail needs a recipient");
  return {};
}

Error failure(const SmtpServer& server, const Easy& easy, CURLcode code, const Conversation& conversation) {
  Error error{code_of(code), where(server) + ": " + easy.words(code), {}, {}};
  // An answer of the server says more than curl's summary of it.
  const auto& line = conversation.answer;
  const bool refused = line.size() >= 3 && (line[0] == '4' || line[0] == '5');
  if (refused) {
    error.message = where(server) + " answered: " + line;
    if (error.code != ErrorCode::kUnauthenticated)
      error.code = line[0] == '5' ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable;
  } else if (code == CURLE_USE_SSL_FAILED) {
    error.message = where(server) + " offers no STARTTLS";
    error.remedy = "use smtps:// or, if the network is trusted, starttls: if_offered";
  }
  error.message = without_credentials(std::move(error.message), server);
  return error;
}

}  // namespace

Result<StartTls> parse_starttls(std::string_view text) {
  if (text == "required") return StartTls::kRequired;
  if (text == "if_offered") return StartTls::kIfOffered;
  if (text == "never") return StartTls::kNever;
  return fail(ErrorCode::kInvalidArgument, "starttls is none of required, if_offered, never");
}

Result<SmtpAnswer> send_mail(const SmtpServer& server, const std::string& from, const std::vector<std::string>& to,
                             const std::string& message) {
  AT_TRY(check(server, to));
  AT_TRY(const auto sender, mail_address(from));
  StringList recipients;
  for (const auto& one : to) {
    AT_TRY(const auto address, mail_address(one));
    recipients.add("<" + address + ">");
  }
  Easy easy;
  Conversation conversation{message, {}};
  easy.set(CURLOPT_URL, server.url);
  easy.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  easy.set(CURLOPT_PROXY, "");
  easy.set(CURLOPT_USE_SSL, use_ssl(server.starttls));
  easy.set_trust(server.ca_file);
  easy.set_time_outs(server.connect_timeout, server.timeout);
  if (!server.user.empty()) {
    easy.set(CURLOPT_USERNAME, server.user);
    easy.set(CURLOPT_PASSWORD, server.password);
  }
  easy.set(CURLOPT_MAIL_FROM, "<" + sender + ">");
  easy.set(CURLOPT_MAIL_RCPT, recipients.get());
  easy.set(CURLOPT_UPLOAD, 1L);
  easy.set(CURLOPT_READFUNCTION, give_message);
  easy.set(CURLOPT_READDATA, &conversation);
  easy.set(CURLOPT_HEADERFUNCTION, take_line);
  easy.set(CURLOPT_HEADERDATA, &conversation);
  easy.set(CURLOPT_WRITEFUNCTION, drop);
  const auto code = easy.perform();
  if (code != CURLE_OK) return std::unexpected(failure(server, easy, code, conversation));
  return SmtpAnswer{without_credentials(conversation.answer, server)};
}

}  // namespace atalaya::net::curl
