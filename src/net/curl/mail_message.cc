#include "net/curl/mail_message.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <chrono>

#include "base/bytes.h"
#include "base/random.h"

namespace atalaya::net::curl {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// One line, without what could end it.
std::string single_line(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_control, ' ');
  return out;
}

/// Bytes that are no UTF-8 become `?`: a mail reader would show worse, and RFC 2047 forbids them.
std::string valid_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return out;
}

std::size_t utf8_prefix(std::string_view text, std::size_t at_most) {
  auto size = std::min(text.size(), at_most);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return size;
}

/// RFC 2047 words of at most 75 characters, folded between them.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kBytesAWord = 42;  // 56 base64 characters and 12 of frame
  std::string out;
  while (!text.empty()) {
    const auto size = utf8_prefix(text, kBytesAWord);
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64_encode(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

/// ASCII text folded at spaces near 76 columns; a longer run without a space is encoded, so that no
/// line reaches 998 bytes.
std::string folded(std::string_view text, std::size_t column) {
  constexpr std::size_t kWide = 76;
  std::string out;
  std::size_t longest = 0;  // run of blanks, or of anything else
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    run = i > 0 && (text[i] == ' ') == (text[i - 1] == ' ') ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  if (longest > 400) return encoded_words(text);
  while (!text.empty()) {
    const auto space = text.find(' ', 1);
    const auto word = text.substr(0, space);
    // Only a blank followed by something may be folded: a line of blanks alone would end up lost.
    if (column + word.size() > kWide && !out.empty() && word.size() > 1) {
      out += "\r\n";
      column = 0;
    }
    out += word;
    column += word.size();
    text.remove_prefix(word.size());
  }
  return out;
}

std::string header_text(std::string_view name, std::string_view value) {
  const auto clean = single_line(valid_utf8(value));
  // A value that looks like an encoded word would be decoded by readers: encode it for real.
  if (is_ascii(clean) && clean.find("=?") == std::string::npos) return folded(clean, name.size() + 2);
  return encoded_words(clean);
}

void add_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(header_text(name, value)).append("\r\n");
}

/// `Name <address>` with the name quoted or encoded.
Result<std::string> mailbox(std::string_view text) {
  AT_TRY(const auto address, mail_address(text));
  const auto angle = text.rfind('<');
  if (angle == std::string_view::npos) return address;
  auto name = single_line(valid_utf8(text.substr(0, angle)));
  while (!name.empty() && (name.back() == ' ' || name.back() == '"')) name.pop_back();
  name.erase(0, std::min(name.find_first_not_of(" \""), name.size()));
  if (name.empty()) return "<" + address + ">";
  if (!is_ascii(name) || name.find("=?") != std::string::npos || name.size() > 60)
    return encoded_words(name) + "\r\n <" + address + ">";
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return quoted + "\" <" + address + ">";
}

/// `<left@right>`: printable ASCII without blanks and angle brackets.
Result<std::string> message_reference(std::string_view id) {
  const bool fits =
      !id.empty() && id.size() <= 250 && std::count(id.begin(), id.end(), '@') == 1 &&
      std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
  if (!fits) return fail(ErrorCode::kInvalidArgument, "a message id is not of the form key@host");
  return "<" + std::string(id) + ">";
}

Result<std::string> custom_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() < 60 &&
                    std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
  if (!fits) return fail(ErrorCode::kInvalidArgument, "malformed mail header name");
  for (const char* ours : {"From", "To", "Cc", "Bcc", "Sender", "Subject", "Date", "Message-ID", "In-Reply-To",
                           "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"})
    if (strcasecmp(std::string(name).c_str(), ours) == 0)
      return fail(ErrorCode::kInvalidArgument, std::string(ours) + " is not a further mail header");
  return std::string(name);
}

/// RFC 5322 §3.3: `Sun, 22 Nov 2026 02:30:10 +0000`.
std::string mail_date(Time time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

void add_part(std::string& out, std::string_view type, std::string_view text) {
  // Line ends as mail wants them, then base64: no line is too long and none begins with a dot.
  std::string canonical;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) canonical += '\r';
    canonical += text[i];
  }
  const auto encoded = base64_encode(canonical);
  out.append("Content-Type: ").append(type).append("; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
  for (std::size_t at = 0; at < encoded.size(); at += 76) out.append(encoded, at, 76).append("\r\n");
}

Status add_addresses(std::string& out, const MailMessage& message) {
  AT_TRY(const auto from, mailbox(message.from));
  out += "From: " + from + "\r\n";
  if (message.to.empty()) return fail(ErrorCode::kInvalidArgument, "a mail needs a recipient");
  std::string to;
  for (const auto& one : message.to) {
    AT_TRY(const auto box, mailbox(one));
    to += (to.empty() ? "" : ",\r\n ") + box;
  }
  out += "To: " + to + "\r\n";
  return {};
}

Status add_references(std::string& out, const MailMessage& message) {
  AT_TRY(const auto id, message_reference(message.message_id));
  out += "Message-ID: " + id + "\r\n";
  if (!message.in_reply_to.empty()) {
    AT_TRY(const auto parent, message_reference(message.in_reply_to));
    out += "In-Reply-To: " + parent + "\r\n";
  }
  std::string references;
  for (const auto& one : message.references) {
    AT_TRY(const auto reference, message_reference(one));
    references += (references.empty() ? "" : "\r\n ") + reference;
  }
  if (!references.empty()) out += "References: " + references + "\r\n";
  return {};
}

}  // namespace

Result<std::string> mail_address(std::string_view text) {
  const auto open = text.rfind('<');
  if (open != std::string_view::npos) {
    if (!text.ends_with('>')) return fail(ErrorCode::kInvalidArgument, "malformed mail address");
    text = text.substr(open + 1, text.size() - open - 2);
  }
  const auto at = text.rfind('@');
  const auto plain = [](char c) {
    return !is_control(c) && c != ' ' && c != '<' && c != '>' && c != ',' && c != ';' && c != '"' && c != '\\' &&
           c != '(' && c != ')';
  };
  // Angle brackets, commas and quotes are legal in odd local parts, and nobody has such an address.
  const bool fits = at != std::string_view::npos && at > 0 && at + 1 < text.size() && text.size() <= 254 &&
                    std::all_of(text.begin(), text.end(), plain) && is_utf8(text) && text.find('@') == at;
  if (!fits)
    return fail(ErrorCode::kInvalidArgument, "malformed mail address '" + single_line(text.substr(0, 80)) + "'");
  return std::string(text);
}

Result<std::string> render_mail(const MailMessage& message) {
  std::string out;
  add_header(out, "Date", mail_date(message.date));
  AT_TRY(add_addresses(out, message));
  add_header(out, "Subject", message.subject);
  AT_TRY(add_references(out, message));
  if (!message.auto_submitted.empty()) add_header(out, "Auto-Submitted", message.auto_submitted);
  for (const auto& [name, value] : message.headers) {
    AT_TRY(const auto checked, custom_name(name));
    add_header(out, checked, value);
  }
  out += "MIME-Version: 1.0\r\n";
  if (message.html.empty()) {
    add_part(out, "text/plain", message.text);
    return out;
  }
  const auto boundary = "=_" + to_hex(random_bytes(12));  // never in base64 text
  out += "Content-Type: multipart/alternative; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary + "\r\n";
  add_part(out, "text/plain", message.text);
  out += "--" + boundary + "\r\n";
  add_part(out, "text/html", message.html);
  out += "--" + boundary + "--\r\n";
  return out;
}

}  // namespace atalaya::net::curl
