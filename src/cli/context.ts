import type { Readable, Writable } from 'node:stream';

/** Exit codes of every subcommand (DESIGN: "Command line"). */
export const EXIT = {
  /** good, or allowed */
  ok: 0,
  /** denied, or a finding */
  finding: 1,
  /** the call or the input is wrong */
  usage: 2,
  /** a fault of ours (EX_SOFTWARE of sysexits.h) */
  fault: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a subcommand may touch of the process it runs in. */
export interface CommandContext {
  readonly stdin: Readable;
  /** results */
  readonly stdout: Writable;
  /** messages */
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls back for a signal instead of letting it end the process; returns how to end that. */
  readonly onSignal: (signal: NodeJS.Signals, handler: () => void) => () => void;
  /** The code that the process ends with; a subcommand sets it, `EXIT.ok` until then. */
  exitCode: ExitCode;
}
