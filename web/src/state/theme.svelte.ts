export type ThemeChoice = 'system' | 'light' | 'dark';

const storageKey = 'atalaya.theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

/** Light or dark: the person's choice, else the system's. `version` counts changes, for canvases. */
class Theme {
  choice = $state<ThemeChoice>((localStorage.getItem(storageKey) as ThemeChoice | null) ?? 'system');
  version = $state(0);

  constructor() {
    this.apply();
    prefersDark.addEventListener('change', () => this.apply());
  }

  get isDark(): boolean {
    return this.choice === 'dark' || (this.choice === 'system' && prefersDark.matches);
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(storageKey, choice);
    this.apply();
  }

  toggle(): void {
    this.choose(this.isDark ? 'light' : 'dark');
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.isDark ? 'dark' : 'light';
    this.version += 1;
  }
}

export const theme = new Theme();

/** The value of a colour token, for canvases. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
