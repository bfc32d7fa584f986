#include "auth/sealer.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace atalaya::auth {
namespace {

TEST(Sealer, WhatIsSealedOpensWithTheSameFileAlone) {
  io::MemoryFileSystem files;
  const auto sealer = Sealer::open(files, "keys/secrets.key");
  ASSERT_TRUE(sealer);
  for (const std::string secret : {"", "s3cret", "sealed:no", std::string(5000, 'x').c_str()}) {
    const auto sealed = sealer->seal(secret);
    EXPECT_TRUE(Sealer::is_sealed(sealed));
    if (!secret.empty()) {
      EXPECT_EQ(sealed.find(secret), std::string::npos);
    }
    EXPECT_NE(sealed, sealer->seal(secret)) << "the same secret is not seen to be the same";
    EXPECT_EQ(Sealer::open(files, "keys/secrets.key")->unseal(sealed), secret);
    EXPECT_FALSE(Sealer::open(files, "keys/other.key")->unseal(sealed));
  }
  EXPECT_EQ(sealer->unseal("plain"), "plain");
}

TEST(Sealer, WhatWasChangedDoesNotOpen) {
  io::MemoryFileSystem files;
  const auto sealer = Sealer::open(files, "keys/secrets.key");
  auto sealed = sealer->seal("s3cret");
  for (std::size_t i = 7; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(sealer->unseal(changed)) << i;
  }
  for (const auto* text : {"sealed:", "sealed:AAAA", "sealed:!!"}) EXPECT_FALSE(sealer->unseal(text)) << text;
}

TEST(Sealer, AFileThatIsNoKeyIsRefused) {
  io::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("keys"));
  ASSERT_TRUE(io::write_file_atomically(files, "keys/secrets.key", "short"));
  EXPECT_EQ(Sealer::open(files, "keys/secrets.key").error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace atalaya::auth
