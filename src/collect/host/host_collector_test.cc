#include "collect/host/host_collector.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "model/sample.h"

namespace atalaya::collect::host {
namespace {

constexpr Time kNow = from_ms(1'700'000'000'000);

/// A tree of /proc and /sys as a test writes it.
class Tree {
 public:
  Tree() {
    std::string pattern = testing::TempDir() + "/host_XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    root_ += "/";
  }
  ~Tree() { std::filesystem::remove_all(root_); }
  const std::string& root() const { return root_; }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root_ + path); }

 private:
  std::string root_;
};

using Values = std::map<std::string, double>;

class HostCollectorTest : public testing::Test {
 protected:
  HostCollectorTest() { options_.root = tree_.root(), options_.instance = "web1", options_.slow_every = 1; }

  /// What one cycle writes, without the labels that all have in common.
  Values cycle() {
    if (!collector_) collector_ = std::make_unique<HostCollector>(options_, table_);
    Batch batch;
    EXPECT_TRUE(collector_->collect(kNow, batch));
    Values out;
    for (const auto& sample : batch.samples()) {
      const auto& labels = table_.at(sample.series);
      EXPECT_EQ(labels.get("instance"), "web1");
      EXPECT_EQ(labels.get("job"), "node");
      EXPECT_EQ(sample.time, kNow);
      const auto name = to_string(labels.without("instance").without("job"));
      EXPECT_FALSE(out.contains(name)) << name << " twice in one cycle";
      out[name] = sample.value;
    }
    table_.sweep();
    return out;
  }

  Tree tree_;
  HostOptions options_;
  LabelsTable table_;
  std::unique_ptr<HostCollector> collector_;
};

TEST_F(HostCollectorTest, SaysThatItIsUp) { EXPECT_EQ(cycle().at("up"), 1); }

TEST_F(HostCollectorTest, CpuTimesAreSecondsPerModeAndGuestApart) {
  tree_.write("proc/stat",
              "cpu  10 0 0 0 0 0 0 0 0 0\n"
              "cpu0 100 20 300 4000 50 6 7 8 9 1\n"
              "cpu1 1 2 3 4 5 6 7 8 9 10\n"
              "intr 987 1 2 3\nctxt 55\nbtime 1700000000\nprocesses 42\nprocs_running 3\nprocs_blocked 1\n");
  const auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="user"})"), 1.0);
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="idle"})"), 40.0);
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="steal"})"), 0.08);
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_guest_seconds_total{cpu="0", mode="user"})"), 0.09);
  EXPECT_DOUBLE_EQ(values.at("node_intr_total"), 987);
  EXPECT_DOUBLE_EQ(values.at("node_context_switches_total"), 55);
  EXPECT_DOUBLE_EQ(values.at("node_boot_time_seconds"), 1700000000);
  EXPECT_DOUBLE_EQ(values.at("node_forks_total"), 42);
  EXPECT_DOUBLE_EQ(values.at("node_procs_running"), 3);
  EXPECT_DOUBLE_EQ(values.at("node_procs_blocked"), 1);
}

TEST_F(HostCollectorTest, ASmallStepBackOfACpuCounterIsHeldABigOneIsANewStart) {
  tree_.write("proc/stat", "cpu0 0 0 0 4000 50 0 0 0 0 0\n");
  cycle();
  tree_.write("proc/stat", "cpu0 0 0 0 4001 49 0 0 0 0 0\n");
  auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="iowait"})"), 0.50);
  tree_.write("proc/stat", "cpu0 0 0 0 10 1 0 0 0 0 0\n");
  values = cycle();
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="idle"})"), 0.10);
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="0", mode="iowait"})"), 0.01);
}

