// SPDX-License-Identifier: Apache-2.0
// Two pictures on each other, the left one shown up to an edge that a pointer or a slider moves.
import {make} from './dom.js';

export function makeWipe(left, right, leftName, rightName) {
  const over = make('div', {className: 'over'}, make('img', {src: left, alt: leftName, draggable: false}));
  const edge = make('div', {className: 'edge'});
  const box = make('div', {className: 'wipe'}, make('img', {src: right, alt: rightName, draggable: false}), over, edge,
    make('span', {className: 'tag left'}, leftName), make('span', {className: 'tag right'}, rightName));
  const slider = make('input', {type: 'range', min: 0, max: 100, value: 50});
  slider.setAttribute('aria-label', `How much of "${leftName}" is shown over "${rightName}"`);
  const move = (percent) => {
    const bounded = Math.min(100, Math.max(0, percent));
    over.style.width = `${bounded}%`;
    over.firstChild.style.width = bounded > 0 ? `${10000 / bounded}%` : '0';
    edge.style.left = `${bounded}%`;
    slider.value = bounded;
  };
  const follow = (event) => {
    const place = box.getBoundingClientRect();
    move(100 * (event.clientX - place.left) / place.width);
  };
  box.addEventListener('pointerdown', (event) => {
    box.setPointerCapture(event.pointerId);
    follow(event);
  });
  box.addEventListener('pointermove', (event) => { if (event.buttons & 1) follow(event); });
  slider.addEventListener('input', () => move(Number(slider.value)));
  move(50);
  return make('div', {className: 'wipe-box'}, box, slider);
}
