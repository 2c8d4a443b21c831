// Small means of making and changing elements. Texts get into the page as text
// nodes only, never as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/** h makes an HTML element: h('td', {class: 'num'}, 'text', child, …). */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** s makes an SVG element. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** setAttribute sets, changes or, with null or false, removes; and does nothing if nothing changes. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** setText does nothing if nothing changes: selections stay, and nothing is laid out again. */
export function setText(element, text) {
  const only = element.childNodes.length === 1 && element.firstChild.nodeType === Node.TEXT_NODE ? element.firstChild : null;
  if (only === null) element.textContent = text;
  else if (only.data !== text) only.data = text;
}

/** setHidden as well. */
export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/**
 * arrange makes the given nodes the children of a parent, in this order. Those
 * that stay are moved only if they must, and what has the focus keeps it.
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** Keyed keeps an element for each key as long as it is shown. */
export class Keyed {
  #elements = new Map();

  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
  }

  /** draw shows items: key(item) says which is which; element.draw(item) changes one. */
  draw(items, key) {
    const shown = new Map();
    for (const item of items) {
      const id = key(item);
      const element = this.#elements.get(id) ?? this.make(item);
      element.draw(item);
      shown.set(id, element);
    }
    this.#elements = shown;
    arrange(this.parent, [...shown.values()].map((element) => element.node));
  }

  get(id) {
    return this.#elements.get(id);
  }
}
