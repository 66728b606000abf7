import process from 'node:process';
import { messageOf, systemCode } from '../errors.ts';
import { EXIT } from './context.ts';

/** A reader that has gone is none of our business; a full disk is, but no reason to crash. */
export function watchOutput(stream: NodeJS.WriteStream, name: string): void {
  let told = false;
  stream.on('error', (error) => {
    if (systemCode(error) === 'EPIPE' || told) return;
    told = true;
    if ((process.exitCode ?? EXIT.ok) === EXIT.ok) process.exitCode = EXIT.usage;
    process.stderr.write(`image-checker: error: ${name} cannot be written: ${messageOf(error)}\n`);
  });
}
