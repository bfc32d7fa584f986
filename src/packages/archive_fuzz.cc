// Any bytes as a package archive, and any bytes as the body of one whose checksums are right: refused, or read
// within the bounds and packed to the same again.
#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "io/compress.h"
#include "packages/archive.h"
#include "packages/edit.h"

namespace {

using namespace atalaya;

void try_out(std::string_view bytes) {
  const auto read = packages::unpack(bytes, {}, false);
  if (!read) {
    AT_CHECK(!read.error().message.empty());
    return;
  }
  AT_CHECK(read->files.size() <= packages::kMaxArchiveFiles);
  for (const auto& [path, content] : read->files) AT_CHECK(packages::is_package_path(path));
  const auto again = packages::pack(*read, "");
  AT_CHECK(again.has_value());
  AT_CHECK(packages::unpack(*again, {}, false)->files == read->files);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  try_out(body);

  static io::ZstdCompressor compressor;
  const auto packed = compressor.compress(body);
  std::string archive("ATPKGAR\1", 8);
  ByteWriter header(archive);
  header.u64(packed.size());
  header.u64(body.size());
  std::string digest(32, '\0');
  unsigned digest_size = 0;
  AT_CHECK(EVP_Digest(packed.data(), packed.size(), reinterpret_cast<unsigned char*>(digest.data()), &digest_size,
                      EVP_sha256(), nullptr) == 1);
  header.raw(digest);
  archive.append(96, '\0');
  try_out(archive + packed);
  return 0;
}
