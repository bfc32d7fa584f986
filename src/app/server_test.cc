#include "app/server.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "config/yaml.h"
#include "io/file_system.h"

namespace atalaya::app {
namespace {

/// A folder of its own that goes with the test.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string pattern = testing::TempDir() + "atalaya-XXXXXX";
    data = mkdtemp(pattern.data());
  }
  ~ServerTest() override { std::filesystem::remove_all(data); }

  ServerOptions options() const {
    ServerOptions out;
    out.data = data;
    out.listen = {"127.0.0.1:0"};
    return out;
  }
  std::string data;
};

/// `{path...}` is `{path}` in OpenAPI.
std::string documented_form(std::string route) {
  if (const auto dots = route.find("...}"); dots != std::string::npos) route.erase(dots, 3);
  return route;
}

TEST_F(ServerTest, EveryRouteIsDocumentedAndEveryDocumentedRouteExists) {
  const auto server = Server::start(options());
  ASSERT_TRUE(server) << to_string(server.error());
  std::set<std::string> served;
  for (const auto& route : (*server)->routes()) served.insert(documented_form(route));

  const auto files = io::real_file_system();
  const auto text = io::read_file(*files, std::string(ATALAYA_SOURCE) + "/docs/api/openapi.yaml");
  ASSERT_TRUE(text);
  const auto document = config::Document::parse(*text, "openapi.yaml");
  ASSERT_TRUE(document) << to_string(document.error());
  std::set<std::string> documented;
  for (const auto& path : document->root().get("paths")->entries()) {
    for (const auto& operation : path.value->entries()) {
      auto method = operation.key->text();
      if (method == "parameters") continue;
      for (auto& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      documented.insert(method + " " + path.key->text());
    }
  }
  EXPECT_EQ(served, documented);
}

TEST_F(ServerTest, StartsAgainOnTheFolderItLeft) {
  for (int run = 0; run < 2; ++run) {
    const auto server = Server::start(options());
    ASSERT_TRUE(server) << to_string(server.error());
    EXPECT_TRUE((*server)->reload().empty());
    (*server)->stop();
    (*server)->stop();
  }
}

TEST_F(ServerTest, RefusesASecondServerOnTheSameFolder) {
  const auto first = Server::start(options());
  ASSERT_TRUE(first) << to_string(first.error());
  const auto second = Server::start(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(ServerTest, RefusesToSwitchAuthenticationOffBeyondLoopback) {
  auto open = options();
  open.listen = {"0.0.0.0:0"};
  open.insecure_http = true;
  open.insecure_no_auth = true;
  const auto server = Server::start(open);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace atalaya::app
