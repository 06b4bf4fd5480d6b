// SPDX-License-Identifier: Apache-2.0
// A table of pictures: one option from left to right, another from top to bottom.
import {byId, make, showProblem} from './dom.js';
import {cancelJob, followJob, startJob} from './server.js';
import {optionRows, readFields} from './controls.js';

const readable = {pladis: 'λ (pladis)', 'pladis-alpha': 'α (pladis-alpha)', 'cfg-scale': 'guidance (cfg-scale)'};

export function setUpGrid() {
  const usable = optionRows().filter((row) => row.of_picture && !row.upload && row.type !== 'flag' && row.name !== 'lora');
  for (const [id, first] of [['grid-x', 'pladis'], ['grid-y', 'seed']]) {
    byId(id).replaceChildren(...usable.map((row) => make('option', {value: row.name}, readable[row.name] ?? row.name)));
    byId(id).value = first;
  }
}

/** Values stand between commas, or between semicolons where there is one. */
const valuesOf = (text) => text.split(text.includes(';') ? ';' : ',').map((value) => value.trim()).filter(Boolean);

/** A number where the option is one. */
function valueFor(name, text) {
  const row = optionRows().find((option) => option.name === name);
  return row && (row.type === 'integer' || row.type === 'number') && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

/** Draw all cells, the rows one after the other. `started` is told of each job, to cancel it. */
export async function drawGrid(started, progress) {
  const [x, y] = [byId('grid-x').value, byId('grid-y').value];
  const [xs, ys] = [valuesOf(byId('grid-x-values').value), valuesOf(byId('grid-y-values').value)];
  if (xs.length === 0 || ys.length === 0 || xs.length * ys.length > 100) {
    showProblem('Give one value or more for each direction, and no more than 100 pictures.');
    return;
  }
  const fields = {...readFields(), batch_count: 1};
  fields.seed ??= Math.floor(Math.random() * 2 ** 31);
  const cells = ys.map(() => xs.map(() => make('td', {}, '…')));
  const head = make('tr', {}, make('th', {scope: 'col'}, `${y} \\ ${x}`), ...xs.map((value) => make('th', {scope: 'col'}, value)));
  byId('grid').replaceChildren(make('table', {}, make('thead', {}, head), make('tbody', {},
    ...ys.map((value, i) => make('tr', {}, make('th', {scope: 'row'}, value), ...cells[i])))));
  byId('grid').hidden = false;
  let stopped = false;
  for (let i = 0; i < ys.length && !stopped; i++) {
    for (let j = 0; j < xs.length && !stopped; j++) {
      progress(i * xs.length + j, xs.length * ys.length);
      const job = await startJob({...fields, [x.replaceAll('-', '_')]: valueFor(x, xs[j]), [y.replaceAll('-', '_')]: valueFor(y, ys[i])});
      started(() => { stopped = true; cancelJob(job.id); });
      const done = await followJob(job.id, () => {});
      if (done.state === 'done') {
        cells[i][j].replaceChildren(make('img', {src: done.pictures[0].url, alt: `${y} ${ys[i]}, ${x} ${xs[j]}`}));
      } else {
        cells[i][j].textContent = done.error ?? done.state;
        stopped = done.state === 'cancelled';
      }
    }
  }
}
