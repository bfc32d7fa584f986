import { rangeToQuery } from '../../lib/timerange';
import { pageRange } from '../../state/range.svelte';
import { router } from '../../state/router.svelte';
import type { Links } from './widgets/types';

/** Where widgets lead to within the app; the time range goes along, also when the address does not say it. */
export const appLinks: Links = {
  explore: (exprs) => router.href(['explore'], { q: exprs.join('\n\n'), ...rangeToQuery(pageRange.current) }),
  alert: (id) => router.href(['alerts', id]),
  host: (name) => router.href(['hosts', name], rangeToQuery(pageRange.current)),
  logs: (match, text) => router.href(['logs'], { match, text, ...rangeToQuery(pageRange.current) }),
};
