// SPDX-License-Identifier: Apache-2.0
// The form: what a person wants, as fields of a job, and back.
import {byId, make} from './dom.js';
import {initPicture} from './mask.js';

/** Fields that have a control of their own on the page. */
const ownNumbers = ['width', 'height', 'batch_count', 'steps', 'cfg_scale'];
const ownTexts = ['negative_prompt', 'sampling_method', 'scheduler'];
const ownSliders = ['pladis', 'pladis_alpha', 'strength'];
const own = new Set([...ownNumbers, ...ownTexts, ...ownSliders, 'prompt', 'seed', 'model', 'lora', 'init_img', 'mask',
  'no_pladis', 'attention_maps', 'attention_maps_blocks', 'attention_maps_start', 'attention_maps_end', 'rng', 'init_noise',
  'prompt_embeds']);

let rows = [];
let loraNames = [];
const fieldName = (option) => option.name.replaceAll('-', '_');

function fillSelect(select, names, first) {
  select.replaceChildren(...(first ? [make('option', {value: ''}, first)] : []), ...names.map((name) => make('option', {value: name}, name)));
}

/** A control for an option of the table. */
function makeControl(option) {
  const id = `more-${fieldName(option)}`;
  const usual = option.fallback ?? option.otherwise ?? '';
  let control;
  if (option.type === 'flag') {
    control = make('select', {id});
    fillSelect(control, ['yes', 'no'], usual || 'no');
  } else if (option.type === 'choice' && option.choices.length > 0) {
    control = make('select', {id});
    fillSelect(control, option.choices, usual);
  } else {
    const number = option.type === 'integer' || option.type === 'number';
    control = make('input', {id, type: number ? 'number' : 'text', placeholder: usual});
    if (number) control.step = option.type === 'integer' ? '1' : 'any';
    if (number && option.minimum !== null) Object.assign(control, {min: option.minimum, max: option.maximum});
  }
  control.dataset.field = fieldName(option);
  control.dataset.type = option.type;
  return make('label', {}, option.name, control, make('small', {}, option.help ?? ''));
}

function showSliders() {
  for (const name of ownSliders) byId(`${name}-out`).textContent = Number(byId(name).value).toFixed(name === 'pladis' ? 1 : 2);
}

export function addLora(name = '', weight = 1) {
  const select = make('select', {className: 'lora-name'});
  fillSelect(select, loraNames, name && !loraNames.includes(name) ? name : 'none');
  select.value = loraNames.includes(name) ? name : '';
  const number = make('input', {type: 'number', step: '0.05', value: weight, className: 'lora-weight'});
  const gone = make('button', {type: 'button', title: 'Remove this LoRA', onclick: () => line.remove()}, '×');
  gone.setAttribute('aria-label', 'Remove this LoRA');
  const line = make('div', {className: 'lora'}, make('label', {}, 'LoRA', select), make('label', {}, 'Weight', number), gone);
  byId('loras').append(line);
}

/** Fill the controls with what the server has. */
export function setUp(server, options) {
  rows = options;
  loraNames = server.loras;
  fillSelect(byId('model'), server.models);
  byId('model').value = server.model;
  byId('lora-box').hidden = loraNames.length === 0;
  const choices = (name) => options.find((option) => option.name === name)?.choices ?? [];
  fillSelect(byId('sampling_method'), choices('sampling-method'), 'model’s own');
  fillSelect(byId('scheduler'), choices('scheduler'), 'model’s own');
  byId('more').replaceChildren(...options.filter((option) => !own.has(fieldName(option)) && !option.upload &&
    !/^(vae|unet|text-encoder)/.test(option.name)).map(makeControl));
  for (const name of ownSliders) byId(name).addEventListener('input', showSliders);
  byId('lora-add').addEventListener('click', () => addLora());
  showSliders();
}

export const optionRows = () => rows;

function readMore(fields) {
  for (const control of byId('more').querySelectorAll('[data-field]')) {
    const text = control.value.trim();
    if (text === '') continue;
    const {field, type} = control.dataset;
    if (type === 'flag') fields[field] = text === 'yes';
    else if (type === 'integer' || type === 'number') fields[field] = Number(text);
    else if (type === 'texts') fields[field] = text.split(/\s*;\s*/).filter(Boolean);
    else if (type === 'numbers') fields[field] = text.split(/[\s,]+/).filter(Boolean).map(Number);
    else fields[field] = text;
  }
}

