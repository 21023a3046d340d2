import { pino, type Logger } from 'pino';

export type Log = Logger;

/** Names of fields that may hold patient data: they never reach a log, whoever logs them. */
const patientFields = [
  'name',
  'mrn',
  'birthDate',
  'sex',
  'patient',
  'values',
  'payload',
  'password',
  'secret',
  'token',
];

/** JSON lines on standard output; control characters are escaped by JSON, patient fields are cut out. */
export const createLog = (level: string): Log =>
  pino({
    level,
    base: null,
    redact: { paths: patientFields.flatMap((field) => [field, `*.${field}`]), remove: true },
  });
