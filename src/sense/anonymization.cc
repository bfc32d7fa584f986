// `Anonymize`: labels that say less of whom a record is about, counts that are too small or made uncertain.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/check.h"
#include "base/openssl.h"
#include "model/sample.h"
#include "sense/aggregator.h"

namespace atalaya::sense {
namespace {

constexpr std::size_t kLeastKeyBytes = 16;
constexpr std::size_t kHashBytes = 8;  ///< of the HMAC that stand for a value, as 16 hexadecimal digits

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(32, '\0');
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), ssl::bytes(text), text.size(),
                          ssl::bytes(out), &size);
  AT_CHECK(done != nullptr && size == out.size());
  return out;
}

/// The network of `prefix` bits around an address: `10.1.2.0/24`. Nothing when `text` is no address.
std::optional<std::string> network_of(std::string_view text, int prefix4, int prefix6) {
  const std::string address(text);
  std::array<unsigned char, 16> bytes{};
  const bool is4 = inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  if (!is4 && inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return std::nullopt;
  const int size = is4 ? 4 : 16;
  // An IPv4 address within IPv6 (::ffff:10.1.2.3) is the person it is in IPv4.
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!is4 && std::equal(kMapped.begin(), kMapped.end(), bytes.begin()))
    return network_of(fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]), prefix4, prefix6);
  const int prefix = is4 ? prefix4 : prefix6;
  for (int i = 0; i < size; ++i) {
    const int kept = std::clamp(prefix - 8 * i, 0, 8);
    bytes[static_cast<std::size_t>(i)] &= static_cast<unsigned char>(0xff00 >> kept);
  }
  std::array<char, INET6_ADDRSTRLEN> out{};
  AT_CHECK(inet_ntop(is4 ? AF_INET : AF_INET6, bytes.data(), out.data(), out.size()) != nullptr);
  return fmt::format("{}/{}", out.data(), prefix);
}

struct AnonymizeOptions {
  std::set<std::string, std::less<>> hash, remove, generalise;
  std::optional<std::set<std::string, std::less<>>> keep;
  int prefix4 = 24;
  int prefix6 = 48;
  std::string key;
  double least = 0;
  std::optional<double> epsilon;
  double sensitivity = 1;
  bool lines = false;
};

/// Remembers nothing.
class Anonymize final : public Aggregator {
 public:
  Anonymize(const AggregatorContext& context, AnonymizeOptions options)
      : counters_(*context.counters), inputs_(context.inputs), options_(std::move(options)) {}

  void push(std::size_t input, const Record& record, Time, std::vector<Record>& out) override {
    const bool end = is_stale(record.value) && !record.is_line();
    if (record.is_line() ? !options_.lines : !end && withheld(record.value)) {
      ++counters_.refused;
      return;
    }
    out.push_back(record);
    auto& made = out.back();
    made.labels = labels_of(record.labels);
    if (options_.epsilon && !record.is_line() && !end) made.value = noisy(inputs_[input], record);
  }

 private:
  /// NaN is withheld by any bound: it is no count.
  bool withheld(double value) const {
    if (options_.epsilon && !std::isfinite(value)) return true;
    return options_.least > 0 && !(value >= options_.least);
  }

  Labels labels_of(const Labels& labels) const {
    LabelsBuilder out;
    for (const auto& [name, value] : labels) {
      if (options_.remove.contains(name)) continue;
      if (options_.hash.contains(name)) {
        // The name takes part: equal values of two labels have different hashes.
        const auto digest = hmac_sha256(options_.key, fmt::format("{}={}", name, value));
        out.set(name, to_hex(std::string_view(digest).substr(0, kHashBytes)));
      } else if (options_.generalise.contains(name)) {
        if (const auto network = network_of(value, options_.prefix4, options_.prefix6)) out.set(name, *network);
      } else if (!options_.keep || options_.keep->contains(name)) {
        out.set(name, value);
      }
    }
    return out.build();
  }

  /// The whole number nearest to the count, plus two-sided geometric noise (Ghosh, Roughgarden, Sundararajan 2009), at
  /// least 0. The noise follows from key, stream, labels and time, so that the same record has the same noise: who
  /// sees it again learns nothing more.
  double noisy(const std::string& stream, const Record& record) const {
    const auto seed =
        hmac_sha256(options_.key, fmt::format("noise|{}|{}|{}", stream, to_ms(record.time), record.labels.packed()));
    ByteReader bytes(seed);
    const double ratio = *options_.epsilon / options_.sensitivity;
    const auto one = geometric(bytes.u64(), ratio);
    const auto other = geometric(bytes.u64(), ratio);
    return std::max(0.0, std::round(record.value) + one - other);
  }
  /// Whole numbers ≥ 0, n with likelihood (1 - a) a^n where a = e^-ratio: by inversion.
  static double geometric(std::uint64_t random, double ratio) {
    const double uniform = (static_cast<double>(random >> 11) + 0.5) * 0x1p-53;  // within (0, 1)
    return std::floor(-std::log(uniform) / ratio);
  }

  PipeCounters& counters_;
  const std::vector<std::string> inputs_;
  const AnonymizeOptions options_;
};

std::set<std::string, std::less<>> names(const PartSettings& settings, std::string_view attribute) {
  const auto list = settings.list(attribute);
  return {list.begin(), list.end()};
}

}  // namespace

MadeAggregator make_anonymization(const PartSettings& settings, const AggregatorContext& context) {
  if (settings.name() != "Anonymize") return nullptr;
  AnonymizeOptions options;
  options.hash = names(settings, "hash");
  options.remove = names(settings, "remove");
  options.generalise = names(settings, "generalise");
  if (settings.has("keep")) options.keep = names(settings, "keep");
  options.prefix4 = static_cast<int>(settings.integer("prefix4"));
  options.prefix6 = static_cast<int>(settings.integer("prefix6"));
  options.key = settings.text("key");
  options.least = *settings.number("least");
  options.epsilon = settings.number("epsilon");
  options.sensitivity = static_cast<double>(settings.integer("sensitivity"));
  options.lines = settings.flag("lines");
  for (const auto& name : options.generalise)
    if (options.hash.contains(name) || options.remove.contains(name))
      return settings.wrong("generalise", fmt::format("label {} is hashed or removed already", name));
  for (const auto& name : options.remove)
    if (options.hash.contains(name)) return settings.wrong("remove", fmt::format("label {} is hashed already", name));
  if ((!options.hash.empty() || options.epsilon) && options.key.size() < kLeastKeyBytes)
    return settings.wrong("key", fmt::format("{} bytes are no secret", options.key.size()),
                          fmt::format("give {} or more at random", kLeastKeyBytes));
  return std::make_unique<Anonymize>(context, std::move(options));
}

}  // namespace atalaya::sense
