import type { Page } from 'playwright-core';

/** Least contrast of text that WCAG AA asks for; of large or bold-and-larger text less. */
const SCRIPT_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const behind = (element) => {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === '' || element.closest('svg, .hidden, .skip, script, title') !== null) continue;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (box.width === 0 || style.visibility === 'hidden' || parseFloat(style.fontSize) === 0) continue;
    const below = behind(element);
    const [light, dark] = [luminance(over(rgba(style.color), below)), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) found.push(text.slice(0, 40) + ' ' + ratio.toFixed(2) + ' ' + (element.className || element.tagName));
  }
  return [...new Set(found)];
})()`;

const SCRIPT_LABELS = `(() => {
  const nameOf = (element) => {
    const labels = [...(element.labels ?? [])].map((label) => label.textContent.trim()).join(' ');
    const referred = document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent ?? '';
    return (element.getAttribute('aria-label') ?? '') + labels + referred + element.textContent.trim();
  };
  const found = [];
  for (const element of document.querySelectorAll('a, button, input, select, textarea, dialog, [role=img], progress, meter')) {
    if (nameOf(element) === '') found.push(element.outerHTML.slice(0, 120));
  }
  const headings = [...document.querySelectorAll('h1')];
  if (headings.length !== 1) found.push(headings.length + ' h1');
  if (document.documentElement.lang === '') found.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids.filter((each, index) => ids.indexOf(each) !== index)) found.push('id twice: ' + id);
  return found;
})()`;

/** Texts of a page whose contrast is below what WCAG AA asks for: with what, and where. */
export function contrastsOf(page: Page): Promise<string[]> {
  return page.evaluate(SCRIPT_CONTRAST);
}

/** What can be used on a page and has no name; and what a page must have and has not. */
export function labelsOf(page: Page): Promise<string[]> {
  return page.evaluate(SCRIPT_LABELS);
}
