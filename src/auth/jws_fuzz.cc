// The input is a key set, a zero byte and a token; without the byte both are the input.
#include <cstdint>
#include <string_view>

#include "auth/jws.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find('\0');
  const auto keys = input.substr(0, cut);
  const auto token = cut == std::string_view::npos ? input : input.substr(cut + 1);
  const auto judged = atalaya::auth::judge_token(keys, token, atalaya::from_ms(1'700'000'000'000));
  if (judged) AT_CHECK(judged->algorithm != "none");
  return 0;
}
