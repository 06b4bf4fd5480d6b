// SPDX-License-Identifier: Apache-2.0
// The middle of the page: the picture as it forms, and what can be done with it.
import {byId, make} from './dom.js';
import {makeWipe} from './wipe.js';

/** What is shown: {url, settings, prompt, seed, maps}. */
let shown = null;
export const shownPicture = () => shown;

export function showOnly(part) {
  for (const id of ['empty', 'show', 'grid']) byId(id).hidden = id !== part;
}

const minutes = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);

const stages = {load: 'Opening the model', encode: 'Reading the picture', text: 'Reading the prompt', decode: 'Making pixels', '': 'Beginning'};

/** A job's progress in words, as a bar, and as a rough picture. */
export function showProgress(job, title = '') {
  const waits = job.state === 'queued';
  const share = job.steps > 0 ? job.step / job.steps : 0;
  const text = waits ? `Waiting: place ${job.place} in the queue`
    : job.stage === 'denoise' ? `Step ${job.step} of ${job.steps}${job.seconds_left > 0 ? `, about ${minutes(job.seconds_left)} left` : ''}`
      : `${stages[job.stage] ?? job.stage} …`;
  byId('progress-box').hidden = false;
  byId('progress-text').textContent = `${title}${job.images > 1 ? `Picture ${job.image + 1} of ${job.images}: ` : ''}${text}`;
  byId('progress').value = job.images > 0 ? (job.image + share) / job.images : share;
  if (job.preview > 0 && job.state === 'running') {
    showOnly('show');
    hideTools();
    let image = byId('pictures').querySelector('img.forming');
    if (!image) {
      image = make('img', {className: 'drawn forming', alt: 'The picture as it forms'});
      byId('pictures').className = '';
      byId('pictures').replaceChildren(image);
    }
    image.src = `/api/jobs/${job.id}/preview?${job.preview}`;
    byId('caption').textContent = '';
  }
}

export function endProgress() {
  byId('progress-box').hidden = true;
}

function hideTools() {
  byId('words-box').hidden = byId('maps').hidden = byId('picture-actions').hidden = true;
}

function showTools(picture, words) {
  shown = picture;
  byId('picture-actions').hidden = false;
  byId('save').href = picture.url;
  byId('save').download = `pladis-${picture.seed}.png`;
  byId('maps').hidden = true;
  words(picture);
}

/** Finished pictures, of which the first is what tools are about; another one is by a click. `caption` is told below. */
export function showPictures(pictures, caption, words) {
  const images = pictures.map((picture) => {
    const image = make('img', {className: 'drawn', src: picture.url, alt: picture.settings?.prompt ?? 'A picture'});
    if (pictures.length === 1) return image;
    const button = make('button', {type: 'button', className: 'open', title: `seed ${picture.seed}`}, image);
    button.onclick = () => showTools(picture, words);
    return button;
  });
  byId('pictures').className = pictures.length > 1 ? 'several' : '';
  byId('pictures').replaceChildren(...images);
  byId('caption').textContent = caption;
  showOnly('show');
  showTools(pictures[0], words);
}

/** Without and with PLADIS. */
export function showComparison(without, withIt, caption, words) {
  byId('pictures').className = '';
  byId('pictures').replaceChildren(makeWipe(without.url, withIt.url, 'without', 'with'));
  byId('caption').textContent = caption;
  showOnly('show');
  showTools(withIt, words);
}
