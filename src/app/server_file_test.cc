#include "app/server_file.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace atalaya::app {
namespace {

TEST(ServerFile, SaysWhereTheServerOfAFolderIsUntilItStops) {
  io::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("data"));
  const auto running = files.lock(server_lock_file("data"));
  EXPECT_EQ(server_of_folder(files, "data").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_server_file(files, "data", "http://127.0.0.1:2001"));
  EXPECT_EQ(server_of_folder(files, "data").value(), "http://127.0.0.1:2001");
  ASSERT_TRUE(write_server_file(files, "data", "http://127.0.0.1:2002"));
  EXPECT_EQ(server_of_folder(files, "data").value(), "http://127.0.0.1:2002");
  ASSERT_TRUE(remove_server_file(files, "data"));
  EXPECT_EQ(server_of_folder(files, "data").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(remove_server_file(files, "data")) << "gone already";
}

TEST(ServerFile, OneThatAKilledServerLeftIsOfNoServer) {
  io::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("data"));
  ASSERT_TRUE(write_server_file(files, "data", "http://127.0.0.1:2001"));
  EXPECT_EQ(server_of_folder(files, "data").error().code, ErrorCode::kNotFound) << "without a lock file";
  {
    ASSERT_TRUE(files.lock(server_lock_file("data")));
  }
  EXPECT_EQ(server_of_folder(files, "data").error().code, ErrorCode::kNotFound) << "with one that nobody holds";
  const auto running = files.lock(server_lock_file("data"));
  EXPECT_EQ(server_of_folder(files, "data").value(), "http://127.0.0.1:2001");
}

TEST(ServerFile, OneThatHoldsNoAddressIsAnErrorWithARemedy) {
  io::MemoryFileSystem files;
  const auto running = files.lock(server_lock_file("."));
  for (const auto* text : {"", "{", "[]", "{}", "{\"url\":1}"}) {
    ASSERT_TRUE(io::write_file_atomically(files, "server.json", text));
    const auto read = server_of_folder(files, ".");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorruption);
    EXPECT_FALSE(read.error().remedy.empty());
  }
}

}  // namespace
}  // namespace atalaya::app
