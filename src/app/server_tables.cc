#include "app/tables.h"
#include "app/version.h"

namespace atalaya::app {
namespace {

using config::Command;
using config::Option;
using config::OptionType;

Option data_option() {
  return {.name = "data",
          .fallback = "./atalaya-data",
          .help = "Folder of everything the server keeps.",
          .value_name = "DIR"};
}

std::vector<Option> door_options() {
  return {
      {.name = "listen",
       .type = OptionType::kList,
       .fallback = "127.0.0.1:2001",
       .help = "Address and port to listen on; may be given several times; port 0 lets the system choose.",
       .value_name = "HOST:PORT",
       .section = "Doors"},
      {.name = "tls-cert", .help = "Certificate chain (PEM).", .value_name = "FILE", .section = "Doors"},
      {.name = "tls-key", .help = "Private key of the certificate (PEM).", .value_name = "FILE", .section = "Doors"},
      {.name = "insecure-http",
       .type = OptionType::kBoolean,
       .help = "Allow plain HTTP on addresses other than loopback.",
       .section = "Doors"},
      {.name = "insecure-no-auth",
       .type = OptionType::kBoolean,
       .help = "Take everybody for an administrator; refused on addresses other than loopback.",
       .section = "Doors"},
      {.name = "external-url",
       .help = "Address under which people reach the server, for links in notifications.",
       .value_name = "URL",
       .section = "Doors"},
      {.name = "external-label",
       .type = OptionType::kList,
       .help =
           "Label by which this server is told from others: in alerts that are sent, in /federate and for templates.",
       .value_name = "NAME=VALUE",
       .section = "Doors"},
      {.name = "connections-per-address",
       .type = OptionType::kInteger,
       .fallback = "256",
       .help = "Connections of one address at once, this machine's excepted; 0 for no limit, as behind a proxy.",
       .value_name = "COUNT",
       .section = "Doors",
       .at_least = 0,
       .at_most = 1'000'000},
      {.name = "cors-origin",
       .type = OptionType::kList,
       .help = "Other origins whose pages may call the API, such as a CDN that serves the UI.",
       .value_name = "ORIGIN",
       .section = "Doors"},
      {.name = "scrape-config",
       .type = OptionType::kList,
       .help = "Prometheus configuration whose scrape_configs run here; SIGHUP reads it again.",
       .value_name = "FILE",
       .section = "Doors"},
      {.name = "publish-allow",
       .type = OptionType::kList,
       .help = "Network that sensors may publish to, such as 192.0.2.0/24. A server that listens on loopback alone "
               "reaches loopback without it; no server reaches its own networks without one that is not wider.",
       .value_name = "CIDR",
       .section = "Doors"},
      {.name = "package-key",
       .type = OptionType::kList,
       .help = "Public key (PEM) of somebody whose packages may be installed; given once, unsigned ones are refused.",
       .value_name = "FILE",
       .section = "Doors"},
  };
}

std::vector<Option> keeping_options() {
  return {
      {.name = "config", .help = "YAML file with options by their names.", .value_name = "FILE"},
      {.name = "series-retention",
       .type = OptionType::kDuration,
       .fallback = "15d",
       .help = "How long samples are kept as they came. Below 48h there are no buckets of 5 minutes and an hour, and "
               "those that are there go.",
       .section = "Keeping"},
      {.name = "series-keep-5m",
       .type = OptionType::kDuration,
       .fallback = "60d",
       .help = "How long count, sum, minimum, maximum and last of each five minutes are kept; 0s keeps none.",
       .section = "Keeping"},
      {.name = "series-keep-1h",
       .type = OptionType::kDuration,
       .fallback = "400d",
       .help = "How long those of each hour are kept; 0s keeps none.",
       .section = "Keeping"},
      {.name = "series-class",
       .type = OptionType::kList,
       .help = "Series that are kept otherwise, the first that matches counting: '{job=\"billing\"} raw:30d 5m:90d "
               "1h:5y'. A "
               "resolution (raw, 5m, 1h) that is not named is not kept.",
       .value_name = "CLASS",
       .section = "Keeping"},
      {.name = "exemplars-max",
       .type = OptionType::kInteger,
       .fallback = "100000",
       .help = "Exemplars that are kept, in memory alone, the newest of all series; 0 keeps none.",
       .value_name = "COUNT",
       .section = "Keeping",
       .at_least = 0,
       .at_most = 10'000'000},
      {.name = "sensors-max",
       .type = OptionType::kInteger,
       .fallback = "1000",
       .help = "Sensors that a tenant may have.",
       .value_name = "COUNT",
       .section = "Keeping",
       .at_least = 0,
       .at_most = 100'000},
      {.name = "sensor-collectors-max",
       .type = OptionType::kInteger,
       .fallback = "20000",
       .help = "Collectors of sensors that a tenant may have.",
       .value_name = "COUNT",
       .section = "Keeping",
       .at_least = 0,
       .at_most = 1000'000},
      {.name = "sensor-values-max",
       .type = OptionType::kInteger,
       .fallback = "20000",
       .help = "Values per second that a tenant's collectors may measure for sensors.",
       .value_name = "COUNT",
       .section = "Keeping",
       .at_least = 0,
       .at_most = 1000'000},
      {.name = "series-max-bytes",
       .type = OptionType::kBytes,
       .fallback = "0B",
       .help = "Room for blocks of series: beyond it the oldest go, raw samples before buckets; at least 16MiB, "
               "0 is no limit. Log, snapshots and files set aside for damage are not counted.",
       .section = "Keeping"},
      {.name = "series-window",
       .type = OptionType::kDuration,
       .fallback = "1h",
       .help = "How far behind the youngest sample of its series another may come.",
       .section = "Keeping"},
      {.name = "series-max-per-tenant",
       .type = OptionType::kInteger,
       .fallback = "1000000",
       .help = "Series of a tenant that may get samples at a time; further ones are refused.",
       .section = "Keeping",
       .at_least = 1},
      {.name = "series-samples-per-second",
       .type = OptionType::kInteger,
       .fallback = "0",
       .help = "Samples that a tenant may send, over ten seconds; 0 is no limit.",
       .section = "Keeping",
       .at_least = 0},
      {.name = "series-memory",
       .type = OptionType::kBytes,
       .fallback = "0B",
       .help =
           "Memory of series and of samples on their way to the disk, a part of --memory: from nine tenths of it on "
           "tenants with more than an equal share get no new series, beyond it nobody does; at least 16MiB, 0 is no "
           "limit.",
       .section = "Keeping"},
      {.name = "memory",
       .type = OptionType::kBytes,
       .fallback = "0B",
       .help =
           "Memory of the whole process, files that it has mapped not counted. From eight tenths of it on, counted "
           "with 400 bytes for each series in memory, tenants with more than an equal share get no new series, beyond "
           "it nobody does. Queries from outside and their answers hold half of it at most, one of them "
           "a quarter, and a tenth is theirs unless the process takes a quarter more than it may; beyond that they end "
           "with an error. So do exports and /federate that select too many series; live views are not counted. Series "
           "that were deleted leave it within an hour. At least "
           "16MiB; 0 is four fifths of what the machine, or its control group, has.",
       .section = "Keeping"},
      {.name = "series-disk-reserve",
       .type = OptionType::kBytes,
       .fallback = "128MiB",
       .help =
           "With less left on the disk no samples are taken until there is room again. Up to 16MiB more are kept in "
           "DATA/ballast, and given up for a start or a deletion on a full disk; made again when there is room.",
       .section = "Keeping"},
      {.name = "series-sync",
       .type = OptionType::kBoolean,
       .fallback = "true",
       .help =
           "Whether a sample is on the disk before it is acknowledged; without, a power cut takes the last seconds.",
       .section = "Keeping"},
      {.name = "logs-max-bytes",
       .type = OptionType::kBytes,
       .fallback = "2GiB",
       .help = "Room for log lines; beyond it the oldest go.",
       .section = "Keeping"},
      {.name = "logs-max-age",
       .type = OptionType::kDuration,
       .fallback = "2w",
       .help = "Age at which log lines go.",
       .section = "Keeping"},
      {.name = "rule-files",
       .type = OptionType::kList,
       .help = "Prometheus' rule files, by name or pattern; may be given several times; read again by SIGHUP.",
       .value_name = "GLOB",
       .section = "Judging"},
      {.name = "alertmanager.config",
       .help = "An Alertmanager configuration that routes the default tenant's alerts; read again by SIGHUP.",
       .value_name = "FILE",
       .section = "Judging"},
      {.name = "alerta.alert-timeout",
       .type = OptionType::kDuration,
       .fallback = "1d",
       .help = "After how long an alert expires that an Alerta client reported without a time-out.",
       .section = "Judging"},
      {.name = "rules.on-arrival",
       .fallback = "on",
       .help = "Whether alerting rules of groups may start when a sample arrives, before their next evaluation.",
       .section = "Judging",
       .choices = {"on", "off"}},
      {.name = "late-after",
       .type = OptionType::kDuration,
       .fallback = "30s",
       .help = "Age of data at arrival from which a verdict over it is marked late.",
       .section = "Judging"},
      {.name = "down-after",
       .type = OptionType::kDuration,
       .fallback = "15s",
       .help = "Silence of an agent after which its host is shown as down.",
       .section = "Judging"},
  };
}

std::vector<Option> query_options() {
  return {
      {.name = "query-timeout",
       .type = OptionType::kDuration,
       .fallback = "2m",
       .help = "Time that a query has, waiting for its turn included; a request may ask for less.",
       .section = "Queries"},
      {.name = "query-concurrency",
       .type = OptionType::kInteger,
       .fallback = "20",
       .help = "Queries that run at once; the others wait for their turn.",
       .value_name = "COUNT",
       .section = "Queries",
       .at_least = 1,
       .at_most = 1000},
      {.name = "query-max-samples",
       .type = OptionType::kInteger,
       .fallback = "50000000",
       .help = "Samples that a query may hold at once; with more it ends with an error.",
       .value_name = "COUNT",
       .section = "Queries",
       .at_least = 1},
      {.name = "query-lookback",
       .type = OptionType::kDuration,
       .fallback = "5m",
       .help = "How old a sample may be to still be a series' value, where a request does not say; in rule groups and "
               "/federate, too.",
       .section = "Queries"},
  };
}

Command serving(std::string name, std::string help, std::vector<config::Example> examples) {
  Command command{
      .name = std::move(name), .help = std::move(help), .options = {data_option()}, .examples = std::move(examples)};
  for (auto& option : door_options()) command.options.push_back(std::move(option));
  for (auto& option : keeping_options()) command.options.push_back(std::move(option));
  for (auto& option : query_options()) command.options.push_back(std::move(option));
  return command;
}

Command token_command() {
  const Option json{
      .name = "output", .fallback = "text", .help = "Form of the answer.", .choices = {"text", "json"}, .letter = 'o'};
  Command create{
      .name = "create",
      .help = "Print a new token for scripts; it is shown this once.",
      .options = {data_option(),
                  {.name = "role",
                   .fallback = "viewer",
                   .help = "What it may do; ingest only sends samples (remote write) and alerts.",
                   .choices = {"ingest", "viewer", "operator", "admin"}},
                  {.name = "ttl", .type = OptionType::kDuration, .fallback = "90d", .help = "How long it holds."},
                  {.name = "name", .fallback = "command line", .help = "What it is for, shown in lists."},
                  {.name = "tenant", .fallback = "default", .help = "Whose data it opens."}},
      .examples = {
          {"atalaya token create --data ./atalaya-data --role viewer --ttl 30d", "for a dashboard"},
          {"atalaya token create --data ./atalaya-data --role ingest --ttl 1y", "for Prometheus' remote_write"}}};
  Command list{.name = "list",
               .help = "List the tokens that have not expired.",
               .options = {data_option(), {.name = "tenant", .fallback = "default", .help = "Whose tokens."}, json}};
  Command revoke{.name = "revoke",
                 .help = "End a token now.",
                 .options = {data_option(), {.name = "tenant", .fallback = "default", .help = "Whose token."}},
                 .arguments = {{.name = "ID", .help = "As `token list` shows it."}}};
  Command verify{
      .name = "verify",
      .help = "Judge the signature of any token (JWS) by given keys; exit code 0 only for a good one.",
      .options = {{.name = "jwks", .help = "File with a JWK or a JWK set.", .value_name = "FILE", .required = true},
                  json},
      .arguments = {{.name = "TOKEN",
                     .help = "The token, a file that holds it, or - for standard input.",
                     .required = false}},
      .examples = {{"atalaya token verify --jwks keys.json eyJhbGciOi…", ""}}};
  return {.name = "token",
          .help = "Tokens for scripts, and the verification of any token.",
          .commands = {std::move(create), std::move(list), std::move(revoke), std::move(verify)}};
}

Command demo_command() {
  Command occi{
      .name = "occi",
      .help = "Monitoring on demand: a compute, a sensor and a collector made by OCCI, and the datagrams that come.",
      .options = {{.name = "count",
                   .type = OptionType::kInteger,
                   .fallback = "10",
                   .help = "Datagrams to wait for; 0 goes on until it is interrupted.",
                   .value_name = "COUNT",
                   .at_least = 0},
                  {.name = "period",
                   .type = OptionType::kInteger,
                   .fallback = "1",
                   .help = "Seconds from one measurement to the next.",
                   .value_name = "SECONDS",
                   .at_least = 1,
                   .at_most = 3600}},
      .examples = {{"atalaya demo occi", "with a server of its own in a folder that goes afterwards"},
                   {"atalaya demo occi --count 0", "until Ctrl-C"}}};
  return {.name = "demo", .help = "Show what there is to see, step by step.", .commands = {std::move(occi)}};
}

/// A command that does something itself and has another below it.
Command with(Command command, Command below) {
  command.commands.push_back(std::move(below));
  command.runs = true;
  return command;
}

}  // namespace

config::Program server_program() {
  auto up = serving("up", "Start the server and an agent for this machine: the first run.",
                    {{"atalaya up", "then open the address that it prints"},
                     {"atalaya up --data /srv/atalaya --listen 0.0.0.0:2001 --tls-cert c.pem --tls-key k.pem", ""}});
  auto server = serving("server", "Start the server alone; agents come from elsewhere.",
                        {{"atalaya server --data /var/lib/atalaya", "as the service does"}});
  Command agent{
      .name = "agent", .help = "Run atalaya-agent with the arguments that follow (enroll, run).", .runs = true};
  return {.root = {.name = "atalaya",
                   .help = "Monitoring for the people who run clouds: collect, store, judge, page.",
                   .options = logging_options(),
                   .commands = {std::move(up), std::move(server), std::move(agent), token_command(), package_command(),
                                alert_command(), incident_command(), silence_command(), tsdb_command(),
                                dashboard_command(), sensor_command(), demo_command(),
                                with(with(check_command(), check_rules_command()), check_routes_command()),
                                with(with(test_command(), test_rules_command()), test_routes_command())}},
          .version = std::string(kVersion) + " (" + kRevision + ")"};
}

}  // namespace atalaya::app
