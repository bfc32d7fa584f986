// The parts of a pipe that talk to the world: they take records and deliver them, on an EventLoop.
// docs/formats/pipe.md says what each sends, byte by byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "net/event_loop.h"
#include "sense/pipe.h"
#include "sense/publish/destinations.h"
#include "sense/record.h"

namespace atalaya::sense::publish {

/// A record on its way, and the stream it came by.
struct Item {
  std::string stream;
  Record record;
};

struct PublisherStatus {
  std::uint64_t delivered = 0;  ///< records that were answered for, or given to the system where nobody answers
  std::uint64_t dropped = 0;    ///< records that never will be: the queue was full, or the receiver refused them
  std::uint64_t failures = 0;   ///< attempts
  std::size_t queued = 0;
  bool failing = false;  ///< the last attempt failed
  std::string last_error;
  Time failed_at{};  ///< when `last_error` was
};

/// Strand-bound to its loop, on which it is made, called and destroyed. What is queued when it is destroyed is lost.
class Publisher {
 public:
  virtual ~Publisher() = default;

  /// Never blocks and never fails: what cannot be kept is dropped, the oldest first, and counted.
  virtual void publish(std::string_view stream, const Record& record) = 0;
  virtual PublisherStatus status() const = 0;
};

/// What the server does for its publishers `Store`, `Alert` and `EmailOnAlarm`. An agent and a process of its own have
/// none. `done` may be called on any thread, once, also before the call returns.
class Platform {
 public:
  using Done = std::move_only_function<void(Status)>;
  virtual ~Platform() = default;

  struct Who {
    TenantId tenant;
    std::string sensor;  ///< its id
  };
  /// Values become samples and lines become log records. `metric` "": a series has the name that its labels have, or
  /// else that of the stream.
  virtual void store(const Who& who, const std::string& metric, std::vector<Item> items, Done done) = 0;
  /// A value but 0 raises the alert of these labels, 0 and the end of the series clear it. `name` "": that of the
  /// stream.
  virtual void alert(const Who& who, const std::string& name, const std::string& severity, std::vector<Item> items,
                     Done done) = 0;
  /// `channel` "": the tenant's only one of type email; `to` empty: its own recipients.
  virtual void mail(const Who& who, const std::string& channel, const std::vector<std::string>& to,
                    const std::string& subject, const std::string& text, Done done) = 0;
};

struct PublisherLimits {
  std::size_t max_records = 10'000;         ///< in the queue
  std::size_t max_bytes = 4 << 20;          ///< of the queue
  std::uint64_t max_file_bytes = 10 << 20;  ///< of a `Log`; then it becomes FILE.1, and the former one goes
  Duration first_wait{1'000};               ///< after a failed attempt; doubles
  Duration longest_wait{60'000};
  Duration timeout{15'000};     ///< of one attempt
  Duration mail_pause{60'000};  ///< between two mails; what happens meanwhile is in the second
};

struct PublisherContext;
/// Makes a publisher: how those that need heavy libraries are added by whoever has them.
using MakePublisher = std::function<Result<std::unique_ptr<Publisher>>(const Part&, const PublisherContext&)>;

/// What publishers are given. `loop`, `clock` and `platform` outlive them.
struct PublisherContext {
  net::EventLoop& loop;
  const Clock& clock;
  Destinations destinations;
  Platform::Who who;
  std::string host;                  ///< this machine's name, in syslog
  std::filesystem::path log_folder;  ///< `DATA/publish/<tenant>`; "": there is no `Log` here
  Platform* platform = nullptr;      ///< null: there is none here
  PublisherLimits limits = {};
  MakePublisher amqp = nullptr;  ///< `make_amqp` of sense/amqp; null: there is no AMQP here
};

/// Whether it is one that only the server can do: `Store`, `Alert`, `EmailOnAlarm`.
bool needs_platform(std::string_view mixin);

/// invalid_argument that names mixin and attribute; unprocessable when the publisher cannot be had here.
Result<std::unique_ptr<Publisher>> make_publisher(const Part& part, const PublisherContext& context);

}  // namespace atalaya::sense::publish
