/**
 * What `planEnable` did to a manifest, for `planDisable` to undo: plain JSON, to be kept beside the
 * backup. Without it, `inferRecord` reads as much as can be told from a manifest.
 */
export interface ManifestRecord {
  readonly version: 1;
  /** Flags that were not there. */
  readonly flags: readonly AddedFlag[];
  /** Flags that were there with another value. */
  readonly words: readonly ChangedWord[];
  readonly volume?: AddedVolume;
  readonly mount?: AddedMount;
}

export interface AddedFlag {
  readonly name: string;
  readonly value: string;
}

export interface ChangedWord {
  readonly flag: string;
  /** 0 for the first flag of that name. */
  readonly occurrence: number;
  /** The word with the value, as it was written, quotes included; absent when that is not known. */
  readonly written?: { readonly before: string; readonly after: string };
}

export interface AddedVolume {
  readonly name: string;
  readonly path: string;
  /** Whether `volumes:` was there before. */
  readonly list: 'kept' | 'added';
}

export interface AddedMount {
  readonly name: string;
  readonly mountPath: string;
  /** Whether `volumeMounts:` was there before. */
  readonly list: 'kept' | 'added';
}

export const NOTHING_DONE: ManifestRecord = { version: 1, flags: [], words: [] };

/** What two runs did together: the second one made up for what had been taken out in between. */
export function mergeRecords(earlier: ManifestRecord, later: ManifestRecord): ManifestRecord {
  const flags = earlier.flags.filter(({ name }) => later.flags.every((flag) => flag.name !== name));
  const words = earlier.words.filter(({ flag, occurrence }) =>
    later.words.every((word) => word.flag !== flag || word.occurrence !== occurrence),
  );
  return {
    ...earlier,
    ...later,
    flags: [...flags, ...later.flags],
    words: [...words, ...later.words],
  };
}