TEST_F(HostCollectorTest, ACpuTakenOffLineEndsAndItsNeighboursGoOn) {
  tree_.write("proc/stat", "cpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0 0 0\ncpu10 3 0 0 0 0 0 0 0 0 0\n");
  cycle();
  tree_.write("proc/stat", "cpu0 1 0 0 0 0 0 0 0 0 0\ncpu10 5 0 0 0 0 0 0 0 0 0\n");
  auto values = cycle();
  EXPECT_TRUE(is_stale(values.at(R"(node_cpu_seconds_total{cpu="1", mode="user"})")));
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="10", mode="user"})"), 0.05);
  tree_.write("proc/stat", "cpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 7 0 0 0 0 0 0 0 0 0\ncpu10 5 0 0 0 0 0 0 0 0 0\n");
  values = cycle();
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="1", mode="user"})"), 0.07);
  EXPECT_DOUBLE_EQ(values.at(R"(node_cpu_seconds_total{cpu="10", mode="user"})"), 0.05);
}

TEST_F(HostCollectorTest, MemoryIsBytesExceptCounts) {
  tree_.write("proc/meminfo", "MemTotal:       1024 kB\nActive(anon):      2 kB\nHugePages_Total:       7\n");
  const auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at("node_memory_MemTotal_bytes"), 1048576);
  EXPECT_DOUBLE_EQ(values.at("node_memory_Active_anon_bytes"), 2048);
  EXPECT_DOUBLE_EQ(values.at("node_memory_HugePages_Total"), 7);
}

TEST_F(HostCollectorTest, VmstatIsNodeExportersSelection) {
  tree_.write("proc/vmstat",
              "nr_free_pages 1\npgpgin 2\npgpgout 3\npswpin 4\npgfault 5\npgmajfault 6\noom_kill 7\npgalloc_dma 8\n");
  const auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at("node_vmstat_pgpgin"), 2);
  EXPECT_DOUBLE_EQ(values.at("node_vmstat_pgmajfault"), 6);
  EXPECT_DOUBLE_EQ(values.at("node_vmstat_oom_kill"), 7);
  EXPECT_FALSE(values.contains("node_vmstat_nr_free_pages"));
  EXPECT_FALSE(values.contains("node_vmstat_pgalloc_dma"));
}

TEST_F(HostCollectorTest, DisksAreBytesAndSecondsWithoutPartitionsAndLoops) {
  tree_.write("proc/diskstats",
              "   8       0 sda 10 1 100 2000 20 2 200 3000 4 5000 6000 7 8 9 1500 11 250\n"
              "   8       1 sda1 1 1 1 1 1 1 1 1 1 1 1\n"
              "   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1\n"
              " 259       0 nvme0n1 1 1 1 1 1 1 1 1 1 1 1\n"
              " 259       1 nvme0n1p2 1 1 1 1 1 1 1 1 1 1 1\n");
  tree_.write("run/udev/data/b8:0", "E:ID_MODEL=QEMU_DISK\nE:ID_SERIAL_SHORT=abc\n");
  const auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at(R"(node_disk_read_bytes_total{device="sda"})"), 51200);
  EXPECT_DOUBLE_EQ(values.at(R"(node_disk_read_time_seconds_total{device="sda"})"), 2);
  EXPECT_DOUBLE_EQ(values.at(R"(node_disk_io_now{device="sda"})"), 4);
  EXPECT_DOUBLE_EQ(values.at(R"(node_disk_discard_time_seconds_total{device="sda"})"), 1.5);
  EXPECT_DOUBLE_EQ(values.at(R"(node_disk_flush_requests_time_seconds_total{device="sda"})"), 0.25);
  EXPECT_EQ(values.at(R"(node_disk_info{device="sda", major="8", minor="0", model="QEMU_DISK", serial="abc"})"), 1);
  EXPECT_TRUE(values.contains(R"(node_disk_io_now{device="nvme0n1"})"));
  EXPECT_FALSE(values.contains(R"(node_disk_discards_completed_total{device="nvme0n1"})"));
  for (const auto* device : {"sda1", "loop0", "nvme0n1p2"})
    EXPECT_FALSE(values.contains(std::string("node_disk_io_now{device=\"") + device + "\"}")) << device;
}

