import { router } from '../../state/router.svelte';

/** Asks before unsaved changes are left behind. One for each thing that is edited. */
export class Leave {
  /** Where the person wants to go; a question is open while this is set. */
  going = $state.raw<(() => void) | undefined>(undefined);

  constructor(private readonly isDirty: () => boolean) {}

  /** For an $effect. */
  watch(): () => void {
    const end = router.hold((go) => {
      if (!this.isDirty()) return true;
      this.going = go;
      return false;
    }, ['file', 'view', 'new']);
    const onUnload = (event: BeforeUnloadEvent): void => {
      if (this.isDirty()) event.preventDefault();
    };
    window.addEventListener('beforeunload', onUnload);
    return () => {
      end();
      window.removeEventListener('beforeunload', onUnload);
    };
  }

  stay(): void {
    this.going = undefined;
  }

  go(): void {
    const going = this.going;
    this.going = undefined;
    going?.();
  }
}
