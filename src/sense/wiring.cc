#include "sense/wiring.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "config/suggest.h"

namespace atalaya::sense {
namespace {

bool is_stream_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxStreamNameBytes) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':';
  });
}

class Wirer {
 public:
  explicit Wirer(const PipeSpec& spec) : spec_(spec) {}

  Result<Wiring> run() {
    if (spec_.period <= Duration{0}) return wrong("the sensor's period is not above zero");
    AT_TRY(read_parts());
    AT_TRY(name_sources());
    AT_TRY(name_outputs());
    AT_TRY(connect());
    AT_TRY(sort());
    AT_TRY(publish());
    if (out_.streams.size() > kMaxStreams)
      return wrong(fmt::format("{} streams are more than {}", out_.streams.size(), kMaxStreams));
    warn();
    out_.told.awaited.assign(awaited_.begin(), awaited_.end());
    return std::move(out_);
  }

 private:
  struct Named {
    WiredNode wired;
    std::vector<std::string> inputs;
  };

  static std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
    return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
  }

  Status read_parts() {
    for (const auto& [family, parts, into] : {std::tuple{Family::kAggregator, &spec_.aggregators, &out_.aggregators},
                                              std::tuple{Family::kPublisher, &spec_.publishers, &out_.publishers}}) {
      if (parts->size() > kMaxParts) return wrong(fmt::format("{} mixins are more than {}", parts->size(), kMaxParts));
      for (const auto& part : *parts) {
        AT_TRY(auto settings, PartSettings::read(family, part));
        into->push_back(std::move(settings));
      }
    }
    return {};
  }

  std::uint32_t number(const std::string& stream) {
    const auto [at, fresh] = numbers_.emplace(stream, static_cast<std::uint32_t>(out_.streams.size()));
    if (fresh) out_.streams.push_back(stream);
    return at->second;
  }

  Status name_sources() {
    for (const auto& source : spec_.sources) {
      if (!is_stream_name(source.stream))
        return wrong(fmt::format("{}: out: \"{}\" is no name of a stream", source.from, source.stream),
                     "letters, digits, and . _ - : of them");
      made_by_.emplace(source.stream, source.from);
      number(source.stream);
    }
    return {};
  }

  /// Makes the nodes, whose inputs are named yet.
  Status name_outputs() {
    for (std::size_t i = 0; i < out_.aggregators.size(); ++i) {
      const auto& settings = out_.aggregators[i];
      const auto inputs = settings.inputs();
      const auto outputs = settings.list("outstream");
      const bool joins = settings.name() == "Join";
      if (inputs.empty()) return settings.wrong("instream", "it names no stream");
      const auto wanted = joins ? 1 : inputs.size();
      if (outputs.size() != wanted)
        return settings.wrong("outstream",
                              fmt::format("it names {} streams where there must be {}", outputs.size(), wanted),
                              joins ? "it makes one of all" : "one for each instream");
      for (const auto& output : outputs) {
        if (!is_stream_name(output))
          return settings.wrong("outstream", fmt::format("\"{}\" is no name of a stream", output),
                                "letters, digits, and . _ - : of them");
        const auto [at, fresh] = made_by_.emplace(output, settings.name());
        if (!fresh)
          return settings.wrong("outstream", fmt::format("stream \"{}\" comes from {} already", output, at->second),
                                "give it another name");
      }
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        Named node{{i, {}, number(outputs[k])}, {}};
        node.inputs = joins ? inputs : std::vector<std::string>{inputs[k]};
        nodes_.push_back(std::move(node));
      }
    }
    return {};
  }

  /// The number of a stream that a part reads.
  Result<std::uint32_t> reads(const PartSettings& settings, std::string_view attribute, const std::string& stream) {
    read_.insert(stream);
    if (made_by_.contains(stream)) return number(stream);
    if (!is_stream_name(stream)) return settings.wrong(attribute, fmt::format("\"{}\" is no name of a stream", stream));
    if (!spec_.more_sources) {
      std::vector<std::string> known;
      for (const auto& [name, maker] : made_by_) known.push_back(name);
      return settings.wrong(
          attribute, fmt::format("there is no stream \"{}\"", stream),
          known.empty() ? "link a collector whose metric has an `out`" : config::suggestion(stream, known));
    }
    awaited_.insert(stream);
    return number(stream);
  }

  Status connect() {
    for (auto& node : nodes_) {
      for (const auto& stream : node.inputs) {
        AT_TRY(const auto input, reads(out_.aggregators[node.wired.part], "instream", stream));
        if (std::find(node.wired.input.begin(), node.wired.input.end(), input) != node.wired.input.end())
          return out_.aggregators[node.wired.part].wrong("instream",
                                                         fmt::format("stream \"{}\" stands there twice", stream));
        node.wired.input.push_back(input);
      }
    }
    return {};
  }

  /// Orders the nodes; what cannot be ordered goes in a circle.
  Status sort() {
    std::set<std::uint32_t> ready;
    std::vector<bool> unmade(numbers_.size(), false);
    for (const auto& node : nodes_) unmade[node.wired.output] = true;
    auto left = std::move(nodes_);
    while (!left.empty()) {
      const auto can = [&](const Named& node) {
        return std::none_of(node.wired.input.begin(), node.wired.input.end(), [&](auto i) { return unmade[i]; });
      };
      const auto at = std::find_if(left.begin(), left.end(), can);
      if (at == left.end()) return circle(left, unmade);
      unmade[at->wired.output] = false;
      out_.nodes.push_back(std::move(at->wired));
      left.erase(at);
    }
    return {};
  }

  Status circle(const std::vector<Named>& left, const std::vector<bool>& unmade) const;

  Status publish() {
    out_.publisher_of.resize(out_.streams.size());
    for (std::uint32_t i = 0; i < out_.publishers.size(); ++i) {
      const auto& settings = out_.publishers[i];
      auto inputs = settings.inputs();
      if (settings.name() == "EmailOnAlarm" && inputs.empty()) inputs = alarms();
      if (inputs.empty() && settings.type().find(settings.type().input())->required)
        return settings.wrong(settings.type().input(), "it names no stream");
      if (inputs.empty())
        out_.told.warnings.push_back("EmailOnAlarm hears nothing: it names no input, and there is no Threshold");
      for (const auto& stream : inputs) {
        AT_TRY(const auto input, reads(settings, settings.type().input(), stream));
        out_.publisher_of.resize(out_.streams.size());
        auto& readers = out_.publisher_of[input];
        if (std::find(readers.begin(), readers.end(), i) != readers.end())
          return settings.wrong(settings.type().input(), fmt::format("stream \"{}\" stands there twice", stream));
        readers.push_back(i);
      }
    }
    return {};
  }

  std::vector<std::string> alarms() const {
    std::vector<std::string> out;
    for (const auto& node : out_.nodes)
      if (out_.aggregators[node.part].name() == "Threshold") out.push_back(out_.streams[node.output]);
    return out;
  }

  void warn() {
    for (const auto& [stream, maker] : made_by_)
      if (!read_.contains(stream) && !heard(stream))
        out_.told.warnings.push_back(fmt::format("nothing reads stream \"{}\" of {}", stream, maker));
    for (const auto& stream : awaited_)
      out_.told.warnings.push_back(fmt::format("no collector feeds stream \"{}\" yet", stream));
  }
  bool heard(const std::string& stream) const { return !out_.publisher_of[numbers_.at(stream)].empty(); }

  const PipeSpec& spec_;
  Wiring out_;
  std::vector<Named> nodes_;
  std::map<std::string, std::uint32_t> numbers_;
  std::map<std::string, std::string> made_by_;  ///< stream to what makes it
  std::set<std::string> read_;
  std::set<std::string> awaited_;
};

/// Follows a stream that is not made back to where it comes from until one comes again.
Status Wirer::circle(const std::vector<Named>& left, const std::vector<bool>& unmade) const {
  std::vector<std::string> path;
  std::set<std::uint32_t> seen;
  auto stream = left.front().wired.output;
  while (seen.insert(stream).second) {
    path.push_back(out_.streams[stream]);
    const auto& maker =
        *std::find_if(left.begin(), left.end(), [&](const auto& n) { return n.wired.output == stream; });
    stream = *std::find_if(maker.wired.input.begin(), maker.wired.input.end(), [&](auto i) { return unmade[i]; });
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), out_.streams[stream]));
  path.push_back(out_.streams[stream]);
  std::reverse(path.begin(), path.end());
  return wrong(fmt::format("streams go in a circle: {}", fmt::join(path, " → ")),
               "an aggregator reads what none behind it makes");
}

}  // namespace

Result<Wiring> wire(const PipeSpec& spec) { return Wirer(spec).run(); }

}  // namespace atalaya::sense
