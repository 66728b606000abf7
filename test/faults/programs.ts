import { existsSync } from 'node:fs';
import process from 'node:process';

/** Root may read what its mode forbids to everybody: without that right it is as any other user. */
export function asOwner(): string[] {
  if (process.getuid?.() !== 0) return [];
  return ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];
}

/** Where Debian's libfaketime is; the name of the architecture is in its path. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (architecture) => `/usr/lib/${architecture}/faketime/libfaketimeMT.so.1`,
);

/**
 * The time of day as a file says (`+400d`), for OpenSSL as for JavaScript, and looked up at each
 * call. The clock of timers goes on as it does: setting the time of day does not touch it.
 */
export function fakeClock(file: string): Record<string, string> {
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined) throw new Error('expected libfaketime, install the package faketime');
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** Network namespaces are root's. */
export function asRoot(): string[] {
  return process.getuid?.() === 0 ? [] : ['sudo', '-n'];
}
