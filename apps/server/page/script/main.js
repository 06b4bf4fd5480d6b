// SPDX-License-Identifier: Apache-2.0
import {byId, make, showProblem, toast} from './dom.js';
import {cancelJob, followJob, getBlob, getJson, openSession, postPng, startJob, whenKeyIsWanted} from './server.js';
import {commandLine, keepSeed, readFields, seedIsUsed, setUp, writeFields} from './controls.js';
import {setInitPicture, setUpMask} from './mask.js';
import {drawGrid, setUpGrid} from './grid.js';
import {refreshHistory, setUpHistory} from './history.js';
import {endProgress, showComparison, showOnly, showPictures, showProgress, shownPicture} from './stage.js';
import {showMaps, wordsOf} from './words.js';

const demoExamples = ['a large red star above a small blue ring', 'two green hearts', 'a purple square left of a yellow circle',
  'a pink triangle on a dark background'];
const examples = ['a lighthouse on a cliff at dusk, oil painting', 'a red fox asleep in the snow, photograph',
  'a city of glass under the sea', 'still life with three lemons and a blue jug'];

/** What Cancel ends. */
const running = new Map();

function showQueue() {
  const lines = [...running.values()].map(({title, job, cancel}) => {
    const state = job?.state === 'queued' ? `place ${job.place}` : job?.steps ? `${job.step}/${job.steps}` : '…';
    const stop = make('button', {type: 'button', onclick: cancel}, '×');
    stop.setAttribute('aria-label', `Cancel ${title}`);
    return make('li', {}, make('span', {title}, title), make('small', {}, state), stop);
  });
  byId('queue').replaceChildren(...lines);
  byId('queue-empty').hidden = lines.length > 0;
  byId('cancel').hidden = lines.length === 0;
}

/** One job from its fields to its end; null where it did not end well, which is told. */
async function run(fields, title, told = () => {}) {
  const key = Symbol(title);
  const noteWaiting = () => { byId('progress-box').hidden = false; byId('progress-text').textContent = 'The queue is full; trying again …'; };
  try {
    const job = await startJob(fields, noteWaiting);
    running.set(key, {title, job, cancel: () => cancelJob(job.id)});
    showQueue();
    const done = await followJob(job.id, (now) => {
      running.get(key).job = now;
      showQueue();
      told(now);
    });
    if (done.state === 'failed') throw new Error(done.error);
    if (done.state === 'cancelled') toast('Cancelled.');
    if (done.warning) showProblem(done.warning);
    return done.state === 'done' ? done : null;
  } catch (refusal) {
    showProblem(refusal.message);
    return null;
  } finally {
    running.delete(key);
    showQueue();
    if (running.size === 0) endProgress();
  }
}

function caption(picture, model) {
  const s = picture.settings;
  const number = (value) => Number(value).toPrecision(4).replace(/\.?0+$/, '');
  return `${model} · seed ${picture.seed} · ${picture.width} × ${picture.height} · ${s.steps} steps · ${s.sampling_method} · guidance ` +
    `${number(s.cfg_scale)} · ${s.pladis ? `λ ${number(s.pladis)}, α ${number(s.pladis_alpha)}` : 'without PLADIS'}`;
}

/** The fields that draw a picture again. */
const againOf = (picture, fields) => ({...fields, seed: picture.seed, batch_count: 1, keep: false});

/* ---- words ---- */

function offerWords(fields) {
  return (picture) => {
    const words = wordsOf(picture.settings?.prompt ?? '');
    byId('words-box').hidden = words.length === 0 || !fields;
    byId('words').replaceChildren(...words.map((word) => make('button', {type: 'button', onclick: (event) =>
      lookAt(word, words, picture, fields, event.currentTarget)}, word)));
  };
}

async function lookAt(word, words, picture, fields, button) {
  showProblem('');
  if (!picture.maps?.has(word)) { // the picture is drawn once more, with all words watched
    const again = againOf(picture, fields);
    let done = await run({...again, attention_maps: words.join(',')}, `words of “${picture.settings.prompt}”`,
      (job) => showProgress({...job, preview: 0}, 'Looking where words act. '));
    if (!done) done = await run({...again, attention_maps: word}, `“${word}”`, (job) => showProgress({...job, preview: 0}));
    if (!done) return;
    showProblem('');
    picture.maps = new Map([...(picture.maps ?? []), ...done.maps.map((map) => [map.word, map])]);
  }
  for (const other of byId('words').children) other.setAttribute('aria-pressed', String(other === button));
  await showMaps(picture.maps.get(word), picture.url);
}

/* ---- drawing ---- */

/** On a narrow screen the picture lies below the form. */
function showStage() {
  if (matchMedia('(max-width: 700px)').matches) byId('stage').scrollIntoView({block: 'start'});
}

