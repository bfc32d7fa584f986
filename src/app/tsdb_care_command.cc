// The verbs of `tsdb` by which somebody looks after a store: flush, analyze, fsck, snapshot, delete, dump.
#include "app/tsdb_care_command.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "app/data_folder.h"
#include "app/server_client.h"
#include "app/tables.h"
#include "net/percent.h"
#include "telemetry/log.h"
#include "tsdb/store.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;
using config::Command;

constexpr int kDamaged = 1;

Command verb(std::string name, std::string help, std::vector<config::Option> own, std::string example,
             std::string what) {
  for (auto& option : server_access_options("Whose series, with --data.")) own.push_back(std::move(option));
  own.push_back(
      {.name = "output", .fallback = "text", .help = "How to say it.", .choices = {"text", "json"}, .letter = 'o'});
  return {.name = std::move(name),
          .help = std::move(help),
          .options = std::move(own),
          .examples = {{"atalaya tsdb " + example, std::move(what)}}};
}

/// What a server answered, as the user wants to see it.
template <typename Text>
Result<int> show(const config::Options& options, const Answer& answer, Text&& text) {
  if (!answer.good()) return answer.refusal();
  if (options.text("output") == "json") {
    fmt::print("{}\n", answer.body);
    return 0;
  }
  return text(answer.object());
}

std::uint64_t number(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

int print_blocks(const json::object& blocks) {
  const auto samples = number(blocks, "numSamples");
  const auto bytes = number(blocks, "numBytes");
  fmt::print("{} blocks, {} samples, {} bytes", number(blocks, "numBlocks"), samples, bytes);
  if (samples > 0) fmt::print(", {:.3f} bytes a sample", static_cast<double>(bytes) / static_cast<double>(samples));
  fmt::print("\n");
  return 0;
}

Result<int> flush(const config::Options& options) {
  AT_TRY(const auto client, ServerClient::reach(options));
  const auto* path = options.boolean("merge") ? "series/flush?merge=true" : "series/flush";
  AT_TRY(const auto answer, client.post(path, json::object{}));
  return show(options, answer, print_blocks);
}

void print_counts(const json::object& data, std::string_view name, std::string_view title) {
  fmt::print("\n{}\n", title);
  for (const auto& one : data.at(name).as_array()) {
    fmt::print("{:>10}  {}\n", number(one.as_object(), "value"), std::string(one.at("name").as_string()));
  }
}

void print_set_aside(const std::vector<std::string>& aside) {
  for (const auto& file : aside) {
    fmt::print("{}: set aside for damage, may be removed once nothing of it is wanted\n", file);
  }
}

std::vector<std::string> lines(const json::object& body, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& line : body.at(name).as_array()) out.emplace_back(line.as_string());
  return out;
}

Result<int> analyze(const config::Options& options) {
  AT_TRY(const auto client, ServerClient::reach(options));
  AT_TRY(const auto answer, client.get(fmt::format("series/status?limit={}", options.integer("limit"))));
  return show(options, answer, [](const json::object& body) {
    const auto& data = body.at("data").as_object();
    const auto& head = data.at("headStats").as_object();
    fmt::print("{} series that get samples, {} label pairs\n", number(head, "numSeries"),
               number(head, "numLabelPairs"));
    if (data.contains("blockStats")) print_blocks(data.at("blockStats").as_object());
    print_counts(data, "seriesCountByMetricName", "series of a metric");
    print_counts(data, "labelValueCountByLabelName", "values of a label");
    print_counts(data, "seriesCountByLabelValuePair", "series with a label and value");
    if (data.contains("setAside")) print_set_aside(lines(data, "setAside"));
    return 0;
  });
}

int print_damage(std::size_t blocks, const std::vector<std::string>& damaged, const std::vector<std::string>& aside) {
  for (const auto& line : damaged) fmt::print("{}\n", line);
  print_set_aside(aside);
  fmt::print("{} blocks are whole, {} damaged\n", blocks, damaged.size());
  return damaged.empty() ? 0 : kDamaged;
}

