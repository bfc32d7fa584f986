// Any bytes as a package's file: errors, never a crash.
#include <cstdint>
#include <set>
#include <string>

#include "base/check.h"
#include "packages/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace atalaya;
  if (size > 64 << 10) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Base is read once: what is tried is the package beside it.
  static const packages::World kWorld = packages::world_of({{"other/package.yaml", "package: other\nversion: 1\n"}});
  const auto plan = kWorld.plan(
      std::set<std::string>{"p"},
      packages::files_of(
          {{"other/package.yaml", "package: other\nversion: 1\n"}, {"p/p.yaml", text}, {"p/rules.yaml", text}}));
  const auto& slot = plan.slots.at("p");
  AT_CHECK(slot.broken() || slot.running != nullptr);
  for (const auto& error : slot.errors) AT_CHECK(!error.message.empty() && error.place);
  if (!slot.running) return 0;
  for (const auto& rule : slot.running->rules) AT_CHECK(rules::check(rule).empty());
  return 0;
}
