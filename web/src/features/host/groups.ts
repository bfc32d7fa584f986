import type { ChartQuery, ChartSpec } from '../../charts/spec';
import { quote } from '../../lib/match';

export interface Group {
  id: string;
  word: string;
  charts: ChartSpec[];
}

const realDisk = 'device!~"(loop|ram|zram|sr|fd|dm-)[0-9]*"';
const outside = 'device!~"lo|ifb[0-9]+|veth.*|docker.*|br-.*"';
const realFiles = 'fstype!~"tmpfs|ramfs|squashfs|iso9660|devtmpfs|overlay"';

/** Everything about a host, in the order in which people look. */
export function hostGroups(instance: string): Group[] {
  const own = `instance=${quote(instance)}`;
  const value = (metric: string, more = ''): string => `${metric}{${own}${more ? `,${more}` : ''}}`;
  const rate = (metric: string, more = '') => (window: string): string => `rate(${value(metric, more)}[${window}])`;
  const one = (expr: ChartQuery['expr'], name: string, tone?: string, below = false): ChartQuery => ({
    expr,
    name,
    below,
    ...(tone ? { tones: [tone] } : {}),
  });

  return [
    {
      id: 'cpu',
      word: 'Processor',
      charts: [
        {
          title: 'CPU by mode',
          help: 'Share of all cores',
          unit: 'ratio',
          stacked: true,
          top: 1,
          queries: [
            {
              expr: (window) => `avg by (mode) (rate(${value('node_cpu_seconds_total', 'mode!="idle"')}[${window}]))`,
              name: '{{mode}}',
              order: ['user', 'system', 'iowait', 'nice', 'softirq', 'irq', 'steal'],
            },
          ],
        },
        {
          title: 'Load',
          help: 'Tasks that run or wait, averaged over 1, 5 and 15 minutes',
          unit: 'count',
          queries: [
            one(value('node_load1'), '1 m', '--series-1'),
            one(value('node_load5'), '5 m', '--series-3'),
            one(value('node_load15'), '15 m', '--series-9'),
          ],
        },
        {
          title: 'Pressure',
          help: 'Share of time in which tasks waited for something',
          unit: 'ratio',
          queries: [
            one(rate('node_pressure_cpu_waiting_seconds_total'), 'CPU', '--series-1'),
            one(rate('node_pressure_memory_waiting_seconds_total'), 'memory', '--series-4'),
            one(rate('node_pressure_io_waiting_seconds_total'), 'I/O', '--series-2'),
          ],
        },
        {
          title: 'Context switches and interrupts',
          unit: 'per second',
          queries: [
            one(rate('node_context_switches_total'), 'context switches', '--series-1'),
            one(rate('node_intr_total'), 'interrupts', '--series-2'),
          ],
        },
      ],
    },
    {
      id: 'memory',
      word: 'Memory',
      charts: [
        {
          title: 'Memory',
          unit: 'bytes',
          stacked: true,
          queries: [
            one(
              `${value('node_memory_MemTotal_bytes')} - ${value('node_memory_MemFree_bytes')} - ${value('node_memory_Buffers_bytes')} - ${value('node_memory_Cached_bytes')} - ${value('node_memory_SReclaimable_bytes')}`,
              'used',
              '--series-1',
            ),
            one(value('node_memory_Buffers_bytes'), 'buffers', '--series-6'),
            one(`${value('node_memory_Cached_bytes')} + ${value('node_memory_SReclaimable_bytes')}`, 'cached', '--series-5'),
            one(value('node_memory_MemFree_bytes'), 'free', '--series-9'),
          ],
        },
        {
          title: 'Swap',
          unit: 'bytes',
          queries: [
            one(`${value('node_memory_SwapTotal_bytes')} - ${value('node_memory_SwapFree_bytes')}`, 'used', '--series-4'),
            one(value('node_memory_SwapTotal_bytes'), 'total', '--series-9'),
          ],
        },
        {
          title: 'Swapping',
          help: 'Pages moved from and to swap',
          unit: 'per second',
          queries: [
            one(rate('node_vmstat_pswpin'), 'in', '--series-1'),
            one(rate('node_vmstat_pswpout'), 'out', '--series-3', true),
          ],
        },
        {
          title: 'Page faults',
          unit: 'per second',
          queries: [
            one(rate('node_vmstat_pgfault'), 'all', '--series-1'),
            one(rate('node_vmstat_pgmajfault'), 'with a read from disk', '--series-2'),
          ],
        },
      ],
    },
    {
      id: 'disk',
      word: 'Disks',
      charts: [
        {
          title: 'Disk I/O',
          help: 'Read above zero, written below',
          unit: 'bytes/s',
          queries: [
            { expr: rate('node_disk_read_bytes_total', realDisk), name: '{{device}} read' },
            { expr: rate('node_disk_written_bytes_total', realDisk), name: '{{device}} written', below: true },
          ],
        },
        {
          title: 'Disk busy',
          help: 'Share of time in which the disk had something to do',
          unit: 'ratio',
          top: 1,
          queries: [{ expr: rate('node_disk_io_time_seconds_total', realDisk), name: '{{device}}' }],
        },
        {
          title: 'Disk operations',
          help: 'Reads above zero, writes below',
          unit: 'per second',
          queries: [
            { expr: rate('node_disk_reads_completed_total', realDisk), name: '{{device}} reads' },
            { expr: rate('node_disk_writes_completed_total', realDisk), name: '{{device}} writes', below: true },
          ],
        },
        {
          title: 'File systems used',
          unit: 'ratio',
          top: 1,
          queries: [
            {
              expr: `1 - ${value('node_filesystem_avail_bytes', realFiles)} / ${value('node_filesystem_size_bytes', realFiles)}`,
              name: '{{mountpoint}}',
            },
          ],
        },
      ],
    },
    {
      id: 'network',
      word: 'Network',
      charts: [
        mirrored('Network', 'bytes/s', 'bytes_total'),
        mirrored('Packets', 'per second', 'packets_total'),
        {
          title: 'Errors and drops',
          unit: 'per second',
          queries: [
            { expr: rate('node_network_receive_errs_total', outside), name: '{{device}} receive errors' },
            { expr: rate('node_network_transmit_errs_total', outside), name: '{{device}} send errors' },
            { expr: rate('node_network_receive_drop_total', outside), name: '{{device}} receive drops' },
            { expr: rate('node_network_transmit_drop_total', outside), name: '{{device}} send drops' },
          ],
        },
        {
          title: 'Sockets',
          unit: 'count',
          queries: [
            one(value('node_sockstat_TCP_inuse'), 'TCP in use', '--series-1'),
            one(value('node_sockstat_TCP_tw'), 'TCP time-wait', '--series-2'),
            one(value('node_sockstat_TCP_orphan'), 'TCP orphan', '--series-8'),
            one(value('node_sockstat_UDP_inuse'), 'UDP in use', '--series-3'),
          ],
        },
      ],
    },
    {
      id: 'system',
      word: 'System',
      charts: [
        {
          title: 'Processes',
          unit: 'count',
          queries: [
            one(value('node_procs_running'), 'running', '--series-1'),
            one(value('node_procs_blocked'), 'blocked', '--series-8'),
          ],
        },
        {
          title: 'New processes',
          unit: 'per second',
          queries: [one(rate('node_forks_total'), 'forks', '--series-3')],
        },
        {
          title: 'File descriptors',
          unit: 'count',
          queries: [one(value('node_filefd_allocated'), 'allocated', '--series-1')],
        },
        {
          title: 'Clock',
          help: 'How far the clock is from the time servers',
          unit: 'seconds',
          queries: [one(value('node_timex_offset_seconds'), 'offset', '--series-6')],
        },
      ],
    },
  ];

  function mirrored(title: string, unit: ChartSpec['unit'], metric: string): ChartSpec {
    return {
      title,
      help: 'Received above zero, sent below',
      unit,
      queries: [
        { expr: rate(`node_network_receive_${metric}`, outside), name: '{{device}} received' },
        { expr: rate(`node_network_transmit_${metric}`, outside), name: '{{device}} sent', below: true },
      ],
    };
  }
}

/** The checks of a host: whether each is up, and how long it takes. */
export function checkGroup(instance: string): Group {
  const own = `instance=${quote(instance)}`;
  return {
    id: 'checks',
    word: 'Checks',
    charts: [
      {
        title: 'Checks that are up',
        help: '1 is up, 0 is down',
        unit: 'count',
        top: 1,
        queries: [{ expr: `check_up{${own}}`, name: '{{check}} {{target}}', lookback: 90 }],
      },
      {
        title: 'Time that checks take',
        unit: 'seconds',
        queries: [{ expr: `check_duration_seconds{${own}}`, name: '{{check}} {{target}}', lookback: 90 }],
      },
    ],
  };
}
