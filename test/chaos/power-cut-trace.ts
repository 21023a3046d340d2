// A disk as a power cut leaves it: replays the system calls of a traced process and knows of every file which bytes
// were synced and which were only written, and of every folder which names were.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The body that the child appends as number `index`: says who it is, and no two are alike. */
export function powerCutBody(klass: string, index: number): Uint8Array {
  const body = new Uint8Array(300 + ((index * 37) % 1_200)).fill(index % 251);
  body.set(new TextEncoder().encode(`${klass} ${index};`));
  return body;
}

export const tracedCalls =
  'openat,close,write,pwrite64,writev,pwritev,pwritev2,fdatasync,fsync,sync_file_range,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat';

interface Change {
  readonly at: number;
  /** Undefined: the file was cut or grown to `at`. */
  readonly bytes: Buffer | undefined;
}

class DiskFile {
  synced: Buffer = Buffer.alloc(0);
  pending: Change[] = [];
}

export interface Call {
  readonly name: string;
  readonly args: string;
  readonly result: number;
}
interface Event {
  /** A call's effect begins when it is entered and is certain when it has returned. */
  readonly phase: 'entered' | 'returned';
  readonly call: Call;
  readonly id: number;
}

/** Puts a trace of `strace -f -xx` in order: what was entered and what had returned before what. */
export function* eventsOf(trace: string): Generator<Event> {
  const open = new Map<string, { text: string; id: number }>();
  let id = 0;
  for (const line of trace.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    if (resumed) {
      const begun = open.get(thread);
      open.delete(thread);
      const call = begun && parseCall(begun.text + (resumed[1] ?? ''));
      if (call) yield { phase: 'returned', call, id: begun.id };
    } else if (text.endsWith('<unfinished ...>')) {
      const begun = { text: text.slice(0, -'<unfinished ...>'.length).trimEnd(), id: ++id };
      open.set(thread, begun);
      const call = parseCall(`${begun.text}) = 0`);
      if (call) yield { phase: 'entered', call, id: begun.id };
    } else {
      const call = parseCall(text);
      if (!call) continue;
      yield { phase: 'entered', call, id: ++id };
      yield { phase: 'returned', call, id };
    }
  }
}

function parseCall(text: string): Call | undefined {
  const [, name = '', args = '', result] = /^(\w+)\((.*)\) += (-?\d+)/s.exec(text) ?? [];
  return result === undefined ? undefined : { name, args, result: Number(result) };
}

