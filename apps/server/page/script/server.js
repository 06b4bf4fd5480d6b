// SPDX-License-Identifier: Apache-2.0
// Everything that is asked of the server.

/** What the server says went wrong, with the field it is about. */
export class Refusal extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let askForKey = null;
/** `ask` resolves once the person has given the key. */
export const whenKeyIsWanted = (ask) => { askForKey = ask; };

async function request(path, options = {}, again = true) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal(0, 'The server does not answer. Is it still running?', 0);
  }
  if (answer.status === 401 && again && askForKey) {
    await askForKey();
    return request(path, options, false);
  }
  if (!answer.ok) {
    let message = answer.statusText;
    try {
      const body = await answer.json();
      message = body.error?.message ?? body.detail ?? message;
    } catch { /* the status text has to do */ }
    throw new Refusal(answer.status, message, Number(answer.headers.get('Retry-After') ?? 0));
  }
  return answer;
}

export const getJson = async (path) => (await request(path)).json();
export const getBlob = async (path) => (await request(path)).blob();
export const remove = (path) => request(path, {method: 'DELETE'});
export const postJson = async (path, body) =>
  (await request(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)})).json();
export const postPng = async (path, blob) =>
  (await request(path, {method: 'POST', headers: {'Content-Type': 'image/png'}, body: blob})).json();

/** Give the key; false: it is another one. */
export async function openSession(key) {
  const answer = await fetch('/api/session', {method: 'POST', headers: {Authorization: `Bearer ${key}`}});
  return answer.ok;
}

const pause = (seconds) => new Promise((done) => { setTimeout(done, 1000 * seconds); });

/** Ask for a job; where the queue is full, again when the server says so. */
export async function startJob(fields, waiting = () => {}) {
  for (;;) {
    try {
      return await postJson('/api/jobs', fields);
    } catch (refusal) {
      if (refusal.status !== 429) throw refusal;
      waiting();
      await pause(Math.max(1, refusal.retryAfter));
    }
  }
}

/** Tell `told` of each change of a job, until it is over; resolves with the job as it ended. */
export function followJob(id, told) {
  return new Promise((done, failed) => {
    const events = new EventSource(`/api/jobs/${id}/events`);
    const end = (event) => {
      events.close();
      done(JSON.parse(event.data));
    };
    events.addEventListener('progress', (event) => told(JSON.parse(event.data)));
    for (const name of ['done', 'failed', 'cancelled']) events.addEventListener(name, end);
    events.onerror = async () => { // broken off: ask once how it stands
      events.close();
      try {
        let job = await getJson(`/api/jobs/${id}`);
        while (job.state === 'queued' || job.state === 'running') {
          told(job);
          await pause(1);
          job = await getJson(`/api/jobs/${id}`);
        }
        done(job);
      } catch (refusal) {
        failed(refusal);
      }
    };
  });
}

export const cancelJob = (id) => remove(`/api/jobs/${id}`);
