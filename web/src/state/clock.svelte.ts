let ahead = 0;

/** The viewer's clock in unix seconds, moving once a second while the page is seen. */
class Clock {
  now = $state(nowSeconds());

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = nowSeconds();
    }, 1000);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.now = nowSeconds();
    });
  }
}

export const clock = new Clock();

export function nowSeconds(): number {
  return Date.now() / 1000 + ahead;
}

/** For a page that knows the server's clock to be ahead of this browser's by some seconds. */
export function correctClock(seconds: number): void {
  ahead = seconds;
  clock.now = nowSeconds();
}
