#include "packages/archive.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace atalaya::packages {
namespace {

Archive mysql() {
  return {"mysql",
          "1.2.0",
          {{"package.yaml", "package: mysql\nversion: 1.2.0\n# comment\n"},
           {"scripts/check.py", "#!/usr/bin/python3\n"},
           {"pages/logo.png", std::string("\x89PNG\0\xff", 6)},
           {"empty", ""}},
          ""};
}

std::string with_byte(std::string bytes, std::size_t at, unsigned char mask) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ mask);
  return bytes;
}

TEST(PackageArchive, WhatIsPackedIsUnpackedTheSame) {
  const auto bytes = pack(mysql(), "").value();
  const auto read = unpack(bytes, {}, false);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->package, "mysql");
  EXPECT_EQ(read->version, "1.2.0");
  EXPECT_EQ(read->files, mysql().files);
  EXPECT_EQ(read->signer, "");
}

TEST(PackageArchive, WhatIsUnpackedIsPackedToTheSameBytes) {
  const auto key = make_signing_key().value();
  for (const auto& secret : {std::string(), key.private_pem}) {
    const auto bytes = pack(mysql(), secret).value();
    EXPECT_EQ(pack(unpack(bytes, {key.public_pem}, false).value(), secret).value(), bytes);
  }
}

TEST(PackageArchive, ASignatureByATrustedKeyNamesItsSigner) {
  const auto key = make_signing_key().value();
  const auto other = make_signing_key().value();
  EXPECT_NE(key.private_pem, other.private_pem);
  const auto bytes = pack(mysql(), key.private_pem).value();
  const auto read = unpack(bytes, {other.public_pem, key.public_pem}, true);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->signer, key_fingerprint(key.public_pem).value());
  EXPECT_EQ(read->signer.size(), 64u);
  EXPECT_EQ(unpack(bytes, {other.public_pem}, false).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(unpack(bytes, {}, false).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(unpack(pack(mysql(), "").value(), {key.public_pem}, true).error().code, ErrorCode::kPermissionDenied);
}

TEST(PackageArchive, AnArchiveWhoseSignerIsClaimedIsRefused) {
  const auto key = make_signing_key().value();
  const auto forger = make_signing_key().value();
  const auto real = pack(mysql(), key.private_pem).value();
  auto changed = mysql();
  changed.files["package.yaml"] += "rules: {}\n";
  auto forged = pack(changed, forger.private_pem).value();
  forged.replace(56, 32, real, 56, 32);
  EXPECT_EQ(unpack(forged, {key.public_pem}, true).error().code, ErrorCode::kCorruption);
  forged.replace(88, 64, real, 88, 64);
  EXPECT_EQ(unpack(forged, {key.public_pem}, true).error().code, ErrorCode::kCorruption);
}

TEST(PackageArchive, DamageToAnyByteIsNoticed) {
  const auto key = make_signing_key().value();
  const auto bytes = pack(mysql(), key.private_pem).value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_FALSE(unpack(with_byte(bytes, at, 0x01), {key.public_pem}, false)) << at;
    EXPECT_FALSE(unpack(with_byte(bytes, at, 0x80), {key.public_pem}, true)) << at;
    EXPECT_FALSE(unpack(bytes.substr(0, at), {key.public_pem}, false)) << at;
  }
  EXPECT_FALSE(unpack(bytes + "x", {key.public_pem}, false));
  const auto plain = pack(mysql(), "").value();
  for (std::size_t at = 0; at < plain.size(); ++at) EXPECT_FALSE(unpack(with_byte(plain, at, 0x40), {}, false)) << at;
}

TEST(PackageArchive, ANewerVersionIsUnprocessable) {
  auto bytes = pack(mysql(), "").value();
  bytes[7] = 2;
  EXPECT_EQ(unpack(bytes, {}, false).error().code, ErrorCode::kUnprocessable);
}

TEST(PackageArchive, PathsThatLeaveThePackageAreRefused) {
  for (const auto* path : {"../x", "/etc/passwd", "a/../../x", ".hidden", "a//b", ""}) {
    auto archive = mysql();
    archive.files[path] = "x";
    EXPECT_EQ(pack(archive, "").error().code, ErrorCode::kInvalidArgument) << path;
  }
  auto both = mysql();
  both.files["empty/file"] = "x";
  EXPECT_EQ(pack(both, "").error().code, ErrorCode::kInvalidArgument);
  auto unnamed = mysql();
  unnamed.package = "../x";
  EXPECT_EQ(pack(unnamed, "").error().code, ErrorCode::kInvalidArgument);
}

TEST(PackageArchive, TooMuchIsRefusedBeforeItTakesMemory) {
  auto many = mysql();
  for (std::size_t i = 0; i <= kMaxArchiveFiles; ++i) many.files["f" + std::to_string(i)] = "";
  EXPECT_EQ(pack(many, "").error().code, ErrorCode::kTooLarge);
  auto bytes = pack(mysql(), "").value();
  std::string size;
  ByteWriter(size).u64(std::uint64_t{1} << 60);
  bytes.replace(16, 8, size);
  EXPECT_EQ(unpack(bytes, {}, false).error().code, ErrorCode::kTooLarge);
}

TEST(PackageArchive, WhatIsNoKeyIsSaidToBeNone) {
  const auto key = make_signing_key().value();
  EXPECT_EQ(pack(mysql(), "nonsense").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(pack(mysql(), key.public_pem).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(key_fingerprint(key.private_pem).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace atalaya::packages
