import { shellWord } from '../files/shell-word.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER } from './layout.ts';
import type { Layout } from './layout.ts';

/** `--dir` and `--service-dir` for a command that is to be run by hand, where they are needed. */
export function folderFlags({ admission, service }: Layout): string {
  return [
    ...(admission === DEFAULT_ADMISSION_FOLDER ? [] : [` --dir ${shellWord(admission)}`]),
    ...(service === DEFAULT_SERVICE_FOLDER ? [] : [` --service-dir ${shellWord(service)}`]),
  ].join('');
}
