// SPDX-License-Identifier: Apache-2.0
// Where the words of a prompt act: heat over the picture, of dense and of sparse attention.
import {byId, loadImage, make} from './dom.js';

/** Words of a prompt that can be asked for, each once. */
export function wordsOf(prompt) {
  const words = prompt.replace(/<[^>]*>/g, ' ').split(/[\s,.;:!?()[\]{}"]+/).map((word) => word.replace(/^[-']+|[-']+$/g, ''))
    .filter((word) => word.length > 0 && !/^[\d.]+$/.test(word) && word !== 'BREAK');
  return [...new Set(words)].slice(0, 32);
}

/** A share of the largest as a colour: dark, violet, orange, yellow. */
function heat(share) {
  const stops = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
  const at = Math.min(0.9999, Math.max(0, share)) * (stops.length - 1);
  const from = stops[Math.floor(at)], to = stops[Math.floor(at) + 1], part = at - Math.floor(at);
  return from.map((value, i) => Math.round(value + part * (to[i] - value)));
}

async function overlay(picture, mapUrl, caption) {
  const map = await loadImage(mapUrl);
  const small = make('canvas', {width: map.naturalWidth, height: map.naturalHeight});
  const draw = small.getContext('2d');
  draw.drawImage(map, 0, 0);
  const pixels = draw.getImageData(0, 0, small.width, small.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const share = pixels.data[i] / 255;
    const [r, g, b] = heat(share);
    pixels.data.set([r, g, b, 110 + 120 * share], i);
  }
  draw.putImageData(pixels, 0, 0);
  const canvas = make('canvas', {width: picture.naturalWidth, height: picture.naturalHeight});
  const whole = canvas.getContext('2d');
  whole.filter = 'grayscale(1)';
  whole.drawImage(picture, 0, 0);
  whole.filter = 'none';
  whole.drawImage(small, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', caption);
  return make('figure', {}, canvas, make('figcaption', {}, caption));
}

/** Show the maps of a word beside each other. */
export async function showMaps(map, pictureUrl) {
  const picture = await loadImage(pictureUrl);
  const most = `white is ${(100 * map.most).toFixed(1)} % of a place’s attention`;
  byId('maps').replaceChildren(await overlay(picture, map.dense, `“${map.word}”, dense (softmax)`),
    await overlay(picture, map.sparse, `“${map.word}”, sparse (α-entmax); ${most}`));
  byId('maps').hidden = false;
}
