#include "net/curl/mail_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace atalaya::net::curl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

MailMessage small() {
  MailMessage message;
  message.from = "Atalaya <atalaya@example.org>";
  message.to = {"ana@example.org"};
  message.subject = "disk full";
  message.text = "web1 has 3 % left";
  message.date = from_ms(1'795'314'610'000);
  message.message_id = "k1@example.org";
  return message;
}

std::string rendered(const MailMessage& message) {
  auto text = render_mail(message);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

TEST(MailMessage, HasTheHeadersThatThreadAndThatStopAutoReplies) {
  auto message = small();
  message.in_reply_to = "first@example.org";
  message.references = {"first@example.org", "second@example.org"};
  const auto text = rendered(message);
  EXPECT_THAT(text, HasSubstr("Date: Sun, 22 Nov 2026 02:30:10 +0000\r\n"));
  EXPECT_THAT(text, HasSubstr("From: \"Atalaya\" <atalaya@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr("To: ana@example.org\r\n"));
  EXPECT_THAT(text, HasSubstr("Subject: disk full\r\n"));
  EXPECT_THAT(text, HasSubstr("Message-ID: <k1@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr("In-Reply-To: <first@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr("References: <first@example.org>\r\n <second@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\n\r\n" + base64_encode("web1 has 3 % left") + "\r\n"));
}

TEST(MailMessage, NoValueCanBeginAHeaderOfItsOwn) {
  auto message = small();
  message.subject = "x\r\nBcc: evil@example.org\r\n\r\nbody";
  message.from = "Ana\r\nBcc: evil@example.org <ana@example.org>";
  message.headers = {{"X-Alert", "1\nBcc: evil@example.org"}};
  EXPECT_THAT(rendered(message), Not(HasSubstr("\r\nBcc")));
}

TEST(MailMessage, RefusesWhereAChangeWouldAlterTheMeaning) {
  const auto refused = [](auto change) {
    auto message = small();
    change(message);
    const auto text = render_mail(message);
    return !text && text.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](MailMessage& m) { m.to = {"ana@example.org\r\nBcc: evil@example.org"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to = {"ana@example.org>, <evil@example.org"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.to = {}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.from = "nobody"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.message_id = "a b@c"; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.message_id = ""; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.references = {"a@b>\r\nBcc: evil"}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.headers = {{"X-A\r\nBcc", "x"}}; }));
  EXPECT_TRUE(refused([](MailMessage& m) { m.headers = {{"bcc", "x"}}; }));
}

TEST(MailMessage, EncodesWhatIsNotAscii) {
  auto message = small();
  message.subject = "Überlast auf web1";
  message.from = "José Núñez <jose@example.org>";
  message.text = "日本語";
  const auto text = rendered(message);
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?" + base64_encode("Überlast auf web1") + "?=\r\n"));
  EXPECT_THAT(text, HasSubstr("From: =?UTF-8?B?" + base64_encode("José Núñez") + "?=\r\n <jose@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr(base64_encode("日本語")));
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST(MailMessage, AnEncodedWordInTheTextIsNotTakenForOne) {
  auto message = small();
  message.subject = "=?UTF-8?B?eA==?=";
  EXPECT_THAT(rendered(message), HasSubstr("Subject: =?UTF-8?B?" + base64_encode("=?UTF-8?B?eA==?=") + "?=\r\n"));
}

TEST(MailMessage, KeepsEveryLineShort) {
  auto message = small();
  message.headers = {{"X-Words", std::string(3000, 'a')}, {"X-Blank", "a" + std::string(3000, ' ') + "b"}};
  for (int i = 0; i < 500; ++i) message.subject += " word" + std::to_string(i);
  message.subject += std::string(2000, 'x');
  for (int i = 0; i < 500; ++i) message.text += "ü long text without an end ";
  const auto text = rendered(message);
  std::size_t begin = 0;
  for (auto end = text.find("\r\n"); end != std::string::npos; begin = end + 2, end = text.find("\r\n", begin))
    EXPECT_LT(end - begin, 998u);
  EXPECT_EQ(begin, text.size());
  EXPECT_TRUE(text.find("\n\n") == std::string::npos);
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) EXPECT_EQ(text[at - 1], '\r');
}

TEST(MailMessage, LongWordsOfUtf8AreCutBetweenCharacters) {
  auto message = small();
  message.subject.clear();
  for (int i = 0; i < 60; ++i) message.subject += "€";
  const auto text = rendered(message);
  std::string decoded;
  for (auto at = text.find("?B?"); at != std::string::npos; at = text.find("?B?", at + 3)) {
    const auto word = *base64_decode(text.substr(at + 3, text.find("?=", at + 3) - at - 3));
    EXPECT_TRUE(is_utf8(word));
    decoded += word;
  }
  EXPECT_EQ(decoded, message.subject);
}

TEST(MailMessage, OffersHtmlBesideText) {
  auto message = small();
  message.html = "<b>web1</b>";
  const auto text = rendered(message);
  EXPECT_THAT(text, HasSubstr("Content-Type: multipart/alternative; boundary=\""));
  EXPECT_LT(text.find("text/plain"), text.find("text/html"));
  EXPECT_THAT(text, HasSubstr(base64_encode("<b>web1</b>")));
}

TEST(MailAddress, IsTakenFromEitherForm) {
  EXPECT_EQ(mail_address("ana@example.org"), "ana@example.org");
  EXPECT_EQ(mail_address("Ana <ana@example.org>"), "ana@example.org");
  for (const char* bad : {"", "ana", "@b", "a@", "a b@c", "<a@b", "a@b>", "a@b@c", "a@b,c@d", "x <a@b> y", "a@b\n"})
    EXPECT_FALSE(mail_address(bad)) << bad;
}

}  // namespace
}  // namespace atalaya::net::curl
