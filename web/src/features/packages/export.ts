import { packagesApi } from '../../api/packages';
import { toasts } from '../../state/toasts.svelte';

/** Saves a package as one file, named after it and its version. */
export async function exportPackage(name: string, version: string | undefined): Promise<void> {
  try {
    const url = URL.createObjectURL(await packagesApi.archive(name));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${[name, version].filter(Boolean).join('-')}.atalaya`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (reason) {
    toasts.failure(reason);
  }
}