const stringsIn = (args: string): Buffer[] =>
  [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map((match) => {
    if (match[2]) return Buffer.alloc(0);
    return Buffer.from((match[1] ?? '').replaceAll('\\x', ''), 'hex');
  });
const numbersIn = (args: string): number[] =>
  args
    .replaceAll(/"[^"]*"(\.\.\.)?/g, '')
    .split(',')
    .map((word) => Number(word.trim()))
    .filter((number) => Number.isFinite(number));

export class TracedDisk {
  private readonly folder: string;
  private readonly ignored: ReadonlySet<string>;
  private readonly handles = new Map<number, string>();
  private readonly syncing = new Map<number, number | ReadonlyMap<string, DiskFile>>();
  private names: ReadonlyMap<string, DiskFile> = new Map();
  private syncedNames: ReadonlyMap<string, DiskFile> = new Map();
  private readonly nameSteps: ReadonlyMap<string, DiskFile>[] = [];

  /** `ignored` calls are left out of the replay: a disk that is never told to sync. */
  constructor(folder: string, ignored: readonly string[] = []) {
    this.folder = folder;
    this.ignored = new Set(ignored);
  }

  /** Takes one event; gives back what the process said on standard output, when it began to say it. */
  play({ phase, call, id }: Event): string | undefined {
    const { name, args, result } = call;
    const [fd = -1] = numbersIn(args);
    if (name === 'write' && fd === 1) {
      return phase === 'entered' ? stringsIn(args)[0]?.toString() : undefined;
    }
    if (this.ignored.has(name)) return undefined;
    if (name === 'fsync' || name === 'fdatasync') this.sync(phase, id, fd, result);
    else if (phase === 'returned' && result >= 0) this.change(call, fd);
    return undefined;
  }

  /**
   * Writes the folder as it would be found now: what was synced, and of the rest whatever `survives` says of each
   * sector of 512 bytes and of the last steps in the folder's names.
   */
  rebuild(into: string, survives: () => boolean = () => false): void {
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into, { recursive: true });
    let names = this.syncedNames;
    for (const step of this.nameSteps) {
      if (!survives()) break;
      names = step;
    }
    for (const [name, file] of names) writeFileSync(join(into, name), contentOf(file, survives));
  }

  private change({ name, args, result }: Call, fd: number): void {
    const strings = stringsIn(args);
    const path = strings[0]?.toString() ?? '';
    const file = this.fileOf(fd);
    switch (name) {
      case 'openat':
        this.handles.set(result, path);
        if (dirname(path) !== this.folder || !args.includes('O_CREAT')) return;
        if (!this.names.has(basename(path)))
          this.rename((names) => names.set(basename(path), new DiskFile()));
        else if (args.includes('O_TRUNC'))
          this.names.get(basename(path))?.pending.push({ at: 0, bytes: undefined });
        return;
      case 'close':
        this.handles.delete(fd);
        return;
      case 'pwrite64':
        file?.pending.push({ at: numbersIn(args).at(-1) ?? 0, bytes: written(args, result) });
        return;
      case 'ftruncate':
        file?.pending.push({ at: numbersIn(args)[1] ?? 0, bytes: undefined });
        return;
      case 'rename':
        return this.rename((names) => {
          const moved = names.get(basename(path));
          names.delete(basename(path));
          if (moved) names.set(basename(strings[1]?.toString() ?? ''), moved);
        });
      case 'unlink':
      case 'unlinkat':
        if (dirname(path) !== this.folder) return;
        return this.rename((names) => void names.delete(basename(path)));
      default:
        if (file) throw new Error(`the journal used ${name}, which this disk does not know`);
    }
  }

  private sync(phase: Event['phase'], id: number, fd: number, result: number): void {
    const path = this.handles.get(fd);
    const file = this.fileOf(fd);
    if (path === this.folder) {
      if (phase === 'entered') this.syncing.set(id, this.names);
      else if (result === 0) {
        const names = this.syncing.get(id) as ReadonlyMap<string, DiskFile>;
        const step = this.nameSteps.indexOf(names);
        // Another thread's sync, begun later, may have returned before and holds these names too.
        if (step >= 0) {
          this.syncedNames = names;
          this.nameSteps.splice(0, step + 1);
        }
      }
    } else if (file && phase === 'entered') {
      this.syncing.set(id, file.pending.length);
    } else if (file && result === 0) {
      const certain = file.pending.splice(0, this.syncing.get(id) as number);
      file.synced = certain.reduce((bytes, change) => applied(bytes, change), file.synced);
    }
  }

  private rename(change: (names: Map<string, DiskFile>) => void): void {
    const names = new Map(this.names);
    change(names);
    this.names = names;
    this.nameSteps.push(names);
  }

  private fileOf(fd: number): DiskFile | undefined {
    const path = this.handles.get(fd);
    return path !== undefined && dirname(path) === this.folder ? this.names.get(basename(path)) : undefined;
  }
}

/** Long writes are cut short in the trace; those are the zeros laid down ahead. */
function written(args: string, result: number): Buffer {
  const [bytes = Buffer.alloc(0)] = stringsIn(args);
  if (bytes.length === result) return bytes;
  if (/\\x(?!00)/.test(args)) throw new Error('a write of content was cut short in the trace');
  return Buffer.alloc(result);
}

function applied(bytes: Buffer, { at, bytes: fresh }: Change): Buffer {
  const end = fresh ? Math.max(bytes.length, at + fresh.length) : at;
  const grown = Buffer.alloc(end);
  bytes.copy(grown, 0, 0, Math.min(bytes.length, end));
  if (fresh) fresh.copy(grown, at);
  return grown;
}

const sectorBytes = 512;

function contentOf(file: DiskFile, survives: () => boolean): Buffer {
  let bytes = file.synced;
  for (const { at, bytes: fresh } of file.pending) {
    if (!fresh) {
      if (survives()) bytes = applied(bytes, { at, bytes: fresh });
      continue;
    }
    for (let from = 0; from < fresh.length;) {
      const to = Math.min(fresh.length, from + sectorBytes - ((at + from) % sectorBytes));
      if (survives()) bytes = applied(bytes, { at: at + from, bytes: fresh.subarray(from, to) });
      from = to;
    }
  }
  return bytes;
}
