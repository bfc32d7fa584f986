// Runs a fuzz target without libFuzzer: every file of the corpus folder, then a fixed number of
// mutations of those files. So each decoder meets hostile bytes in every ordinary test run, with the
// same seed each time (a run that failed yesterday for somebody else's change fails again today);
// ATALAYA_TEST_SEED takes another number, or `random`, and `build/fuzz` searches deeper.

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
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

/// The input that is being tried: an abort prints it, so that a failure is a new corpus file rather than a riddle.
const std::string* tried = nullptr;

void print_tried_input(int) {
  if (tried == nullptr) return;
  std::fputs("the input: \"", stdout);
  for (const unsigned char byte : *tried) {
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\')
      std::putchar(byte);
    else
      std::printf("\\x%02x", byte);
  }
  std::puts("\"");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, print_tried_input);
  std::vector<std::string> corpus{""};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream in(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  const char* wanted = std::getenv("ATALAYA_TEST_SEED");
  const std::string_view text = wanted ? wanted : "1";
  const std::uint64_t seed = text == "random" ? std::random_device{}() : std::strtoull(text.data(), nullptr, 10);
  constexpr int kMutations = 20000;
  std::printf("corpus of %zu inputs, %d mutations, seed %llu\n", corpus.size(), kMutations,
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);

  const auto run = [](const std::string& input) {
    tried = &input;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  };
  for (const auto& input : corpus) run(input);
  std::mt19937_64 random(seed);
  for (int i = 0; i < kMutations; ++i) run(mutate(corpus[random() % corpus.size()], corpus, random));
  return 0;
}
