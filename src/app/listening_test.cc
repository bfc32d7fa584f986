#include "app/listening.h"

#include <gtest/gtest.h>

namespace atalaya::app {
namespace {

ServerOptions listening_on(std::vector<std::string> addresses) {
  ServerOptions out;
  out.listen = std::move(addresses);
  return out;
}

TEST(Listening, AccessWithoutSignInIsForThisMachineAlone) {
  auto options = listening_on({"127.0.0.1:2001", "[::1]:2001", "localhost:2001"});
  options.insecure_no_auth = true;
  EXPECT_TRUE(check_safety(options));
  for (const auto* other : {"0.0.0.0:2001", "[::]:2001", "192.0.2.1:2001", "example.org:2001", ":2001"}) {
    options.listen = {"127.0.0.1:2001", other};
    const auto refused = check_safety(options);
    ASSERT_FALSE(refused) << other;
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    options.insecure_no_auth = false;
    EXPECT_TRUE(check_safety(options)) << other;
    options.insecure_no_auth = true;
  }
}

TEST(Listening, ACertificateNeedsItsKey) {
  auto options = listening_on({"127.0.0.1:2001"});
  options.tls_cert = "cert.pem";
  EXPECT_FALSE(check_safety(options));
  options.tls_key = "key.pem";
  EXPECT_TRUE(check_safety(options));
  const auto http = listening_options(options);
  ASSERT_TRUE(http.tls);
  EXPECT_EQ(http.tls->cert_file, "cert.pem");
}

TEST(Listening, AWildcardIsAddressedByAName) {
  ServerOptions options;
  EXPECT_EQ(url_of(options, "0.0.0.0:2001", "web1"), "http://web1:2001");
  EXPECT_EQ(url_of(options, "[::]:2001", "web1"), "http://web1:2001");
  EXPECT_EQ(url_of(options, "192.0.2.1:2001", "web1"), "http://192.0.2.1:2001");
  EXPECT_EQ(url_of(options, "[::1]:2001", "web1"), "http://[::1]:2001");
  options.tls_cert = "cert.pem";
  EXPECT_EQ(url_of(options, "192.0.2.1:2001", "web1"), "https://192.0.2.1:2001");
}

}  // namespace
}  // namespace atalaya::app
