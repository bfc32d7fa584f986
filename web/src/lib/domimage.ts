/** Elements that are left out of pictures bear this attribute. */
const left = '[data-no-picture]';

/** A copy with every style written into it, and canvases as images of what they show. */
function frozen(source: Element): Element {
  const copy = source.cloneNode(false) as Element;
  if (source instanceof HTMLCanvasElement) {
    const image = document.createElement('img');
    image.src = source.toDataURL();
    copyStyle(source, image);
    return image;
  }
  if (source instanceof HTMLElement || source instanceof SVGElement) copyStyle(source, copy as HTMLElement | SVGElement);
  for (const child of source.childNodes) {
    if (child instanceof Element) {
      if (!child.matches(left)) copy.append(frozen(child));
    } else if (child.nodeType === Node.TEXT_NODE) copy.append(child.cloneNode());
  }
  return copy;
}

function copyStyle(from: Element, to: HTMLElement | SVGElement): void {
  const style = getComputedStyle(from);
  let text = '';
  for (const name of style) text += `${name}:${style.getPropertyValue(name)};`;
  to.setAttribute('style', text);
}

/** Downloads an element as PNG, as it looks now. */
export async function saveElement(element: HTMLElement, name: string): Promise<void> {
  const { width, height } = element.getBoundingClientRect();
  const copy = frozen(element) as HTMLElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/1999/xhtml');
  const inside = new XMLSerializer().serializeToString(copy);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><foreignObject width="100%" height="100%">${inside}</foreignObject></svg>`;
  const image = new Image();
  // A data address: a blob's would forbid the canvas to be read.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const ratio = devicePixelRatio || 1;
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  context.drawImage(image, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('the browser could not make a picture of this');
  download(blob, `${name.toLowerCase().replace(/[^\w]+/g, '-').replace(/^-|-$/g, '') || 'widget'}.png`);
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
