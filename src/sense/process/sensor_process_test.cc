#include "sense/process/sensor_process.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <deque>
#include <filesystem>
#include <future>

#include "net/stream_client.h"
#include "net/testing.h"
#include "net/url.h"
#include "sense/pipe_text.h"

namespace atalaya::sense::process {
namespace {

using net::testing::kPatience;
using net::testing::TestLoop;
using ::testing::HasSubstr;

const Time kTime = from_ms(1'700'000'000'000);

/// One side of a connection, which waits for what it is told.
class Client {
 public:
  explicit Client(int fd) : fd_(fd) {
    timeval patience{kPatience.count(), 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void send(const StreamFrame& frame) { send_bytes(encode(frame)); }
  void send_bytes(const std::string& bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// StreamUnknown{0} when the connection has ended.
  StreamFrame next() {
    while (frames_.empty()) {
      std::array<char, 4096> chunk;
      const auto size = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
      if (size <= 0) return StreamUnknown{0};
      if (!reader_.put({chunk.data(), static_cast<std::size_t>(size)}, frames_)) return StreamUnknown{1};
    }
    auto out = std::move(frames_.front());
    frames_.erase(frames_.begin());
    return out;
  }
  bool ended() {
    const auto frame = next();
    const auto* unknown = std::get_if<StreamUnknown>(&frame);
    return unknown != nullptr && unknown->type == 0;
  }
  std::string refusal() {
    const auto frame = next();
    const auto* refused = std::get_if<StreamRefused>(&frame);
    return refused == nullptr ? "" : refused->error + ": " + refused->message;
  }
  /// Says Hello and hears Welcome.
  Client& greet(const std::string& token = "") {
    send(StreamHello{kStreamVersion, token});
    EXPECT_TRUE(std::holds_alternative<StreamWelcome>(next()));
    return *this;
  }
  std::string status() {
    send(StreamAsk{});
    const auto frame = next();
    const auto* status = std::get_if<StreamStatus>(&frame);
    return status == nullptr ? "" : status->json;
  }
  void close() { fd_.reset(); }

 private:
  io::Descriptor fd_;
  StreamFrameReader reader_;
  std::vector<StreamFrame> frames_;
};

StreamRecords records(const std::string& stream, std::initializer_list<double> values) {
  StreamRecords out;
  auto time = kTime;
  for (const auto value : values) out.records.push_back({stream, {time += Duration{1}, value, {}, std::nullopt}});
  return out;
}

class Process : public ::testing::Test {
 protected:
  Process() { options_.destinations = *publish::Destinations::make({}); }
  ~Process() override {
    loop_.run([&] { process_.reset(); });
  }

  std::string start() {
    std::string out;
    loop_.run([&] {
      process_ = std::make_unique<SensorProcess>(*loop_, clock_, options_, [this] { ended_.set_value(); });
      const auto status = process_->start();
      out = status ? "" : to_string(status.error());
    });
    return out;
  }
  std::string socket_path() { return folder_ / "s"; }
  Client connect_unix() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket_path();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("connect");
    return Client(fd);
  }
  Client adopted() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
    loop_.run([&] { process_->adopt(io::Descriptor(ends[1])); });
    return Client(ends[0]);
  }
  static PipeSpec log_pipe() {
    PipeSpec spec;
    spec.more_sources = true;
    spec.aggregators = {{"EWMA", {{"instream", "a"}, {"outstream", "c"}, {"gain", 2.0}}}};
    spec.publishers = {{"Log", {{"in_msg", "c"}, {"filename", "values"}}}};
    return spec;
  }

  TestLoop loop_;
  ManualClock clock_{kTime};
  net::testing::TemporaryFolder folder_;
  SensorProcessOptions options_;
  std::promise<void> ended_;
  std::unique_ptr<SensorProcess> process_;
};

TEST_F(Process, TakesRecordsOverAUnixSocketAndPublishes) {
  options_.server.listen = "unix:" + socket_path();
  options_.pipe = log_pipe();
  options_.log_folder = folder_ / "logs";
  ASSERT_EQ(start(), "");
  auto client = connect_unix();
  client.greet().send(records("a", {1, 3}));
  EXPECT_THAT(client.status(), HasSubstr("\"mixin\":\"Log\",\"delivered\":2,\"dropped\":0"));
  EXPECT_EQ(std::filesystem::file_size(folder_ / "logs/values"),
            2 * std::string("2023-11-14T22:13:20.001Z c 1\n").size());
}

TEST_F(Process, TheSocketIsItsOwnersAlone) {
  options_.server.listen = "unix:" + socket_path();
  ASSERT_EQ(start(), "");
  struct stat facts{};
  ASSERT_EQ(::stat(socket_path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  loop_.run([&] { process_.reset(); });
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(Process, ASocketThatSomebodyAnswersAtIsNotTaken) {
  options_.server.listen = "unix:" + socket_path();
  ASSERT_EQ(start(), "");
  net::StreamServer second(*loop_, options_.server, {});
  Status status;
  loop_.run([&] { status = second.start(); });
  EXPECT_EQ(status.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(Process, ASocketThatADeadProcessLeftIsReplaced) {
  options_.server.listen = "unix:" + socket_path();
  {
    const io::Descriptor left(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket_path();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_EQ(start(), "");
  connect_unix().greet();
}

TEST_F(Process, WantsAHelloWithItsTokenAndVersion) {
  options_.server.listen = "unix:" + socket_path();
  options_.token = "t0ken";
  ASSERT_EQ(start(), "");
  auto wrong = connect_unix();
  wrong.send(StreamHello{kStreamVersion, "other"});
  EXPECT_THAT(wrong.refusal(), HasSubstr("unauthenticated"));
  EXPECT_TRUE(wrong.ended());
  auto none = connect_unix();
  none.send(records("a", {1}));
  EXPECT_THAT(none.refusal(), HasSubstr("the first frame is no Hello"));
  auto newer = connect_unix();
  newer.send(StreamHello{2, "t0ken"});
  EXPECT_THAT(newer.refusal(), HasSubstr("version 2 is spoken, and this is 1"));
  connect_unix().greet("t0ken");
}

TEST_F(Process, EndsAConnectionThatIsMalformed) {
  options_.server.listen = "unix:" + socket_path();
  ASSERT_EQ(start(), "");
  auto client = connect_unix();
  client.greet().send_bytes(std::string(4, '\0'));
  EXPECT_THAT(client.refusal(), HasSubstr("invalid_argument: a frame of 0 bytes"));
  EXPECT_TRUE(client.ended());
  connect_unix().greet();
}

TEST_F(Process, TakesItsPipeOverTheConnectionAndSendsBackWhatIsTheServers) {
  ASSERT_EQ(start(), "");
  auto server = adopted();
  auto spec = log_pipe();
  spec.publishers = {{"Store", {{"input", "c"}}}};
  server.greet().send(StreamPipe{to_json(spec)});
  server.send(records("a", {1, 3}));
  for (const double expected : {1.0, 2.0}) {
    const auto frame = server.next();
    const auto* published = std::get_if<StreamPublished>(&frame);
    ASSERT_NE(published, nullptr);
    EXPECT_EQ(published->publisher, 0);
    EXPECT_EQ(published->stream, "c");
    EXPECT_EQ(published->records.at(0).value, expected);
  }
}

TEST_F(Process, APipeThatDoesNotHoldLeavesTheFormerOne) {
  options_.log_folder = folder_ / "logs";
  ASSERT_EQ(start(), "");
  auto server = adopted();
  server.greet().send(StreamPipe{to_json(log_pipe())});
  server.send(StreamPipe{"{\"aggregators\": [{\"mixin\": \"Wrong\"}]}"});
  EXPECT_THAT(server.refusal(), HasSubstr("there is no aggregator Wrong"));
  server.send(StreamPipe{"]"});
  EXPECT_THAT(server.refusal(), HasSubstr("invalid_argument"));
  server.send(records("a", {1}));
  EXPECT_THAT(server.status(), HasSubstr("\"delivered\":1"));
}

TEST_F(Process, ASensorWithItsOwnPipeTakesNoOther) {
  options_.server.listen = "unix:" + socket_path();
  options_.pipe = log_pipe();
  options_.log_folder = folder_ / "logs";
  ASSERT_EQ(start(), "");
  auto client = connect_unix();
  client.greet().send(StreamPipe{to_json(log_pipe())});
  EXPECT_THAT(client.refusal(), HasSubstr("permission_denied"));
  client.send(records("a", {1}));
  EXPECT_THAT(client.status(), HasSubstr("\"delivered\":1"));
}

TEST_F(Process, IsToldWhenTheServersConnectionEnds) {
  ASSERT_EQ(start(), "");
  auto server = adopted();
  server.greet();
  server.close();
  EXPECT_EQ(ended_.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(Process, NothingIsReadOnceItsProcessorTimeIsUsedUp) {
  std::chrono::nanoseconds used{0};
  options_.cores = 0.5;
  options_.cpu_time = [&used] { return used; };
  ASSERT_EQ(start(), "");
  auto server = adopted();
  server.greet();
  // A tenth of a second more than the half that is allowed at first: half a core pays it in a fifth.
  loop_.run([&] { used = std::chrono::milliseconds{600}; });
  server.send(StreamAsk{});
  EXPECT_TRUE(std::holds_alternative<StreamStatus>(server.next()));
  server.send(StreamAsk{});
  std::string before;
  loop_.run([&] { before = process_->status_json(); });
  EXPECT_THAT(before, HasSubstr("\"resting\":true"));
  EXPECT_TRUE(std::holds_alternative<StreamStatus>(server.next())) << "it is answered when the time is paid";
}

TEST_F(Process, TakesRecordsOverTls) {
  net::testing::TestCertificate certificate;
  options_.server.listen = "127.0.0.1:0";
  options_.server.tls = certificate.files;
  options_.pipe = log_pipe();
  options_.log_folder = folder_ / "logs";
  ASSERT_EQ(start(), "");
  std::string address;
  loop_.run([&] { address = process_->address(); });
  net::StreamClientOptions to;
  to.host = "127.0.0.1";
  to.port = net::parse_host_port(address)->port;
  to.tls = true;
  to.connect.tls.pinned_sha256 = certificate.fingerprint;
  std::unique_ptr<net::StreamClient> client;
  loop_.run([&] {
    client = std::make_unique<net::StreamClient>(*loop_, to,
                                                 net::StreamClientEvents{.opened =
                                                                             [&] {
                                                                               client->send(encode(StreamHello{}));
                                                                               client->send(encode(records("a", {1})));
                                                                             },
                                                                         .drained = {},
                                                                         .closed = {}});
    client->open();
  });
  std::promise<void> came;
  std::function<void()> look = [&] {
    if (process_->status_json().find("\"delivered\":1") != std::string::npos) {
      came.set_value();
    } else {
      (*loop_).after(Duration{1}, [&] { look(); }).detach();
    }
  };
  (*loop_).post([&] { look(); });
  EXPECT_EQ(came.get_future().wait_for(kPatience), std::future_status::ready);
  loop_.run([&] { client.reset(); });
}

TEST_F(Process, SaysWhatIsWrongWithItsPipeOrAddress) {
  options_.pipe = log_pipe();
  EXPECT_THAT(start(), HasSubstr("Log cannot publish from here"));
  loop_.run([&] { process_.reset(); });
  options_.pipe.reset();
  options_.server.listen = "nowhere";
  EXPECT_THAT(start(), HasSubstr("nowhere"));
  loop_.run([&] { process_.reset(); });
  options_.server.listen = "unix:" + std::string(200, 'x');
  EXPECT_THAT(start(), HasSubstr("is no path of a socket"));
}

}  // namespace
}  // namespace atalaya::sense::process