/// Of a server that runs, or, when none does, of its folder.
Result<int> fsck(const config::Options& options) {
  if (const auto client = ServerClient::reach(options)) {
    AT_TRY(const auto answer, client->post("series/verify", json::object{}));
    return show(options, answer, [](const json::object& body) {
      return print_damage(number(body, "blocks"), lines(body, "damaged"), lines(body, "setAside"));
    });
  } else if (client.error().code != ErrorCode::kNotFound) {
    return std::unexpected(client.error());
  }
  // What a store warns of when it opens is told below.
  telemetry::configure_log(telemetry::Level::kError, telemetry::LogFormat::kLogfmt);
  const auto files = io::real_file_system();
  const SystemClock clock;
  telemetry::Registry metrics;
  tsdb::Options store_options;
  store_options.directory = options.text("data") + "/series";
  store_options.retention = std::chrono::hours{24 * 365 * 100};  // nothing is to age out of a check
  store_options.flush_on_stop = false;
  if (!files->exists(store_options.directory)) {
    return fail(ErrorCode::kNotFound, fmt::format("there are no series in {}", options.text("data")),
                "name the data folder of a server with --data");
  }
  AT_TRY(work_as_owner(store_options.directory));
  AT_TRY(auto store, tsdb::Store::open(*files, clock, metrics, store_options));
  auto damaged = store->report().damaged;
  AT_TRY(const auto more, store->verify());
  for (const auto& line : more) {
    if (std::find(damaged.begin(), damaged.end(), line) == damaged.end()) damaged.push_back(line);
  }
  return print_damage(store->blocks().size(), damaged, store->set_aside());
}

Result<int> snapshot(const config::Options& options) {
  AT_TRY(const auto client, ServerClient::reach(options));
  if (options.given("remove")) {
    const auto& name = options.text("remove");
    if (name.empty()) {
      return fail(ErrorCode::kInvalidArgument, "--remove: the name of the copy is missing",
                  "`ls DATA/series/snapshots` names them");
    }
    AT_TRY(const auto answer, client.erase("series/snapshot/" + net::percent_encode(name)));
    return show(options, answer, [&](const json::object&) {
      fmt::print("removed series/snapshots/{}\n", name);
      return 0;
    });
  }
  AT_TRY(const auto answer, client.post("series/snapshot", json::object{}));
  return show(options, answer, [](const json::object& body) {
    fmt::print("series/snapshots/{}\n", std::string(body.at("data").at("name").as_string()));
    return 0;
  });
}

Result<int> erase(const config::Options& options) {
  std::string query = "match%5B%5D=" + net::percent_encode(options.text("match"));
  for (const auto* side : {"start", "end"}) {
    const auto option = std::string(side) == "start" ? "from" : "to";
    if (!options.text(option).empty()) query += fmt::format("&{}={}", side, net::percent_encode(options.text(option)));
  }
  AT_TRY(const auto client, ServerClient::reach(options));
  AT_TRY(const auto answer, client.erase("series?" + query));
  return show(options, answer, [&](const json::object& body) {
    const auto series = number(body, "series");
    if (series == 0) {
      fmt::print("{} selects no series with samples there\n", options.text("match"));
    } else {
      fmt::print("deleted samples of {} series\n", series);
    }
    return 0;
  });
}

