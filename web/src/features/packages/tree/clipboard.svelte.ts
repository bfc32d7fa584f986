/** An item or a group that was copied or cut: kept while one moves from package to package. */
export interface Clip {
  cut: boolean;
  package: string;
  section: string;
  path: string[];
}

class Clipboard {
  clip = $state.raw<Clip | undefined>(undefined);

  put(clip: Clip): void {
    this.clip = clip;
  }

  clear(): void {
    this.clip = undefined;
  }

  /** Whether this row is waiting to be moved. */
  isCut(name: string, section: string, path: string[]): boolean {
    const clip = this.clip;
    return Boolean(clip?.cut && clip.package === name && clip.section === section && clip.path.join('/') === path.join('/'));
  }
}

export const clipboard = new Clipboard();
