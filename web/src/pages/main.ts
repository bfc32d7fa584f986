// The pages of packages: the server makes them; this puts live widgets into them.
import '../app.css';
import './page.css';
import { mount, unmount } from 'svelte';
import { readBy } from '../api/client';
import { theme } from '../state/theme.svelte';
import { askAsPage } from './door';
import PageWidget from './PageWidget.svelte';
import { readWidget } from './read';
import { leadToSignIn } from './signin';

readBy(askAsPage);
leadToSignIn();
// Within a dashboard the UI would open inside of itself.
if (window.top !== window) document.querySelectorAll<HTMLAnchorElement>('.at-head a').forEach((way) => (way.target = '_top'));

// A dashboard that shows the page says how it looks itself.
const wanted = new URLSearchParams(location.search).get('theme');
if (wanted === 'dark' || wanted === 'light') {
  theme.choice = wanted;
  document.documentElement.dataset.theme = wanted;
  theme.version += 1;
}

/** `<at-widget spec="{…}">`: the server writes it, never a template's own text. */
class WidgetElement extends HTMLElement {
  private shown: Record<string, unknown> | undefined;

  connectedCallback(): void {
    const spec = this.getAttribute('spec');
    const read = readWidget(spec);
    this.dataset.kind = 'kind' in read ? read.kind : 'fault';
    this.shown ??= mount(PageWidget, { target: this, props: { spec } });
  }

  disconnectedCallback(): void {
    if (this.shown) void unmount(this.shown);
    this.shown = undefined;
  }
}

customElements.define('at-widget', WidgetElement);
