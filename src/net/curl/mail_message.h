// The text of an e-mail (RFC 5322, MIME), safe against whatever is in its fields.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::net::curl {

struct MailMessage {
  std::string from;             ///< `ana@example.org` or `Ana Gil <ana@example.org>`, UTF-8
  std::vector<std::string> to;  ///< same forms
  std::string subject;          ///< UTF-8; line breaks become spaces
  std::string text;             ///< UTF-8 plain text
  std::string html;             ///< UTF-8; "" for none (else multipart/alternative)
  Time date{};
  std::string message_id;               ///< `key@host` without angle brackets
  std::string in_reply_to;              ///< same; "" for none
  std::vector<std::string> references;  ///< same, oldest first
  std::string auto_submitted = "auto-generated";
  std::vector<std::pair<std::string, std::string>> headers;  ///< further ones, e.g. X-Atalaya-Alert
};

/// The bare `local@domain` of either form; invalid_argument if it is none or holds control characters.
Result<std::string> mail_address(std::string_view mailbox);

/// Lines end with CRLF and none passes 998 bytes; non-ASCII headers are RFC 2047 words, bodies
/// base64. No value can begin a header of its own: line breaks and other control characters become
/// spaces; where that would change the meaning (addresses, ids, header names) it is invalid_argument.
Result<std::string> render_mail(const MailMessage& message);

}  // namespace atalaya::net::curl
