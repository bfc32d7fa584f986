// What the machine runs: kernel and distribution.
#include "collect/host/system.h"

#include <sys/utsname.h>

#include <array>
#include <utility>

#include "collect/host/host_collector.h"
#include "collect/host/proc_file.h"

namespace atalaya::collect::host {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOsLabels = {
    {{"BUILD_ID", "build_id"},
     {"ID", "id"},
     {"ID_LIKE", "id_like"},
     {"IMAGE_ID", "image_id"},
     {"IMAGE_VERSION", "image_version"},
     {"NAME", "name"},
     {"PRETTY_NAME", "pretty_name"},
     {"VARIANT", "variant"},
     {"VARIANT_ID", "variant_id"},
     {"VERSION", "version"},
     {"VERSION_CODENAME", "version_codename"},
     {"VERSION_ID", "version_id"}}};

/// Shell quoting as os-release(5) allows it.
std::string unquote(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front())
    return std::string{text};
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && text.front() == '"' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

/// A named series that changes its labels when the machine changes: rare, but a kernel's host name may.
class SystemSource final : public Source {
 public:
  SystemSource(const HostOptions& options, SeriesSet& set) : root_(options.root), set_(set), rows_(set, {}, true) {}

  void read(Time) override {
    if (!set_.slow_cycle()) return;
    rows_.begin();
    put("node_uname_info", uname_labels(), 1);
    const auto os = os_release(root_);
    LabelsBuilder all;
    LabelsBuilder version;
    std::string version_id;
    for (const auto& [name, value] : os) {
      all.set(name, value);
      if (name == "id" || name == "id_like" || name == "name") version.set(name, value);
      if (name == "version_id") version_id = value;
    }
    if (!os.empty()) {
      put("node_os_info", all.build(), 1);
      double value = 0;
      if (number(version_id, value)) put("node_os_version", version.build(), value);
    }
    rows_.finish();
  }

 private:
  void put(std::string_view metric, Labels labels, double value) {
    bool fresh = false;
    key_.assign(metric).append(labels.packed());
    auto& row = rows_.at(key_, fresh);
    if (fresh) {
      row.metric = metric;
      row.labels = std::move(labels);
    }
    rows_.put(row, 0, value);
  }

  static Labels uname_labels() {
    utsname names{};
    if (::uname(&names) != 0) return {};
    return Labels{{"domainname", names.domainname}, {"machine", names.machine}, {"nodename", names.nodename},
                  {"release", names.release},       {"sysname", names.sysname}, {"version", names.version}};
  }

  const std::string root_;
  SeriesSet& set_;
  Rows rows_;
  std::string key_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> os_release(const std::string& root) {
  std::vector<std::pair<std::string, std::string>> out;
  bool ok = false;
  auto text = read_once(root + "etc/os-release", ok);
  if (!ok) text = read_once(root + "usr/lib/os-release", ok);
  Lines lines(text);
  std::string_view line;
  while (lines.next(line)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    for (const auto& [key, label] : kOsLabels)
      if (line.substr(0, equals) == key) out.emplace_back(label, unquote(line.substr(equals + 1)));
  }
  return out;
}

std::unique_ptr<Source> make_system_source(const HostOptions& options, SeriesSet& set) {
  return std::make_unique<SystemSource>(options, set);
}

}  // namespace atalaya::collect::host