TEST_F(HostCollectorTest, AVanishedDeviceEndsWithOneStaleMarkerAndMayComeBack) {
  const std::string head = "Inter-|   Receive                            |  Transmit\n face |bytes\n";
  const std::string eth0 = "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
  const std::string eth1 = "  eth1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
  const std::string series = R"(node_network_receive_bytes_total{device="eth1"})";
  tree_.write("proc/net/dev", head + "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n" + eth0 + eth1);
  auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at(series), 1);
  EXPECT_DOUBLE_EQ(values.at(R"(node_network_transmit_carrier_total{device="eth0"})"), 15);
  EXPECT_FALSE(values.contains(R"(node_network_receive_bytes_total{device="lo"})"));

  const auto before = table_.size();
  tree_.write("proc/net/dev", head + eth0);
  values = cycle();
  EXPECT_TRUE(is_stale(values.at(series)));
  EXPECT_FALSE(cycle().contains(series));
  EXPECT_EQ(table_.size(), before - 16);

  tree_.write("proc/net/dev", head + eth1 + eth0);
  values = cycle();
  EXPECT_DOUBLE_EQ(values.at(series), 1);
  EXPECT_EQ(table_.size(), before);
}

TEST_F(HostCollectorTest, AGroupOfFilesThatVanishesEndsItsSeries) {
  tree_.write("proc/loadavg", "0.50 0.25 1.75 2/100 999\n");
  auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at("node_load1"), 0.5);
  EXPECT_DOUBLE_EQ(values.at("node_load15"), 1.75);
  tree_.write("proc/loadavg", "");
  values = cycle();
  EXPECT_TRUE(is_stale(values.at("node_load1")));
  EXPECT_FALSE(cycle().contains("node_load1"));
}

TEST_F(HostCollectorTest, SlowSeriesAreWrittenInSlowCyclesAndDoNotEndBetweenThem) {
  options_.slow_every = 3;
  tree_.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nNAME='Debian GNU/Linux'\n");
  const std::string series = R"(node_os_version{id="debian", name="Debian GNU/Linux"})";
  EXPECT_DOUBLE_EQ(cycle().at(series), 12);
  EXPECT_FALSE(cycle().contains(series));
  EXPECT_FALSE(cycle().contains(series));
  EXPECT_DOUBLE_EQ(cycle().at(series), 12);
}

TEST_F(HostCollectorTest, FileSystemsOfTheMountTableWithoutTheKernelsOwn) {
  tree_.write("proc/1/mounts",
              "/dev/vda / ext4 rw,relatime 0 0\n"
              "/dev/vdb /with\\040blank xfs ro,noatime 0 0\n"
              "/dev/vda / ext4 rw,relatime 0 0\n"
              "proc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
              "/dev/vdc /gone ext4 rw 0 0\noverlay /var/x overlay rw 0 0\n");
  std::filesystem::create_directories(tree_.root() + "with blank");
  const auto values = cycle();
  const std::string root = R"({device="/dev/vda", fstype="ext4", mountpoint="/"})";
  const std::string blank = R"({device="/dev/vdb", fstype="xfs", mountpoint="/with blank"})";
  const std::string gone = R"({device="/dev/vdc", fstype="ext4", mountpoint="/gone"})";
  EXPECT_GT(values.at("node_filesystem_size_bytes" + root), 0);
  EXPECT_LE(values.at("node_filesystem_avail_bytes" + root), values.at("node_filesystem_free_bytes" + root));
  EXPECT_EQ(values.at("node_filesystem_readonly" + root), 0);
  EXPECT_EQ(values.at("node_filesystem_readonly" + blank), 1);
  EXPECT_EQ(values.at("node_filesystem_device_error" + root), 0);
  EXPECT_EQ(values.at("node_filesystem_device_error" + gone), 1);
  EXPECT_FALSE(values.contains("node_filesystem_size_bytes" + gone));
  std::size_t sizes = 0;
  for (const auto& [name, value] : values) sizes += name.starts_with("node_filesystem_size_bytes");
  EXPECT_EQ(sizes, 2u);
}

TEST_F(HostCollectorTest, AnUnmountedFileSystemEnds) {
  tree_.write("proc/1/mounts", "/dev/vda / ext4 rw 0 0\n/dev/vdb /b ext4 rw 0 0\n");
  std::filesystem::create_directories(tree_.root() + "b");
  const std::string series = R"(node_filesystem_size_bytes{device="/dev/vdb", fstype="ext4", mountpoint="/b"})";
  EXPECT_GT(cycle().at(series), 0);
  tree_.write("proc/1/mounts", "/dev/vda / ext4 rw 0 0\n");
  EXPECT_TRUE(is_stale(cycle().at(series)));
}

