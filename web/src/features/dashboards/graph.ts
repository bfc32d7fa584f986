/** What stands in a map of dependencies, and where. */
export interface GraphNode {
  id: string;
  /** Hosts, rules, collectors: decides the order within a layer when nothing else does. */
  kind: string;
  title: string;
}

export interface Edge {
  from: string;
  to: string;
}

export interface Placed extends GraphNode {
  layer: number;
  /** Place within the layer, from the top. */
  row: number;
}

/** Only what hangs together with `root`, in either direction; all when nothing is called that. */
export function around<T extends { id: string }>(nodes: T[], edges: Edge[], root: string | undefined): { nodes: T[]; edges: Edge[] } {
  const start = root && nodes.find(({ id }) => id === root || id.endsWith(`:${root}`));
  if (!start) return { nodes, edges };
  const seen = new Set([start.id]);
  for (const [from, to] of [['from', 'to'], ['to', 'from']] as const) {
    const queue = [start.id];
    while (queue.length > 0) {
      const at = queue.pop()!;
      for (const edge of edges) {
        if (edge[from] !== at || (seen.has(edge[to]) && edge[to] !== start.id)) continue;
        if (!seen.has(edge[to])) queue.push(edge[to]);
        seen.add(edge[to]);
      }
    }
  }
  return {
    nodes: nodes.filter(({ id }) => seen.has(id)),
    edges: edges.filter(({ from, to }) => seen.has(from) && seen.has(to)),
  };
}

/** The layer of each node: one more than that of everything that depends on it. Edges of circles are left out. */
function layersOf(nodes: GraphNode[], edges: Edge[]): Map<string, number> {
  const incoming = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) if (from !== to) incoming.get(to)?.push(from);
  const layers = new Map<string, number>();
  const open = new Set<string>();
  const layerOf = (id: string): number => {
    const known = layers.get(id);
    if (known !== undefined) return known;
    if (open.has(id)) return -1; // a circle
    open.add(id);
    let layer = 0;
    for (const from of incoming.get(id) ?? []) layer = Math.max(layer, layerOf(from) + 1);
    open.delete(id);
    layers.set(id, layer);
    return layer;
  };
  for (const { id } of nodes) layerOf(id);
  return layers;
}

/**
 * Places nodes in layers from left to right, what depends on something to the left of it. Within a
 * layer they stand near their neighbours, so that few lines cross.
 */
export function layered(nodes: GraphNode[], edges: Edge[]): Placed[] {
  const layers = layersOf(nodes, edges);
  const columns: GraphNode[][] = [];
  // What stands alone waits at the end, with the hosts that others depend on.
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const last = Math.max(0, ...layers.values());
  for (const { id } of nodes) if (!linked.has(id)) layers.set(id, last);
  const sorted = [...nodes].sort((a, b) => a.kind.localeCompare(b.kind) || a.title.localeCompare(b.title, undefined, { numeric: true }));
  for (const node of sorted) (columns[layers.get(node.id)!] ??= []).push(node);
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
    neighbours.set(to, [...(neighbours.get(to) ?? []), from]);
  }
  const rows = new Map<string, number>();
  const count = (): void => columns.forEach((column) => column.forEach(({ id }, row) => rows.set(id, row - column.length / 2)));
  count();
  for (let sweep = 0; sweep < 6; sweep += 1) {
    const order = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const column of order) {
      const middle = new Map(
        column.map(({ id }) => {
          const around = (neighbours.get(id) ?? []).map((other) => rows.get(other)!);
          return [id, around.length > 0 ? around.reduce((sum, row) => sum + row, 0) / around.length : rows.get(id)!];
        }),
      );
      column.sort((a, b) => middle.get(a.id)! - middle.get(b.id)!);
      count();
    }
  }
  return columns.flatMap((column, layer) => column.map((node, row) => ({ ...node, layer, row })));
}
