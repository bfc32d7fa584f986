import { ApiError } from '../../../api/errors';
import { packagesApi } from '../../../api/packages';

export interface InstallPlan {
  name: string;
  /** An older version is there. */
  upgrade: boolean;
  title: string;
  /** What it takes the place of, as the server tells it from others. */
  replaces?: string;
}

/** What an archive would do here. Throws what the server says against it. */
export async function planInstall(bytes: Blob): Promise<InstallPlan> {
  try {
    const { package: name, version } = await packagesApi.install(bytes, { preview: true });
    return { name, upgrade: false, title: `Install ${name} ${version}` };
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.status !== 409) throw reason;
  }
  // A package of that name is there: it is older, or the server says what is in the way.
  const { package: name, version, replaces } = await packagesApi.install(bytes, { upgrade: true, preview: true });
  const { version: before } = await packagesApi.detail(name);
  return { name, upgrade: true, title: `Upgrade ${name} from ${before} to ${version}`, ...(replaces && { replaces }) };
}