TEST_F(HostCollectorTest, ProtocolCountersAreNodeExportersSelection) {
  tree_.write("proc/net/snmp",
              "Ip: Forwarding DefaultTTL\nIp: 2 64\nTcp: RtoAlgorithm CurrEstab InErrs\nTcp: 1 5 6\n"
              "Udp: InDatagrams NoPorts InErrors InCsumErrors\nUdp: 1 2 3 4\n");
  tree_.write("proc/net/netstat", "TcpExt: SyncookiesSent Other ListenDrops\nTcpExt: 1 2 3\n");
  tree_.write("proc/net/snmp6", "Ip6InReceives 1\nIp6InOctets 128\nUdpLite6InErrors 4\n");
  const auto values = cycle();
  EXPECT_EQ(values.at("node_netstat_Ip_Forwarding"), 2);
  EXPECT_EQ(values.at("node_netstat_Tcp_CurrEstab"), 5);
  EXPECT_EQ(values.at("node_netstat_Tcp_InErrs"), 6);
  EXPECT_EQ(values.at("node_netstat_Udp_InErrors"), 3);
  EXPECT_EQ(values.at("node_netstat_TcpExt_ListenDrops"), 3);
  EXPECT_EQ(values.at("node_netstat_Ip6_InOctets"), 128);
  EXPECT_EQ(values.at("node_netstat_UdpLite6_InErrors"), 4);
  for (const auto* name : {"Ip_DefaultTTL", "Udp_InCsumErrors", "TcpExt_Other", "Ip6_InReceives"})
    EXPECT_FALSE(values.contains(std::string("node_netstat_") + name)) << name;
}