async function draw() {
  showProblem('');
  showStage();
  const fields = readFields();
  const done = await run(fields, fields.prompt || 'no prompt', showProgress);
  if (!done) return;
  seedIsUsed();
  showPictures(done.pictures, caption(done.pictures[0], done.model), offerWords(fields));
  refreshHistory();
}

async function compare() {
  showProblem('');
  showStage();
  const fields = {...readFields(), batch_count: 1};
  fields.seed ??= Math.floor(Math.random() * 2 ** 31);
  if (fields.pladis === 0) fields.pladis = 2;
  const without = await run({...fields, pladis: 0}, `without: ${fields.prompt}`, (job) => showProgress(job, 'Without PLADIS. '));
  if (!without) return;
  const withIt = await run(fields, `with: ${fields.prompt}`, (job) => showProgress(job, 'With PLADIS. '));
  if (!withIt) return;
  seedIsUsed();
  showComparison(without.pictures[0], withIt.pictures[0], caption(withIt.pictures[0], withIt.model), offerWords(fields));
  refreshHistory();
}

async function grid() {
  showProblem('');
  showStage();
  showOnly('grid');
  const key = Symbol('grid');
  try {
    await drawGrid((cancel) => {
      running.set(key, {title: 'grid', cancel});
      showQueue();
    }, (done, all) => {
      byId('progress-box').hidden = false;
      byId('progress-text').textContent = `Picture ${done + 1} of ${all}`;
      byId('progress').value = done / all;
    });
  } catch (refusal) {
    showProblem(refusal.message);
  }
  running.delete(key);
  showQueue();
  endProgress();
  refreshHistory();
}

/* ---- settings of pictures ---- */

function takeSettings(document) {
  const settings = document.pictures[0];
  const left = [...writeFields(settings, document.model), ...(document.left_out ?? [])];
  toast(left.length > 0 ? `Settings are back, but for: ${left.join(', ')}.` : 'Settings are back.');
  return settings;
}

async function restore(blob) {
  showProblem('');
  try {
    takeSettings(await postPng('/api/png-settings', blob));
  } catch (refusal) {
    showProblem(refusal.message);
  }
}

async function openHistory(name) {
  showProblem('');
  try {
    const document = await getJson(`/api/history/${name}/settings`);
    const settings = takeSettings(document);
    const fields = {...readFields(), batch_count: 1};
    const picture = {url: `/api/history/${name}`, settings, seed: settings.seed, width: settings.width, height: settings.height};
    showPictures([picture], caption(picture, document.model ?? ''), offerWords(settings.init_img ? null : fields));
    byId('stage').focus();
  } catch (refusal) {
    showProblem(refusal.message);
  }
}

/* ---- the page ---- */

function setUpDropping() {
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) document.body.classList.remove('dropping'); });
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    const file = event.dataTransfer.files[0];
    if (file) restore(file);
  });
}

function setUpButtons() {
  byId('controls').addEventListener('submit', (event) => { event.preventDefault(); draw(); });
  byId('compare').addEventListener('click', compare);
  byId('cancel').addEventListener('click', () => { for (const {cancel} of running.values()) cancel(); });
  byId('grid-draw').addEventListener('click', grid);
  byId('copy').addEventListener('click', async () => {
    const text = commandLine(readFields());
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied.');
    } catch { // no clipboard without https: show it to be copied by hand
      showProblem(text);
    }
  });
  byId('restore-file').addEventListener('change', (event) => {
    if (event.target.files[0]) restore(event.target.files[0]);
    event.target.value = '';
  });
  byId('use-seed').addEventListener('click', () => { keepSeed(shownPicture().seed); toast('The next picture has this seed.'); });
  byId('use-picture').addEventListener('click', async () => {
    await setInitPicture(await getBlob(shownPicture().url));
    byId('init-box').scrollIntoView({block: 'nearest'});
  });
  addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); draw(); }
    if (event.key === 'Escape') for (const {cancel} of running.values()) cancel();
  });
}

function askForKey() {
  const dialog = byId('key-dialog');
  return new Promise((done) => {
    dialog.showModal();
    dialog.onclose = async () => {
      if (await openSession(byId('key').value)) {
        byId('key').value = '';
        done();
      } else {
        byId('key-problem').hidden = false;
        dialog.showModal();
      }
    };
  });
}

async function begin() {
  whenKeyIsWanted(askForKey);
  setUpButtons();
  setUpDropping();
  setUpMask(showProblem);
  try {
    const server = await getJson('/api/server');
    setUp(server, await getJson('/api/options'));
    byId('machine').textContent = `pladis ${server.version}, ${server.isa}, ${server.threads} threads`;
    byId('examples').replaceChildren(...(server.model === 'demo' ? demoExamples : examples).map((text) =>
      make('li', {}, make('button', {type: 'button', onclick: () => { byId('prompt').value = text; draw(); }}, text))));
    setUpGrid();
    await setUpHistory(openHistory);
    showQueue();
  } catch (refusal) {
    showProblem(refusal.message);
  }
}

begin();
