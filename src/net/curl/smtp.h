// Sending mail through a server of the user's choice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::net::curl {

enum class StartTls { kRequired, kIfOffered, kNever };
/// `required`, `if_offered`, `never`.
Result<StartTls> parse_starttls(std::string_view text);

struct SmtpServer {
  std::string url;  ///< `smtp://host[:port]` or `smtps://host[:port]`, without user and password
  StartTls starttls = StartTls::kRequired;
  std::string user;  ///< "" sends without authentication
  std::string password;
  std::string ca_file;  ///< instead of the system's authorities
  Duration connect_timeout{5'000};
  Duration timeout{30'000};
};

struct SmtpAnswer {
  std::string text;  ///< the server's last line about the message, e.g. `250 2.0.0 Ok: queued as 4F2`
};

/// Blocks. `from` and `to` may be mailboxes with names; `message` is what `render_mail` gave (curl
/// stuffs the dots). Errors carry the server's answer and no credential: unauthenticated (refused
/// login), unavailable (network, TLS, 4xx), invalid_argument (5xx, addresses), deadline_exceeded.
/// With several recipients one refused is an error for all: nothing is sent.
Result<SmtpAnswer> send_mail(const SmtpServer& server, const std::string& from, const std::vector<std::string>& to,
                             const std::string& message);

}  // namespace atalaya::net::curl
