// /proc/net/{netstat,snmp,snmp6}: counters of the network protocols, and sockstat: sockets in use.
#include <unistd.h>

#include <array>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  for (const auto candidate : names)
    if (candidate == name) return true;
  return false;
}

/// node_exporter's default selection of netstat fields.
bool is_selected(std::string_view protocol, std::string_view name) {
  using std::string_view_literals::operator""sv;
  if (name.ends_with("InErrors") || name.ends_with("InErrs")) return name.size() < 9;
  if (protocol == "Ip") return name == "Forwarding";
  if (protocol == "Ip6" || protocol == "IpExt") return one_of(name, std::array{"InOctets"sv, "OutOctets"sv});
  if (protocol == "Icmp" || protocol == "Icmp6") return one_of(name, std::array{"InMsgs"sv, "OutMsgs"sv});
  if (protocol == "TcpExt")
    return name.starts_with("Listen") || name.starts_with("Syncookies") ||
           one_of(name, std::array{"TCPSynRetrans"sv, "TCPTimeouts"sv});
  if (protocol == "Tcp")
    return one_of(name, std::array{"ActiveOpens"sv, "InSegs"sv, "OutSegs"sv, "OutRsts"sv, "PassiveOpens"sv,
                                   "RetransSegs"sv, "CurrEstab"sv});
  if (protocol == "Udp" || protocol == "Udp6")
    return one_of(name, std::array{"InDatagrams"sv, "OutDatagrams"sv, "NoPorts"sv, "RcvbufErrors"sv, "SndbufErrors"sv});
  return false;
}

/// Pairs of lines: `Tcp: names…` and `Tcp: values…`.
class PairedTable {
 public:
  PairedTable(const std::string& path, SeriesSet& set) : file_(path), set_(set) {}

  void read() {
    Lines lines(file_.read());
    std::string_view names;
    std::string_view values;
    std::size_t index = 0;
    while (lines.next(names) && lines.next(values)) {
      if (index == groups_.size()) groups_.emplace_back();
      auto& group = groups_[index++];
      if (group.header != names) learn(group, names);
      word(values);
      for (const auto slot : group.slots) {
        const auto text = word(values);
        double value = 0;
        if (slot != SeriesSet::kNone && number(text, value)) set_.put(slot, value);
      }
    }
  }

 private:
  struct Group {
    std::string header;
    std::vector<SeriesSet::Slot> slots;  ///< by column; kNone for what is not selected
  };

  void learn(Group& group, std::string_view names) {
    for (const auto slot : group.slots)
      if (slot != SeriesSet::kNone) set_.remove(slot);
    group.slots.clear();
    group.header = names;
    auto protocol = word(names);
    if (protocol.ends_with(':')) protocol.remove_suffix(1);
    for (auto name = word(names); !name.empty(); name = word(names)) {
      const bool wanted = is_selected(protocol, name);
      group.slots.push_back(wanted ? set_.add("node_netstat_" + std::string{protocol} + "_" + std::string{name}, {})
                                   : SeriesSet::kNone);
    }
  }

  ProcFile file_;
  SeriesSet& set_;
  std::vector<Group> groups_;
};

class ProtocolSource final : public Source {
 public:
  ProtocolSource(const HostOptions& options, SeriesSet& set)
      : netstat_(options.root + "proc/net/netstat", set),
        snmp_(options.root + "proc/net/snmp", set),
        snmp6_(options.root + "proc/net/snmp6"),
        sockstat_(options.root + "proc/net/sockstat"),
        sockstat6_(options.root + "proc/net/sockstat6"),
        snmp6_rows_(set, {}),
        sock_rows_(set, {}),
        page_bytes_(static_cast<double>(::sysconf(_SC_PAGESIZE))) {}

  void read(Time) override {
    netstat_.read();
    snmp_.read();
    read_snmp6();
    sock_rows_.begin();
    read_sockstat(sockstat_);
    read_sockstat(sockstat6_);
    sock_rows_.finish();
  }

 private:
  /// `Ip6InOctets 128`: protocol and name are one word, parted behind the 6.
  void read_snmp6() {
    snmp6_rows_.begin();
    Lines lines(snmp6_.read());
    std::string_view line;
    while (lines.next(line)) {
      const auto key = word(line);
      bool fresh = false;
      auto& row = snmp6_rows_.at(key, fresh);
      if (fresh) {
        const auto six = key.find('6');
        row.ignored = six == std::string_view::npos || !is_selected(key.substr(0, six + 1), key.substr(six + 1));
        if (!row.ignored)
          row.metric = "node_netstat_" + std::string{key.substr(0, six + 1)} + "_" + std::string{key.substr(six + 1)};
      }
      double value = 0;
      if (!row.ignored && number(word(line), value)) snmp6_rows_.put(row, 0, value);
    }
    snmp6_rows_.finish();
  }

  void put_socket(std::string_view protocol, std::string_view name, std::string_view suffix, double value) {
    key_.assign(protocol).append("_").append(name).append(suffix);
    bool fresh = false;
    auto& row = sock_rows_.at(key_, fresh);
    if (fresh) row.metric = "node_sockstat_" + key_;
    sock_rows_.put(row, 0, value);
  }

  /// `TCP: inuse 4 orphan 0 tw 0 alloc 4 mem 365`, memory in pages.
  void read_sockstat(ProcFile& file) {
    Lines lines(file.read());
    std::string_view line;
    while (lines.next(line)) {
      auto protocol = word(line);
      if (!protocol.ends_with(':')) continue;
      protocol.remove_suffix(1);
      for (auto name = word(line); !name.empty(); name = word(line)) {
        double value = 0;
        if (!number(word(line), value)) break;
        put_socket(protocol, name, "", value);
        if (name == "mem") put_socket(protocol, name, "_bytes", value * page_bytes_);
      }
    }
  }

  PairedTable netstat_;
  PairedTable snmp_;
  ProcFile snmp6_;
  ProcFile sockstat_;
  ProcFile sockstat6_;
  Rows snmp6_rows_;
  Rows sock_rows_;
  const double page_bytes_;
  std::string key_;
};

}  // namespace

std::unique_ptr<Source> make_protocol_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<ProtocolSource>(options, set);
}

}  // namespace atalaya::collect::host
