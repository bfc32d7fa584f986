import { dashboardsApi, type Dashboard, type GridSection } from '../../api/dashboards';
import { packagesApi, type Address } from '../../api/packages';

/** A dashboard, or a page that is a grid, with what saving it needs to know. */
export interface GridItem extends Dashboard {
  section: GridSection;
}

/** The path of a file within the folder of packages, as changes name it. */
export function fileWithin(file: string | undefined): string {
  return (file ?? '').replace(/^.*\/packages\/[^/]+\//, '');
}

export function addressOf(item: Pick<GridItem, 'section' | 'package' | 'path'>): Address {
  return { package: item.package, section: item.section, path: item.path };
}

/** What the change is based on: refused when the file is another by then. */
export function baseOf({ file, hash }: Pick<GridItem, 'file' | 'hash'>): Record<string, string> {
  return file && hash ? { [fileWithin(file)]: hash } : {};
}

/** `id`: the package, then the path. */
export async function loadGrid(section: GridSection, id: string[], signal?: AbortSignal): Promise<GridItem> {
  if (section === 'dashboards') return { ...(await dashboardsApi.one(id, signal)), section };
  const [owner = '', ...path] = id;
  const item = await packagesApi.item({ package: owner, section, path }, signal);
  const fields = (item.effective ?? item.written ?? {}) as unknown as Partial<Dashboard>;
  return {
    id: item.id,
    package: item.package,
    path: item.path,
    section,
    file: item.file,
    hash: item.hash,
    ...(item.writable === undefined ? {} : { writable: item.writable }),
    title: fields.title ?? '',
    ...(fields.help ? { help: fields.help } : {}),
    ...(fields.range ? { range: fields.range } : {}),
    ...(fields.variables ? { variables: fields.variables } : {}),
    widgets: fields.widgets ?? [],
  };
}
