/**
 * Rows of one series as bytes, in two parts: what a figure needs (time, flags, reason, value), and whence it came
 * (receipt, seq, boot), which only whole rows need.
 */
import { flagsKind, kinds } from '../../journal/observation-batch.ts';
import { putBytes, takeBytes, type ByteReader, type ByteWriter } from './bytes.ts';
import { hasText, type Columns, type TextValue } from './columns.ts';
import { putNumbers, takeNumbers } from './numbers.ts';

let scratch = new Float64Array(4096);

function scratchOf(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(count * 2);
  return scratch;
}

/** Writes rows `from` to `to`, which are in order: how many, time, flags, reason, value, text. */
export function putValues(out: ByteWriter, rows: Columns, from: number, to: number): void {
  const values = scratchOf(to - from);
  out.varint(to - from);
  putNumbers(out, rows.taken, [from, to]);
  putBytes(out, rows.flags, from, to);
  putBytes(out, rows.reason, from, to);
  let numbers = 0;
  const texts: TextValue[] = [];
  for (let row = from; row < to; row++) {
    const flags = rows.flags[row] ?? 0;
    if (flagsKind(flags) === kinds.number) values[numbers++] = rows.value[row] ?? 0;
    else if (hasText(flags)) texts.push(rows.textOf(row));
  }
  putNumbers(out, values, [0, numbers]);
  if (texts.length > 0) out.text(JSON.stringify(texts));
}

/** Writes the other columns of the same rows. `boot` numbers are written as they stand. */
export function putSources(out: ByteWriter, rows: Columns, from: number, to: number): void {
  const count = to - from;
  const late = scratchOf(count);
  let exact = true;
  for (let row = 0; row < count; row++) {
    const taken = rows.taken[from + row] ?? 0;
    const received = rows.received[from + row] ?? 0;
    late[row] = received - taken;
    // The difference of two times is kept only where it gives the second back exactly.
    exact &&= taken + (late[row] ?? 0) === received;
  }
  out.byte(exact ? 1 : 0);
  if (exact) putNumbers(out, late, [0, count]);
  else putNumbers(out, rows.received, [from, to]);
  putNumbers(out, rows.seq, [from, to]);
  for (let row = 0; row < count; row++) late[row] = rows.boot[from + row] ?? 0;
  putNumbers(out, late, [0, count]);
}

/** Appends the rows written by `putValues`; the columns of `putSources` stand undefined until taken too. */
export function takeValues(input: ByteReader, target: Columns): void {
  const count = input.varint();
  target.reserve(count);
  const at = target.length;
  takeNumbers(input, target.taken, at, count);
  takeBytes(input, target.flags, at, count);
  takeBytes(input, target.reason, at, count);
  takeKinds(input, target, at, count);
  target.length += count;
}

/** Fills in the other columns of the `count` rows taken last. `boots` are the words its numbers stood for. */
export function takeSources(
  input: ByteReader,
  target: Columns,
  count: number,
  boots: readonly string[],
): void {
  const at = target.length - count;
  const exact = input.byte() === 1;
  takeNumbers(input, target.received, at, count);
  if (exact)
    for (let row = at; row < at + count; row++)
      target.received[row] = (target.received[row] ?? 0) + (target.taken[row] ?? 0);
  takeNumbers(input, target.seq, at, count);
  takeBoots(input, target, [at, count], boots);
}

/** Appends rows as bodies of the first version hold them: all columns in one, in another order. */
export function takeFirstVersion(input: ByteReader, target: Columns, boots: readonly string[]): void {
  const count = input.varint();
  target.reserve(count);
  const at = target.length;
  takeNumbers(input, target.taken, at, count);
  const exact = input.byte() === 1;
  takeNumbers(input, target.received, at, count);
  if (exact)
    for (let row = at; row < at + count; row++)
      target.received[row] = (target.received[row] ?? 0) + (target.taken[row] ?? 0);
  takeNumbers(input, target.seq, at, count);
  takeBytes(input, target.flags, at, count);
  takeBytes(input, target.reason, at, count);
  takeBoots(input, target, [at, count], boots);
  takeKinds(input, target, at, count);
  target.length += count;
}

/** Numbers and texts, each for the rows whose flags say so. */
function takeKinds(input: ByteReader, target: Columns, at: number, count: number): void {
  let numbers = 0;
  let texts = 0;
  for (let row = at; row < at + count; row++) {
    const kind = flagsKind(target.flags[row] ?? 0);
    if (kind === kinds.number) numbers++;
    else if (kind >= kinds.code) texts++;
  }
  if (numbers === count) return takeNumbers(input, target.value, at, count);
  const values = scratchOf(numbers);
  takeNumbers(input, values, 0, numbers);
  const words = texts > 0 ? (JSON.parse(input.text()) as TextValue[]) : [];
  let number = 0;
  let text = 0;
  for (let row = at; row < at + count; row++) {
    const kind = flagsKind(target.flags[row] ?? 0);
    target.value[row] = kind === kinds.number ? (values[number++] ?? 0) : NaN;
    if (kind >= kinds.code) target.textAt[row] = target.texts.push(words[text++] ?? '') - 1;
  }
}

function takeBoots(
  input: ByteReader,
  target: Columns,
  [at, count]: readonly [number, number],
  boots: readonly string[],
): void {
  const locals = scratchOf(count);
  takeNumbers(input, locals, 0, count);
  let known = -1;
  let number = 0;
  for (let row = 0; row < count; row++) {
    const local = locals[row] ?? 0;
    if (local !== known) {
      known = local;
      number = target.boots.number(boots[local] ?? '');
    }
    target.boot[at + row] = number;
  }
}
