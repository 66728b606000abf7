import type { Problem } from '../errors.ts';
import type { FileRights } from '../files/replace-file.ts';
import type { Change } from '../manifest/change.ts';
import type { EnableRecord } from './record-file.ts';

/** A text of a file that takes the place of another one. */
export interface FileEdit {
  /** Absolute, no symbolic link. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly rights: FileRights;
}

/** What is about to be done, before anything is touched. */
export interface SwitchPlan {
  /**
   * Those that change anything, in the order in which they are written: at every moment between
   * them a kube-apiserver that happens to start finds files that it starts with. The plugin does not
   * start without its part of the admission configuration, and a part without the plugin is passed
   * over. So the part comes before the flags, and goes after them.
   */
  readonly edits: readonly FileEdit[];
  /** Whether the manifest is among the edits: the kubelet starts kube-apiserver anew. */
  readonly restarts: boolean;
  readonly changes: readonly Change[];
  readonly warnings: readonly Problem[];
  /** What is to be known for `disable` afterwards; undefined when nothing is left to be undone. */
  readonly record: EnableRecord | undefined;
  readonly earlier: EnableRecord | undefined;
  readonly command: 'enable' | 'disable';
}

/** Undefined when the text stays. */
export function editOf(
  { file, text, rights }: { readonly file: string; readonly text: string; rights: FileRights },
  after: string,
): FileEdit | undefined {
  return text === after ? undefined : { file, before: text, after, rights };
}
