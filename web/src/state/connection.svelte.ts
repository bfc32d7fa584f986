import { live, type LiveStatus } from '../api/live';

/** The state of the live socket, and since when it is so (unix seconds). */
class Connection {
  status = $state<LiveStatus>(live.status);
  since = $state(Date.now() / 1000);

  constructor() {
    live.onStatus((status) => {
      this.status = status;
      this.since = Date.now() / 1000;
    });
  }
}

export const connection = new Connection();
