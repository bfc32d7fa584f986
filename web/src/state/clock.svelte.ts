/** The viewer's clock in unix seconds, moving once a second while the page is seen. */
class Clock {
  now = $state(Date.now() / 1000);

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = Date.now() / 1000;
    }, 1000);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.now = Date.now() / 1000;
    });
  }
}

export const clock = new Clock();

export function nowSeconds(): number {
  return Date.now() / 1000;
}
