import { ImageCheckerError } from '../errors.ts';

/** In UTF-16 units: a hundred times what an image string may sensibly be, and no memory to lose. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/** Cuts text that comes in pieces into lines; a line feed alone ends one. */
export class LineSplitter {
  /** Pieces of the line that has not ended yet. */
  #open: string[] = [];
  #openLength = 0;

  /** The lines that this piece completes. */
  push(text: string): readonly string[] {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    if (lines.length > 0) {
      lines[0] = this.#take() + (lines[0] ?? '');
    }
    this.#keep(rest);
    return lines;
  }

  /** What is left when the text ends without a line feed. */
  end(): readonly string[] {
    return this.#openLength === 0 ? [] : [this.#take()];
  }

  #keep(rest: string): void {
    if (rest === '') return;
    this.#open.push(rest);
    this.#openLength += rest.length;
    if (this.#openLength > MAX_LINE_LENGTH) {
      const message = `expected lines of at most ${MAX_LINE_LENGTH} characters, got a longer one`;
      throw new ImageCheckerError('usage', { file: 'stdin', message });
    }
  }

  #take(): string {
    const line = this.#open.join('');
    this.#open = [];
    this.#openLength = 0;
    return line;
  }
}
