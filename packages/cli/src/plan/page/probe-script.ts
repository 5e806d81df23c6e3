// The page's only script: a slider or the pointer over a chart shows the row of its table. All it shows stands in the table.
import { createHash } from 'node:crypto';

export const PROBE_SCRIPT = `
for (const probe of document.querySelectorAll('.probe')) {
  const table = document.getElementById(probe.dataset.table);
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.replace(/\\s+/g, ' '));
  const slider = probe.querySelector('input');
  const output = probe.querySelector('output');
  const figure = probe.closest('figure');
  const cursors = figure.querySelectorAll('.cursor');
  const show = () => {
    const row = rows[slider.value];
    output.replaceChildren(...[...row.cells].flatMap((cell, at) => {
      const text = cell.title || cell.textContent;
      if (text === '') return [];
      const part = document.createElement('span');
      const value = document.createElement('b');
      value.textContent = text;
      part.append(heads[at] + ' ', value);
      return [part];
    }));
    for (const cursor of cursors) {
      cursor.setAttribute('x1', row.dataset.at);
      cursor.setAttribute('x2', row.dataset.at);
    }
  };
  const places = rows.map((row) => parseFloat(row.dataset.at) / 100);
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    let nearest = 0;
    places.forEach((place, at) => {
      if (Math.abs(place - share) < Math.abs(places[nearest] - share)) nearest = at;
    });
    slider.value = nearest;
    show();
  };
  for (const canvas of figure.querySelectorAll('.canvas')) {
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerdown', point);
  }
  slider.addEventListener('input', show);
  figure.classList.add('probed');
  probe.hidden = false;
  show();
}
`;

/** What the page's policy allows to run: this script and no other. */
export function scriptHash(): string {
  return `sha256-${createHash('sha256').update(PROBE_SCRIPT).digest('base64')}`;
}
