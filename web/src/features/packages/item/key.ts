import { yamlText } from '../form/emit';

/** The text of a list's item with its name: in the line that says it, else in a first one. */
export function withKey(yaml: string, key: string, name: string): string {
  const line = `${key}: ${yamlText(name, true)}`;
  const said = new RegExp(`^${key.replace(/[^\w-]/g, '\\$&')}:.*$`, 'm');
  return said.test(yaml) ? yaml.replace(said, () => line) : `${line}\n${yaml}`;
}
