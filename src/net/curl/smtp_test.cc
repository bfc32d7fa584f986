#include "net/curl/smtp.h"

#include <boost/json.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "net/curl/mail_message.h"
#include "net/testing.h"

namespace atalaya::net::curl {
namespace {

namespace json = boost::json;
using net::testing::TestCertificate;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// test/support/smtp_sink.py as a child.
class Sink {
 public:
  explicit Sink(const TestCertificate& certificate) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    const std::string script = AT_SOURCE_DIR "/test/support/smtp_sink.py";
    const char* arguments[] = {"/usr/bin/python3", script.c_str(), certificate.files.cert_file.c_str(),
                               certificate.files.key_file.c_str(), nullptr};
    const int error = posix_spawn(&child_, arguments[0], &actions, nullptr, const_cast<char**>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    to_child_ = in[1];
    from_child_ = fdopen(out[0], "r");
    if (error != 0) throw std::runtime_error("spawn");
    ports_ = next();
  }
  ~Sink() {
    close(to_child_);  // the sink ends with its input
    waitpid(child_, nullptr, 0);
    fclose(from_child_);
  }

  std::string url(const std::string& scheme, const char* kind) const {
    return scheme + "://127.0.0.1:" + std::to_string(ports_.at(kind).as_int64());
  }

  /// The next line that the sink prints.
  json::object next() {
    char* line = nullptr;
    std::size_t size = 0;
    const auto length = getline(&line, &size, from_child_);
    const std::string text(line, length > 0 ? static_cast<std::size_t>(length) : 0);
    free(line);
    if (text.empty()) throw std::runtime_error("the mail sink printed nothing: is python3-aiosmtpd installed?");
    return json::parse(text).as_object();
  }

 private:
  pid_t child_ = 0;
  int to_child_ = -1;
  FILE* from_child_ = nullptr;
  json::object ports_;
};

class Smtp : public ::testing::Test {
 protected:
  std::string mail(const std::string& text = "hello") {
    MailMessage message;
    message.from = "Atalaya <atalaya@example.org>";
    message.to = {"Ana <ana@example.org>"};
    message.subject = "test";
    message.text = text;
    message.message_id = "k1@example.org";
    return *render_mail(message);
  }

  SmtpServer server(const std::string& scheme, const char* kind) {
    SmtpServer made;
    made.url = sink_.url(scheme, kind);
    made.ca_file = certificate_.files.cert_file;
    if (std::string_view(kind) != "plain") {
      made.user = "ana";
      made.password = "s3cret-p4ss";
    }
    return made;
  }

  Result<SmtpAnswer> send(const SmtpServer& to_server, std::vector<std::string> to = {"Ana <ana@example.org>"}) {
    return send_mail(to_server, "Atalaya <atalaya@example.org>", to, mail());
  }

  TestCertificate certificate_;
  Sink sink_{certificate_};
};

TEST_F(Smtp, DeliversWithStartTlsAndLogin) {
  const auto answer = send(server("smtp", "starttls"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "250 2.0.0 Ok: queued as 4F2");
  const auto received = sink_.next();
  EXPECT_EQ(received.at("from").as_string(), "atalaya@example.org");
  EXPECT_EQ(received.at("to").as_array().at(0).as_string(), "ana@example.org");
  EXPECT_TRUE(received.at("tls").as_bool());
  EXPECT_TRUE(received.at("login").as_bool());
  EXPECT_THAT(std::string(received.at("text").as_string()), HasSubstr("Subject: test\r\n"));
}

TEST_F(Smtp, DeliversWithTlsFromTheFirstByte) {
  const auto answer = send(server("smtps", "smtps"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(sink_.next().at("login").as_bool());
}

TEST_F(Smtp, SendsThePlainWayOnlyWhenAllowed) {
  auto plain = server("smtp", "plain");
  const auto refused = send(plain);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("STARTTLS"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("if_offered"));
  for (const auto mode : {StartTls::kIfOffered, StartTls::kNever}) {
    plain.starttls = mode;
    const auto answer = send(plain);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_FALSE(sink_.next().at("tls").as_bool());
  }
}

TEST_F(Smtp, AWrongPasswordIsToldAndNotRepeated) {
  auto wrong = server("smtp", "starttls");
  wrong.password = "wr0ng-p4ss";
  const auto refused = send(wrong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(refused.error().message, HasSubstr("535"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("wr0ng-p4ss")));
}

TEST_F(Smtp, AnUntrustedCertificateIsRefused) {
  auto untrusted = server("smtp", "starttls");
  untrusted.ca_file.clear();
  const auto refused = send(untrusted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate"));
}

TEST_F(Smtp, ARefusedRecipientIsForeverAndAGreylistedOneForLater) {
  auto plain = server("smtp", "plain");
  plain.starttls = StartTls::kNever;
  const auto refused = send(plain, {"x@refused.example"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("550 5.1.1 no such user"));
  const auto later = send(plain, {"x@later.example"});
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(later.error().message, HasSubstr("451 4.7.1 greylisted"));
}

TEST_F(Smtp, LinesThatBeginWithADotArrive) {
  auto plain = server("smtp", "plain");
  plain.starttls = StartTls::kNever;
  const std::string text = "Subject: dots\r\n\r\n.\r\n..two\r\n.end\r\n";
  ASSERT_TRUE(send_mail(plain, "a@example.org", {"b@example.org"}, text));
  EXPECT_EQ(sink_.next().at("text").as_string(), text);
}

TEST_F(Smtp, RefusesAddressesThatWouldSpeakToTheServer) {
  const auto plain = server("smtp", "plain");
  EXPECT_EQ(send(plain, {"a@b>\r\nRCPT TO:<evil@example.org"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(send(plain, {}).error().code, ErrorCode::kInvalidArgument);
  auto wrong = plain;
  wrong.url = "http://127.0.0.1/";
  EXPECT_EQ(send(wrong).error().code, ErrorCode::kInvalidArgument);
  wrong.url = "smtp://ana:hidden@127.0.0.1";
  const auto refused = send(wrong);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hidden")));
}

TEST(SmtpOptions, NamesOfStartTlsModes) {
  EXPECT_EQ(parse_starttls("if_offered"), StartTls::kIfOffered);
  EXPECT_FALSE(parse_starttls("maybe"));
}

}  // namespace
}  // namespace atalaya::net::curl
