// Builds and sends remote-write bodies: bench/series/series.py and bench/query/*.py drive it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "query/history.h"
#include "series/bodies.h"

namespace {

using namespace atalaya::bench;

int usage() {
  std::fprintf(stderr,
               "bench_series fleet FILE HOSTS SERIES SCRAPES FIRST_MS\n"
               "bench_series recorded FILE FOLDER FIRST_MS\n"
               "bench_series history|openmetrics FILE HOSTS DENSE_HOSTS FIRST_MS FROM_SLICE TO_SLICE\n"
               "bench_series scrape FILE HOSTS DENSE_HOSTS FIRST_MS SLICE AT_MS\n"
               "bench_series stream FILE HOSTS FIRST_MS SAMPLES_A_SECOND SECONDS\n"
               "bench_series pace FILE PORT PATH CONNECTIONS SAMPLES_A_SECOND FROM_MS TOKEN\n"
               "bench_series probe PORT PATH COUNT GAP_MS TOKEN\n"
               "bench_series send FILE PORT PATH CONNECTIONS FROM_BODY TO_BODY [TOKEN]\n");
  return 2;
}

std::vector<std::string> read_bodies(const char* path, std::size_t from, std::size_t to) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> out;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < to && in.read(reinterpret_cast<char*>(&size), sizeof size); ++i) {
    if (i < from) {
      in.seekg(size, std::ios::cur);
      continue;
    }
    out.emplace_back(size, '\0');
    in.read(out.back().data(), size);
  }
  return out;
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// Sends one request and reads its answer; 0 when the connection broke.
int post(int fd, const std::string& head, const std::string& body) {
  std::string request = head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  for (std::size_t at = 0; at < request.size();) {
    const auto n = ::send(fd, request.data() + at, request.size() - at, MSG_NOSIGNAL);
    if (n <= 0) return 0;
    at += static_cast<std::size_t>(n);
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    const auto end = answer.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto length = answer.find("ontent-Length: ");
      const auto wanted = length == std::string::npos ? 0 : std::stoul(answer.substr(length + 15));
      if (answer.size() >= end + 4 + wanted) break;
    }
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return 0;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  const int status = std::stoi(answer.substr(9, 3));
  if (status / 100 != 2) std::fprintf(stderr, "%s\n", answer.c_str());
  return status;
}

std::string head_of(const char* path, const char* token) {
  std::string head = std::string("POST ") + path +
                     " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: "
                     "snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n";
  if (token) head += std::string("Authorization: Bearer ") + token + "\r\n";
  return head;
}

int send(int argc, char** argv) {
  const auto bodies = read_bodies(argv[2], std::stoul(argv[6]), std::stoul(argv[7]));
  const int port = std::stoi(argv[3]);
  const auto head = head_of(argv[4], argc > 8 ? argv[8] : nullptr);
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> failed = 0;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> senders;
  for (int i = 0; i < std::stoi(argv[5]); ++i) {
    senders.emplace_back([&] {
      const int fd = connect_to(port);
      for (std::size_t at; (at = next++) < bodies.size();) {
        if (post(fd, head, bodies[at]) / 100 != 2) {
          ++failed;
          break;
        }
      }
      ::close(fd);
    });
  }
  for (auto& sender : senders) sender.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("{\"bodies\": %zu, \"failed\": %zu, \"seconds\": %.6f}\n", bodies.size(), failed.load(), took.count());
  return failed == 0 ? 0 : 1;
}

std::chrono::system_clock::time_point at_ms(long long ms) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

/// Each body in its time, as far as the server keeps up.
int pace(char** argv) {
  const auto bodies = read_bodies(argv[2], 0, SIZE_MAX);
  const int port = std::stoi(argv[3]);
  const auto head = head_of(argv[4], argv[8]);
  const double rate = std::stod(argv[6]);
  const auto begin = at_ms(std::stoll(argv[7]));
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> failed = 0;
  std::vector<std::thread> senders;
  for (int i = 0; i < std::stoi(argv[5]); ++i) {
    senders.emplace_back([&] {
      const int fd = connect_to(port);
      for (std::size_t at; (at = next++) < bodies.size();) {
        // A body is complete when its last sample is.
        const std::chrono::duration<double> due(static_cast<double>((at + 1) * kSeriesABody) / rate);
        std::this_thread::sleep_until(begin + std::chrono::duration_cast<std::chrono::milliseconds>(due));
        if (post(fd, head, bodies[at]) / 100 != 2) ++failed;
      }
      ::close(fd);
    });
  }
  for (auto& sender : senders) sender.join();
  const std::chrono::duration<double> took = std::chrono::system_clock::now() - begin;
  std::printf("{\"failed\": %zu, \"rate\": %.0f}\n", failed.load(),
              static_cast<double>(bodies.size() * kSeriesABody) / took.count());
  return 0;
}

/// Single samples, one series each, that go from 0 to 1; prints when each was sent, Unix milliseconds.
int probe(char** argv) {
  const int fd = connect_to(std::stoi(argv[2]));
  const auto head = head_of(argv[3], argv[6]);
  const auto count = std::stoul(argv[4]);
  const auto now = [] {
    return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  std::string times;
  for (const double value : {0.0, 1.0}) {
    for (std::size_t n = 0; n < count; ++n) {
      if (value == 1) std::this_thread::sleep_for(std::chrono::milliseconds(std::stoul(argv[5])));
      const auto labels = label_fields({{"__name__", "fleet_probe"}, {"n", std::to_string(n)}, {"job", "probe"}});
      const auto body = body_of(labels, value, static_cast<std::int64_t>(now()));
      const auto sent = now();
      if (post(fd, head, body) / 100 != 2) return 1;
      if (value == 1) times += (times.empty() ? "" : ",") + std::to_string(sent);
    }
  }
  std::printf("[%s]\n", times.c_str());
  return 0;
}

int write(const std::string& verb, char** argv) {
  const History history{std::stoul(argv[3]), std::stoul(argv[4]), std::stoll(argv[5])};
  const auto from = std::stoul(argv[6]);
  std::uint64_t samples = 0;
  if (verb == "history") samples = write_history(argv[2], history, from, std::stoul(argv[7]));
  if (verb == "openmetrics") samples = write_openmetrics(argv[2], history, from, std::stoul(argv[7]));
  if (verb == "scrape") samples = write_scrape(argv[2], history, from, std::stoll(argv[7]));
  std::printf("%llu\n", static_cast<unsigned long long>(samples));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "fleet" && argc == 7) {
    const auto samples =
        write_fleet(argv[2], std::stoul(argv[3]), std::stoul(argv[4]), std::stoul(argv[5]), std::stoll(argv[6]));
    std::printf("%llu\n", static_cast<unsigned long long>(samples));
    return 0;
  }
  if (verb == "recorded" && argc == 5) {
    std::printf("%llu\n", static_cast<unsigned long long>(write_recorded(argv[2], argv[3], std::stoll(argv[4]))));
    return 0;
  }
  if (argc == 8 && (verb == "history" || verb == "openmetrics" || verb == "scrape")) return write(verb, argv);
  if (verb == "stream" && argc == 7) {
    const auto samples =
        write_stream(argv[2], std::stoul(argv[3]), std::stoll(argv[4]), std::stoul(argv[5]), std::stoul(argv[6]));
    std::printf("%llu\n", static_cast<unsigned long long>(samples));
    return 0;
  }
  if (verb == "pace" && argc == 9) return pace(argv);
  if (verb == "probe" && argc == 7) return probe(argv);
  if (verb == "send" && (argc == 8 || argc == 9)) return send(argc, argv);
  return usage();
}
