// SPDX-License-Identifier: Apache-2.0
// Pictures that the server has kept.
import {byId, make, showProblem} from './dom.js';
import {getJson, remove} from './server.js';

let oldest = '';
let openEntry = () => {};

function entry(name) {
  const when = name.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d).*/, '$1-$2-$3 $4:$5 UTC');
  const open = make('button', {type: 'button', className: 'open', title: when, onclick: () => openEntry(name)},
    make('img', {src: `/api/history/${name}`, alt: `Picture of ${when}`, loading: 'lazy'}));
  const gone = make('button', {type: 'button', className: 'delete', title: 'Delete'}, '×');
  gone.setAttribute('aria-label', `Delete the picture of ${when}`);
  const line = make('li', {}, open, gone);
  gone.onclick = async () => {
    try {
      await remove(`/api/history/${name}`);
      line.remove();
      byId('history-empty').hidden = byId('history').children.length > 0;
    } catch (refusal) {
      showProblem(refusal.message);
    }
  };
  return line;
}

async function load(more) {
  const page = await getJson(`/api/history?limit=24${more && oldest ? `&before=${oldest}` : ''}`);
  const lines = page.names.map(entry);
  if (more) byId('history').append(...lines);
  else byId('history').replaceChildren(...lines);
  oldest = page.names.at(-1) ?? oldest;
  byId('history-more').hidden = byId('history').children.length >= page.count;
  byId('history-empty').hidden = byId('history').children.length > 0;
  byId('history-empty').textContent = page.kept ? 'Nothing was drawn yet.' : 'This server keeps no pictures.';
}

export const refreshHistory = () => load(false).catch(() => {});

export function setUpHistory(open) {
  openEntry = open;
  byId('history-more').addEventListener('click', () => load(true).catch((refusal) => showProblem(refusal.message)));
  return load(false);
}
