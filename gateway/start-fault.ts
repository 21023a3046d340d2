import { Fault } from '../model/fault.ts';

/** What the system refused at the start, in words, with the next step. */
const systemWords: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'Another program, perhaps another Vigil, listens there. End it, or set another port (http.port, mqtt.port).',
  EADDRNOTAVAIL: 'This machine has no such address. Correct http.host or mqtt.host.',
  EACCES: 'This user may not do that. Give it the rights, or name another file, folder or port.',
  ENOENT: 'There is no such file. Correct its path in vigil.yaml (tls.certificate, tls.key, data).',
  ENOTDIR: 'A part of that path is no folder. Correct data in vigil.yaml.',
  EROFS: 'That disk is read-only. Name another folder as data in vigil.yaml.',
};

/** Why the gateway did not start, for the person who started it. */
export function startFault(error: unknown): string {
  if (error instanceof Fault) return `${error.message}\n  ${error.whatToDo}`;
  if (!(error instanceof Error)) return String(error);
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code.startsWith('ERR_PARSE_ARGS'))
    return `${error.message}\n  Start it with --help to see what it takes.`;
  const next = systemWords[code];
  return next === undefined ? String(error.stack) : `${error.message}\n  ${next}`;
}
