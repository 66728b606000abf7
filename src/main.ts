#!/usr/bin/env node
import process from 'node:process';
import { EXIT } from './cli/context.ts';
import { run } from './cli/run.ts';
import { watchOutput } from './cli/watch-output.ts';

watchOutput(process.stdout, 'stdout');
watchOutput(process.stderr, 'stderr');

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onSignal: (signal, handler) => {
    process.on(signal, handler);
    return () => process.off(signal, handler);
  },
  exitCode: EXIT.ok,
});
