// Where the nodes of a wait-for graph stand. Those who wait stand left of whom
// they wait for, so edges point to the right; a cycle stands as a ring.

/**
 * components finds the strongly connected ones, by Tarjan's algorithm. Each comes
 * after all that it leads to.
 */
export function components(nodes, next) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const onStack = new Set();
  const found = [];

  function visit(node) {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    onStack.add(node);
    for (const to of next.get(node) ?? []) {
      if (!index.has(to)) {
        visit(to);
        low.set(node, Math.min(low.get(node), low.get(to)));
      } else if (onStack.has(to)) {
        low.set(node, Math.min(low.get(node), index.get(to)));
      }
    }
    if (low.get(node) !== index.get(node)) return;
    const component = [];
    let top;
    do {
      top = stack.pop();
      onStack.delete(top);
      component.push(top);
    } while (top !== node);
    found.push(component.reverse());
  }

  for (const node of nodes) if (!index.has(node)) visit(node);
  return found;
}

/**
 * place returns the middle of each node and the size of the whole, for nodes of
 * one size: {at: Map of node to {x, y}, width, height}.
 */
export function place(nodes, edges, { width, height, gapX, gapY }) {
  const next = new Map(nodes.map((node) => [node, []]));
  for (const { from, to } of edges) next.get(from).push(to);
  const groups = components(nodes, next).map((members) => ({ members, ...ring(members, width, height, gapX, gapY) }));
  const groupOf = new Map(groups.flatMap((group) => group.members.map((node) => [node, group])));

  // A group's layer is how far it is from those who wait for nobody.
  for (const group of groups) {
    group.next = [...new Set(group.members.flatMap((node) => next.get(node)).map((to) => groupOf.get(to)))].filter((to) => to !== group);
    group.layer = Math.max(-1, ...group.next.map((to) => to.layer)) + 1;
  }
  const layers = [];
  for (const group of groups) (layers[group.layer] ??= []).push(group);

  // In a layer, from right to left, each stands as near as may be to whom it waits for.
  const at = new Map();
  let x = 0;
  let bottom = 0;
  for (const layer of layers) {
    const wide = Math.max(...layer.map((group) => group.width));
    for (const group of layer) {
      const ys = group.members.flatMap((node) => next.get(node)).filter((to) => at.has(to)).map((to) => at.get(to).y);
      group.wish = ys.length > 0 ? ys.reduce((a, b) => a + b) / ys.length : Infinity;
    }
    layer.sort((a, b) => a.wish - b.wish);
    let y = 0;
    for (const group of layer) {
      if (group.wish !== Infinity) y = Math.max(y, group.wish - group.height / 2);
      for (const [i, node] of group.members.entries()) {
        at.set(node, { x: x - wide / 2 + group.spots[i].x, y: y + group.height / 2 + group.spots[i].y });
      }
      y += group.height + gapY;
    }
    bottom = Math.max(bottom, y - gapY);
    x -= wide + gapX;
  }
  const left = x + gapX;
  for (const spot of at.values()) spot.x -= left;
  return { at, width: -left, height: bottom };
}

// ring places the members of a group around its middle, clockwise.
function ring(members, width, height, gapX, gapY) {
  const n = members.length;
  if (n === 1) return { spots: [{ x: 0, y: 0 }], width, height };
  if (n === 2) return { spots: [{ x: 0, y: -(height + gapY) }, { x: 0, y: height + gapY }], width: width + gapX, height: 3 * height + 2 * gapY };
  const rx = Math.max(width * 0.75, (n * width) / 4);
  const ry = Math.max(height * 1.6, (n * (height + gapY)) / 4);
  const spots = members.map((_, i) => {
    const angle = (2 * Math.PI * i) / n - Math.PI / 2;
    return { x: rx * Math.cos(angle), y: ry * Math.sin(angle) };
  });
  return { spots, width: 2 * rx + width, height: 2 * ry + height };
}
