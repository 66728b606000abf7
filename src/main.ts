#!/usr/bin/env node
import process from 'node:process';
import { EXIT } from './cli/context.ts';
import { run } from './cli/run.ts';

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  nextSignal,
  exitCode: EXIT.ok,
});

/** The handlers go with the first signal, so that a second one ends the process at once. */
function nextSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const handle = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, handle);
      resolve(signal);
    };
    for (const each of signals) process.on(each, handle);
  });
}
