import type { Value } from '../../../api/packages';
import { isFields } from '../values';

/** Words that YAML's core schema, or an older reader, takes for something else than text. */
const special = /^(true|false|null|yes|no|on|off|~|y|n|\.nan|[-+]?\.inf)$/i;

/** A text so that YAML reads it back: plain where that is safe. */
export function yamlText(text: string, inFlow = false): string {
  const isPlain =
    /^[A-Za-z_/.][^\n\t]*$/.test(text) &&
    !special.test(text) &&
    !/:(\s|$)|\s#|\s$/.test(text) &&
    !(inFlow && /[,[\]{}]/.test(text)) &&
    !/^[.\d][\d.eE+-]*$/.test(text) &&
    !/^(---|\.\.\.)/.test(text) &&
    // eslint-disable-next-line no-control-regex
    !/[\u0000-\u001f\u007f-\u009f\ufeff]/.test(text);
  if (isPlain) return text;
  // eslint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f-\u009f\ufeff]/.test(text) ? JSON.stringify(text) : `'${text.replace(/'/g, "''")}'`;
}

function scalar(value: Value): string {
  if (value === null) return 'null';
  return typeof value === 'string' ? yamlText(value) : String(value);
}

const isEmpty = (value: Value): boolean => (Array.isArray(value) ? value.length === 0 : isFields(value) && Object.keys(value).length === 0);
const emptyText = (value: Value): string => (Array.isArray(value) ? '[]' : '{}');

/** A value as YAML in block style, two spaces deep each. */
export function toYaml(value: Value, indent = 0): string {
  const pad = ' '.repeat(indent);
  if (isEmpty(value)) return `${pad}${emptyText(value)}\n`;
  if (Array.isArray(value)) {
    return value.map((one) => `${pad}- ${toYaml(one, indent + 2).trimStart()}`).join('');
  }
  if (!isFields(value)) return `${pad}${text(value, pad)}\n`;
  return Object.entries(value)
    .map(([key, one]) => {
      const name = pad + yamlText(key);
      if (typeof one !== 'object' || one === null) return `${name}: ${text(one, `${pad}  `)}\n`;
      return isEmpty(one) ? `${name}: ${emptyText(one)}\n` : `${name}:\n${toYaml(one, indent + 2)}`;
    })
    .join('');
}

/** A text of several lines as a `|` block where a block can say it. */
function text(value: Value, pad: string): string {
  if (typeof value !== 'string' || !/^[^\s][^\r]*\n/.test(value) || /[^\S\n]+\n/.test(value)) return scalar(value);
  const end = value.endsWith('\n') ? (value.endsWith('\n\n') ? '+' : '') : '-';
  const lines = value.replace(/\n$/, '').split('\n');
  return `|${end}\n${lines.map((line) => (line ? (pad || '  ') + line : '')).join('\n')}`;
}
