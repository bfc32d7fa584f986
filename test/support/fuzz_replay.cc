// Runs a fuzz target without libFuzzer: every file of the corpus folder, then a fixed number of
// mutations of those files from one printed seed. So each decoder meets hostile bytes in every
// ordinary test run, and `build/fuzz` searches deeper.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string mutate(std::string input, const std::vector<std::string>& corpus, std::mt19937_64& random) {
  const auto edits = 1 + random() % 6;
  for (std::uint64_t i = 0; i < edits; ++i) {
    const auto at = input.empty() ? 0 : random() % input.size();
    switch (random() % 5) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
      case 1: input.insert(at, 1, static_cast<char>(random())); break;
      case 2: input.erase(at, 1 + random() % 8); break;
      case 3: input.resize(at); break;
      case 4: {
        const auto& other = corpus[random() % corpus.size()];
        if (!other.empty()) input.insert(at, other.substr(random() % other.size(), 1 + random() % 32));
        break;
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus{""};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream in(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  const char* wanted = std::getenv("ATALAYA_TEST_SEED");
  const std::uint64_t seed = wanted ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  constexpr int kMutations = 20000;
  std::printf("corpus of %zu inputs, %d mutations, seed %llu\n", corpus.size(), kMutations,
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);

  const auto run = [](const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  };
  for (const auto& input : corpus) run(input);
  std::mt19937_64 random(seed);
  for (int i = 0; i < kMutations; ++i) run(mutate(corpus[random() % corpus.size()], corpus, random));
  return 0;
}
