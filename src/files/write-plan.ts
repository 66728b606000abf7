import { dirname } from 'node:path';

export interface FolderToMake {
  readonly path: string;
  /** Of a folder that is made; one that is there stays as it is. */
  readonly mode: number;
}

export interface FileToWrite {
  /** Absolute. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
  /** Absent: the file must not be there. Present: it takes the place of a file of this owner. */
  readonly replaces?: { readonly uid: number; readonly gid: number };
}

/** Everything that one run writes, in the order in which it is put into place. */
export interface WritePlan {
  /** Parents first. */
  readonly folders: readonly FolderToMake[];
  readonly files: readonly FileToWrite[];
}

export function parentFoldersOf(files: readonly FileToWrite[]): readonly string[] {
  return [...new Set(files.map((file) => dirname(file.path)))];
}
