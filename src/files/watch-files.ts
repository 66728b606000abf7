import { stat } from 'node:fs/promises';

/** How often the files are looked at. A look is one stat call each. */
const INTERVAL_MS = 1000;
/** For how long they have to be the same before they count as written. */
const SETTLE_MS = 300;

/**
 * Calls back after any of the files has changed and then stayed the same for a moment, so that a
 * file is not read while it is being written. Other files than before are a change too: nobody has
 * looked at them since they were read.
 *
 * Looks by stat through symbolic links: that sees an editor's rename, the swap of the `..data` link
 * of a Kubernetes ConfigMap or Secret mount, and changes on file systems without notification.
 *
 * @param files asked at each look
 * @returns once every change from now on is one that is called back for; what ends that
 */
export async function watchFiles(
  files: () => readonly string[],
  onChange: () => void,
): Promise<() => void> {
  /** What was called back for last: whatever was read then is at least as new. */
  let known = await fingerprint(files());
  let last = known;
  let next: NodeJS.Timeout | undefined;
  let ended = false;
  const look = async (): Promise<void> => {
    const now = await fingerprint(files());
    if (ended) return;
    if (now !== known && now === last) {
      known = now;
      onChange();
    }
    last = now;
    wait();
  };
  const wait = (): void => {
    next = setTimeout(() => void look(), last === known ? INTERVAL_MS : SETTLE_MS).unref();
  };
  wait();
  return () => {
    ended = true;
    clearTimeout(next);
  };
}

/** What tells one state of the files from another, a missing one and another list included. */
async function fingerprint(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      if (found === undefined) return [file];
      // The time of change tells of other permissions, too.
      return [file, found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs];
    }),
  );
  return states.map((state) => state.join('\0')).join('\0\0');
}