Status dump_block(const std::string& file, bool with_samples) {
  const auto files = io::real_file_system();
  AT_TRY(const auto block, tsdb::Block::open(*files, file));
  const auto& meta = block->meta();
  fmt::print("# {}: {} to {}, sequences {} to {}, {} series, {} samples, {} bytes{}\n", file,
             format_rfc3339(from_ms(meta.first)), format_rfc3339(from_ms(meta.last)), meta.first_sequence,
             meta.last_sequence, meta.series, meta.samples, meta.bytes,
             meta.resolution == 0 ? "" : fmt::format(", every {} s", meta.resolution / 1000));
  tsdb::ColumnsRead read;
  for (const auto& tenant : block->tenants()) {
    const auto* index = block->index(tenant);
    for (std::uint32_t ordinal = 0; ordinal < index->size(); ++ordinal) {
      AT_TRY(const auto labels, index->labels(ordinal));
      AT_TRY(block->read(tenant, ordinal, {}, read));
      fmt::print("{} {} {} samples\n", tenant.value(), to_string(labels), read.times.size());
      if (!with_samples) continue;
      for (std::size_t i = 0; i < read.times.size(); ++i) {
        fmt::print("  {}", format_rfc3339(from_ms(read.times[i])));
        for (const auto& column : read.columns) {
          if (is_stale(column[i])) {
            fmt::print(" stale");
          } else {
            fmt::print(" {}", column[i]);
          }
        }
        fmt::print("\n");
      }
    }
  }
  return {};
}

Result<int> dump(const config::Options& options) {
  int code = 0;
  for (const auto& file : options.arguments("FILE")) {
    if (const auto done = dump_block(file, options.boolean("samples")); !done) {
      fmt::print(stderr, "{}\n", to_string(done.error()));
      code = 1;
    }
  }
  return code;
}

}  // namespace

std::vector<Command> tsdb_care_commands() {
  using config::Option;
  return {verb("flush", "Write what is in memory to blocks, and drop the log behind it.",
               {{.name = "merge", .type = config::OptionType::kBoolean, .help = "Merge the blocks of each day too."}},
               "flush --merge", "before a copy of the folder is made"),
          verb("analyze", "Tell how many series and samples there are, and what makes them many.",
               {{.name = "limit",
                 .type = config::OptionType::kInteger,
                 .fallback = "10",
                 .help = "Length of the lists.",
                 .value_name = "N",
                 .at_least = 1,
                 .at_most = 1000}},
               "analyze --limit 20", ""),
          verb("fsck",
               "Read every byte; what is damaged is set aside (*.damaged) and named, until somebody removes the file. "
               "With no "
               "server running it looks at the folder itself.",
               {}, "fsck --data /var/lib/atalaya",
               "exit code 1 when it found damage; what was set aside before is only named"),
          verb("snapshot",
               "Make a copy of all series, by links, below DATA/series/snapshots. In the place of DATA/series of a "
               "server that does not run it is what that one starts with. Blocks keep their room until it is removed.",
               {{.name = "remove", .help = "Remove this copy instead.", .value_name = "NAME"}}, "snapshot", ""),
          verb("delete", "Delete samples of the series that a selector selects.",
               {{.name = "match", .help = "Selector of the series.", .value_name = "SELECTOR", .required = true},
                {.name = "from", .help = "First time, RFC 3339 or Unix seconds.", .value_name = "TIME"},
                {.name = "to", .help = "Last time.", .value_name = "TIME"}},
               R"(delete --match '{instance="old-host"}')", "what a host that is gone has left"),
          {.name = "dump",
           .help = "Print what a block holds.",
           .options = {{.name = "samples", .type = config::OptionType::kBoolean, .help = "Every sample too."}},
           .arguments = {{.name = "FILE", .help = "Files of DATA/series/blocks.", .many = true}},
           .examples = {{"atalaya tsdb dump atalaya-data/series/blocks/*.block", ""}}}};
}

std::optional<Result<int>> tsdb_care(const std::string& name, const config::Options& options) {
  if (name == "flush") return flush(options);
  if (name == "analyze") return analyze(options);
  if (name == "fsck") return fsck(options);
  if (name == "snapshot") return snapshot(options);
  if (name == "delete") return erase(options);
  if (name == "dump") return dump(options);
  return std::nullopt;
}

}  // namespace atalaya::app
