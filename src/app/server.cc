#include "app/server.h"

#include <fmt/format.h>

#include <atomic>

#include "agent/agent.h"
#include "alerts/queries.h"
#include "api/accounts.h"
#include "api/configuration.h"
#include "api/hosts.h"
#include "api/live_hub.h"
#include "api/logs.h"
#include "api/operations.h"
#include "api/packages_json.h"
#include "api/rules.h"
#include "api/self_metrics.h"
#include "app/agents.h"
#include "app/alert_configuration.h"
#include "app/alert_doors.h"
#include "app/alert_machines.h"
#include "app/channels.h"
#include "app/end_series.h"
#include "app/incident_settings.h"
#include "app/judge.h"
#include "app/keeper.h"
#include "app/listening.h"
#include "app/live_topics.h"
#include "app/local_agent.h"
#include "app/own_metrics.h"
#include "app/package_doors.h"
#include "app/package_parts.h"
#include "app/resources.h"
#include "app/rule_groups.h"
#include "app/scrapes.h"
#include "app/sensor_platform.h"
#include "app/series_doors.h"
#include "app/server_facts.h"
#include "app/server_file.h"
#include "app/version.h"
#include "app/watched_checks.h"
#include "app/web_files.h"
#include "auth/service.h"
#include "auth/tenants.h"
#include "control/runner.h"
#include "db/database.h"
#include "io/file_system.h"
#include "logdb/store.h"
#include "net/server.h"
#include "net/static_files.h"
#include "notify/dispatcher.h"
#include "notify/queries.h"
#include "packages/groups.h"
#include "packages/service.h"
#include "packages/type_scripts.h"
#include "registry/audit.h"
#include "registry/hosts.h"
#include "telemetry/log.h"
#include "tsdb/store.h"

namespace atalaya::app {

struct Server::Parts {
  explicit Parts(ServerOptions given) : options(std::move(given)) {}
  ~Parts() { unwind(); }

  Status open_stores();
  Status open_control();
  Status open_packages();
  Status open_doors();
  void connect_changes();
  void add_chores();
  void add_routes(net::Router& router);
  Status bind_doors();
  Status is_ready();
  void welcome_tenants();
  void log_packages(bool at_start);
  void watch_checks();
  void forget(const TenantId& tenant, const registry::Host& host);
  std::vector<Error> reload();
  Status open_groups();

  void on_stop(std::function<void()> step) { stops.push_back(std::move(step)); }
  void unwind() {
    while (!stops.empty()) {
      auto step = std::move(stops.back());
      stops.pop_back();
      step();
    }
  }

