/* What happens around the service of a soak: none of it may be seen by who asks. */
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '../../dist/main.js');
/** Between one disturbance and the next. */
const PAUSE_MS = 7000;

/** Does one thing after the other, over and over; the returned function ends it, and counts. */
export function disturb({ config, client }, folder, service) {
  const rules = join(dirname(config), 'rules.yaml');
  const text = readFileSync(rules, 'utf8');
  const write = (changed) => {
    writeFileSync(`${rules}.new`, changed);
    renameSync(`${rules}.new`, rules);
  };
  let turn = 0;
  const things = {
    // In the middle of a file that is written in place: by chance it is read half written.
    'rules changed': () => writeFileSync(rules, `${text}# ${turn}\n    - ${rule(turn)}\n`),
    'rules broken': () => write(text.slice(0, text.length / 2)),
    'rules repaired': () => write(text),
    'rules of 500': () => write(`${text}${manyRules(500)}`),
    'rules as before': () => write(text),
    SIGHUP: () => service.signal('SIGHUP'),
    'certificates renewed': () => renew(config, client),
  };
  const counts = {};
  const state = { isOver: false };
  const work = (async () => {
    while (!state.isOver) {
      const names = Object.keys(things);
      const name = names[turn++ % names.length];
      await things[name]();
      counts[name] = (counts[name] ?? 0) + 1;
      await sleep(PAUSE_MS);
    }
  })();
  return async () => {
    state.isOver = true;
    await work;
    return counts;
  };
}

function rule(number) {
  return `{ name: more-${number}, match: { images: ['registry.example.com/x-${number}'] }, require: { digest: true } }`;
}

function manyRules(count) {
  return Array.from({ length: count }, (_, index) => `    - ${rule(index)}\n`).join('');
}

async function renew(config, client) {
  const folders = ['--dir', dirname(client.ca), '--service-dir', dirname(config)];
  await run(process.execPath, [MAIN, 'certs', 'renew', ...folders]);
}
