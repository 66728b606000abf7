import { watchFile, unwatchFile } from 'node:fs';
import { stat } from 'node:fs/promises';

/** How often the files are looked at. A look is one stat call each. */
const INTERVAL_MS = 1000;
/** For how long they have to be the same before they count as written. */
const SETTLE_MS = 300;

/**
 * Calls back after any of the files has changed and then stayed the same for a moment, so that a
 * file is not read while it is being written.
 *
 * Looks by stat through symbolic links: that sees an editor's rename, the swap of the `..data` link
 * of a Kubernetes ConfigMap or Secret mount, and changes on file systems without notification.
 */
export function watchFiles(files: readonly string[], onChange: () => void): () => void {
  let settling: NodeJS.Timeout | undefined;
  const settle = async (before: string): Promise<void> => {
    const now = await fingerprint(files);
    if (now === before) onChange();
    else schedule(now);
  };
  const schedule = (before: string): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void settle(before), SETTLE_MS);
  };
  const changed = (): void => {
    void fingerprint(files).then(schedule);
  };
  for (const file of files) {
    watchFile(file, { interval: INTERVAL_MS, persistent: false }, changed);
  }
  return () => {
    clearTimeout(settling);
    for (const file of files) unwatchFile(file, changed);
  };
}

/** What tells one state of the files from another, a missing one included. */
async function fingerprint(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      return found === undefined ? '' : [found.dev, found.ino, found.size, found.mtimeNs].join('-');
    }),
  );
  return states.join(' ');
}