  const ServerOptions options;
  SystemClock clock;
  telemetry::Registry metrics;
  std::unique_ptr<io::FileSystem> files = io::real_file_system();
  Resources resources{
      *files, options.data, {options.memory_bytes, ballast_of(options.series.disk_reserve_bytes)}, metrics};
  std::unique_ptr<void, void (*)(void*)> lock{nullptr, [](void*) {}};
  std::unique_ptr<db::Database> database;
  std::unique_ptr<auth::Service> auth;
  std::unique_ptr<tsdb::Store> series;
  std::unique_ptr<SeriesDoors> series_doors;
  std::unique_ptr<logdb::Store> logs;
  std::unique_ptr<OwnMetrics> own_metrics;
  std::unique_ptr<registry::Hosts> hosts;
  registry::Items items{static_cast<std::uint64_t>(to_ms(clock.now()))};
  std::unique_ptr<api::LiveHub> live;
  std::unique_ptr<Channels> channels;
  std::unique_ptr<AlertMachines> alert_machines;
  std::unique_ptr<control::Loop> loop;
  std::unique_ptr<control::Runner> runner;
  std::unique_ptr<notify::Dispatcher> dispatcher;
  std::unique_ptr<alerts::Queries> alert_queries;
  std::unique_ptr<notify::Queries> delivery_queries;
  std::unique_ptr<AlertConfiguration> alert_configuration;
  std::unique_ptr<AlertDoors> alert_doors;
  std::unique_ptr<IncidentSettings> incident_settings;
  std::unique_ptr<Judge> judge;
  std::unique_ptr<RuleGroups> groups;
  packages::TypeScripts type_scripts{clock};
  std::unique_ptr<packages::Service> packages;
  std::unique_ptr<registry::Audit> audit;
  std::unique_ptr<AgentDirectory> directory;
  std::unique_ptr<ingest::AgentHub> agents;
  std::unique_ptr<PackageParts> package_parts;
  std::unique_ptr<Scrapes> scrapes;
  std::unique_ptr<net::StaticFiles> web;
  std::vector<std::string> routes;
  std::shared_ptr<net::Router> all_routes = std::make_shared<net::Router>();
  std::unique_ptr<net::HttpServer> http;
  std::string link_base;  ///< under which people reach the UI
  Keeper keeper{clock};
  Keeper programs{clock};  ///< of types: they take their time, which nothing else waits for
  std::set<std::pair<TenantId, std::string>> unlogged;  ///< packages that were checked at the start
  std::atomic<bool> ready{false};
  LastReload last_reload{clock.now()};
  std::vector<std::function<void()>> stops;  ///< last one first
};

Status Server::Parts::open_stores() {
  AT_TRY(resources.prepare_folder());
  auto locked = files->lock(server_lock_file(options.data));
  if (!locked) {
    return fail(ErrorCode::kConflict, fmt::format("the data folder {} is in use by another server", options.data),
                "stop it, or give this one another --data");
  }
  lock = std::move(*locked);
  telemetry::add_process_metrics(metrics, kVersion, kRevision);
  AT_TRY(database, db::open_sqlite(options.data + "/atalaya.db"));
  AT_TRY(auth, auth::Service::open(*database, *files, clock, options.data));
  AT_TRY(auth->ensure_admin(default_tenant()));

  auto series_options = options.series;
  series_options.directory = options.data + "/series";
  resources.limit(series_options);
  AT_TRY(series, tsdb::Store::open(*files, clock, metrics, series_options));
  series_doors = std::make_unique<SeriesDoors>(
      SeriesDoorParts{*series, *series, *series, *series, clock, metrics, resources.limited(options.queries),
                      options.query_concurrency, options.external_labels, resources.queries(), options.most_exemplars});
  add_data_metrics(metrics, options.data);
  own_metrics = std::make_unique<OwnMetrics>(metrics, *series, clock, default_tenant(), agent::host_name());
  logdb::Options log_options;
  log_options.directory = options.data + "/logs";
  log_options.max_bytes = options.logs_max_bytes;
  log_options.max_age = options.logs_max_age;
  AT_TRY(logs, logdb::Store::open(*files, clock, metrics, log_options));
  AT_TRY(hosts, registry::Hosts::open(*database, {.down_after = options.down_after}));
  live = std::make_unique<api::LiveHub>(*series, clock, metrics, options.queries.limits.lookback);
  return {};
}

Status Server::Parts::open_control() {
  const auto push = [this](const TenantId& tenant, const boost::json::object& notification) {
    return live->publish(tenant, "notifications", "notification", boost::json::serialize(notification));
  };
  AT_TRY(channels, Channels::make(push));
  AT_TRY(database->migrate(AlertMachines::migrations()));
  alert_machines = std::make_unique<AlertMachines>(channels->book(), link_base, options.external_labels);
  AT_TRY(alert_machines->dispatch.restore(*database, clock.now()));
  loop = std::make_unique<control::Loop>(*database, alert_machines->all());
  AT_TRY(loop->restore());
  runner = std::make_unique<control::Runner>(*loop, clock, metrics);
  dispatcher = std::make_unique<notify::Dispatcher>(
      *database, channels->book(), [this](control::Event event) { return runner->post_wait(std::move(event)); }, clock,
      metrics);
  alert_queries = std::make_unique<alerts::Queries>(*database, &clock);
  delivery_queries = std::make_unique<notify::Queries>(*database);
  alert_doors = std::make_unique<AlertDoors>(AlertNeighbours{
      *database, *alert_queries, *delivery_queries, channels->book(), alert_machines->dispatch, *auth, *runner, *series,
      clock, link_base, [this](const TenantId& tenant) { return alert_configuration->origin(tenant); },
      options.alert_timeout});
  alert_configuration = std::make_unique<AlertConfiguration>(*channels, *runner, *files, options.alertmanager_config);
  judge =
      std::make_unique<Judge>(*series, *runner, clock, metrics, rules::EngineOptions{.late_after = options.late_after});
  return {};
}

void Server::Parts::connect_changes() {
  loop->listen<notify::DeliveryQueued>(
      [this](const TenantId&, const notify::DeliveryQueued& queued) { dispatcher->submit(queued.delivery); });
  tell_browsers(*loop, *live);
  hosts->subscribe([this](const registry::HostChange& change) {
    auto host = api::to_json(change.host);
    if (change.what == registry::HostChange::What::kRemoved) host["removed"] = true;
    live->publish(change.host.tenant, "hosts", "host", boost::json::serialize(host));
  });
  series->listen([this](const storage::CommittedSamples& committed) {
    judge->on_samples(committed);
    groups->on_samples(committed);
    live->on_samples(committed);
  });
  logs->listen([this](const storage::CommittedLogs& committed) {
    judge->on_logs(committed);
    live->on_logs(committed);
  });
}

Status Server::Parts::open_packages() {
  packages = std::make_unique<packages::Service>(*files, items, clock,
                                                 package_options(options.data, *channels, type_scripts, *hosts));
  incident_settings = std::make_unique<IncidentSettings>(*packages, items, *runner);
  directory = std::make_unique<AgentDirectory>(*packages, *hosts, clock);
  agents = std::make_unique<ingest::AgentHub>(*series, *logs, metrics, clock, *directory);
  AT_TRY(audit, registry::Audit::open(*database));
  AT_TRY(auto trusted_keys, read_package_keys(*files, options.package_keys));
  AT_TRY(auto sealer, auth::Sealer::open(*files, options.data + "/keys/secrets.key"));
  AT_TRY(auto publishing,
         Publishing::make(publishing_options(options, agent::host_name()),
                          std::make_unique<SensorPlatform>(*series, *logs, *runner, clock), std::move(sealer), clock));
  package_parts = std::make_unique<PackageParts>(PackageNeighbours{
      *packages, items, *hosts, *agents, *audit, *auth, *series, clock, std::move(trusted_keys),
      [this](const TenantId& tenant, std::string names) {
        live->publish(tenant, "packages", "packages", std::move(names));
      },
      resources.limited(options.queries), link_base, metrics, std::move(publishing), options.sensors});
  directory->set_sensors(package_parts->sensors());
  scrapes = std::make_unique<Scrapes>(ScrapeNeighbours{*packages, *series, *files, clock, metrics,
                                                       options.scrape_configs, agent::host_name(),
                                                       agent_targets_of(*hosts, *agents), series_doors->exemplars()});
  packages->subscribe(
      {.rules =
           [this](const std::vector<rules::RuleSpec>& rules) {
             if (auto set = judge->set_rules(rules); !set) {
               telemetry::log_error("server", "rules not taken", {{"reason", to_string(set.error())}});
             }
           },
       .package_rules =
           [this](const TenantId& tenant, const std::set<std::string>& names,
                  const std::vector<rules::RuleSpec>& rules) {
             if (auto set = judge->set_package_rules(tenant, names, rules); !set) {
               telemetry::log_error("server", "rules not taken", {{"reason", to_string(set.error())}});
             }
           },
       .collectors =
           [this](std::uint64_t) {
             watch_checks();
             for (const auto& host : hosts->all()) agents->push_configs(host.tenant);
           },
       .channels = [this](const TenantId& tenant, const std::vector<packages::ChannelItem>& list,
                          const std::vector<packages::ChannelTypeFile>& types) { channels->set(tenant, list, types); },
       .packages =
           [this](const TenantId& tenant, const std::set<std::string>& names) {
             package_parts->changed(tenant, names);
             scrapes->changed(tenant);
             alert_doors->packages_changed(*packages, tenant);
             incident_settings->packages_changed(tenant);
             alert_configuration->packages_changed(*packages, tenant);
             groups->set_groups(tenant, "packages", packages::groups_of(*packages, tenant));
           }});
  if (const auto errors = alert_configuration->read_file(); !errors.empty()) return std::unexpected(errors.front());
  AT_TRY(packages->load_all());
  AT_TRY(scrapes->read_files());
  welcome_tenants();
  log_packages(true);
  return {};
}

/// What is wrong with what a start finds; of what its programs are asked about first, when they have answered.
void Server::Parts::log_packages(bool at_start) {
  for (const auto& tenant : packages->tenants()) {
    for (const auto& package : packages->list(tenant)) {
      const std::pair key{tenant, package.name};
      if (package.checking && at_start) unlogged.insert(key);
      if (package.checking || (!at_start && unlogged.erase(key) == 0)) continue;
      for (const auto& error : package.errors) {
        telemetry::log_error("packages", to_string(error), {{"package", package.name}, {"tenant", tenant.value()}});
      }
    }
  }
}

Status Server::Parts::open_groups() {
  auto group = group_options(link_base, options.external_labels, options.late_after);
  group.limits = options.queries.limits;
  group.limits.max_bytes = std::min<std::size_t>(group.limits.max_bytes, resources.queries().most_of_one());
  groups = std::make_unique<RuleGroups>(RuleGroupsParts{*series, *series, *runner, clock, metrics}, std::move(group),
                                        options.rules_on_arrival);
  const auto errors = groups->read_files(*files, options.rule_files);
  return errors.empty() ? Status{} : std::unexpected(errors.front());
}

/// What is no check any more is not judged any more, and its alerts close.
void Server::Parts::watch_checks() {
  CollectorsOfTenants collectors{{default_tenant(), {}}};
  for (const auto& host : hosts->all()) collectors.try_emplace(host.tenant);
  for (auto& [tenant, list] : collectors) list = packages->collectors(tenant);
  judge->set_watched(watched_checks(std::move(collectors)));
}

void Server::Parts::forget(const TenantId& tenant, const registry::Host& host) {
  if (auto ended = end_series(*series, *series, tenant, host.name, clock.now()); !ended) {
    telemetry::log_error("server", "series of a removed host do not end", {{"reason", to_string(ended.error())}});
  }
  judge->forget(tenant, host.name);
  groups->forget(tenant, host.name);
  // Also what the judge does not watch any more: nobody else would close it.
  if (auto retired = runner->run(tenant, alerts::Retire{{}, host.name, "the host was removed"}); !retired) {
    telemetry::log_error("server", "alerts of a removed host stay open", {{"reason", to_string(retired.error())}});
  }
}

/// Tenants come to be by their first token, which another process may have made.
void Server::Parts::welcome_tenants() {
  auto tenants = auth::tenants_in_use(*database);
  if (tenants) return packages->welcome(*tenants);
  telemetry::log_warn("server", "tenants not looked for", {{"reason", to_string(tenants.error())}});
}

void Server::Parts::add_routes(net::Router& router) {
  std::optional<auth::Principal> everybody;
  if (options.insecure_no_auth) everybody = auth::everybody_is_admin(default_tenant());
  api::Doors doors(router, *auth, everybody);
  api::add_operation_routes(doors, {*runner, metrics, [this] { return is_ready(); }, [this] { return reload(); }});
  api::add_account_routes(doors, *auth);
  api::add_self_metrics_route(doors, metrics);
  api::add_prometheus_status_routes(doors,
                                    server_facts(options, *series, clock, last_reload, [this] { return is_ready(); }));
  api::add_rule_routes(doors, [this](const TenantId& tenant) { return groups->states(tenant); });
  series_doors->add_routes(doors, *audit);
  api::add_log_routes(doors, *logs);
  alert_doors->add_routes(doors);
  api::add_configuration_routes(doors, {*packages, *hosts, *series, *logs, clock,
                                        [this](const TenantId& tenant) { return judge->states(tenant); }});
  package_parts->add_routes(doors);
  scrapes->add_routes(doors);
  api::add_host_routes(doors, {*auth, *hosts, *agents, *packages, *alert_queries, *series, *logs, clock,
                               [this] { return fingerprint_of(options); },
                               [this](const TenantId& tenant, const registry::Host& host) { forget(tenant, host); },
                               [this](const TenantId& tenant, std::string_view token, const std::string& host) {
                                 package_parts->enrolled(tenant, token, host);
                               }});
  doors.add_socket("~/live", api::Need::kViewer,
                   [this](const auth::Principal& who, const net::Request&) -> Result<net::WebSocketOpened> {
                     return [this, who](std::shared_ptr<net::WebSocket> socket) {
                       return live->open(who, std::move(socket));
                     };
                   });
  web = std::make_unique<net::StaticFiles>(web_files());
  router.add("GET", "/{path...}", web->handler());
}

/// Takes the ports first: links need them, and a port in use is better known before anything is opened.
Status Server::Parts::bind_doors() {
  http = std::make_unique<net::HttpServer>(all_routes, listening_options(options), metrics, clock);
  AT_TRY(http->bind());
  link_base = options.external_url.empty() ? url_of(options, http->addresses().front(), agent::host_name())
                                           : options.external_url;
  return {};
}

Status Server::Parts::is_ready() {
  if (!ready.load()) return fail(ErrorCode::kUnavailable, "Atalaya is starting");
  return stores_take_data(metrics);
}

Status Server::Parts::open_doors() {
  add_routes(*all_routes);
  routes = all_routes->routes();
  AT_TRY(http->start());
  on_stop([this] {
    http->stop();
    alert_doors->stop();
  });
  return {};
}

void Server::Parts::add_chores() {
  // Not of what a start brings: nobody listens yet.
  items.subscribe([this](const registry::ItemChange& change) {
    live->publish(change.item.tenant, "items", "change", boost::json::serialize(api::to_json(change)));
  });
  const auto complain = [](const char* what, const Status& status) {
    if (!status) telemetry::log_warn("server", what, {{"reason", to_string(status.error())}});
  };
  keeper.add(std::chrono::seconds{1}, [this, complain] { complain("hosts not looked at", hosts->tick(clock.now())); });
  keeper.add(std::chrono::seconds{1}, [this] { packages->scan(); });
  keeper.add(std::chrono::seconds{1}, [this] { incident_settings->tick(); });
  keeper.add(std::chrono::seconds{15}, [this] { own_metrics->collect(); });
  keeper.add(std::chrono::seconds{2}, [this] { welcome_tenants(); });
  keeper.add(std::chrono::seconds{5}, [this, complain] { complain("credentials not kept", auth->maintain()); });
  if (!options.insecure_no_auth) {
    keeper.add(std::chrono::seconds{30},
               [this] { live->recheck([this](const auth::Principal& who) { return auth->still_valid(who); }); });
  }
  programs.add(Duration{250}, [this] {
    if (packages->ask_programs() && !unlogged.empty()) log_packages(false);
  });
  resources.add_chores(keeper);
  keeper.start();
  on_stop([this] { keeper.stop(); });
  programs.start();
  on_stop([this] { programs.stop(); });
  package_parts->start();
  on_stop([this] { package_parts->stop(); });
}

std::vector<Error> Server::Parts::reload() {
  auto errors = packages->reload();
  if (auto read = scrapes->read_files(); !read) errors.push_back(read.error());
  const auto of_routing = alert_configuration->read_file();
  errors.insert(errors.end(), of_routing.begin(), of_routing.end());
  const auto of_rules = groups->read_files(*files, options.rule_files);
  errors.insert(errors.end(), of_rules.begin(), of_rules.end());
  if (!options.tls_cert.empty()) {
    if (auto certificate = http->reload_certificate(); !certificate) errors.push_back(certificate.error());
  }
  last_reload.note(errors.empty(), clock.now());
  for (const auto& error : errors) telemetry::log_error("server", "not reloaded", {{"reason", to_string(error)}});
  return errors;
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  AT_TRY(check_safety(parts->options));
  AT_TRY(parts->bind_doors());
  AT_TRY(parts->open_stores());
  AT_TRY(parts->open_control());
  parts->connect_changes();
  parts->runner->start();
  parts->on_stop([p = parts.get()] { p->runner->stop(); });
  AT_TRY(parts->open_groups());
  AT_TRY(parts->open_packages());
  // What the last process committed but did not judge is judged before anything new arrives.
  AT_TRY(auto open, parts->alert_queries->open());
  open = parts->groups->remember(std::move(open));
  const storage::LogPosition samples_judged{parts->loop->cursor(kSamplesCursor)};
  const storage::LogPosition logs_judged{parts->loop->cursor(kLogsCursor)};
  AT_TRY(parts->judge->catch_up(open, *parts->series, samples_judged, *parts->logs, logs_judged, *parts->logs));
  AT_TRY(parts->dispatcher->start());
  parts->on_stop([p = parts.get()] { p->dispatcher->stop(); });
  parts->judge->start();
  parts->on_stop([p = parts.get()] { p->judge->stop(); });
  parts->live->start();
  parts->on_stop([p = parts.get()] { p->live->stop(); });
  parts->series->start();
  parts->logs->start();
  parts->on_stop([p = parts.get()] {
    p->series->stop();
    p->logs->stop();
    if (auto flushed = p->hosts->flush(); !flushed) {
      telemetry::log_warn("server", "last sightings not stored", {{"reason", to_string(flushed.error())}});
    }
  });
  parts->on_stop([p = parts.get()] { p->agents->stop(); });
  parts->scrapes->start();
  parts->on_stop([p = parts.get()] { p->scrapes->stop(); });
  parts->on_stop([p = parts.get()] { p->series_doors->stop(); });
  parts->groups->start([p = parts.get()](const std::string& cursor) { return p->loop->cursor(cursor); });
  parts->on_stop([p = parts.get()] { p->groups->stop(); });
  AT_TRY(parts->open_doors());
  parts->add_chores();
  parts->ready = true;
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::stop() {
  parts_->ready = false;
  parts_->unwind();
}

std::vector<Error> Server::reload() { return parts_->reload(); }

std::vector<std::string> Server::routes() const { return parts_->routes; }

std::string Server::url() const { return url_of(parts_->options, parts_->http->addresses().front(), "127.0.0.1"); }

Result<std::string> Server::sign_in_link() {
  AT_TRY(auto link, parts_->auth->create_link(default_tenant(), "admin"));
  return url() + "/#/sign-in?link=" + link;
}

Status Server::prepare_local_agent(const std::string& folder) {
  return give_identity({*parts_->files, *parts_->hosts, *parts_->auth, url(), fingerprint_of(parts_->options)}, folder);
}

}  // namespace atalaya::app
