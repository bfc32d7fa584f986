// A service over a database in memory, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "auth/service.h"
#include "io/memory_file_system.h"

namespace atalaya::auth {

class ServiceTest : public testing::Test {
 protected:
  static constexpr const char* kPassword = "correct horse";

  void SetUp() override {
    database_ = db::open_sqlite(":memory:").value();
    open();
  }
  /// As after a restart of the program.
  void open() {
    service_.reset();
    auto opened = Service::open(*database_, files_, clock_, "/data");
    ASSERT_TRUE(opened) << to_string(opened.error());
    service_ = std::move(*opened);
  }

  User add_user(std::string_view name, Role role = Role::kAdmin) {
    return service_->create_user(blue_, name, kPassword, role).value();
  }
  Result<SignedIn> sign_in(std::string_view name, std::string_view password = kPassword,
                           std::string_view address = "192.0.2.1") {
    return service_->sign_in(blue_, name, password, address);
  }
  Principal principal(const SignedIn& in) { return service_->authenticate_token(in.access_token).value(); }
  bool accepted(const std::string& token) { return service_->authenticate_token(token).has_value(); }

  const TenantId blue_{"blue"};
  const TenantId red_{"red"};
  ManualClock clock_{from_ms(1'700'000'000'000)};
  io::MemoryFileSystem files_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Service> service_;
};

}  // namespace atalaya::auth
