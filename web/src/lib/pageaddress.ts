/** What stands below `/p/` in the address of a page, as the UI takes it along: nothing for the list of all; undefined elsewhere. */
export function partBelow(root: URL, address: string): string | undefined {
  const pages = new URL('p/', root).href;
  return address.startsWith(pages) ? address.slice(pages.length) : undefined;
}

/**
 * The address of the page that `part` names, of the list of all where it names none. Undefined for anything that leads elsewhere: another origin, another
 * place of this one, the data below `/p/-/`.
 */
export function pageAddress(root: URL, part: string): string | undefined {
  const pages = new URL('p/', root);
  if (part === '') return pages.href;
  let found: URL;
  try {
    // With "./" in front it is a path whatever it begins with.
    found = new URL(`./${part}`, pages);
  } catch {
    return undefined;
  }
  const below = found.pathname.slice(pages.pathname.length);
  const isWithin = found.origin === pages.origin && found.pathname.startsWith(pages.pathname);
  return isWithin && /^[A-Za-z0-9]/.test(below) ? found.href : undefined;
}
