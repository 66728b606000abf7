import { dirname, relative } from 'node:path';
import { describeProblem } from '../errors.ts';
import type { CertificateRow, CertificateTable } from '../setup/certificate-table.ts';
import type { Paint } from './paint.ts';

const HEAD = ['FILE', 'ROLE', 'SUBJECT', 'NAMES', 'SERIAL', 'NOT AFTER', 'DAYS LEFT'];

/** A table for each folder, then what is wrong with the files. */
export function renderCertificatesText({ rows, problems }: CertificateTable, paint: Paint): string {
  const folders = [...new Set(rows.map(({ file }) => dirname(file)))];
  const tables = folders.map((folder) => {
    const own = rows.filter(({ file }) => dirname(file) === folder);
    return `${paint.bold(folder)}\n${renderTable(own, folder, paint)}\n`;
  });
  const findings = problems.map((problem) => {
    const hint = problem.hint === undefined ? '' : `  ${problem.hint}\n`;
    return `${paint.red('✗')} ${describeProblem(problem)}\n${hint}`;
  });
  return [...tables, ...findings].join('');
}

function renderTable(rows: readonly CertificateRow[], folder: string, paint: Paint): string {
  const cells = rows.map((row) => cellsOf(row, folder));
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const body = rows.map((row, index) => paintRow(paint, row)(line(cells[index] ?? [])));
  return [paint.dim(line(HEAD)), ...body].map((text) => `${text}\n`).join('');
}

function cellsOf(row: CertificateRow, folder: string): string[] {
  const { daysLeft, state } = row;
  return [
    relative(folder, row.file),
    row.role,
    row.subject === '' ? '-' : row.subject,
    row.altNames.length === 0 ? '-' : row.altNames.join(', '),
    row.serial,
    row.notAfter.toISOString().slice(0, 10),
    state === 'good' ? String(daysLeft) : `${daysLeft} (${state})`,
  ];
}

function paintRow(paint: Paint, { state }: CertificateRow): (text: string) => string {
  if (state === 'good') return (text) => text;
  return state === 'ending' ? paint.yellow : paint.red;
}
