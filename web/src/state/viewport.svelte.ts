const query = matchMedia('(max-width: 720px)');

/** Whether the page is as narrow as a phone: cards instead of tables. */
class Viewport {
  narrow = $state(query.matches);

  constructor() {
    query.addEventListener('change', () => (this.narrow = query.matches));
  }
}

export const viewport = new Viewport();
