// Just enough PromQL for the development server: the subset that the pages use, evaluated over
// series that are functions of time: {labels, at(t)}.

function tokenize(text) {
  const pattern = /\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|=~|!~|!=|==|>=|<=|[-+*/(){},=<>]|[a-zA-Z_:][\w:]*|\d+(?:\.\d+)?(?:e[-+]?\d+)?)/gy;
  const tokens = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    tokens.push(match[1]);
    end = match.index + match[0].length;
  }
  if (text.slice(end).trim()) throw new Error(`unexpected "${text.slice(end, end + 10)}"`);
  return tokens;
}

const aggregates = {
  sum: (v) => v.reduce((a, b) => a + b, 0),
  avg: (v) => v.reduce((a, b) => a + b, 0) / v.length,
  min: (v) => Math.min(...v),
  max: (v) => Math.max(...v),
  count: (v) => v.length,
};

const operators = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};
const comparisons = {
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

const bare = (labels) => {
  const { __name__, ...rest } = labels;
  return rest;
};
const keyOf = (labels) => JSON.stringify(Object.entries(bare(labels)).sort());

/** → (t, find) => number | [{metric, value}] */
export function parse(text) {
  const tokens = tokenize(text);
  let at = 0;
  const peek = () => tokens[at];
  const take = (wanted) => {
    if (wanted && tokens[at] !== wanted) throw new Error(`expected "${wanted}", found "${tokens[at] ?? 'the end'}"`);
    return tokens[at++];
  };
  const levels = [['==', '!=', '>', '<', '>=', '<='], ['+', '-'], ['*', '/']];

  function binary(level) {
    if (level === levels.length) return primary();
    let left = binary(level + 1);
    while (levels[level].includes(peek())) left = combine(take(), left, binary(level + 1));
    return left;
  }

  function combine(op, left, right) {
    const apply = (a, b) => (operators[op] ? operators[op](a, b) : comparisons[op](a, b) ? a : undefined);
    return (t, find) => {
      const [l, r] = [left(t, find), right(t, find)];
      if (typeof l === 'number' && typeof r === 'number') return apply(l, r);
      const keep = (metric, value) => (value === undefined ? [] : [{ metric: operators[op] ? bare(metric) : metric, value }]);
      if (typeof r === 'number') return l.flatMap((e) => keep(e.metric, apply(e.value, r)));
      if (typeof l === 'number') return r.flatMap((e) => keep(e.metric, apply(l, e.value)));
      const others = new Map(r.map((e) => [keyOf(e.metric), e.value]));
      return l.flatMap((e) => {
        const other = others.get(keyOf(e.metric));
        return other === undefined ? [] : keep(e.metric, apply(e.value, other));
      });
    };
  }

  function primary() {
    const token = take();
    if (token === '(') {
      const inside = binary(0);
      take(')');
      return inside;
    }
    if (token === '-') {
      const inside = primary();
      return combine('*', () => -1, inside);
    }
    if (/^\d/.test(token ?? '')) return () => Number(token);
    if (token === 'rate') {
      take('(');
      const inside = selector(take());
      take(')');
      return inside;
    }
    if (aggregates[token] && (peek() === '(' || peek() === 'by')) return aggregate(token);
    if (token && /^[a-zA-Z_:{]/.test(token)) return selector(token);
    throw new Error(`unexpected "${token ?? 'the end'}"`);
  }

  function names() {
    const list = [];
    take('by');
    take('(');
    while (peek() !== ')') {
      list.push(take());
      if (peek() === ',') take();
    }
    take(')');
    return list;
  }

  function aggregate(name) {
    let by = peek() === 'by' ? names() : undefined;
    take('(');
    const inside = binary(0);
    take(')');
    if (!by && peek() === 'by') by = names();
    return (t, find) => {
      const groups = new Map();
      for (const { metric, value } of inside(t, find)) {
        const labels = Object.fromEntries((by ?? []).filter((n) => n in metric).map((n) => [n, metric[n]]));
        const key = JSON.stringify(labels);
        if (!groups.has(key)) groups.set(key, { metric: labels, values: [] });
        groups.get(key).values.push(value);
      }
      return [...groups.values()].map((g) => ({ metric: g.metric, value: aggregates[name](g.values) }));
    };
  }

  function selector(first) {
    const matchers = [];
    let token = first;
    if (token !== '{') {
      const name = token;
      matchers.push((labels) => labels.__name__ === name);
      token = peek() === '{' ? take() : undefined;
    }
    if (token === '{') {
      while (peek() !== '}') {
        const [label, op, value] = [take(), take(), JSON.parse(take())];
        const pattern = op.endsWith('~') ? new RegExp(`^(?:${value})$`) : undefined;
        const hit = (labels) => (pattern ? pattern.test(labels[label] ?? '') : (labels[label] ?? '') === value);
        matchers.push(op.startsWith('!') ? (labels) => !hit(labels) : hit);
        if (peek() === ',') take();
      }
      take('}');
    }
    const window = /^\[/.test(peek() ?? '') ? Number(/\d+/.exec(take())[0]) : undefined;
    return (t, find) =>
      find((labels) => matchers.every((m) => m(labels))).flatMap(({ labels, at: value }) => {
        const now = value(t);
        if (now === undefined) return [];
        if (!window) return [{ metric: labels, value: now }];
        const before = value(t - window);
        return before === undefined ? [] : [{ metric: bare(labels), value: Math.max(0, (now - before) / window) }];
      });
  }

  const result = binary(0);
  if (at < tokens.length) throw new Error(`unexpected "${peek()}"`);
  return result;
}