/** The fields of a job as the controls say. */
export function readFields() {
  const fields = {prompt: byId('prompt').value, model: byId('model').value};
  for (const name of ownNumbers) if (byId(name).value !== '') fields[name] = Number(byId(name).value);
  for (const name of ownTexts) if (byId(name).value !== '') fields[name] = byId(name).value;
  fields.pladis = Number(byId('pladis').value);
  fields.pladis_alpha = Number(byId('pladis_alpha').value);
  if (byId('seed').value !== '') fields.seed = Number(byId('seed').value);
  const loras = [...document.querySelectorAll('.lora')].map((line) =>
    [line.querySelector('.lora-name').value, line.querySelector('.lora-weight').value]).filter(([name]) => name);
  if (loras.length > 0) fields.lora = loras.map(([name, weight]) => `${name}:${weight === '' ? 1 : weight}`);
  readMore(fields);
  const picture = initPicture();
  if (picture.image) {
    fields.init_img = picture.image;
    fields.strength = Number(byId('strength').value);
    if (picture.mask) fields.mask = picture.mask;
  }
  return fields;
}

/** Forget the seed unless it is to be kept. */
export function seedIsUsed() {
  if (!byId('seed-locked').checked) byId('seed').value = '';
}

export function keepSeed(seed) {
  byId('seed').value = seed;
  byId('seed-locked').checked = true;
}

/** Set the controls to what a picture was drawn with. Names the settings that have no control here. */
export function writeFields(settings, model) {
  const left = [];
  const set = (id, value) => { byId(id).value = value ?? ''; };
  set('prompt', settings.prompt);
  for (const name of [...ownNumbers.filter((n) => n !== 'batch_count'), ...ownTexts]) set(name, settings[name]);
  byId('negative-box').open = Boolean(settings.negative_prompt);
  if (settings.pladis !== undefined && settings.pladis !== null) set('pladis', settings.pladis);
  if (settings.pladis_alpha) set('pladis_alpha', settings.pladis_alpha);
  if (settings.strength) set('strength', settings.strength);
  if (settings.seed !== undefined && settings.seed !== null) keepSeed(settings.seed);
  if (model && [...byId('model').options].some((o) => o.value === model)) byId('model').value = model;
  else if (model) left.push(`model ${model}`);
  byId('loras').replaceChildren();
  for (const text of settings.lora ?? []) {
    const colon = text.lastIndexOf(':');
    const name = colon > 0 ? text.slice(0, colon) : text;
    if (loraNames.includes(name)) addLora(name, colon > 0 ? text.slice(colon + 1) : 1);
    else left.push(`LoRA ${name}`);
  }
  byId('lora-box').open = (settings.lora ?? []).length > 0 && loraNames.length > 0;
  for (const control of byId('more').querySelectorAll('[data-field]')) {
    const value = settings[control.dataset.field];
    const row = rows.find((option) => fieldName(option) === control.dataset.field);
    const text = Array.isArray(value) ? value.join('; ') : value === true ? 'yes' : value === false || value === null ||
      value === undefined ? '' : String(value);
    control.value = text === (row?.fallback ?? '') ? '' : text;
  }
  if (settings.init_img) left.push('the picture that it started from');
  showSliders();
  return left;
}

const quote = (text) => (/^[\w./:=,+-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`);

/** The same as a command of the program. */
export function commandLine(fields) {
  const parts = ['pladis', 'generate'];
  for (const [name, value] of Object.entries(fields)) {
    const option = `--${name.replaceAll('_', '-')}`;
    if (name === 'init_img' || name === 'mask') parts.push(option, `${name === 'mask' ? 'mask' : 'picture'}.png`);
    else if (value === true) parts.push(option);
    else if (Array.isArray(value) && name === 'timesteps') parts.push(option, value.join(','));
    else if (Array.isArray(value)) for (const item of value) parts.push(option, quote(String(item)));
    else if (value !== false && value !== '') parts.push(option, quote(String(value)));
  }
  return [...parts, '-o', 'picture.png'].join(' ');
}
