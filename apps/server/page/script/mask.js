// SPDX-License-Identifier: Apache-2.0
// The picture to start from, and the mask that is painted over it: with a pointer or with keys.
import {byId, dataUrl, loadImage} from './dom.js';

let picture = null; // {url, image}
let strokes = null; // canvas of the mask: white where it is painted
let painted = false;
const cursor = {x: 0, y: 0, shown: false};

/** What a job is given: data URLs, or null. */
export function initPicture() {
  if (!picture) return {image: null, mask: null};
  return {image: picture.url, mask: painted ? maskUrl() : null};
}

function maskUrl() {
  const out = document.createElement('canvas');
  out.width = strokes.width;
  out.height = strokes.height;
  const draw = out.getContext('2d');
  draw.fillStyle = '#000';
  draw.fillRect(0, 0, out.width, out.height);
  draw.drawImage(strokes, 0, 0);
  return out.toDataURL('image/png');
}

const brush = () => Number(byId('brush').value) / 100 * Math.max(strokes.width, strokes.height) / 2;

/** The mask in a colour that is seen on most pictures. */
function tinted() {
  const copy = document.createElement('canvas');
  copy.width = strokes.width;
  copy.height = strokes.height;
  const draw = copy.getContext('2d');
  draw.drawImage(strokes, 0, 0);
  draw.globalCompositeOperation = 'source-in';
  draw.fillStyle = '#c026d3';
  draw.fillRect(0, 0, copy.width, copy.height);
  return copy;
}

function show() {
  const canvas = byId('mask');
  const draw = canvas.getContext('2d');
  canvas.width = strokes.width;
  canvas.height = strokes.height;
  draw.drawImage(picture.image, 0, 0);
    draw.globalAlpha = 0.6;
  draw.drawImage(tinted(), 0, 0);
  draw.globalAlpha = 1;
  if (cursor.shown) {
    draw.lineWidth = Math.max(1, canvas.width / 200);
    for (const [colour, grow] of [['#000', 0], ['#fff', draw.lineWidth]]) {
      draw.strokeStyle = colour;
      draw.beginPath();
      draw.arc(cursor.x, cursor.y, brush() + grow, 0, 7);
      draw.stroke();
    }
  }
}

function paint(x, y, erase) {
  const draw = strokes.getContext('2d');
  draw.globalCompositeOperation = erase ? 'destination-out' : 'source-over';
  draw.fillStyle = '#fff';
  draw.beginPath();
  draw.arc(x, y, brush(), 0, 7);
  draw.fill();
  painted = painted || !erase;
  show();
}

function placeOf(event) {
  const box = byId('mask').getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * strokes.width, (event.clientY - box.top) / box.height * strokes.height];
}

function onKey(event) {
  const step = Math.max(1, Math.round(strokes.width / 40));
  const moves = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]};
  cursor.shown = true;
  if (moves[event.key]) {
    cursor.x = Math.min(strokes.width, Math.max(0, cursor.x + moves[event.key][0]));
    cursor.y = Math.min(strokes.height, Math.max(0, cursor.y + moves[event.key][1]));
    show();
  } else if (event.key === ' ') paint(cursor.x, cursor.y, false);
  else if (event.key === 'Backspace' || event.key === 'Delete') paint(cursor.x, cursor.y, true);
  else if (event.key === '+' || event.key === '-') {
    byId('brush').value = Number(byId('brush').value) + (event.key === '+' ? 2 : -2);
    show();
  } else return;
  event.preventDefault();
}

function clearMask() {
  strokes.getContext('2d').clearRect(0, 0, strokes.width, strokes.height);
  painted = false;
  show();
}

const parts = ['mask', 'mask-help', 'mask-tools', 'init-clear'];

/** Start from this picture, of which `blob` is the PNG. */
export async function setInitPicture(blob) {
  const url = await dataUrl(blob);
  const image = await loadImage(url);
  picture = {url, image};
  strokes = document.createElement('canvas');
  strokes.width = image.naturalWidth;
  strokes.height = image.naturalHeight;
  Object.assign(cursor, {x: strokes.width / 2, y: strokes.height / 2, shown: false});
  painted = false;
  for (const id of parts) byId(id).hidden = false;
  byId('init-box').open = true;
  show();
}

export function clearInitPicture() {
  picture = null;
  painted = false;
  byId('init-file').value = '';
  for (const id of parts) byId(id).hidden = true;
}

export function setUpMask(onProblem) {
  const canvas = byId('mask');
  let down = false;
  byId('init-file').addEventListener('change', async (event) => {
    const file = event.target.files[0];
    if (file) await setInitPicture(file).catch(() => onProblem(`${file.name} is no picture that can be shown.`));
  });
  byId('init-clear').addEventListener('click', clearInitPicture);
  byId('mask-clear').addEventListener('click', clearMask);
  canvas.addEventListener('pointerdown', (event) => {
    down = true;
    cursor.shown = false;
    canvas.setPointerCapture(event.pointerId);
    paint(...placeOf(event), event.button === 2);
  });
  canvas.addEventListener('pointermove', (event) => { if (down) paint(...placeOf(event), (event.buttons & 2) !== 0); });
  canvas.addEventListener('pointerup', () => { down = false; });
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener('keydown', onKey);
}