TEST_F(HostCollectorTest, SocketsInUseWithMemoryInBytesToo) {
  tree_.write("proc/net/sockstat", "sockets: used 23\nTCP: inuse 4 orphan 0 tw 0 alloc 4 mem 2\n");
  tree_.write("proc/net/sockstat6", "TCP6: inuse 3\n");
  const auto values = cycle();
  EXPECT_EQ(values.at("node_sockstat_sockets_used"), 23);
  EXPECT_EQ(values.at("node_sockstat_TCP_mem"), 2);
  EXPECT_EQ(values.at("node_sockstat_TCP_mem_bytes"), 2.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(values.at("node_sockstat_TCP6_inuse"), 3);
}

TEST_F(HostCollectorTest, PressureIsSeconds) {
  tree_.write("proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=1500000\nfull avg10=0 total=7\n");
  tree_.write("proc/pressure/io", "some avg10=0 total=2000000\nfull avg10=0 total=250000\n");
  const auto values = cycle();
  EXPECT_DOUBLE_EQ(values.at("node_pressure_cpu_waiting_seconds_total"), 1.5);
  EXPECT_DOUBLE_EQ(values.at("node_pressure_io_waiting_seconds_total"), 2);
  EXPECT_DOUBLE_EQ(values.at("node_pressure_io_stalled_seconds_total"), 0.25);
  EXPECT_FALSE(values.contains("node_pressure_memory_waiting_seconds_total"));
}

TEST_F(HostCollectorTest, NetworkDevicesAsSysfsDescribesThem) {
  for (const auto& [file, text] : std::map<std::string, std::string>{{"ifindex", "2\n"},
                                                                     {"mtu", "1400\n"},
                                                                     {"flags", "0x1003\n"},
                                                                     {"speed", "1000\n"},
                                                                     {"operstate", "up\n"},
                                                                     {"address", "02:fc:00:00:00:01\n"}})
    tree_.write("sys/class/net/eth0/" + file, text);
  tree_.write("sys/class/net/bonding_masters", "");
  auto values = cycle();
  EXPECT_EQ(values.at(R"(node_network_up{device="eth0"})"), 1);
  EXPECT_EQ(values.at(R"(node_network_mtu_bytes{device="eth0"})"), 1400);
  EXPECT_EQ(values.at(R"(node_network_flags{device="eth0"})"), 0x1003);
  EXPECT_EQ(values.at(R"(node_network_speed_bytes{device="eth0"})"), 125'000'000);
  const std::string up = R"(node_network_info{address="02:fc:00:00:00:01", device="eth0", operstate="up"})";
  const std::string down = R"(node_network_info{address="02:fc:00:00:00:01", device="eth0", operstate="down"})";
  EXPECT_EQ(values.at(up), 1);
  tree_.write("sys/class/net/eth0/operstate", "down\n");
  values = cycle();
  EXPECT_TRUE(is_stale(values.at(up)));
  EXPECT_EQ(values.at(down), 1);
  EXPECT_EQ(values.at(R"(node_network_up{device="eth0"})"), 0);
}

TEST_F(HostCollectorTest, FileDescriptorsAndTime) {
  tree_.write("proc/sys/fs/file-nr", "639\t0\t2466186\n");
  const auto values = cycle();
  EXPECT_EQ(values.at("node_filefd_allocated"), 639);
  EXPECT_EQ(values.at("node_filefd_maximum"), 2466186);
  EXPECT_DOUBLE_EQ(values.at("node_time_seconds"), 1'700'000'000);
}

TEST_F(HostCollectorTest, PacketsOfEachProcessorAreReadFromHexadecimal) {
  tree_.write("proc/net/softnet_stat",
              "0000001a 00000002 00000003 00000000 00000000\n00010000 00000000 00000000 00000000 00000000\n");
  const auto values = cycle();
  EXPECT_EQ(values.at(R"(node_softnet_processed_total{cpu="0"})"), 26);
  EXPECT_EQ(values.at(R"(node_softnet_dropped_total{cpu="0"})"), 2);
  EXPECT_EQ(values.at(R"(node_softnet_times_squeezed_total{cpu="0"})"), 3);
  EXPECT_EQ(values.at(R"(node_softnet_processed_total{cpu="1"})"), 65536);
}

TEST_F(HostCollectorTest, SoftwareRaidWithItsDisksAndWhatItIsDoing) {
  tree_.write("proc/mdstat",
              "Personalities : [raid1] [raid0]\n"
              "md0 : active raid1 sdb1[1](F) sda1[0] sdc1[2](S)\n"
              "      248896 blocks super 1.2 [2/1] [U_]\n"
              "      bitmap: 1/2 pages [4KB], 65536KB chunk\n\n"
              "md1 : active raid5 sdf[3] sde[1] sdd[0]\n"
              "      1000 blocks level 5, 64k chunk, algorithm 2 [3/2] [UU_]\n"
              "      [==>..................]  recovery = 12.6% (126/1000) finish=1min speed=1K/sec\n\n"
              "md2 : active raid0 sdh[1] sdg[0]\n      500 blocks 512k chunks\n\n"
              "md3 : inactive sdi[0](S)\n      10 blocks\n\nunused devices: <none>\n");
  const auto values = cycle();
  EXPECT_EQ(values.at(R"(node_md_disks_required{device="md0"})"), 2);
  EXPECT_EQ(values.at(R"(node_md_disks{device="md0", state="active"})"), 1);
  EXPECT_EQ(values.at(R"(node_md_disks{device="md0", state="failed"})"), 1);
  EXPECT_EQ(values.at(R"(node_md_disks{device="md0", state="spare"})"), 1);
  EXPECT_EQ(values.at(R"(node_md_state{device="md0", state="active"})"), 1);
  EXPECT_EQ(values.at(R"(node_md_blocks{device="md0"})"), 248896);
  EXPECT_EQ(values.at(R"(node_md_state{device="md1", state="recovering"})"), 1);
  EXPECT_EQ(values.at(R"(node_md_state{device="md1", state="active"})"), 0);
  EXPECT_EQ(values.at(R"(node_md_blocks_synced{device="md1"})"), 126);
  EXPECT_EQ(values.at(R"(node_md_disks_required{device="md2"})"), 2);
  EXPECT_EQ(values.at(R"(node_md_state{device="md3", state="inactive"})"), 1);
}

TEST_F(HostCollectorTest, TemperaturesOfChipsThatAnswerQuickly) {
  tree_.write("sys/class/hwmon/hwmon0/name", "coretemp\n");
  tree_.write("sys/class/hwmon/hwmon0/temp1_input", "45000\n");
  tree_.write("sys/class/hwmon/hwmon0/temp1_crit", "100000\n");
  tree_.write("sys/class/hwmon/hwmon0/temp2_input", "44500\n");
  tree_.write("sys/class/hwmon/hwmon1/name", "drivetemp\n");
  tree_.write("sys/class/hwmon/hwmon1/temp1_input", "30000\n");
  tree_.write("sys/devices/platform/nvme/nvme0/x", "");
  tree_.write("sys/class/hwmon/hwmon2/name", "nvme\n");
  tree_.write("sys/class/hwmon/hwmon2/temp1_input", "-1000\n");
  std::filesystem::create_directory_symlink("../../../devices/platform/nvme/nvme0",
                                            tree_.root() + "sys/class/hwmon/hwmon2/device");
  const auto values = cycle();
  EXPECT_EQ(values.at(R"(node_hwmon_temp_celsius{chip="coretemp", sensor="temp1"})"), 45);
  EXPECT_EQ(values.at(R"(node_hwmon_temp_crit_celsius{chip="coretemp", sensor="temp1"})"), 100);
  EXPECT_EQ(values.at(R"(node_hwmon_temp_celsius{chip="coretemp", sensor="temp2"})"), 44.5);
  EXPECT_EQ(values.at(R"(node_hwmon_temp_celsius{chip="nvme_nvme0", sensor="temp1"})"), -1);
  EXPECT_EQ(values.at(R"(node_hwmon_chip_names{chip="nvme_nvme0", chip_name="nvme"})"), 1);
  EXPECT_FALSE(values.contains(R"(node_hwmon_temp_celsius{chip="drivetemp", sensor="temp1"})"));
}

TEST_F(HostCollectorTest, ErrorsOfMemoryAndThrottledPackagesOnce) {
  tree_.write("sys/devices/system/edac/mc/mc0/ce_count", "5\n");
  tree_.write("sys/devices/system/edac/mc/mc0/ue_count", "1\n");
  for (const auto* cpu : {"cpu0", "cpu1"}) {
    tree_.write(std::string("sys/devices/system/cpu/") + cpu + "/topology/physical_package_id", "0\n");
    tree_.write(std::string("sys/devices/system/cpu/") + cpu + "/thermal_throttle/package_throttle_count", "7\n");
  }
  const auto values = cycle();
  EXPECT_EQ(values.at(R"(node_edac_correctable_errors_total{controller="0"})"), 5);
  EXPECT_EQ(values.at(R"(node_edac_uncorrectable_errors_total{controller="0"})"), 1);
  EXPECT_EQ(values.at(R"(node_cpu_package_throttles_total{package="0"})"), 7);
}

TEST_F(HostCollectorTest, GarbageInEveryFileIsPassedOver) {
  for (const auto* path :
       {"proc/stat", "proc/meminfo", "proc/vmstat", "proc/diskstats", "proc/1/mounts", "proc/net/dev", "proc/net/snmp",
        "proc/net/netstat", "proc/net/snmp6", "proc/net/sockstat", "proc/pressure/cpu", "proc/loadavg",
        "proc/sys/fs/file-nr", "etc/os-release", "proc/mdstat", "proc/net/softnet_stat"})
    tree_.write(path, std::string("md0 : [\ncpu0\ncpu\xff x y\n: : :\nTcp: a\n\n= \0 kB\n eth0: z", 48));
  EXPECT_EQ(cycle().at("up"), 1);
}

TEST_F(HostCollectorTest, FinishEndsEverythingAndReleasesTheLabels) {
  tree_.write("proc/loadavg", "0.50 0.25 1.75 2/100 999\n");
  cycle();
  Batch batch;
  collector_->finish(kNow, batch);
  EXPECT_FALSE(batch.samples().empty());
  for (const auto& sample : batch.samples()) EXPECT_TRUE(is_stale(sample.value));
  table_.sweep();
  EXPECT_EQ(table_.size(), 0u);
}

}  // namespace
}  // namespace atalaya::collect::host
